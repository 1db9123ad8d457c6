// SPDX-License-Identifier: Apache-2.0
// A command run under ptrace: stopped at its exec, while its libraries are loaded,
// and before it goes, so that probes are in before its first instruction and its
// mappings can be read after its last. Swift has neither fork() nor variadic ptrace().
#ifndef TRACEE_H
#define TRACEE_H

#include <stdint.h>
#include <sys/resource.h>

struct tracee {
	int pid;
	int go; // write end: the child waits for a byte, and leaves at its end
	int failure; // read end: the errno of an exec that failed
};

// Forks and seizes; the child waits for tracee_release(). argv ends with NULL; `files` is the child's limit on open
// files, `output` what it has as its standard output. 0 or -errno.
int tracee_spawn(const char *_Nullable const *_Nonnull argv, const struct rlimit *_Nonnull files, int output,
		 struct tracee *_Nonnull tracee);

// Lets the child exec.
void tracee_release(struct tracee *_Nonnull tracee);

// The errno of an exec that failed, once the child has ended; 0 when it succeeded.
int tracee_exec_failure(struct tracee *_Nonnull tracee);

enum tracee_change {
	TRACEE_NOTHING, // nothing yet
	TRACEE_EXECED, // stopped behind an exec
	TRACEE_EXITING, // stopped with its memory still there
	TRACEE_SYSCALL, // stopped at a system call's entry or exit
	TRACEE_SIGNALLED, // stopped; `value` is the signal to deliver
	TRACEE_GROUP_STOP, // stopped as job control wants it
	TRACEE_EXITED, // gone, with status `value`
	TRACEE_KILLED, // gone by signal `value`
	TRACEE_LOST, // no such child
};

struct tracee_event {
	enum tracee_change change;
	int value;
};

// What the child has done since the last time; SIGCHLD comes when there is something. Never waits.
struct tracee_event tracee_next(int pid);

// Lets it run on, to the next system call if wanted, with a signal or 0.
void tracee_continue(int pid, int to_system_call, int signal);

// Leaves it stopped for job control until SIGCONT.
void tracee_listen(int pid);

// Kills it and waits for its end.
void tracee_kill(int pid);

// Runs a stopped process to an instruction of its own: what tracee_next() then gives with SIGTRAP is to
// be asked tracee_reached(), which is 1 when it stands there, its code as it was, and 0 else.
struct tracee_breakpoint {
	unsigned long address;
	long code;
};

// Returns 0, or -1 where the address can't be written to.
int tracee_set_breakpoint(int pid, unsigned long address, struct tracee_breakpoint *_Nonnull breakpoint);
int tracee_reached(int pid, const struct tracee_breakpoint *_Nonnull breakpoint);

// Lets go of it, to run on untraced, its code as it was. Waits a second at most for it to stand still.
void tracee_detach(int pid, const struct tracee_breakpoint *_Nullable breakpoint);

// A descriptor that becomes readable when a process ends (Linux 5.3), or -errno.
int tracee_open_process(int pid);

#endif
