// SPDX-License-Identifier: Apache-2.0
//
// newtool: starts a known number of processes and threads, each of which ends at once.
#include "../include/workload.h"
#include <pthread.h>

static const char usage[] = "usage: newtool [options]\n"
			    "Starts processes and threads, one behind the other; prints as JSON how many.\n"
			    "  --processes N  processes (default 211)\n"
			    "  --threads N    threads (default 101)\n"
			    "  --wait         print {\"type\":\"ready\"} and wait for a line first\n"
			    "exit: 0 done, 64 wrong options, 1 anything else\n";

static struct {
	uint64_t processes, threads;
	bool wait;
} opt = { 211, 101, false };

static void start_process(void)
{
	pid_t pid = fork();
	int status;
	if (pid == 0)
		_exit(0);
	if (pid < 0 || waitpid(pid, &status, 0) != pid || status)
		w_die(W_FAILED, errno, "fork");
}

static void *thread(void *argument)
{
	return argument;
}

static void start_thread(void)
{
	pthread_t id;
	int e = pthread_create(&id, NULL, thread, NULL);
	if (e || (e = pthread_join(id, NULL)))
		w_die(W_FAILED, e, "thread");
}

int main(int argc, char **argv)
{
	w_start("newtool");
	enum { PROCESSES = 256, THREADS, WAIT, HELP };
	static const struct option longs[] = {
		{ "processes", 1, 0, PROCESSES },
		{ "threads", 1, 0, THREADS },
		{ "wait", 0, 0, WAIT },
		{ "help", 0, 0, HELP },
		{ 0 },
	};
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case PROCESSES: opt.processes = (uint64_t)w_number("processes", optarg, 0, 100000); break;
		case THREADS: opt.threads = (uint64_t)w_number("threads", optarg, 0, 100000); break;
		case WAIT: opt.wait = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	w_wait(opt.wait, NULL, 0);

	for (uint64_t i = 0; i < opt.processes; i++)
		start_process();
	for (uint64_t i = 0; i < opt.threads; i++)
		start_thread();
	j_begin_truth();
	j_uint("processes", opt.processes);
	j_uint("threads", opt.threads);
	j_end_line();
	w_finish();
}
