// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

// What finds the libraries of a program that is not linked statically.
static char *library_path(void)
{
	for (char **entry = environ; entry && *entry; entry++)
		if (!strncmp(*entry, "LD_LIBRARY_PATH=", 16))
			return *entry;
	return NULL;
}

static int spawn(char *const *argv, int socket, pid_t *pid)
{
	char *const environment[] = { library_path(), NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, all;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	for (int standard = 0; standard < 3; standard++)
		posix_spawn_file_actions_addopen(&actions, standard, "/dev/null", O_RDWR, 0);
	posix_spawn_file_actions_adddup2(&actions, socket, SANDBOX_SOCKET);
	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &all);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | POSIX_SPAWN_SETSID);
	int code = posix_spawn(pid, "/proc/self/exe", &actions, &attributes, argv, environment);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -code;
}

int sandbox_spawn(char *const *argv, int *channel)
{
	int ends[2];
	pid_t pid = 0;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	// a descriptor that is 3 already would keep its close-on-exec flag
	int theirs = fcntl(ends[1], F_DUPFD_CLOEXEC, SANDBOX_SOCKET + 1);
	int code = theirs < 0 ? -errno : spawn(argv, theirs, &pid);
	close(ends[1]);
	if (theirs >= 0)
		close(theirs);
	if (code == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		code = -errno;
	if (code < 0) {
		close(ends[0]);
		return code;
	}
	*channel = ends[0];
	return pid;
}
