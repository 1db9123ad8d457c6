// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox.h"
#include "steps.h"

#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>

// The number of a user that there is none of: above all that are given out to people, containers and services, and another
// for each of these processes, so that none of them may send a signal to another, nor anybody but root to it.
static uid_t nobodys(void)
{
	return 0x7fff0000u + (uid_t)(getpid() & 0x7fff);
}

static int become_nobody(void)
{
	uid_t user = nobodys();

	if (setgroups(0, NULL) < 0)
		return -errno;
	// a user namespace may have 65536 numbers, of which the last but one is nobody's by convention
	if (setresgid(user, user, user) < 0 && setresgid(65534, 65534, 65534) < 0)
		return -errno;
	// Whoever started it keeps a way to end it when he has given away the right to end others' processes: it is the saved
	// number that counts. It can't go back to that: the filter ends whoever tries.
	uid_t starter = geteuid();
	if (setresuid(user, user, starter) < 0 && setresuid(65534, 65534, starter) < 0)
		return -errno;
	return 0;
}

int keep_capabilities(uint32_t kept)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct sets[2];

	if (syscall(SYS_capget, &header, sets) < 0)
		return -errno;
	kept &= sets[0].permitted;
	memset(sets, 0, sizeof(sets));
	sets[0].permitted = sets[0].effective = kept;
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	return syscall(SYS_capset, &header, sets) < 0 ? -errno : 0;
}

// Bytes of address space in use; 0 where that can't be told.
static uint64_t address_space(void)
{
	unsigned long long pages = 0;
	FILE *file = fopen("/proc/self/statm", "re");

	if (!file)
		return 0;
	if (fscanf(file, "%llu", &pages) != 1)
		pages = 0;
	fclose(file);
	return pages * (uint64_t)sysconf(_SC_PAGESIZE);
}

static int limit(int resource, uint64_t most)
{
	struct rlimit old, limit = { most, most };

	if (getrlimit(resource, &old) < 0)
		return -errno;
	if (old.rlim_max < most)
		limit = (struct rlimit){ old.rlim_max, old.rlim_max };
	return setrlimit(resource, &limit) < 0 ? -errno : 0;
}

enum { MOST_FILES = 64 };

static int limit_all(uint64_t memory, uint64_t seconds)
{
	const struct {
		int resource;
		uint64_t most;
	} limits[] = {
		{ RLIMIT_AS, address_space() + memory },
		{ RLIMIT_CPU, seconds },
		{ RLIMIT_NOFILE, MOST_FILES },
		{ RLIMIT_CORE, 0 },
		{ RLIMIT_FSIZE, 0 },
		{ RLIMIT_NPROC, 0 },
		{ RLIMIT_MEMLOCK, 0 },
		{ RLIMIT_MSGQUEUE, 0 },
	};

	for (size_t index = 0; index < sizeof(limits) / sizeof(*limits); index++) {
		int code = limit((int)limits[index].resource, limits[index].most);
		if (code)
			return code;
	}
	return 0;
}

struct sandbox_failure sandbox_enter(uint64_t memory, uint64_t seconds)
{
	int code;

	prctl(PR_SET_NAME, "swiftmem-parser"); // else it is called "exe"
	// a handler of whoever was loaded into this process would call what is refused, and hide the cause
	for (int number = 1; number < SIGRTMIN; number++)
		signal(number, SIG_DFL);
#ifdef SYS_close_range // Linux 5.9; all descriptors are closed at exec anyway
	(void)syscall(SYS_close_range, SANDBOX_SOCKET + 1, ~0U, 0);
#endif
	if ((code = limit_all(memory, seconds)))
		return (struct sandbox_failure){ "setrlimit", -code };
	// An empty directory for a root, where it may be chosen: there is nothing in it but numbers of descriptors.
	if (chroot("/proc/self/fdinfo") == 0 && chdir("/") < 0)
		return (struct sandbox_failure){ "chdir", errno };
	(void)become_nobody(); // where it may
	if ((code = keep_capabilities(0)))
		return (struct sandbox_failure){ "capset", -code };
	// both are lost by a change of the user
	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0) < 0 || prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0)
		return (struct sandbox_failure){ "prctl", errno };
	if ((code = filter_system_calls()))
		return (struct sandbox_failure){ "seccomp", -code };
	return (struct sandbox_failure){ NULL, 0 };
}
