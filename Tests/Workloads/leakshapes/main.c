// SPDX-License-Identifier: Apache-2.0
//
// leakshapes: memory that develops in known ways, a function a way, all at once. Truth: what each is, its rate, and
// what is outstanding at the end.
#include "../include/workload.h"

static const char usage[] =
	"usage: leakshapes [options]\n"
	"Allocates and frees in known ways for a time, prints the truth as one line of JSON.\n"
	"  --shape S[,S...]  only these: own noisy fast late stopped cache evicting sawtooth oneoff churn (default: all)\n"
	"  --seconds N       for so long (default 60)\n"
	"  --late N          `late` begins, `stopped` stops after so many seconds (default 15)\n"
	"  --wait --hold     print {\"type\":\"ready\"} and wait for a line first; at the end wait for the end of stdin\n"
	"  --exit            don't hold (default)\n"
	"exit: 0 done, 64 wrong options, 1 anything else\n";

#define SHAPES(ROW) \
	/* name, what it is, allocations a second, bytes */ \
	ROW(own, "leak", 2, 56) \
	ROW(noisy, "leak", 200, 112) \
	ROW(fast, "leak", 20, 1000) \
	ROW(late, "leak", 5, 300) \
	ROW(stopped, "stopped", 5, 200) \
	ROW(cache, "harmless", 100, 840) \
	ROW(evicting, "harmless", 20, 400) \
	ROW(sawtooth, "harmless", 50, 128) \
	ROW(oneoff, "harmless", 2000, 96) \
	ROW(churn, "harmless", 500, 640)

#define ENUM(name, truth, rate, size) SHAPE_##name,
enum shape { SHAPES(ENUM) SHAPE_COUNT };

#define FUNCTION(name, truth, rate, size) \
	void *shape_##name(size_t bytes); \
	__attribute__((noinline)) void *shape_##name(size_t bytes) \
	{ \
		void *p = malloc(bytes); \
		__asm__ volatile("" : "+r"(p) : : "memory"); \
		return p; \
	}
SHAPES(FUNCTION)

#define ROW(name, truth, rate, size) { #name, "shape_" #name, truth, rate, size, shape_##name },
static const struct {
	const char *name, *function, *truth;
	uint64_t rate, size;
	void *(*allocate)(size_t);
} shapes[SHAPE_COUNT] = { SHAPES(ROW) };

static struct options {
	const char *shapes;
	uint64_t seconds, late;
	bool wait, hold;
} opt = { .seconds = 60, .late = 15 };
static bool wanted[SHAPE_COUNT];
static struct tally {
	uint64_t made, outstanding;
} tallies[SHAPE_COUNT];

enum { ENTRIES = 300, CACHE_SECONDS = 10, TOOTH_SECONDS = 7, MAX_KEPT = 1 << 20 };
static void *kept[MAX_KEPT]; // reachable, so that no other tool calls them lost
static uint32_t kept_count;
static void *ring[ENTRIES], *tooth[TOOTH_SECONDS * 64];
static uint32_t ring_next, tooth_count;

static void *allocate(enum shape shape)
{
	void *p = shapes[shape].allocate(shapes[shape].size);
	if (!p)
		w_die(W_FAILED, errno, "an allocation of %" PRIu64 " bytes", shapes[shape].size);
	tallies[shape].made++;
	tallies[shape].outstanding++;
	return p;
}

static void give_back(enum shape shape, void *p)
{
	free(p);
	tallies[shape].outstanding--;
}

static void keep(void *p)
{
	if (kept_count == MAX_KEPT)
		w_die(W_FAILED, 0, "more than %d blocks", MAX_KEPT);
	kept[kept_count++] = p;
}

// One allocation of a shape, `now` seconds after the start.
static void step(enum shape shape, double now)
{
	void *p = allocate(shape);
	switch (shape) {
	case SHAPE_noisy:
		// one request in a hundred is forgotten
		if (tallies[shape].made % 100 == 0)
			keep(p);
		else
			give_back(shape, p);
		break;
	case SHAPE_evicting:
		if (ring[ring_next])
			give_back(shape, ring[ring_next]);
		ring[ring_next] = p;
		ring_next = (ring_next + 1) % ENTRIES;
		break;
	case SHAPE_sawtooth: {
		static uint64_t teeth;
		if ((uint64_t)(now / TOOTH_SECONDS) > teeth || tooth_count == sizeof tooth / sizeof *tooth) {
			teeth = (uint64_t)(now / TOOTH_SECONDS);
			while (tooth_count)
				give_back(shape, tooth[--tooth_count]);
		}
		tooth[tooth_count++] = p;
		break;
	}
	case SHAPE_churn: give_back(shape, p); break;
	default: keep(p);
	}
}

