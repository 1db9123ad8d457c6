/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* System V's calls, by their own numbers or by ipc(). */
#ifndef SWIFTMEM_SHMSNOOP_SYSTEM_V_H
#define SWIFTMEM_SHMSNOOP_SYSTEM_V_H

#include "vmlinux/core.h"
#include <bpf/bpf_helpers.h>
#include "lib/loss.h"
#include "shmsnoop/call_numbers.h"

/* The kind of a call and its arguments in their order; ipc()'s are those of the call that it stands for. */
static __always_inline u32 system_v(u32 call, const u64 words[6], u64 arguments[6], s64 *result)
{
	if (CALL_VARIANT(call) != IPC) {
		arguments[0] = words[0];
		arguments[1] = words[1];
		arguments[2] = words[2];
		return CALL_KIND(call);
	}
	switch (words[0] & 0xffff) {
	case IPCCALL_SHMGET:
		arguments[0] = words[1];
		arguments[1] = words[2];
		arguments[2] = words[3];
		return SHM_CALL_GET;
	case IPCCALL_SHMAT: {
		u32 address = 0;

		arguments[0] = words[1];
		arguments[1] = words[4];
		arguments[2] = words[2];
		/* the address comes back in memory, and 0 as the result */
		if (*result == 0) {
			if (bpf_probe_read_user(&address, sizeof(address), (void *)words[3]))
				lost(LOSS_UNREADABLE);
			*result = address;
		}
		return SHM_CALL_AT;
	}
	case IPCCALL_SHMDT: arguments[0] = words[4]; return SHM_CALL_DT;
	case IPCCALL_SHMCTL:
		arguments[0] = words[1];
		arguments[1] = words[2];
		arguments[2] = words[4];
		return SHM_CALL_CTL;
	}
	return SHM_CALL_NONE; /* semaphores, messages */
}

#endif
