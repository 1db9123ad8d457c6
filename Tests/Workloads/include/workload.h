// SPDX-License-Identifier: Apache-2.0
//
// What every known-truth workload shares: options, the hand-shake with a tracer, small things; and by inclusion how it
// ends (undo.h) and what it prints (json.h). Include it before any other header: it defines _GNU_SOURCE.
#ifndef SWIFTMEM_WORKLOAD_H
#define SWIFTMEM_WORKLOAD_H
#include "json.h"
#include "undo.h"

// ---- options ------------------------------------------------------------------------------------------------

/// A whole decimal number in [low, high], or a usage error that names the option.
static inline long long w_number(const char *option, const char *text, long long low, long long high)
{
	char *end;
	errno = 0;
	long long value = strtoll(text, &end, 10);
	if (errno || end == text || *end || value < low || value > high)
		w_die(W_USAGE, 0, "--%s %s: a number from %lld to %lld is wanted", option, text, low, high);
	return value;
}

// ---- the hand-shake with a tracer ---------------------------------------------------------------------------

/// `--wait`: prints `{"type":"ready","pid":N}` (and, where there are any, the pids that will do the work), then waits
/// for a line on stdin. The end of stdin before a line means that the tracer is gone: nothing is done.
static inline void w_wait(bool wanted, const pid_t *children, int count)
{
	if (!wanted)
		return;
	j_open(NULL, '{');
	j_text("type", "ready");
	j_int("pid", getpid());
	if (count) {
		j_open("children", '[');
		for (int i = 0; i < count; i++)
			j_int(NULL, children[i]);
		j_close(']');
	}
	j_end_line();
	for (;;) {
		char c;
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n == 1 && c == '\n')
			return;
		if (n == 0 || (n < 0 && errno != EINTR))
			w_die(W_FAILED, n < 0 ? errno : 0, "stdin ended before the line that starts the work");
	}
}

/// Until a line comes on stdin, or its end.
static inline void w_line(void)
{
	char c = 0;
	while (c != '\n') {
		ssize_t n = read(STDIN_FILENO, &c, 1);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
	}
}

/// `--hold`: after the truth is printed, waits for the end of stdin.
static inline void w_hold(bool wanted)
{
	char ignored[64];
	while (wanted) {
		ssize_t n = read(STDIN_FILENO, ignored, sizeof ignored);
		if (n == 0 || (n < 0 && errno != EINTR))
			return;
	}
}

/// Cleans up and ends the program; a clean-up that fails is an error.
__attribute__((noreturn)) static inline void w_finish(void)
{
	int e = w_cleanup();
	if (e)
		w_die(W_FAILED, e, "clean-up");
	exit(0);
}

// ---- small things -------------------------------------------------------------------------------------------

static inline uint64_t w_now_ns(clockid_t clock)
{
	struct timespec t;
	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static inline void w_sleep_ms(long long ms)
{
	struct timespec t = { .tv_sec = ms / 1000, .tv_nsec = ms % 1000 * 1000000 };
	while (nanosleep(&t, &t) < 0 && errno == EINTR)
		;
}

/// xorshift64*: the same order for the same seed on every machine.
static inline uint64_t w_random(uint64_t *state)
{
	uint64_t x = *state;
	x ^= x >> 12;
	x ^= x << 25;
	x ^= x >> 27;
	*state = x;
	return x * 0x2545F4914F6CDD1Du;
}

/// The numbers 0..<n in an order that `seed` decides (0: in order). The caller frees it.
static inline uint32_t *w_permutation(size_t n, uint64_t seed)
{
	uint32_t *order = malloc((n ? n : 1) * sizeof *order);
	if (!order)
		w_die(W_FAILED, errno, "order of %zu pages", n);
	for (size_t i = 0; i < n; i++)
		order[i] = (uint32_t)i;
	for (size_t i = n; seed && i > 1; i--) {
		size_t j = w_random(&seed) % i;
		uint32_t t = order[i - 1];
		order[i - 1] = order[j];
		order[j] = t;
	}
	return order;
}

/// Reads a whole small file (procfs, cgroupfs) into `text`, NUL-terminated. Returns its length or -1 with errno.
static inline ssize_t w_read_file(const char *path, char *text, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -1;
	size_t have = 0;
	ssize_t n = 0;
	while (have < size - 1 && (n = read(fd, text + have, size - 1 - have)) != 0) {
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			break;
		have += (size_t)n;
	}
	int e = errno;
	close(fd);
	text[have] = 0;
	errno = e;
	return n < 0 ? -1 : (ssize_t)have;
}

/// Writes `text` to a procfs or cgroupfs file in one write. Returns 0 or an errno.
static inline int w_write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0)
		return errno;
	ssize_t n = write(fd, text, strlen(text));
	int e = n < 0 ? errno : 0;
	close(fd);
	return e;
}

/// Finds `key` at the start of a line ("key 12", "key:  12 kB", "key=12") and reads its number; false when absent.
static inline bool w_field(const char *text, const char *key, uint64_t *value)
{
	size_t n = strlen(key);
	for (const char *line = text; line && *line; line = strchr(line, '\n') ? strchr(line, '\n') + 1 : NULL)
		if (strncmp(line, key, n) == 0 && strchr(" :=\t", line[n]) && line[n]) {
			*value = strtoull(line + n + strspn(line + n, " :=\t"), NULL, 10);
			return true;
		}
	return false;
}

#endif
