// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "tracee.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <elf.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// A tracer that is killed takes the command with it: it may stand still, and nobody would let it go.
enum { OPTIONS = PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL };

// Between fork and exec: nothing but async-signal-safe calls.
static _Noreturn void child(const char *const *argv, const struct rlimit *files, int output, int go, int failure)
{
	sigset_t none;
	char byte = 0;

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	signal(SIGPIPE, SIG_DFL);
	setrlimit(RLIMIT_NOFILE, files);
	// A program with file capabilities is not dumpable, and who is not is traced with CAP_SYS_PTRACE alone.
	prctl(PR_SET_DUMPABLE, 1);
	if (write(failure, &byte, 1) != 1 || read(go, &byte, 1) != 1)
		_exit(127);
	if (output != STDOUT_FILENO && dup2(output, STDOUT_FILENO) < 0)
		_exit(126);
	execvp(argv[0], (char *const *)argv);
	int code = errno;
	if (write(failure, &code, sizeof(code)) < 0)
		_exit(126);
	_exit(127);
}

int tracee_spawn(const char *const *argv, const struct rlimit *files, int output, struct tracee *tracee)
{
	int go[2], failure[2];

	if (pipe2(go, O_CLOEXEC) < 0)
		return -errno;
	if (pipe2(failure, O_CLOEXEC) < 0) {
		int code = errno;
		close(go[0]);
		close(go[1]);
		return -code;
	}
	int pid = fork();
	if (pid == 0) {
		close(go[1]); // else its own copy would keep it waiting for ever
		child(argv, files, output, go[0], failure[1]);
	}
	int code = pid < 0 ? errno : 0;
	char ready;

	close(go[0]);
	close(failure[1]);
	if (!code && read(failure[0], &ready, 1) != 1)
		code = ECHILD;
	if (!code && ptrace(PTRACE_SEIZE, pid, NULL, (void *)(long)OPTIONS) < 0) {
		code = errno;
		tracee_kill(pid);
	}
	if (code) {
		close(go[1]);
		close(failure[0]);
		return -code;
	}
	*tracee = (struct tracee){ .pid = pid, .go = go[1], .failure = failure[0] };
	return 0;
}

void tracee_release(struct tracee *tracee)
{
	char byte = 1;

	if (write(tracee->go, &byte, 1) < 0) // it has been killed: waiting will tell
		;
	close(tracee->go);
	tracee->go = -1;
}

int tracee_exec_failure(struct tracee *tracee)
{
	int code = 0;
	ssize_t count = read(tracee->failure, &code, sizeof(code));

	return count == sizeof(code) ? code : 0;
}

struct tracee_event tracee_next(int pid)
{
	int status, result;

	do
		result = waitpid(pid, &status, __WALL | WNOHANG);
	while (result < 0 && errno == EINTR);
	if (result < 0)
		return (struct tracee_event){ TRACEE_LOST, errno };
	if (result == 0)
		return (struct tracee_event){ TRACEE_NOTHING, 0 };
	if (WIFEXITED(status))
		return (struct tracee_event){ TRACEE_EXITED, WEXITSTATUS(status) };
	if (WIFSIGNALED(status))
		return (struct tracee_event){ TRACEE_KILLED, WTERMSIG(status) };
	int stopped_by = WSTOPSIG(status), event = status >> 16;

	if (event == PTRACE_EVENT_EXEC)
		return (struct tracee_event){ TRACEE_EXECED, 0 };
	if (event == PTRACE_EVENT_EXIT)
		return (struct tracee_event){ TRACEE_EXITING, 0 };
	if (event == PTRACE_EVENT_STOP) {
		int is_group = stopped_by == SIGSTOP || stopped_by == SIGTSTP || stopped_by == SIGTTIN ||
			       stopped_by == SIGTTOU;
		return (struct tracee_event){ is_group ? TRACEE_GROUP_STOP : TRACEE_SIGNALLED, 0 };
	}
	if (stopped_by == (SIGTRAP | 0x80))
		return (struct tracee_event){ TRACEE_SYSCALL, 0 };
	return (struct tracee_event){ TRACEE_SIGNALLED, stopped_by };
}

