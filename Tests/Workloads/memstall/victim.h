// SPDX-License-Identifier: Apache-2.0
//
// Another cgroup's task, which suffers from what memstall does.
#ifndef SWIFTMEM_MEMSTALL_VICTIM_H
#define SWIFTMEM_MEMSTALL_VICTIM_H
#include "cgroups.h"
#include "stalls.h"
#include <sys/mman.h>
#include <sys/prctl.h>

static pid_t victim;

// A task in a cgroup of its own that wants what it has, and no more: a page each half a millisecond.
static void start_victim(void)
{
	victim = fork();
	if (victim < 0)
		w_die(W_FAILED, errno, "fork");
	if (victim)
		return;
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	memcg_add(&beside, getpid());
	char *memory = mmap(NULL, opt.victim, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED)
		_exit(1);
	for (;;)
		for (uint64_t i = 0; i < opt.victim; i += page) {
			memory[i]++;
			usleep(500);
		}
}

#endif
