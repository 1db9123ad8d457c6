// SPDX-License-Identifier: Apache-2.0
#define _GNU_SOURCE
#include "sandbox.h"
#include "steps.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <sched.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

enum { SHUTTING_IN = 1U << CAP_SETUID | 1U << CAP_SETGID | 1U << CAP_SYS_CHROOT };

// The same parent, so that whoever asked for it waits for it and ends it as for what it starts itself. Not by fork(), which
// can't; this process has one thread, so there is no lock that the C library would have to let go of.
static long fork_beside(void)
{
	return syscall(SYS_clone, CLONE_PARENT | SIGCHLD, 0, 0, 0, 0);
}

void sandbox_fork_server(void)
{
	prctl(PR_SET_NAME, "swiftmem-forker");
	(void)keep_capabilities(SHUTTING_IN);
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0);
	for (;;) {
		char request;
		int socket;

		if (sandbox_receive(SANDBOX_SOCKET, &request, 1, &socket) <= 0)
			_exit(0);
		long pid = socket < 0 ? -1 : fork_beside();
		if (pid == 0) {
			dup2(socket, SANDBOX_SOCKET);
			return;
		}
		int64_t answer = pid > 0 ? pid : -(socket < 0 ? EBADF : errno);
		if (socket >= 0)
			close(socket);
		if (sandbox_send(SANDBOX_SOCKET, &answer, sizeof(answer), -1) != sizeof(answer))
			_exit(0);
	}
}

int sandbox_ask_for_process(int server, int *channel)
{
	int ends[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ends) < 0)
		return -errno;
	ptrdiff_t sent = sandbox_send(server, "f", 1, ends[1]);
	int code = sent == 1 ? 0 : sent < 0 ? (int)sent : -EPIPE;
	close(ends[1]);
	// theirs stays as it is: it waits to be asked
	if (code == 0 && fcntl(ends[0], F_SETFL, O_NONBLOCK) < 0)
		code = -errno;
	if (code < 0) {
		close(ends[0]);
		return code;
	}
	*channel = ends[0];
	return 0;
}
