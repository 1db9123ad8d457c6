// SPDX-License-Identifier: Apache-2.0
#include "example_objects.h"

// `make bpf` writes it: IMAGE(name) for each of the programs here, its bytes embedded.
#if defined(__aarch64__)
#define IMAGES_OF_THIS_MACHINE "objects/arm64/images.h"
#else
#define IMAGES_OF_THIS_MACHINE "objects/x86/images.h"
#endif
#if !__has_include(IMAGES_OF_THIS_MACHINE)
#error the BPF objects are not built yet: run "make bpf" first
#endif

#define IMAGE(name) _Alignas(8) static const unsigned char name##_image[]
#include IMAGES_OF_THIS_MACHINE

const struct example_object exec_events = { exec_events_image, sizeof(exec_events_image) };
const struct example_object calls_per_cpu = { calls_per_cpu_image, sizeof(calls_per_cpu_image) };
const struct example_object uprobe_cookies = { uprobe_cookies_image, sizeof(uprobe_cookies_image) };
const struct example_object task_list = { task_list_image, sizeof(task_list_image) };
const struct example_object file_opens = { file_opens_image, sizeof(file_opens_image) };
