// SPDX-License-Identifier: Apache-2.0
//
// contain ROOT PROGRAM [ARGUMENT...]: runs it as a container's first process: its own mount and process namespaces, ROOT
// as /, nothing else of this machine in sight. Says {"type":"contained","pid":N} with the pid as it is outside.
#define _GNU_SOURCE
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

int main(int argc, char **argv)
{
	if (argc < 3)
		return 64;
	if (unshare(CLONE_NEWNS | CLONE_NEWPID) || mount("", "/", "", MS_REC | MS_PRIVATE, "") ||
	    mount(argv[1], argv[1], "", MS_BIND, "") || chdir(argv[1]) || syscall(SYS_pivot_root, ".", ".") ||
	    umount2(".", MNT_DETACH)) {
		perror("contain");
		return 1;
	}
	int pid = fork();
	if (pid == 0) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		execv(argv[2], argv + 2);
		perror(argv[2]);
		_exit(127);
	}
	printf("{\"type\":\"contained\",\"pid\":%d}\n", pid);
	fflush(stdout);
	int status;
	waitpid(pid, &status, 0);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
