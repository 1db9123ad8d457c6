// SPDX-License-Identifier: Apache-2.0
// The filter is a program of a few dozen instructions for the kernel's classic BPF machine, written out here: a library
// for it would be a dependency more, for less than it costs to link.
#define _GNU_SOURCE
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/audit.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stddef.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#else
#error the numbers of system calls of this machine are not known here
#endif

#ifndef SECCOMP_RET_KILL_PROCESS // Linux 4.14
#define SECCOMP_RET_KILL_PROCESS 0x80000000U
#endif

#define FIELD(name) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, name))
// The lower half of an argument: both machines are little-endian.
#define ARGUMENT(number) BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args) + 8 * (number))
#define RETURN(action) BPF_STMT(BPF_RET | BPF_K, action)
#define KILL RETURN(SECCOMP_RET_KILL_PROCESS)
#define ALLOW RETURN(SECCOMP_RET_ALLOW)
#define REFUSE(code) RETURN(SECCOMP_RET_ERRNO | (code))

// A system call by its number.
#define ALLOW_CALL(call) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), ALLOW
#define REFUSE_CALL(call, code) BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 1), REFUSE(code)
// One whose argument must have none of these bits.
#define ALLOW_WITHOUT(call, number, bits) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), ARGUMENT(number), \
		BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, bits, 0, 1), KILL, ALLOW
// One whose argument must be this.
#define ALLOW_WITH(call, number, value) \
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_##call, 0, 4), ARGUMENT(number), \
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, value, 1, 0), KILL, ALLOW

static const struct sock_filter program[] = {
	FIELD(arch),
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0),
	KILL,
	FIELD(nr),
	// to be asked, to read, to answer
	ALLOW_CALL(recvmsg),
	ALLOW_CALL(sendmsg),
	ALLOW_CALL(pread64),
	ALLOW_CALL(read),
	ALLOW_CALL(lseek),
	ALLOW_CALL(close),
	ALLOW_CALL(fstat),
	// which is what fstat() of glibc 2.33 to 2.38 calls; by a name it leads nowhere, below an empty root
	ALLOW_WITH(newfstatat, 3, AT_EMPTY_PATH),
	ALLOW_WITHOUT(fcntl, 1, ~3U), // F_DUPFD to F_GETFL
	// memory, but no code; of a file there is no mapping
	BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_mmap, 0, 6),
	ARGUMENT(2),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, PROT_EXEC, 2, 0),
	ARGUMENT(3),
	BPF_JUMP(BPF_JMP | BPF_JSET | BPF_K, MAP_ANONYMOUS, 1, 0),
	KILL,
	ALLOW,
	ALLOW_WITHOUT(mprotect, 2, PROT_EXEC),
	ALLOW_CALL(munmap),
	ALLOW_CALL(mremap),
	ALLOW_CALL(madvise),
	ALLOW_CALL(brk),
	// the C library's own
	ALLOW_CALL(futex),
	ALLOW_CALL(clock_gettime),
	ALLOW_CALL(getrandom),
	ALLOW_CALL(rt_sigprocmask),
	ALLOW_CALL(rt_sigpending),
	ALLOW_CALL(rt_sigreturn),
	ALLOW_CALL(restart_syscall),
	ALLOW_CALL(sched_yield),
	ALLOW_CALL(getpid),
	ALLOW_CALL(gettid),
	ALLOW_CALL(exit),
	ALLOW_CALL(exit_group),
	// what a C library may ask and can do without
	REFUSE_CALL(openat, EACCES),
	REFUSE_CALL(readlinkat, EACCES),
	REFUSE_CALL(faccessat, EACCES),
	REFUSE_CALL(ioctl, ENOTTY),
	REFUSE_CALL(sched_getaffinity, EPERM),
	REFUSE_CALL(sysinfo, EPERM),
	REFUSE_CALL(prlimit64, EPERM),
	REFUSE_CALL(write, EBADF), // of a fault's last words
#ifdef SYS_open
	REFUSE_CALL(open, EACCES),
	REFUSE_CALL(access, EACCES),
	REFUSE_CALL(readlink, EACCES),
#endif
	KILL,
};

int filter_system_calls(void)
{
	const struct sock_fprog filter = { sizeof(program) / sizeof(*program), (struct sock_filter *)(void *)program };

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0 || prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &filter) < 0)
		return -errno;
	return 0;
}
