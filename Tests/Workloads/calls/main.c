// SPDX-License-Identifier: Apache-2.0
//
// calls: one kind of system call in a loop, and what a call costs in CPU time, tracing included.
#include "../include/workload.h"
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>

static const char usage[] =
	"usage: calls [options]\n"
	"Makes one kind of system call in a loop; prints as JSON the CPU time of all of them, and of the calls in the slice\n"
	"that a tenth of a hundred slices were faster than: what a busy machine adds is not in that.\n"
	"  --kind K      getppid (default), shm: shmget, shmat, shmdt and shmctl IPC_RMID in turn,\n"
	"                read: of a cached file, or switch: there and back between two threads on one CPU,\n"
	"                which is two context switches, the CPU time of both counted\n"
	"  --calls N     how many (default 100000; rounded up to whole turns of a hundred slices)\n"
	"  --size-mb N   read: of the file, which is read over and over (default 16)\n"
	"  --bs N        read: bytes a call, of which the file is a multiple (default 4096)\n"
	"  --dir PATH    read: where it is made (default .)\n"
	"  --wait        print {\"type\":\"ready\"} and wait for a line first\n"
	"exit: 0 done, 64 wrong options, 1 anything else\n";

enum kind { GETPPID, SHM, READ, SWITCH };

static struct {
	enum kind kind;
	uint64_t calls, bytes, block;
	const char *directory;
	bool wait;
} opt = { GETPPID, 100000, 16 << 20, 4096, ".", false };

static int file = -1;
static char block[1 << 20];

static void make_file(void)
{
	static char path[240];
	if ((size_t)snprintf(path, sizeof path, "%s/swiftmem-calls-%d.dat", opt.directory, (int)getpid()) >=
	    sizeof path)
		w_die(W_USAGE, 0, "--dir: path too long");
	w_undo_path(W_UNDO_FILE, path);
	file = open(path, O_RDWR | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
	if (file < 0)
		w_die(W_FAILED, errno, "%s", path);
	memset(block, 0xa5, sizeof block);
	for (uint64_t at = 0; at < opt.bytes; at += opt.block)
		if (pwrite(file, block, opt.block, (off_t)at) != (ssize_t)opt.block)
			w_die(W_FAILED, errno, "making the file");
	if (fsync(file) < 0) // nothing writes it back meanwhile
		w_die(W_FAILED, errno, "fsync");
}

static int there[2], back[2];

static void *other(void *unused)
{
	for (char c; read(there[0], &c, 1) == 1 && write(back[1], &c, 1) == 1;)
		;
	return unused;
}

static void start_other(void)
{
	pthread_t thread;
	cpu_set_t set;
	CPU_ZERO(&set);
	CPU_SET(sched_getcpu(), &set);
	if (pipe2(there, O_CLOEXEC) || pipe2(back, O_CLOEXEC) || sched_setaffinity(0, sizeof set, &set) ||
	    pthread_create(&thread, NULL, other, NULL))
		w_die(W_FAILED, errno, "the other thread");
}

// Returns how many calls were made.
static uint64_t loop(uint64_t calls)
{
	uint64_t made = 0;
	switch (opt.kind) {
	case GETPPID:
		for (; made < calls; made++)
			syscall(SYS_getppid);
		break;
	case SHM:
		for (; made < calls; made += 4) {
			long id = syscall(SYS_shmget, (long)IPC_PRIVATE, 4096L, (long)(IPC_CREAT | 0600));
			long at = syscall(SYS_shmat, id, 0L, 0L);
			if (syscall(SYS_shmdt, at) || syscall(SYS_shmctl, id, (long)IPC_RMID, NULL))
				w_die(W_FAILED, errno, "shm calls");
		}
		break;
	case READ:
		for (uint64_t at = 0; made < calls; made++, at = at + opt.block < opt.bytes ? at + opt.block : 0)
			if (pread(file, block, opt.block, (off_t)at) != (ssize_t)opt.block)
				w_die(W_FAILED, errno, "read");
		break;
	case SWITCH:
		for (char c = 0; made < calls; made++)
			if (write(there[1], &c, 1) != 1 || read(back[0], &c, 1) != 1)
				w_die(W_FAILED, errno, "there and back");
		break;
	}
	return made;
}

static int ascending(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	w_start("calls");
	enum { KIND = 256, CALLS, SIZE, BLOCK, DIRECTORY, WAIT, HELP };
	static const struct option longs[] = { { "kind", 1, 0, KIND },	   { "calls", 1, 0, CALLS },
					       { "size-mb", 1, 0, SIZE },  { "bs", 1, 0, BLOCK },
					       { "dir", 1, 0, DIRECTORY }, { "wait", 0, 0, WAIT },
					       { "help", 0, 0, HELP },	   { 0 } };
	static const char *const kinds[] = { "getppid", "shm", "read", "switch" };
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case KIND:
			for (opt.kind = GETPPID; opt.kind <= SWITCH && strcmp(optarg, kinds[opt.kind]); opt.kind++)
				;
			if (opt.kind > SWITCH)
				w_die(W_USAGE, 0, "--kind %s: getppid, shm, read or switch is wanted", optarg);
			break;
		case CALLS: opt.calls = (uint64_t)w_number("calls", optarg, 1, INT64_MAX / 8); break;
		case SIZE: opt.bytes = (uint64_t)w_number("size-mb", optarg, 1, 1 << 20) << 20; break;
		case BLOCK: opt.block = (uint64_t)w_number("bs", optarg, 1, sizeof block); break;
		case DIRECTORY: opt.directory = optarg; break;
		case WAIT: opt.wait = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	if (opt.kind == READ && opt.bytes % opt.block)
		w_die(W_USAGE, 0, "--bs: the file is to be a multiple of it");
	if (opt.kind == READ)
		make_file();
	if (opt.kind == SWITCH)
		start_other();
	w_wait(opt.wait, NULL, 0);

	loop(opt.kind == READ ? opt.bytes / opt.block : 400); // warm: a tracer's state of this task
	enum { SLICES = 100 };
	const clockid_t clock = opt.kind == SWITCH ? CLOCK_PROCESS_CPUTIME_ID : CLOCK_THREAD_CPUTIME_ID;
	uint64_t slices[SLICES], began = w_now_ns(CLOCK_MONOTONIC), before = w_now_ns(clock), then = before, made = 0,
				 part = 0;
	for (int i = 0; i < SLICES; i++) {
		part = loop((opt.calls + SLICES - 1) / SLICES);
		made += part;
		uint64_t now = w_now_ns(clock);
		slices[i] = now - then;
		then = now;
	}
	uint64_t took = w_now_ns(CLOCK_MONOTONIC) - began;
	qsort(slices, SLICES, sizeof *slices, ascending);
	j_begin_truth();
	j_text("kind", kinds[opt.kind]);
	j_uint("calls", made);
	j_uint("cpu_ns", then - before);
	j_uint("slice_calls", part);
	j_uint("slice_tenth_cpu_ns", slices[SLICES / 10]);
	j_uint("slice_median_cpu_ns", slices[SLICES / 2]);
	j_uint("duration_ns", took);
	j_end_line();
	w_finish();
}
