// SPDX-License-Identifier: Apache-2.0
//
// oomcrowd: processes of known memory, or of memory that grows by a known curve, below one limit, until the kernel kills
// one. Truth: the curves, what each held, its oom_score before, who was killed.
#include "../include/memcg.h"
#include "member.h"

static const char usage[] =
	"usage: oomcrowd [options] MEMBER...\n"
	"Runs its members in a memory cgroup of its own until one is killed; prints the truth as one line of JSON.\n"
	"  MEMBER          CURVE[,KEY=NUMBER...]: hold, linear, step or saw\n"
	"     base-kb=N    held before the start (default 256)   most-kb=N   a line ends there\n"
	"     rate-kb=N    KiB a second                          every-ms=N  of a step (1000), of a tooth (4000)\n"
	"     rise-kb=N    a tooth above the one before          after-ms=N  the curve begins so late\n"
	"     shmem-kb=N   shared memory of its own              children=N  each of 1 MiB\n"
	"     adj=N        oom_score_adj\n"
	"  --limit-mb N    memory limit of the cgroup (default 64)\n"
	"  --swap-mb N     swap that it may use besides (default 0)\n"
	"  --settle-ms N   from the last page held before the start to the start (default 0)\n"
	"  --wait --hold   print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"exit: 0 one was killed, 64 wrong options, 69 not possible here, 1 anything else\n";

enum { MAX_MEMBERS = 24 };

static struct member members[MAX_MEMBERS];
static int count;
static struct memcg cg;
static struct {
	uint64_t limit, swap;
	long long settle_ms;
	bool wait, hold;
} opt = { .limit = 64 << 20 };

static void parse_member(char *text)
{
	if (count == MAX_MEMBERS)
		w_die(W_USAGE, 0, "more than %d members", MAX_MEMBERS);
	struct member *m = &members[count];
	char *save, *word = strtok_r(text, ",", &save);
	int curve = 0;
	while (curve < 4 && (!word || strcmp(word, curve_names[curve])))
		curve++;
	if (curve == 4)
		w_die(W_USAGE, 0, "%s: hold, linear, step or saw is wanted", word ? word : "");
	*m = (struct member){ .curve = (enum curve)curve, .base = 256 << 10, .every_ms = curve == SAW ? 4000 : 1000 };
	while ((word = strtok_r(NULL, ",", &save))) {
		char *value = strchr(word, '=');
		if (!value)
			w_die(W_USAGE, 0, "%s: KEY=NUMBER is wanted", word);
		*value++ = 0;
		long long number = w_number(word, value, strcmp(word, "adj") ? 0 : -1000, 1 << 24);
		uint64_t bytes = (uint64_t)number << 10;
		if (!strcmp(word, "base-kb"))
			m->base = bytes;
		else if (!strcmp(word, "most-kb"))
			m->most = bytes;
		else if (!strcmp(word, "shmem-kb"))
			m->shmem = bytes;
		else if (!strcmp(word, "rise-kb"))
			m->rise = bytes;
		else if (!strcmp(word, "rate-kb"))
			m->rate = (double)bytes;
		else if (!strcmp(word, "after-ms"))
			m->after_ms = number;
		else if (!strcmp(word, "every-ms") && number)
			m->every_ms = number;
		else if (!strcmp(word, "adj"))
			m->adj = number;
		else if (!strcmp(word, "children"))
			m->children = (int)number;
		else
			w_die(W_USAGE, 0, "%s: no such key", word);
	}
	snprintf(m->comm, sizeof m->comm, "%s-%d", curve_names[curve], count);
	count++;
}

