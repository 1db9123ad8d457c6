// SPDX-License-Identifier: Apache-2.0
//
// shmcalls: a known sequence of shared-memory system calls. Truth: each call with its arguments, result and errno.
#include "../include/workload.h"
#include "compat.h"
#include "posix.h"
#include "record.h"
#include "stress.h"
#include "sysv.h"

static const char usage[] =
	"usage: shmcalls [options]\n"
	"Makes a known sequence of shmget, shmat, shmdt and shmctl calls, failing ones too, and prints each with its\n"
	"arguments, result and errno as one line of JSON.\n"
	"  --all          then shm_open, ftruncate, mmap, munmap, memfd_create, fcntl seals, memfd_secret too\n"
	"  --compat       32-bit calls instead (x86-64: int 0x80), by ipc() and by their own numbers\n"
	"  --threads N    stress instead: N threads...\n"
	"  --calls M      ...each making M rounds of shmget, shmat, shmdt and shmctl IPC_RMID (default 1000): 4 N M calls\n"
	"  --race         with --threads: one thread makes and removes, the others attach it: EINVAL, EIDRM\n"
	"  --wait --hold  print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"exit: 0 done, 64 wrong options, 69 not possible here, 1 anything else (a call that ended otherwise than it must)\n";

int main(int argc, char **argv)
{
	w_start("shmcalls");
	enum { ALL = 256, COMPAT, THREADS, CALLS, RACE, WAIT, HOLD, HELP };
	static const struct option longs[] = {
		{ "all", 0, 0, ALL },	  { "compat", 0, 0, COMPAT }, { "threads", 1, 0, THREADS },
		{ "calls", 1, 0, CALLS }, { "race", 0, 0, RACE },     { "wait", 0, 0, WAIT },
		{ "hold", 0, 0, HOLD },	  { "help", 0, 0, HELP },     { 0 }
	};
	bool all = false, compat = false, wait = false, hold = false;
	int threads = 0;
	stress_calls = 1000;
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case ALL: all = true; break;
		case COMPAT: compat = true; break;
		case THREADS: threads = (int)w_number("threads", optarg, 1, 200); break;
		case CALLS: stress_calls = (uint64_t)w_number("calls", optarg, 1, 1000000000); break;
		case RACE: stress_race = true; break;
		case WAIT: wait = true; break;
		case HOLD: hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	if ((threads && (all || compat)) || (compat && all) || (stress_race && threads < 2))
		w_die(W_USAGE, 0, "one of --all, --compat and --threads; --race needs --threads 2 or more");
	if (threads) { // a signal can't stop the other threads from making segments
		int gate;
		pid_t worker = w_fork_worker(&gate);
		if (worker) {
			w_undo_shm_of(worker);
			w_guard(worker, gate);
		}
	}
	w_wait(wait, NULL, 0);

	struct stress_thread *counts = NULL;
	if (threads)
		counts = stress(threads);
	else if (compat)
		compat_sequence();
	else
		sysv_sequence(&native_abi);
	if (all)
		posix_sequence();

	j_begin_truth();
	j_text("mode", threads ? stress_race ? "race" : "stress" : compat ? "compat" : all ? "all" : "sysv");
	j_uint("page_size_bytes", (uint64_t)sysconf(_SC_PAGESIZE));
	if (threads)
		print_stress(counts, threads);
	else
		print_calls();
	j_end_line();
	w_hold(hold);
	w_finish();
}