// How long a shape has been at work by then.
static double worked(enum shape shape, double now)
{
	switch (shape) {
	case SHAPE_late: return now > (double)opt.late ? now - (double)opt.late : 0;
	case SHAPE_stopped: return now < (double)opt.late ? now : (double)opt.late;
	case SHAPE_cache: return now < CACHE_SECONDS ? now : CACHE_SECONDS;
	case SHAPE_oneoff: return now < 0.5 ? now : 0.5;
	default: return now;
	}
}

static void work(void)
{
	uint64_t done[SHAPE_COUNT] = { 0 }, begin = w_now_ns(CLOCK_MONOTONIC);
	for (;;) {
		double now = (double)(w_now_ns(CLOCK_MONOTONIC) - begin) / 1e9;
		if (now >= (double)opt.seconds)
			return;
		for (int s = 0; s < SHAPE_COUNT; s++) {
			uint64_t due = wanted[s] ? (uint64_t)(worked((enum shape)s, now) * (double)shapes[s].rate) : 0;
			for (; done[s] < due; done[s]++)
				step((enum shape)s, now);
		}
		w_sleep_ms(5);
	}
}

static void parse(int argc, char **argv)
{
	enum { SHAPE = 256, SECONDS, LATE, WAIT, HOLD, EXIT, HELP };
	static const struct option longs[] = { { "shape", 1, 0, SHAPE }, { "seconds", 1, 0, SECONDS },
					       { "late", 1, 0, LATE },	 { "wait", 0, 0, WAIT },
					       { "hold", 0, 0, HOLD },	 { "exit", 0, 0, EXIT },
					       { "help", 0, 0, HELP },	 { 0 } };
	for (int c; (c = getopt_long(argc, argv, "", longs, NULL)) != -1;)
		switch (c) {
		case SHAPE: opt.shapes = optarg; break;
		case SECONDS: opt.seconds = (uint64_t)w_number("seconds", optarg, 1, 100000); break;
		case LATE: opt.late = (uint64_t)w_number("late", optarg, 0, 100000); break;
		case WAIT: opt.wait = true; break;
		case HOLD: opt.hold = true; break;
		case EXIT: opt.hold = false; break;
		case HELP: fputs(usage, stdout); exit(0);
		default: exit(W_USAGE); // getopt has said what
		}
	if (optind < argc)
		w_die(W_USAGE, 0, "%s: not an option (see --help)", argv[optind]);
	for (int s = 0; !opt.shapes && s < SHAPE_COUNT; s++)
		wanted[s] = true;
	for (const char *at = opt.shapes; at && *at; at += strcspn(at, ","), at += *at == ',') {
		size_t length = strcspn(at, ",");
		int s = 0;
		while (s < SHAPE_COUNT && (strlen(shapes[s].name) != length || strncmp(shapes[s].name, at, length)))
			s++;
		if (s == SHAPE_COUNT)
			w_die(W_USAGE, 0, "--shape %.*s: no such shape (see --help)", (int)length, at);
		wanted[s] = true;
	}
}

int main(int argc, char **argv)
{
	w_start("leakshapes");
	parse(argc, argv);
	w_wait(opt.wait, NULL, 0);
	work();
	j_begin_truth();
	j_uint("seconds", opt.seconds);
	j_open("shapes", '[');
	for (int s = 0; s < SHAPE_COUNT; s++)
		if (wanted[s]) {
			j_open(NULL, '{');
			j_text("shape", shapes[s].name);
			j_text("function", shapes[s].function);
			j_text("truth", shapes[s].truth);
			// of what stays
			uint64_t stays = s == SHAPE_noisy ? shapes[s].rate / 100 : shapes[s].rate;
			j_uint("leaks_per_second", strcmp(shapes[s].truth, "leak") ? 0 : stays);
			j_uint("size_bytes", shapes[s].size);
			j_uint("made", tallies[s].made);
			j_uint("outstanding_count", tallies[s].outstanding);
			j_uint("outstanding_bytes", tallies[s].outstanding * shapes[s].size);
			j_close('}');
		}
	j_close(']');
	j_end_line();
	w_hold(opt.hold);
	w_finish();
}
