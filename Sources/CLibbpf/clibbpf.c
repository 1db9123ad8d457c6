// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clibbpf.h"

#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { MOST_TEXT = 1 << 16 };

static clibbpf_log_fn log_function;
static atomic_int hears_all;
static _Thread_local void *captured;

static int print(enum libbpf_print_level level, const char *format, va_list arguments)
{
	if (level != LIBBPF_WARN && !hears_all)
		return 0;
	char *text = NULL;
	int length = vasprintf(&text, format, arguments);
	if (length < 0)
		return length;
	while (length > 0 && text[length - 1] == '\n')
		text[--length] = 0;
	// A verifier log comes as one text of up to megabytes; its end is what matters.
	log_function((int)level, text + (length > MOST_TEXT ? length - MOST_TEXT : 0), captured);
	free(text);
	return length;
}

void clibbpf_set_log(clibbpf_log_fn log)
{
	log_function = log;
	libbpf_set_print(print);
}

void clibbpf_hear_all(int all)
{
	hears_all = all;
}

void *clibbpf_capture(void *capture)
{
	void *before = captured;

	captured = capture;
	return before;
}

struct bpf_object *clibbpf_open(const void *image, size_t size, const char *name, const char *btf_path)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .object_name = name, .btf_custom_path = btf_path);
	return bpf_object__open_mem(image, size, &options);
}

static int value_or_errno(int value)
{
	return value < 0 ? -errno : value;
}

int clibbpf_load_empty(int type, int attach_type, uint32_t btf_id)
{
	const struct bpf_insn program[] = {
		{ .code = BPF_ALU64 | BPF_MOV | BPF_K, .dst_reg = BPF_REG_0, .imm = 0 },
		{ .code = BPF_JMP | BPF_EXIT },
	};
	LIBBPF_OPTS(bpf_prog_load_opts, options, .expected_attach_type = (enum bpf_attach_type)attach_type,
		    .attach_btf_id = btf_id);
	int fd = bpf_prog_load((enum bpf_prog_type)type, "trial", "Dual BSD/GPL", program, 2, &options);
	return fd; // libbpf 1.x: a descriptor or -errno
}

int clibbpf_raw_tracepoint_open(const char *name, int program)
{
	return bpf_raw_tracepoint_open(name, program);
}

int clibbpf_open_kprobe(uint32_t pmu_type, const char *function, int retprobe)
{
	struct perf_event_attr attr = {
		.type = pmu_type,
		.config = (uint64_t)retprobe,
		.config1 = (uint64_t)(uintptr_t)function,
		.size = sizeof(attr),
	};
	return value_or_errno((int)syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC));
}

// linux/bpf.h of 6.6 and 6.13
enum { TRACE_UPROBE_MULTI = 48, TRACE_UPROBE_SESSION = 57, UPROBE_MULTI_RETURN = 1 };

// union bpf_attr.link_create as far as its uprobe_multi part
struct uprobe_multi_link {
	uint32_t program;
	uint32_t target;
	uint32_t attach_type;
	uint32_t flags;
	uint64_t path;
	uint64_t offsets;
	uint64_t ref_counters;
	uint64_t cookies;
	uint32_t count;
	uint32_t multi_flags;
	uint32_t pid;
	uint32_t padding;
};

int clibbpf_uprobe_attach_type(int session)
{
	return session ? TRACE_UPROBE_SESSION : TRACE_UPROBE_MULTI;
}

int clibbpf_link_uprobe_multi(int program, int session, int retprobe, const char *path, const uint64_t *offsets,
			      const uint64_t *cookies, uint32_t count, int pid)
{
	struct uprobe_multi_link link = {
		.program = (uint32_t)program,
		.attach_type = (uint32_t)clibbpf_uprobe_attach_type(session),
		.path = (uint64_t)(uintptr_t)path,
		.offsets = (uint64_t)(uintptr_t)offsets,
		.cookies = (uint64_t)(uintptr_t)cookies,
		.count = count,
		.multi_flags = retprobe ? UPROBE_MULTI_RETURN : 0,
		.pid = (uint32_t)pid,
	};
	return value_or_errno((int)syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof(link)));
}

static void *detach(void *argument)
{
	const struct clibbpf_handle *handle = argument;

	if (handle->link)
		bpf_link__destroy(handle->link);
	else
		close(handle->descriptor);
	return NULL;
}

void clibbpf_detach_all(const struct clibbpf_handle *handles, size_t count)
{
	pthread_t *threads = count > 1 ? calloc(count, sizeof(*threads)) : NULL;
	pthread_attr_t attributes;
	size_t started = 0;

	pthread_attr_init(&attributes);
	pthread_attr_setstacksize(&attributes, 128 << 10);
	// the last one, and what no thread could be had for, is done here
	while (threads && started + 1 < count &&
	       pthread_create(&threads[started], &attributes, detach, (void *)(uintptr_t)&handles[started]) == 0)
		started++;
	for (size_t i = started; i < count; i++)
		detach((void *)(uintptr_t)&handles[i]);
	for (size_t i = 0; i < started; i++)
		pthread_join(threads[i], NULL);
	pthread_attr_destroy(&attributes);
	free(threads);
}
