// SPDX-License-Identifier: Apache-2.0
//
// oomhog: a known number of OOM kills in a memory cgroup of its own. Truth: who died, what each had touched, the
// cgroup's own kill counter, and what the kernel log said.
#include "../include/memcg.h"
#include "kmsg.h"
#include "victim.h"

static const char usage[] =
	"usage: oomhog [options]\n"
	"Makes OOM kills in a memory cgroup of its own (v2 or v1), checks each, prints the truth as one line of JSON.\n"
	"  --mode M        memcg      the task that triggers is killed (default)\n"
	"                  group      v2 memory.oom.group: three tasks killed at once\n"
	"                  shared-mm  the victim's address space is shared with another process, killed with it\n"
	"                  thread     triggered by a thread that isn't the leader\n"
	"                  other      a small task triggers, a big sleeping one is killed\n"
	"                  global     no cgroup: the whole machine's memory; only with --yes-really, only in a VM\n"
	"  --kills N       OOMs to make (default 23; global 1); --count is the same\n"
	"  --limit-mb N    memory limit of the cgroup (default 24)\n"
	"  --file-kb N     file-mapped memory of each victim, at least (default 1024)\n"
	"  --shmem-kb N    shared memory of each victim, exactly (default 512)\n"
	"  --uid N         victims' user id (default 0: unchanged)\n"
	"  --adj N         victims' oom_score_adj (default 0 where that may be set, else as inherited; global 1000)\n"
	"  --pause-ms N    between kills (default 0; the log's report is limited to 10 in 5 s, 600 shows all)\n"
	"  --dir PATH      where the mapped file is made, and unlinked at once (default /var/tmp)\n"
	"  --wait --hold   print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"exit: 0 all killed as meant, 64 wrong options, 69 not possible here, 1 anything else\n";

enum { MAX_TASKS = 3 };

struct victim {
	pid_t pid;
	const char *role;
	char cmdline[128], comm[16];
	struct report report; // copied when it is dead
	struct oom_log log;
	int round;
	bool killed, logged;
	pid_t trigger_pid, trigger_tid;
	uint64_t reaped_ns;
};

static struct options {
	const char *mode, *directory;
	int kills;
	uint64_t limit, file_bytes, shmem_bytes;
	long long uid, adj, pause_ms;
	bool adj_given, wait, hold, really;
} opt = { .mode = "memcg",
	  .directory = "/var/tmp",
	  .kills = 0,
	  .limit = 24 << 20,
	  .file_bytes = 1 << 20,
	  .shmem_bytes = 512 << 10 };

static struct memcg cg;
static int file_fd = -1, kmsg_fd = -1;
static uint64_t touch_limit; // a hog gives up here: the limit did not work
static char cgroup_path[256];

// The file's pages are made here, outside the limited cgroup: pages charged to it would be reclaimed before the OOM.
static void make_file(void)
{
	char name[300], block[4096];
	snprintf(name, sizeof name, "%s/swiftmem-oomhog-XXXXXX", opt.directory);
	int fd = mkostemp(name, O_CLOEXEC);
	if (fd < 0 || unlink(name) < 0)
		w_die(W_FAILED, errno, "%s", name);
	memset(block, 0x5a, sizeof block);
	for (uint64_t at = 0; at < opt.file_bytes; at += sizeof block)
		if (write(fd, block, sizeof block) != (ssize_t)sizeof block)
			w_die(W_FAILED, errno, "%s", name);
	file_fd = fcntl(fd, F_DUPFD_CLOEXEC, 40);
}

struct task {
	pid_t pid;
	int go;
	struct report *report;
	uint64_t shmem_bytes;
};

// Starts a task in the cgroup, ready to touch; it waits for a byte on `go`.
static struct task start(struct victim *v, const char *role, int index, uint64_t bytes, long long adj)
{
	struct task t = { .shmem_bytes = opt.shmem_bytes };
	int pipes[2], memory = memfd_create("oomhog", MFD_CLOEXEC);
	if (pipe2(pipes, O_CLOEXEC) < 0 || memory < 0 || ftruncate(memory, (off_t)t.shmem_bytes) < 0)
		w_die(W_FAILED, errno, "shared memory of a victim");
	t.report = mmap(NULL, t.shmem_bytes, PROT_READ | PROT_WRITE, MAP_SHARED, memory, 0);
	if (t.report == MAP_FAILED)
		w_die(W_FAILED, errno, "shared memory of a victim");
	memset(t.report, 0, t.shmem_bytes); // charged here, not to the limited cgroup
	t.go = pipes[1];

