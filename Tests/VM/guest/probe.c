// SPDX-License-Identifier: Apache-2.0
// Loads, attaches and triggers the fentry program of the object given; status 0 when it ran.

#include <bpf/bpf.h>
#include <bpf/libbpf.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static int fails(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error < 0 ? -error : error));
	return 1;
}

int main(int argc, char **argv)
{
	struct bpf_prog_info info = { 0 };
	struct bpf_program *program;
	struct bpf_object *object;
	struct bpf_link *link;
	__u32 size = sizeof(info);
	int error, stats, file;
	char byte;

	if (argc != 2)
		return 64;
	// The kernel counts runs only while somebody holds this open.
	stats = bpf_enable_stats(BPF_STATS_RUN_TIME);
	if (stats < 0)
		return fails("enable statistics", stats);
	object = bpf_object__open_file(argv[1], NULL);
	error = libbpf_get_error(object);
	if (error)
		return fails("open", error);
	error = bpf_object__load(object);
	if (error)
		return fails("load", error);
	program = bpf_object__next_program(object, NULL);
	link = bpf_program__attach(program);
	error = libbpf_get_error(link);
	if (error)
		return fails("attach", error);
	file = open("/proc/version", O_RDONLY | O_CLOEXEC);
	if (file < 0 || read(file, &byte, 1) != 1)
		return fails("read", 5);
	error = bpf_obj_get_info_by_fd(bpf_program__fd(program), &info, &size);
	if (error)
		return fails("program information", error);
	printf("ran %llu times\n", (unsigned long long)info.run_cnt);
	return info.run_cnt == 0;
}
