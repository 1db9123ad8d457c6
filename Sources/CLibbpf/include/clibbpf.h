// SPDX-License-Identifier: Apache-2.0
// All that Swift sees of libbpf and of the kernel's BPF interface. What is
// declared here, beyond the includes, Swift can't say or can't import itself.
#ifndef CLIBBPF_H
#define CLIBBPF_H

#include <bpf/bpf.h>
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <linux/perf_event.h>
#include <stddef.h>
#include <stdint.h>

// libbpf's log callback takes a va_list, which Swift can't read: the text comes
// formatted, without its newline. level is enum libbpf_print_level; capture is what
// clibbpf_capture() set on the thread that libbpf speaks on.
typedef void (*clibbpf_log_fn)(int level, const char *_Nonnull text, void *_Nullable capture);
void clibbpf_set_log(clibbpf_log_fn _Nonnull log);

// Passes on all that libbpf says, or warnings alone, which spares the formatting of the rest.
void clibbpf_hear_all(int all);

// Sets what the log function is given for calls of this thread; returns what was set.
void *_Nullable clibbpf_capture(void *_Nullable capture);

// LIBBPF_OPTS is a macro with a statement in it, which Swift doesn't import.
struct bpf_object *_Nullable clibbpf_open(const void *_Nonnull image, size_t size, const char *_Nonnull name,
					  const char *_Nullable btf_path);

// A file of BTF (a memfd) with the kernel's types that an object's relocations can be about: those of the names that
// the object's own types have, and what lies inside of them. Returns a descriptor or -errno.
int clibbpf_subset(const struct btf *_Nonnull kernel, const struct bpf_object *_Nonnull object);

// A program that does nothing, of a type and an attach type: what the kernel says
// to it, it says to any program of that kind. btf_id: the function or tracepoint
// for tracing programs, else 0. Returns a descriptor or -errno.
int clibbpf_load_empty(int type, int attach_type, uint32_t btf_id);

// bpf(BPF_RAW_TRACEPOINT_OPEN); name is NULL for tp_btf, fentry, fexit. -errno on failure.
int clibbpf_raw_tracepoint_open(const char *_Nullable name, int program);

// perf_event_open() of one function of the kernel by the kprobe PMU. -errno on failure.
int clibbpf_open_kprobe(uint32_t pmu_type, const char *_Nonnull function, int retprobe);

// Links of attach type BPF_TRACE_UPROBE_MULTI (6.6) and BPF_TRACE_UPROBE_SESSION
// (6.13), which Debian 12's libbpf and kernel headers do not know. pid 0: every
// process. Returns the link's descriptor or -errno.
int clibbpf_link_uprobe_multi(int program, int session, int retprobe, const char *_Nonnull path,
			      const uint64_t *_Nonnull offsets, const uint64_t *_Nullable cookies, uint32_t count,
			      int pid);
int clibbpf_uprobe_attach_type(int session);

// A link of libbpf's, or where there is none the descriptor of one.
struct clibbpf_handle {
	struct bpf_link *_Nullable link;
	int descriptor;
};

// Destroys or closes all, each in a thread of its own.
void clibbpf_detach_all(const struct clibbpf_handle *_Nonnull handles, size_t count);

#endif