static void start(struct member *m, int go[2])
{
	int gate[2];
	m->report = mmap(NULL, sizeof *m->report, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (m->report == MAP_FAILED || pipe2(gate, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "a member's report");
	fflush(stdout);
	pid_t parent = getpid();
	m->pid = fork();
	if (m->pid < 0)
		w_die(W_FAILED, errno, "fork");
	if (m->pid == 0) {
		char ignored;
		w_die_with(parent);
		signal(SIGTERM, SIG_DFL);
		signal(SIGINT, SIG_DFL);
		close(go[1]);
		close(gate[1]);
		if (read(gate[0], &ignored, 1) != 0)
			_exit(W_FAILED);
		member_main(m, (opt.limit + opt.swap) * 2, go[0]);
	}
	w_undo_process(m->pid);
	memcg_add(&cg, m->pid);
	close(gate[0]);
	close(gate[1]); // it begins
	for (int i = 0; i < 2000 && !m->report->ready; i++) {
		if (waitpid(m->pid, NULL, WNOHANG) == m->pid) {
			w_forget_process(m->pid);
			w_die(W_FAILED, m->report->error, "%s ended before the start", m->comm);
		}
		w_sleep_ms(5);
	}
	if (!m->report->ready)
		w_die(W_FAILED, 0, "%s did not get its memory in 10 s", m->comm);
}

// The kernel's own figures of a member, before the curves begin.
static void score(struct member *m)
{
	char path[64], text[4096];
	snprintf(path, sizeof path, "/proc/%d/oom_score", (int)m->pid);
	if (w_read_file(path, text, sizeof text) <= 0)
		return;
	m->oom_score = strtoull(text, NULL, 10);
	snprintf(path, sizeof path, "/proc/%d/status", (int)m->pid);
	m->scored = w_read_file(path, text, sizeof text) > 0 && w_field(text, "VmRSS", &m->rss_kb) &&
		    w_field(text, "VmSwap", &m->swap_kb) && w_field(text, "VmPTE", &m->tables_kb);
}

static void limit_swap(void)
{
	char value[32];
	if (!opt.swap)
		return;
	snprintf(value, sizeof value, "%" PRIu64, cg.version == 2 ? opt.swap : opt.limit + opt.swap);
	int e = memcg_set(&cg, cg.version == 2 ? "memory.swap.max" : "memory.memsw.limit_in_bytes", value);
	if (e)
		w_die(W_UNAVAILABLE, e, "limit of swap of %s", cg.directory);
}

static void print_member(const struct member *m)
{
	j_open(NULL, '{');
	j_int("pid", m->pid);
	j_text("comm", m->comm);
	j_text("curve", curve_names[m->curve]);
	j_uint("bytes_per_second", (uint64_t)m->rate);
	j_uint("held_bytes", m->report->held + m->shmem);
	j_uint("shmem_kb", m->shmem >> 10);
	j_int("oom_score_adj", m->adj);
	j_int("children", m->children);
	if (m->scored) {
		j_uint("oom_score", m->oom_score);
		j_uint("rss_kb", m->rss_kb);
		j_uint("swap_kb", m->swap_kb);
		j_uint("page_tables_kb", m->tables_kb);
	}
	j_bool("killed", m->killed);
	j_close('}');
}

static void parse(int argc, char **argv)
{
	enum { LIMIT = 256, SWAP, SETTLE, WAIT, HOLDS, HELP };
	static const struct option longs[] = { { "limit-mb", 1, 0, LIMIT },
					       { "swap-mb", 1, 0, SWAP },
					       { "settle-ms", 1, 0, SETTLE },
					       { "wait", 0, 0, WAIT },
					       { "hold", 0, 0, HOLDS },
					       { "help", 0, 0, HELP },
					       { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case LIMIT: opt.limit = (uint64_t)w_number("limit-mb", optarg, 8, 1 << 20) << 20; break;
		case SWAP: opt.swap = (uint64_t)w_number("swap-mb", optarg, 1, 1 << 20) << 20; break;
		case SETTLE: opt.settle_ms = w_number("settle-ms", optarg, 0, 600000); break;
		case WAIT: opt.wait = true; break;
		case HOLDS: opt.hold = true; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	for (; optind < argc; optind++)
		parse_member(argv[optind]);
	if (!count)
		w_die(W_USAGE, 0, "a MEMBER is wanted (see --help)");
}

int main(int argc, char **argv)
{
	w_start("oomcrowd");
	parse(argc, argv);
	memcg_make(&cg, "crowd", opt.limit, opt.swap > 0);
	limit_swap();
	w_wait(opt.wait, NULL, 0);
	int go[2];
	if (pipe2(go, O_CLOEXEC) < 0)
		w_die(W_FAILED, errno, "pipe");
	for (int i = 0; i < count; i++)
		start(&members[i], go);
	char path[256] = "";
	memcg_path_of(cg.version, members[0].pid, path, sizeof path);
	w_sleep_ms(opt.settle_ms);
	for (int i = 0; i < count; i++)
		score(&members[i]);
	uint64_t begun = w_now_ns(CLOCK_MONOTONIC);
	for (int i = 0; i < count; i++)
		if (write(go[1], &begun, sizeof begun) != sizeof begun)
			w_die(W_FAILED, errno, "start the members");

	int status = 0;
	pid_t dead = 0;
	while ((dead = waitpid(-1, &status, 0)) < 0)
		if (errno != EINTR)
			w_die(W_FAILED, errno, "wait for a member");
	w_forget_process(dead);
	struct member *victim = NULL;
	for (int i = 0; i < count; i++)
		if (members[i].pid == dead)
			victim = &members[i];
	if (!victim || !WIFSIGNALED(status) || WTERMSIG(status) != SIGKILL)
		w_die(W_FAILED, victim ? victim->report->error : 0, "a member ended that was to be killed: status %d",
		      status);
	victim->killed = true;

	j_begin_truth();
	j_text("cgroup", path);
	j_int("cgroup_version", cg.version);
	j_uint("limit_bytes", opt.limit);
	j_uint("swap_bytes", opt.swap);
	j_uint("page_size_bytes", (uint64_t)sysconf(_SC_PAGESIZE));
	j_int("victim_pid", dead);
	j_open("members", '[');
	for (int i = 0; i < count; i++)
		print_member(&members[i]);
	j_close(']');
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