void tracee_continue(int pid, int to_system_call, int signal)
{
	ptrace(to_system_call ? PTRACE_SYSCALL : PTRACE_CONT, pid, NULL, (void *)(long)signal);
}

void tracee_listen(int pid)
{
	ptrace(PTRACE_LISTEN, pid, NULL, NULL);
}

void tracee_kill(int pid)
{
	int status = 0;

	kill(pid, SIGKILL);
	while (waitpid(pid, &status, __WALL) >= 0 || errno == EINTR) {
		if (WIFEXITED(status) || WIFSIGNALED(status))
			return;
		ptrace(PTRACE_CONT, pid, NULL, NULL); // before its end it stands still once more
	}
}

#if defined(__x86_64__)
enum { TRAP = 0xcc, TRAP_BITS = 0xff, TRAP_LENGTH = 1 };
#define PROGRAM_COUNTER(registers) ((registers).rip)
#else
enum { TRAP = (int)0xd4200000, TRAP_BITS = (int)0xffffffff, TRAP_LENGTH = 0 }; // brk #0
#define PROGRAM_COUNTER(registers) ((registers).pc)
#endif

int tracee_set_breakpoint(int pid, unsigned long address, struct tracee_breakpoint *breakpoint)
{
	unsigned long mask = (unsigned int)TRAP_BITS;

	errno = 0;
	long code = ptrace(PTRACE_PEEKTEXT, pid, (void *)address, NULL);
	if (errno)
		return -1;
	*breakpoint = (struct tracee_breakpoint){ .address = address, .code = code };
	long changed = (long)(((unsigned long)code & ~mask) | (unsigned int)TRAP);
	return ptrace(PTRACE_POKETEXT, pid, (void *)address, (void *)changed) < 0 ? -1 : 0;
}

int tracee_reached(int pid, const struct tracee_breakpoint *breakpoint)
{
	struct user_regs_struct registers;
	struct iovec part = { &registers, sizeof(registers) };

	if (ptrace(PTRACE_GETREGSET, pid, (void *)(long)NT_PRSTATUS, &part) < 0 ||
	    PROGRAM_COUNTER(registers) != breakpoint->address + TRAP_LENGTH)
		return 0;
	PROGRAM_COUNTER(registers) = breakpoint->address;
	if (ptrace(PTRACE_POKETEXT, pid, (void *)breakpoint->address, (void *)breakpoint->code) < 0 ||
	    ptrace(PTRACE_SETREGSET, pid, (void *)(long)NT_PRSTATUS, &part) < 0)
		return 0;
	return 1;
}

void tracee_detach(int pid, const struct tracee_breakpoint *breakpoint)
{
	const struct timespec pause = { .tv_nsec = 1000000 };

	// only who stands still can be let go of; who sleeps in the kernel for longer dies with the tracer
	ptrace(PTRACE_INTERRUPT, pid, NULL, NULL);
	for (int tries = 0; tries < 1000; tries++) {
		struct tracee_event event = tracee_next(pid);

		switch (event.change) {
		case TRACEE_NOTHING: nanosleep(&pause, NULL); continue;
		case TRACEE_EXITED:
		case TRACEE_KILLED:
		case TRACEE_LOST: return;
		default: break;
		}
		if (breakpoint && event.value == SIGTRAP && tracee_reached(pid, breakpoint))
			event.value = 0;
		else if (breakpoint)
			ptrace(PTRACE_POKETEXT, pid, (void *)breakpoint->address, (void *)breakpoint->code);
		ptrace(PTRACE_DETACH, pid, NULL, (void *)(long)event.value);
		return;
	}
}

int tracee_open_process(int pid)
{
	int descriptor = (int)syscall(SYS_pidfd_open, pid, 0);

	return descriptor < 0 ? -errno : descriptor;
}
