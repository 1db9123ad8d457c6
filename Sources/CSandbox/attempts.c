// SPDX-License-Identifier: Apache-2.0
// What a process that is shut in must not be able to do, tried.
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static long outcome(long result)
{
	return result < 0 ? errno : 0;
}

static long outcome_of_mapping(void *result)
{
	return result == MAP_FAILED ? errno : 0;
}

static long try_open(void)
{
	return outcome(open("/etc/passwd", O_RDONLY));
}
static long try_openat2(void)
{
	return outcome(syscall(437, AT_FDCWD, "/", NULL, 0));
}
static long try_stat(void)
{
	struct stat status;
	return outcome(syscall(SYS_newfstatat, AT_FDCWD, "/etc/passwd", &status, AT_EMPTY_PATH));
}
static long try_socket(void)
{
	return outcome(socket(AF_INET, SOCK_STREAM, 0));
}
static long try_connect(void)
{
	return outcome(connect(SANDBOX_SOCKET, NULL, 0));
}
static long try_fork(void)
{
	return outcome(syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0));
}
static long try_exec(void)
{
	return outcome(execl("/bin/true", "true", (char *)NULL));
}
static long try_ptrace(void)
{
	return outcome(ptrace(PTRACE_SEIZE, getppid(), NULL, NULL));
}
static long try_kill(void)
{
	return outcome(kill(1, 0));
}
static long try_read_process(void)
{
	return outcome(syscall(SYS_process_vm_readv, 1, NULL, 0, NULL, 0, 0));
}
static long try_write(void)
{
	return outcome(write(SANDBOX_SOCKET, "", 1));
}
static long try_code(void)
{
	return outcome_of_mapping(mmap(NULL, 4096, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
static long try_map_file(void)
{
	return outcome_of_mapping(mmap(NULL, 4096, PROT_READ, MAP_PRIVATE, SANDBOX_SOCKET, 0));
}
static long try_memory(void)
{
	return outcome_of_mapping(
		mmap(NULL, (size_t)1 << 40, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0));
}
static long try_memfd(void)
{
	return outcome(memfd_create("", 0));
}
static long try_limit(void)
{
	const struct rlimit more = { RLIM_INFINITY, RLIM_INFINITY };
	return outcome(setrlimit(RLIMIT_AS, &more));
}
static long try_user(void)
{
	return outcome(setuid(0));
}
static long try_namespace(void)
{
	return outcome(unshare(CLONE_NEWUSER));
}
static long try_bpf(void)
{
	return outcome(syscall(SYS_bpf, 0, NULL, 0));
}
static long try_dump(void)
{
	return outcome(prctl(PR_SET_DUMPABLE, 1));
}
static long try_crash(void)
{
	*(volatile int *)8 = 0;
	return 0;
}
static long try_spin(void)
{
	for (;;)
		;
}

static const struct {
	const char *name;
	long (*attempt)(void);
} attempts[] = {
	{ "open", try_open },	      { "openat2", try_openat2 },
	{ "stat", try_stat },	      { "socket", try_socket },
	{ "connect", try_connect },   { "fork", try_fork },
	{ "exec", try_exec },	      { "ptrace", try_ptrace },
	{ "kill", try_kill },	      { "read-process", try_read_process },
	{ "write", try_write },	      { "code", try_code },
	{ "map-file", try_map_file }, { "memory", try_memory },
	{ "memfd", try_memfd },	      { "limit", try_limit },
	{ "user", try_user },	      { "namespace", try_namespace },
	{ "bpf", try_bpf },	      { "dump", try_dump },
	{ "crash", try_crash },	      { "spin", try_spin },
};

int sandbox_try(const char *what)
{
	for (size_t index = 0; index < sizeof(attempts) / sizeof(*attempts); index++)
		if (!strcmp(attempts[index].name, what))
			return (int)attempts[index].attempt();
	return -1;
}
