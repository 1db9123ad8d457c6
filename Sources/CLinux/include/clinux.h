// SPDX-License-Identifier: Apache-2.0
// What of the kernel's interface the C library has and Swift's Glibc module leaves out.
#ifndef CLINUX_H
#define CLINUX_H

#include <stdint.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/timerfd.h>

// setns() to an IPC namespace. Returns 0 or -errno.
int clinux_enter_ipc_namespace(int descriptor);

// Gives up all capabilities but those whose bits are set, and any way to new ones (capabilities(7)); what this thread
// does not have it does not get. Returns 0 or -errno.
int clinux_keep_capabilities(uint64_t kept);

#endif
