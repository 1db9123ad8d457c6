/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* memstall --stack: the programs of memstall.bpf.c, which keep the stacks of stalls besides. */
#define MEMSTALL_STACKS
#define CALLS_GLOBAL_FUNCTIONS /* a walk is some */
#include "memstall.bpf.c"
