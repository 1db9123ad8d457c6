// SPDX-License-Identifier: Apache-2.0
//
// memstall: one task, alone on a CPU and in a memory cgroup, that waits for memory for one reason made on purpose.
// Truth: what PSI counts for the machine and the cgroup, and what delay accounting counts for the task.
#include "../include/pressure.h"
#include "cgroups.h"
#include "files.h"
#include "options.h"
#include "stalls.h"
#include "taskstats.h"
#include "victim.h"

static void pin(void)
{
	cpu_set_t set;
	if (opt.cpu < 0) {
		if (sched_getaffinity(0, sizeof set, &set))
			w_die(W_FAILED, errno, "sched_getaffinity");
		for (int i = 0; i < CPU_SETSIZE; i++)
			if (CPU_ISSET(i, &set))
				opt.cpu = i;
	}
	CPU_ZERO(&set);
	CPU_SET(opt.cpu, &set);
	if (sched_setaffinity(0, sizeof set, &set))
		w_die(W_USAGE, errno, "--cpu %d", opt.cpu);
}

int main(int argc, char **argv)
{
	w_start("memstall");
	parse(argc, argv);
	page = (uint64_t)sysconf(_SC_PAGESIZE);
	make_cgroups();
	delays_on();
	if (opt.kind == DIRTY)
		limit_dirty();
	int fd = opt.kind == FILES || opt.kind == DIRTY ? open_file() : -1;
	memcg_enter(&inner); // the parent stays behind to clean up
	pin();
	mlockall(MCL_CURRENT); // so that its own code is not read again
	char *memory =
		mmap(NULL, opt.bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	if (memory == MAP_FAILED)
		w_die(W_FAILED, errno, "%" PRIu64 " MB", opt.bytes >> 20);
	madvise(memory, opt.bytes, MADV_NOHUGEPAGE);
	char pressure[sizeof inner.directory + 20];
	snprintf(pressure, sizeof pressure, "%s/memory.pressure", inner.directory);
	if (opt.victim)
		start_victim();
	w_wait(opt.wait, NULL, 0);
	// behind the wait: what has long been so, the kernel mends
	if (opt.kind == COMPACT)
		fragment(memory);

	struct taskstats before, after;
	struct pressure machine[2], own[2];
	struct taken taken[2] = { taken_of(&inner) }, others[2] = { taken_of(&beside) };
	bool delays = delays_of(getpid(), &before);
	own[0] = pressure_read(pressure);
	machine[0] = pressure_read("/proc/pressure/memory");
	uint64_t start = w_now_ns(CLOCK_MONOTONIC), cpu = w_now_ns(CLOCK_PROCESS_CPUTIME_ID);
	deadline = start + opt.seconds * 1000000000u;
	switch (opt.kind) {
	case ANON: touch_anonymous(memory); break;
	case FILES: read_file(fd); break;
	case HIGH: exceed_high(memory); break;
	case DIRTY: write_file(fd); break;
	case COMPACT: want_huge_pages(); break;
	case ASKED: ask(memory); break;
	case TASKS: run_tasks(memory); break;
	}
	cpu = w_now_ns(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	uint64_t end = w_now_ns(CLOCK_MONOTONIC);
	machine[1] = pressure_read("/proc/pressure/memory");
	own[1] = pressure_read(pressure);
	taken[1] = taken_of(&inner);
	delays = delays && delays_of(getpid(), &after);
	if (victim > 0) {
		kill(victim, SIGKILL);
		waitpid(victim, NULL, 0);
		others[1] = taken_of(&beside);
	}

	j_begin_truth();
	j_text("kind", kinds[opt.kind]);
	j_int("cpu", opt.cpu);
	j_uint("duration_ns", end - start);
	j_uint("cpu_ns", cpu);
	j_uint("touched_pages", touched);
	j_uint("passes", passes);
	j_int("cgroup_version", inner.version);
	j_text("cgroup", path_of(&inner));
	j_text("limit_cgroup", path_of(&outer));
	j_uint("limit_bytes", opt.limit);
	if (opt.victim)
		j_text("victim_cgroup", path_of(&beside));
	print_events(&outer);
	print_taken("taken", &taken[0], &taken[1]);
	if (opt.victim)
		print_taken("victim_taken", &others[0], &others[1]);
	pressure_print("machine_pressure", machine[0], machine[1]);
	pressure_print("cgroup_pressure", own[0], own[1]);
	delays_print(delays, &before, &after);
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