	char a[6][24];
	snprintf(a[0], 24, "%d", index);
	snprintf(a[1], 24, "%" PRIu64, bytes);
	snprintf(a[2], 24, "%" PRIu64, t.shmem_bytes);
	snprintf(a[3], 24, "%" PRIu64, opt.file_bytes);
	snprintf(a[4], 24, "%lld", opt.uid);
	snprintf(a[5], 24, "%lld", adj);
	char *argv[] = { "oomhog-victim",
			 "--victim",
			 a[0],
			 (char *)role,
			 a[1],
			 a[2],
			 a[3],
			 a[4],
			 a[5],
			 opt.adj_given ? "set" : "try",
			 NULL };
	v->cmdline[0] = 0;
	for (int i = 0; argv[i]; i++)
		snprintf(v->cmdline + strlen(v->cmdline), sizeof v->cmdline - strlen(v->cmdline), i ? " %s" : "%s",
			 argv[i]);
	snprintf(v->comm, sizeof v->comm, "oomhog-%d", index);
	v->role = role;

	int gate[2];
	if (pipe2(gate, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "pipe");
	fflush(stdout);
	pid_t parent = getpid();
	t.pid = v->pid = fork();
	if (t.pid < 0)
		w_die(W_FAILED, errno, "fork");
	if (t.pid == 0) {
		char go;
		w_die_with(parent);
		close(gate[1]);
		// Sources are first moved above the places they are to be put at.
		int from[3] = { fcntl(pipes[0], F_DUPFD_CLOEXEC, 20), fcntl(memory, F_DUPFD_CLOEXEC, 20), file_fd };
		if (read(gate[0], &go, 1) != 1 || dup2(from[0], FD_GO) < 0 || dup2(from[1], FD_SHMEM) < 0 ||
		    (file_fd >= 0 && dup2(from[2], FD_FILE) < 0))
			_exit(W_FAILED);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		execv("/proc/self/exe", argv);
		_exit(W_FAILED);
	}
	w_undo_process(t.pid);
	if (cg.version)
		memcg_add(&cg, t.pid);
	memcg_path_of(cg.version ? cg.version : memcg_version(), t.pid, cgroup_path, sizeof cgroup_path);
	if (write(gate[1], "g", 1) != 1)
		w_die(W_FAILED, errno, "start a victim");
	close(gate[0]);
	close(gate[1]);
	close(pipes[0]);
	close(memory);
	return t;
}

static void go(struct task *t)
{
	if (write(t->go, "g", 1) != 1)
		w_die(W_FAILED, errno, "start a victim");
}

// Waits until an idle task has touched all it should.
static void wait_touched(struct task *t, uint64_t bytes)
{
	for (int i = 0; i < 2000; i++) {
		if (t->report->touched_bytes >= bytes)
			return;
		if (waitpid(t->pid, NULL, WNOHANG) == t->pid) {
			w_forget_process(t->pid);
			w_die(W_FAILED, t->report->error, "a task died before the OOM was due");
		}
		w_sleep_ms(5);
	}
	w_die(W_FAILED, 0, "a task did not get its memory in 10 s");
}

static int reap(pid_t pid)
{
	int status;
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			w_die(W_FAILED, errno, "wait for %d", (int)pid);
	w_forget_process(pid);
	return status;
}

static void finish(struct victim *v, struct task *t, bool must_die)
{
	int status = reap(t->pid);
	v->reaped_ns = w_now_ns(CLOCK_MONOTONIC);
	v->report = *t->report;
	v->killed = WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL;
	if (!v->killed && (must_die || !WIFEXITED(status) || WEXITSTATUS(status)))
		w_die(W_FAILED, v->report.error, "%s (%d) was to be killed, but %s %d after touching %" PRIu64 " kB",
		      v->comm, (int)v->pid, WIFEXITED(status) ? "ended with" : "died of signal",
		      WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status), v->report.touched_bytes / 1024);
	munmap(t->report, t->shmem_bytes);
	close(t->go);
}

