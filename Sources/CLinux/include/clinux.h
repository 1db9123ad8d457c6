// SPDX-License-Identifier: Apache-2.0
// What of the kernel's interface the C library has and Swift's Glibc module leaves out.
#ifndef CLINUX_H
#define CLINUX_H

#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

// setns() to an IPC namespace. Returns 0 or -errno.
int clinux_enter_ipc_namespace(int descriptor);

#endif
