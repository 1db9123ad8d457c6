// SPDX-License-Identifier: Apache-2.0
//
// pagecache: one page-cache access pattern over a file of its own. Truth: the pages asked for, the file's residency
// before and after, and the kernel's counters over the measured phase alone.
#include "truth.h"

static void run(struct work *w, uint64_t append_at)
{
	if (is("seq-read") || is("reread") || is("two-procs") || is("bigger-than-memory") || is("direct-read"))
		do_seq_read(w);
	else if (is("stray-read"))
		do_stray_read(w);
	else if (is("rand-read"))
		do_rand_read(w);
	else if (is("mmap-seq") || is("mmap-rand"))
		do_map(w);
	else if (is("write-new") || is("overwrite"))
		do_write(w, 0);
	else if (is("append"))
		do_append(w, append_at);
	else if (is("splice"))
		do_splice(w);
	else
		do_sendfile(w);
}

int main(int argc, char **argv)
{
	w_start("pagecache");
	parse(argc, argv);
	const struct pattern *pattern = pattern_of();

	struct work w = { .fd = -1, .size = opt.size, .page = (uint64_t)sysconf(_SC_PAGESIZE) };
	w.bs = opt.bs ? opt.bs : is("rand-read") ? 4096 : 65536;
	w.times = opt.times ? opt.times : is("reread") ? 10 : is("bigger-than-memory") ? 2 : 1;
	if (w.times > 1 && !is("reread") && !is("bigger-than-memory"))
		w_die(W_USAGE, 0, "--times goes with reread and bigger-than-memory");
	char path[240];
	if ((size_t)snprintf(path, sizeof path, "%s/swiftmem-pagecache-%d.dat", opt.directory, (int)getpid()) >=
	    sizeof path)
		w_die(W_USAGE, 0, "--dir: path too long");
	w_undo_path(W_UNDO_FILE, path);
	const uint64_t made = is("write-new") ? 0 : opt.size;
	int keep = make_file(&w, path, made);
	struct memcg cg = { 0 };
	if (is("bigger-than-memory"))
		enter_cgroup(&cg);
	prepare(&w, pattern, path);
	if (is("two-procs"))
		start_readers(&w, path);
	w_wait(opt.wait, reader_pids, is("two-procs") ? 2 : 0);

	static struct phase phase; // not on the stack, which would grow while it is measured
	phase.start = residency_of(w.fd, made);
	counters_read(&phase.before, true); // touches every page of it
	memset(&phase.after, 0, sizeof phase.after);
	getrusage(RUSAGE_SELF, &phase.before.usage);
	if (is("two-procs")) {
		run_readers(&w);
	} else {
		phase.before.time_ns = w_now_ns(CLOCK_MONOTONIC);
		run(&w, made);
	}
	counters_read(&phase.after, false);
	phase.end = residency_of(w.fd, is("append") ? 2 * opt.size : opt.size);
	if (is("stray-read")) // and all of it goes, what was read ahead unused
		residency_make_cold(keep, made);

	print_phase(&phase, &w, pattern, &cg, path);
	w_hold(opt.hold);
	w_finish();
}