// One OOM. Fills `v` with those it kills and returns how many they are.
static int one_round(struct victim *v, int round)
{
	struct task t[MAX_TASKS];
	if (strcmp(opt.mode, "other") == 0) {
		uint64_t big = opt.limit * 6 / 10;
		t[0] = start(&v[0], "idle", round * 10, big, opt.adj);
		go(&t[0]);
		wait_touched(&t[0], big);
		// Unkillable where that may be set, as the kernel may run out again before the dead one's pages are free.
		bool given = opt.adj_given;
		opt.adj_given = false;
		t[1] = start(&v[1], "trigger", round * 10 + 1, opt.limit * 55 / 100, -1000);
		opt.adj_given = given;
		go(&t[1]);
		finish(&v[0], &t[0], true);
		finish(&v[1], &t[1], false);
		for (int i = 0; i < 2; i++) {
			v[i].trigger_pid = t[1].pid;
			v[i].trigger_tid = (pid_t)v[1].report.trigger_tid;
		}
		return v[1].killed ? 2 : 1;
	}
	int tasks = strcmp(opt.mode, "group") == 0 ? 3 : 1;
	for (int i = 1; i < tasks; i++) {
		t[i] = start(&v[i], "idle", round * 10 + i, 1 << 20, opt.adj);
		go(&t[i]);
		wait_touched(&t[i], 1 << 20);
	}
	bool special = strcmp(opt.mode, "thread") == 0 || strcmp(opt.mode, "shared-mm") == 0 ||
		       strcmp(opt.mode, "global") == 0;
	t[0] = start(&v[0], special ? opt.mode : "hog", tasks == 3 ? round * 10 : round, touch_limit, opt.adj);
	go(&t[0]);
	for (int i = 0; i < tasks; i++)
		finish(&v[i], &t[i], true);
	for (int i = 0; i < tasks; i++) {
		v[i].trigger_pid = v[0].pid;
		v[i].trigger_tid = (pid_t)v[0].report.trigger_tid;
	}
	pid_t sibling = (pid_t)v[0].report.sibling_pid;
	if (sibling) { // CLONE_PARENT made it ours
		int status = reap(sibling);
		if (!WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
			w_die(W_FAILED, 0, "the process %d that shares the victim's memory was not killed",
			      (int)sibling);
	}
	return tasks;
}

static int read_log(struct victim *v, int count)
{
	struct oom_log log = { 0 };
	int found = 0;
	uint64_t deadline = w_now_ns(CLOCK_MONOTONIC) + 1000000000u;
	while (found < count && kmsg_next_kill(kmsg_fd, &log, deadline))
		for (int i = 0; i < count; i++)
			// The kernel may choose either one of processes that share memory, and it names only that.
			if (!v[i].logged && (log.pid == v[i].pid || (log.pid && log.pid == v[i].report.sibling_pid))) {
				v[i].log = log;
				v[i].logged = true;
				found++;
			}
	return found;
}

static void print_log(const struct oom_log *l)
{
	j_open("log", '{');
	j_uint("time_us", l->time_us);
	j_text("domain", l->domain);
	j_int("pid", l->pid);
	j_text("comm", l->comm);
	j_uint("total_vm_kb", l->total_vm_kb);
	j_uint("anon_rss_kb", l->anon_rss_kb);
	j_uint("file_rss_kb", l->file_rss_kb);
	j_uint("shmem_rss_kb", l->shmem_rss_kb);
	j_uint("pgtables_kb", l->pgtables_kb);
	j_int("uid", l->uid);
	j_int("oom_score_adj", l->adj);
	if (l->summary) {
		j_text("constraint", l->constraint);
		if (*l->oom_memcg)
			j_text("oom_memcg", l->oom_memcg);
		j_text("task_memcg", l->task_memcg);
		j_int("chosen_pid", l->summary_pid);
	}
	if (l->invoked) {
		j_text("invoked_comm", l->invoked_comm);
		j_text("gfp_mask", l->gfp_mask);
		j_text("gfp_flags", l->gfp_flags);
		j_int("order", l->order);
		j_int("invoked_oom_score_adj", l->invoked_adj);
		if (l->trigger_tid)
			j_int("trigger_tid", l->trigger_tid);
	}
	j_close('}');
}

static void print_victim(const struct victim *v)
{
	j_open(NULL, '{');
	j_int("round", v->round);
	j_int("pid", v->pid);
	j_text("comm", v->comm);
	j_text("cmdline", v->cmdline);
	j_int("uid", opt.uid ? opt.uid : (long long)getuid());
	j_int("oom_score_adj", v->report.adj);
	j_text("role", v->role);
	j_int("trigger_pid", v->trigger_pid);
	j_int("trigger_tid", v->trigger_tid);
	if (v->report.sibling_pid)
		j_int("sibling_pid", v->report.sibling_pid);
	j_uint("reaped_monotonic_ns", v->reaped_ns);
	j_uint("touched_anon_kb", v->report.touched_bytes / 1024);
	j_uint("base_anon_kb", v->report.base_anon_kb);
	j_uint("base_file_kb", v->report.base_file_kb);
	j_uint("base_shmem_kb", v->report.base_shmem_kb);
	if (v->logged)
		print_log(&v->log);
	else
		j_null("log");
	j_close('}');
}

static void parse(int argc, char **argv)
{
	enum { MODE = 256, KILLS, LIMIT, FILEKB, SHMEM, UID, ADJ, PAUSE, DIRECTORY, WAIT, HOLD, REALLY, HELP };
	static const struct option longs[] = {
		{ "mode", 1, 0, MODE },		{ "kills", 1, 0, KILLS },    { "count", 1, 0, KILLS },
		{ "limit-mb", 1, 0, LIMIT },	{ "file-kb", 1, 0, FILEKB }, { "shmem-kb", 1, 0, SHMEM },
		{ "uid", 1, 0, UID },		{ "adj", 1, 0, ADJ },	     { "pause-ms", 1, 0, PAUSE },
		{ "dir", 1, 0, DIRECTORY },	{ "wait", 0, 0, WAIT },	     { "hold", 0, 0, HOLD },
		{ "yes-really", 0, 0, REALLY }, { "help", 0, 0, HELP },	     { 0 }
	};
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case MODE: opt.mode = optarg; break;
		case KILLS: opt.kills = (int)w_number("kills", optarg, 1, 10000); break;
		case LIMIT: opt.limit = (uint64_t)w_number("limit-mb", optarg, 8, 1 << 20) << 20; break;
		case FILEKB: opt.file_bytes = (uint64_t)w_number("file-kb", optarg, 0, 1 << 20) << 10; break;
		case SHMEM: opt.shmem_bytes = (uint64_t)w_number("shmem-kb", optarg, 64, 1 << 20) << 10; break;
		case UID: opt.uid = w_number("uid", optarg, 0, UINT32_MAX - 1); break;
		case ADJ:
			opt.adj = w_number("adj", optarg, -999, 1000);
			opt.adj_given = true;
			break;
		case PAUSE: opt.pause_ms = w_number("pause-ms", optarg, 0, 600000); break;
		case DIRECTORY: opt.directory = optarg; break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case REALLY: opt.really = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	static const char *const modes[] = { "memcg", "group", "shared-mm", "thread", "other", "global" };
	bool known = false;
	for (size_t i = 0; i < sizeof modes / sizeof *modes; i++)
		known = known || strcmp(opt.mode, modes[i]) == 0;
	if (!known)
		w_die(W_USAGE, 0, "--mode %s: memcg, group, shared-mm, thread, other or global is wanted", opt.mode);
}

static struct victim_options victim_arguments(char **a)
{
	return (struct victim_options){ .index = atoi(a[2]),
					.role = a[3],
					.bytes = strtoull(a[4], NULL, 10),
					.shmem_bytes = strtoull(a[5], NULL, 10),
					.file_bytes = strtoull(a[6], NULL, 10),
					.uid = atoll(a[7]),
					.adj = atoll(a[8]),
					.adj_wanted = strcmp(a[9], "set") == 0 };
}

int main(int argc, char **argv)
{
	if (argc == 10 && strcmp(argv[1], "--victim") == 0) {
		struct victim_options o = victim_arguments(argv);
		victim_main(&o);
	}
	w_start("oomhog");
	parse(argc, argv);
	bool global = strcmp(opt.mode, "global") == 0, group = strcmp(opt.mode, "group") == 0;
	if (global && !opt.really)
		w_die(W_USAGE, 0, "--mode global takes all memory of the machine: it needs --yes-really");
	if (group && memcg_version() != 2)
		w_die(W_UNAVAILABLE, 0, "--mode group needs cgroup v2 (memory.oom.group)");
	int kills = opt.kills ? opt.kills : global ? 1 : 23;
	touch_limit = opt.limit * 4;
	if (global) {
		char text[4096];
		uint64_t total = 0, swap = 0;
		if (w_read_file("/proc/meminfo", text, sizeof text) < 0 || !w_field(text, "MemTotal", &total))
			w_die(W_FAILED, errno, "/proc/meminfo");
		w_field(text, "SwapTotal", &swap);
		touch_limit = (total + swap) * 2048;
		opt.adj = opt.adj_given ? opt.adj : 1000; // so that nothing else of the machine is chosen
	} else {
		memcg_make(&cg, "oom", opt.limit, false);
		if (group) {
			int e = memcg_set(&cg, "memory.oom.group", "1");
			if (e)
				w_die(W_UNAVAILABLE, e, "memory.oom.group");
		}
	}
	if (opt.file_bytes)
		make_file();
	struct victim *victims = calloc((size_t)kills * MAX_TASKS, sizeof *victims);
	if (!victims)
		w_die(W_FAILED, errno, "list of victims");
	w_wait(opt.wait, NULL, 0);

	kmsg_fd = kmsg_open();
	int dead = 0, logged = 0, ooms = 0;
	uint64_t counted_before = 0, counted = 0;
	bool has_counter = cg.version && memcg_oom_kills(&cg, &counted_before);
	for (int round = 0; round < kills; round++) {
		if (round)
			w_sleep_ms(opt.pause_ms);
		int n = one_round(&victims[dead], round);
		for (int i = 0; i < n; i++)
			victims[dead + i].round = round;
		logged += read_log(&victims[dead], n);
		dead += n;
		ooms += strcmp(opt.mode, "other") == 0 ? n : 1;
		uint64_t now = 0,
			 most = (uint64_t)dead + (group ? (uint64_t)ooms : 0); // of a group the chosen one counts twice
		if (has_counter && (!memcg_oom_kills(&cg, &now) || now - counted_before < (uint64_t)dead ||
				    now - counted_before > most))
			w_die(W_FAILED, 0, "%d tasks died, but the cgroup counts %" PRIu64 " OOM kills", dead,
			      now - counted_before);
		counted = now - counted_before;
	}

	j_begin_truth();
	j_text("mode", opt.mode);
	j_int("ooms", ooms);
	j_int("kills", dead);
	if (has_counter)
		j_uint("cgroup_oom_kill", counted);
	j_int("log_kills", logged);
	j_bool("log_readable", kmsg_fd >= 0);
	j_int("cgroup_version", cg.version);
	j_text("cgroup", cgroup_path);
	if (cg.version) {
		j_text("cgroup_directory", cg.directory);
		j_uint("cgroup_id", memcg_id(&cg));
		j_uint("limit_bytes", cg.limit_bytes);
		j_bool("swap_limited", cg.swap_limited);
	}
	j_uint("page_size_bytes", (uint64_t)sysconf(_SC_PAGESIZE));
	j_uint("file_mapped_kb", opt.file_bytes / 1024);
	j_bool("file_is_shmem", dead && victims[0].report.base_shmem_kb >=
						(opt.shmem_bytes + opt.file_bytes) / 1024); // tmpfs, or overlay on it
	j_uint("shmem_mapped_kb", opt.shmem_bytes / 1024);
	j_open("victims", '[');
	for (int i = 0; i < dead; i++)
		print_victim(&victims[i]);
	j_close(']');
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
