// SPDX-License-Identifier: Apache-2.0
//
// How a workload ends: one-line errors, and a clean-up that also happens on SIGTERM.
// Include it (or workload.h) before any other header: it defines _GNU_SOURCE.
#ifndef SWIFTMEM_UNDO_H
#define SWIFTMEM_UNDO_H
#ifndef _GNU_SOURCE
#define _GNU_SOURCE
#endif
#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// Exit status, after sysexits.h: 64 wrong options, 69 this machine can't (no cgroup, no swap device...), 1 the rest.
enum { W_FAILED = 1, W_USAGE = 64, W_UNAVAILABLE = 69 };

// The program's own name, for errors and for the "workload" key.
static const char *w_name = "workload";

// ---- clean-up -----------------------------------------------------------------------------------------------
// A fixed list undone last-in-first-out. Everything done here is async-signal-safe, as a signal handler does it too.

enum w_undo_kind {
	W_UNDO_NONE,
	W_UNDO_RESERVED,
	W_UNDO_PROCESS,
	W_UNDO_FILE,
	W_UNDO_DIRECTORY,
	W_UNDO_SHM,
	W_UNDO_SHM_OF,
	W_UNDO_WRITE
};
static struct w_undo {
	volatile int kind;
	pid_t pid;
	int shmid;
	char path[256], text[32];
} w_undos[256];
static volatile int w_undo_count;
static volatile pid_t w_undo_owner; // only the process that made a thing removes it: a forked child inherits the list

static inline struct w_undo *w_undo_slot(void)
{
	if (w_undo_owner !=
	    getpid()) { // first use, or first use in a forked child: what is listed belongs to the parent
		w_undo_count = 0;
		w_undo_owner = getpid();
	}
	for (int i = 0; i < w_undo_count; i++)
		if (w_undos[i].kind == W_UNDO_NONE)
			return &w_undos[i];
	if (w_undo_count == (int)(sizeof w_undos / sizeof w_undos[0])) {
		fprintf(stderr, "%s: more to clean up than the list holds\n", w_name);
		abort();
	}
	w_undos[w_undo_count].kind = W_UNDO_NONE;
	return &w_undos[w_undo_count++];
}

/// Kill (SIGKILL) and reap this child when the program ends in any way.
static inline void w_undo_process(pid_t pid)
{
	struct w_undo *u = w_undo_slot();
	u->pid = pid;
	u->kind = W_UNDO_PROCESS;
}

/// Unlink this file (or rmdir this directory) when the program ends in any way.
static inline void w_undo_path(enum w_undo_kind kind, const char *path)
{
	struct w_undo *u = w_undo_slot();
	snprintf(u->path, sizeof u->path, "%s", path);
	u->kind = kind;
}

/// Write this to this file when the program ends in any way: what a setting was before.
static inline void w_undo_write(const char *path, const char *text)
{
	struct w_undo *u = w_undo_slot();
	snprintf(u->path, sizeof u->path, "%s", path);
	snprintf(u->text, sizeof u->text, "%s", text);
	u->kind = W_UNDO_WRITE;
}

/// A place in the list for one System V segment after another.
static inline struct w_undo *w_reserve_shm(void)
{
	struct w_undo *u = w_undo_slot();
	u->kind = W_UNDO_RESERVED;
	return u;
}

/// Remove this segment when the program ends in any way (-1: there is none any more).
static inline void w_undo_shm(struct w_undo *place, int shmid)
{
	place->kind = W_UNDO_RESERVED;
	place->shmid = shmid;
	if (shmid >= 0)
		place->kind = W_UNDO_SHM;
}

/// Remove all segments that this child made, once it is dead.
static inline void w_undo_shm_of(pid_t pid)
{
	struct w_undo *u = w_undo_slot();
	u->pid = pid;
	u->kind = W_UNDO_SHM_OF;
}

/// In a child: die with the parent, even when that is killed and cannot clean up.
static inline void w_die_with(pid_t parent)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() != parent)
		_exit(W_FAILED);
}

/// The child was reaped: forget it, as its pid may be reused.
static inline void w_forget_process(pid_t pid)
{
	if (w_undo_owner != getpid())
		return;
	for (int i = 0; i < w_undo_count; i++)
		if (w_undos[i].kind == W_UNDO_PROCESS && w_undos[i].pid == pid)
			w_undos[i].kind = W_UNDO_NONE;
}

