/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The size of the kernel's pages: 4 KiB on x86-64; 4, 16 or 64 KiB on arm64, as the kernel was built. */
#ifndef SWIFTMEM_PAGE_H
#define SWIFTMEM_PAGE_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>

/* User space asks the running kernel, and sets it before the load: a constant to the verifier. */
const volatile u32 page_shift SEC(".rodata.page") = 0;

#define PAGE_SHIFT page_shift
#define PAGE_SIZE (1ULL << PAGE_SHIFT)

/* The pages of what a huge page maps at once: those of one page table, whose entries have eight bytes. */
#define HUGE_PAGES (1ULL << (PAGE_SHIFT - 3))

#endif
