// SPDX-License-Identifier: Apache-2.0
//
// The two processes of the pattern two-procs.
#ifndef SWIFTMEM_PAGECACHE_READERS_H
#define SWIFTMEM_PAGECACHE_READERS_H
#include "../include/counters.h"
#include "options.h"
#include <sys/wait.h>

// What two-procs' readers hand back.
struct reader_result {
	uint64_t access_pages, calls, bytes;
	int64_t read_bytes, minflt, majflt;
	bool has_io;
};

static struct reader_result *readers; // shared with the children
static pid_t reader_pids[2];
static int reader_gate[2];

// Two processes, each with a descriptor of its own, stopped at the gate.
static void start_readers(struct work *w, const char *path)
{
	readers = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (readers == MAP_FAILED || pipe2(reader_gate, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "readers");
	pid_t parent = getpid();
	for (int i = 0; i < 2; i++) {
		fflush(stdout);
		pid_t pid = fork();
		if (pid < 0)
			w_die(W_FAILED, errno, "fork");
		if (pid == 0) {
			char go;
			w_die_with(parent);
			close(reader_gate[1]);
			w->fd = open(path, O_RDONLY | O_CLOEXEC);
			if (w->fd < 0 || (opt.random_hint && posix_fadvise(w->fd, 0, 0, POSIX_FADV_RANDOM)))
				_exit(W_FAILED);
			memset(w->buffer, 0, w->bs); // its own copy
			if (read(reader_gate[0], &go, 1) != 1)
				_exit(W_FAILED);
			static struct counters before, after;
			counters_read(&before, true);
			do_seq_read(w);
			counters_read(&after, false);
			struct reader_result *r = &readers[i];
			*r = (struct reader_result){ w->access_pages,
						     w->calls,
						     w->bytes,
						     0,
						     after.usage.ru_minflt - before.usage.ru_minflt,
						     after.usage.ru_majflt - before.usage.ru_majflt,
						     false };
			r->has_io = counters_delta(before.io, after.io, "read_bytes", &r->read_bytes);
			_exit(0);
		}
		w_undo_process(pid);
		reader_pids[i] = pid;
	}
	close(reader_gate[0]);
}

static void run_readers(struct work *w)
{
	whole(write(reader_gate[1], "gg", 2), 2, "starting the readers");
	for (int i = 0; i < 2; i++) {
		int status;
		while (waitpid(reader_pids[i], &status, 0) < 0)
			if (errno != EINTR)
				w_die(W_FAILED, errno, "wait");
		w_forget_process(reader_pids[i]);
		if (status)
			w_die(W_FAILED, 0, "reader %d failed", (int)reader_pids[i]);
		w->access_pages += readers[i].access_pages;
		w->calls += readers[i].calls;
		w->bytes += readers[i].bytes;
	}
	memset(w->touched, 1, (w->size + w->page - 1) / w->page);
}

#endif