/// Undo everything listed. Async-signal-safe. Returns 0, or the errno of the first thing that could not be undone.
static inline int w_cleanup(void)
{
	int failed = 0;
	if (w_undo_owner != getpid())
		return 0;
	for (int i = w_undo_count - 1; i >= 0; i--) // first the processes, as they hold the rest
		if (w_undos[i].kind == W_UNDO_PROCESS) {
			w_undos[i].kind = W_UNDO_NONE;
			kill(w_undos[i].pid, SIGKILL);
			while (waitpid(w_undos[i].pid, NULL, 0) < 0 && errno == EINTR)
				;
		}
	for (int i = w_undo_count - 1; i >= 0; i--) {
		struct w_undo *u = &w_undos[i];
		int kind = u->kind;
		u->kind = W_UNDO_NONE;
		if (kind == W_UNDO_FILE) {
			if (unlink(u->path) < 0 && errno != ENOENT && !failed)
				failed = errno;
		} else if (kind == W_UNDO_WRITE) {
			int fd = open(u->path, O_WRONLY | O_CLOEXEC);
			if ((fd < 0 || write(fd, u->text, strlen(u->text)) < 0) && !failed)
				failed = errno;
			if (fd >= 0)
				close(fd);
		} else if (kind == W_UNDO_SHM) {
			shmctl(u->shmid, IPC_RMID, NULL);
		} else if (kind == W_UNDO_SHM_OF) {
			struct shmid_ds ds;
			int last = shmctl(0, SHM_INFO, &ds);
			for (int i = 0; i <= last; i++) {
				int id = shmctl(i, SHM_STAT, &ds);
				if (id >= 0 && ds.shm_cpid == u->pid)
					shmctl(id, IPC_RMID, NULL);
			}
		} else if (kind == W_UNDO_DIRECTORY) {
			// A cgroup stays busy for a moment after its last task died.
			int e = 0;
			for (int tries = 0; tries < 200; tries++) {
				e = rmdir(u->path) < 0 && errno != ENOENT ? errno : 0;
				if (!e)
					break;
				nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000 * 1000 }, NULL);
			}
			if (e && !failed)
				failed = e;
		}
	}
	return failed;
}

static inline void w_on_signal(int number)
{
	w_cleanup();
	_exit(128 + number);
}

/// Names the program and makes SIGTERM, SIGINT and SIGHUP clean up before it ends. A closed stdout becomes a write error.
static inline void w_start(const char *name)
{
	static char buffer[1 << 16];
	setvbuf(stdout, buffer, _IOFBF, sizeof buffer); // stdio's own would be a malloc that a tracer sees
	w_name = name;
	struct sigaction action = { .sa_handler = w_on_signal };
	sigfillset(&action.sa_mask); // nothing interrupts a clean-up
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGPIPE, SIG_IGN);
}

/// One line on stderr, clean up, exit with this status. With `error` (an errno) not 0 its text follows.
__attribute__((noreturn, format(printf, 3, 4))) static inline void w_die(int status, int error, const char *format, ...)
{
	char text[512];
	va_list args;
	va_start(args, format);
	vsnprintf(text, sizeof text, format, args);
	va_end(args);
	if (error)
		fprintf(stderr, "%s: %s: %s\n", w_name, text, strerror(error));
	else
		fprintf(stderr, "%s: %s\n", w_name, text);
	w_cleanup();
	_exit(status);
}

// ---- a worker and its guardian ----
// A worker that may die of what it does (an OOM kill), or has threads that a signal handler can't stop, goes on in a
// child; the parent stays behind to clean up.

/// Forks the worker, which waits at the gate: returns 0 in it once w_guard lets it through, its pid in the parent.
static inline pid_t w_fork_worker(int *gate)
{
	int ends[2];
	fflush(stdout);
	if (pipe2(ends, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "pipe");
	pid_t parent = getpid(), pid = fork();
	if (pid < 0)
		w_die(W_FAILED, errno, "fork");
	if (pid == 0) {
		char go;
		w_die_with(parent);
		close(ends[1]);
		if (read(ends[0], &go, 1) != 1)
			_exit(W_FAILED);
		close(ends[0]);
		return 0;
	}
	close(ends[0]);
	*gate = ends[1];
	w_undo_process(pid);
	return pid;
}

/// Lets the worker go on, waits for it, cleans up and ends with its status.
__attribute__((noreturn)) static inline void w_guard(pid_t pid, int gate)
{
	int status;
	if (write(gate, "g", 1) != 1)
		w_die(W_FAILED, errno, "start the worker");
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			w_die(W_FAILED, errno, "wait for the worker");
	w_forget_process(pid);
	for (int i = 0; status == 0 && i < w_undo_count; i++) // it has removed its own
		if (w_undos[i].kind == W_UNDO_SHM_OF)
			w_undos[i].kind = W_UNDO_NONE;
	if (WIFSIGNALED(status))
		w_die(W_FAILED, 0, "the worker died of signal %d%s", WTERMSIG(status),
		      WTERMSIG(status) == SIGKILL ? " (out of memory?)" : "");
	int e = w_cleanup();
	if (e && !WEXITSTATUS(status))
		w_die(W_FAILED, e, "clean-up");
	_exit(WEXITSTATUS(status));
}

#endif
