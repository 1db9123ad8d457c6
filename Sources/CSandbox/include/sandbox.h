// SPDX-License-Identifier: Apache-2.0
// A process that may compute, and nothing else: how it is started, how it shuts itself in, and how descriptors get there.
// C, for between two system calls here no library may allocate or fail in its own way, and a filter of system calls is a
// table of the C preprocessor's numbers.
#ifndef SANDBOX_H
#define SANDBOX_H

#include <stddef.h>
#include <stdint.h>

// The descriptor that the process finds its socket at.
enum { SANDBOX_SOCKET = 3 };

// Starts this very program anew with `argv`, by /proc/self/exe, in a session of its own: a key pressed at the terminal
// does not reach it. It has one descriptor, and of the environment what finds its libraries. Gives its number, and at
// `channel` a descriptor of this end; or -errno.
int sandbox_spawn(char *_Nullable const *_Nonnull argv, int *_Nonnull channel);

// The process's own end of that: it lives to be forked from. It keeps the rights that `sandbox_enter` shuts a process in by
// a user and a root with, and gives up all others. Returns in each process that is forked from it, which has its own socket
// at SANDBOX_SOCKET and the same parent as this one; where whoever started it is gone, this one ends.
void sandbox_fork_server(void);

// Asks it for a process. Gives 0, and at `channel` a descriptor of this end, or -errno. What it says then is an int64_t: the
// number of the process, this one's child, or -errno.
int sandbox_ask_for_process(int server, int *_Nonnull channel);

// What a step of `sandbox_enter` came to.
struct sandbox_failure {
	const char *_Nullable step; // NULL: it is shut in
	int code; // errno
};

// Shuts this process in, for good. It keeps its socket, `memory` bytes beyond what it has, `seconds` of CPU time (whoever
// asks looks more closely, and has another started in time), and system calls
// for reading what it is handed and for answering: no file can be opened, nothing be sent elsewhere, no program be run.
// A user of its own, an empty root and no capability come to that where it may choose them.
struct sandbox_failure sandbox_enter(uint64_t memory, uint64_t seconds);

// Sends `count` bytes, and with the first of them a descriptor where there is one (else -1). Gives how many were sent, or
// -errno; -EAGAIN where there is no room.
ptrdiff_t sandbox_send(int channel, const void *_Nonnull bytes, size_t count, int descriptor);

// Receives up to `count` bytes, and the descriptor that came with them, which is the caller's to close; -1 where none did.
// Gives how many were received, 0 at the end, or -errno.
ptrdiff_t sandbox_receive(int channel, void *_Nonnull bytes, size_t count, int *_Nonnull descriptor);

// For the test of it: tries what must not be done. Gives 0 where it could be done, or the errno with which it was
// refused; most attempts end the process by SIGSYS. -1 where there is no attempt of that name.
int sandbox_try(const char *_Nonnull what);

#endif
