// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "clinux.h"

#include <errno.h>
#include <sched.h>

int clinux_enter_ipc_namespace(int descriptor)
{
	return setns(descriptor, CLONE_NEWIPC) < 0 ? -errno : 0;
}
