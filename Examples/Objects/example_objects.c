// SPDX-License-Identifier: Apache-2.0
#include "example_objects.h"

#if !__has_embed("objects/exec_events.bpf.o") || !__has_embed("objects/file_opens.bpf.o")
#error the BPF objects are not built yet: run "make bpf" first
#endif

_Alignas(8) static const unsigned char exec_events_image[] = {
#embed "objects/exec_events.bpf.o"
};
_Alignas(8) static const unsigned char calls_per_cpu_image[] = {
#embed "objects/calls_per_cpu.bpf.o"
};
_Alignas(8) static const unsigned char uprobe_cookies_image[] = {
#embed "objects/uprobe_cookies.bpf.o"
};
_Alignas(8) static const unsigned char task_list_image[] = {
#embed "objects/task_list.bpf.o"
};
_Alignas(8) static const unsigned char file_opens_image[] = {
#embed "objects/file_opens.bpf.o"
};

const struct example_object exec_events = { exec_events_image, sizeof(exec_events_image) };
const struct example_object calls_per_cpu = { calls_per_cpu_image, sizeof(calls_per_cpu_image) };
const struct example_object uprobe_cookies = { uprobe_cookies_image, sizeof(uprobe_cookies_image) };
const struct example_object task_list = { task_list_image, sizeof(task_list_image) };
const struct example_object file_opens = { file_opens_image, sizeof(file_opens_image) };
