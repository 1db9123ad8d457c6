// SPDX-License-Identifier: Apache-2.0
//
// Which blocks are sampled: points lie on the bytes that a thread allocates, at exponentially distributed distances. A block
// of n bytes is sampled with the probability 1 - exp(-n / distance), whatever came before it.
#include "libc.h"
#include "sampler.h"

#define DEFAULT_DISTANCE (512ULL << 10)
#define LARGEST_DISTANCE (1ULL << 40)
// Bytes to the next look for the environment, where it is not there yet.
#define UNKNOWN_PAUSE (64 << 10)

__thread struct thread_state thread_state __attribute__((tls_model("initial-exec")));

// Was the environment read?
static bool is_configured;

static uint64_t now(void)
{
	struct time time = { 0, 0 };

	if (clock_gettime)
		clock_gettime(CLOCK_MONOTONIC, &time);
	return (uint64_t)time.seconds * 1000000000 + (uint64_t)time.nanoseconds;
}

// "65536", "512K", "1M", "2G"; 0 takes no samples. What is none of these is as if it were not there.
static uint64_t parse_distance(const char *text)
{
	uint64_t value = 0;

	if (*text < '0' || *text > '9')
		return DEFAULT_DISTANCE;
	for (; *text >= '0' && *text <= '9'; text++) {
		value = value * 10 + (uint64_t)(*text - '0');
		if (value > LARGEST_DISTANCE)
			return DEFAULT_DISTANCE;
	}
	switch (*text) {
	case 'K':
	case 'k': value <<= 10, text++; break;
	case 'M':
	case 'm': value <<= 20, text++; break;
	case 'G':
	case 'g': value <<= 30, text++; break;
	}
	return *text || value > LARGEST_DISTANCE ? DEFAULT_DISTANCE : value;
}

// The environment is there once the C library has begun.
static bool configure(void)
{
	static const char name[] = "SWIFTMEM_SAMPLE_BYTES=";
	uint64_t distance = DEFAULT_DISTANCE;

	if (__atomic_load_n(&is_configured, __ATOMIC_ACQUIRE))
		return true;
	if (!&environ || !environ)
		return false;
	for (char **variable = environ; *variable; variable++) {
		size_t i = 0;

		while (name[i] && (*variable)[i] == name[i])
			i++;
		if (!name[i]) {
			distance = parse_distance(*variable + i);
			break;
		}
	}
	__atomic_store_n(&swiftmem_sampler_state.distance, distance, __ATOMIC_RELAXED);
	__atomic_store_n(&is_configured, true, __ATOMIC_RELEASE);
	return true;
}

// ---- numbers: no library of mathematics may be needed

// 64 bits; the time keeps apart what a fork has copied.
static uint64_t random_bits(uint64_t salt)
{
	uint64_t z = thread_state.random += 0x9e3779b97f4a7c15ULL + salt;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
	return z ^ (z >> 31);
}

#define LN2 0.693147180559945309417

// -ln(x / 2^53) of a whole x in 1 ... 2^53
static double minus_log(uint64_t x)
{
	int bits = 63 - __builtin_clzll(x);
	double m = (double)x / (double)(1ULL << bits), s, square, sum = 0;

	if (m > 1.4142135623730951) {
		m /= 2;
		bits++;
	}
	s = (m - 1) / (m + 1);
	square = s * s;
	for (int n = 17; n >= 1; n -= 2)
		sum = sum * square + 1.0 / n;
	return (53 - bits) * LN2 - 2 * s * sum;
}

// 1 - exp(-x) of x >= 0
static double probability(double x)
{
	double sum = 0;

	if (x > 40)
		return 1;
	if (x > 0.5) {
		double half = probability(x / 2);

		return half * (2 - half);
	}
	for (int n = 14; n >= 1; n--)
		sum = (1 - sum) * x / n;
	return sum;
}

static int64_t draw(uint64_t distance, uint64_t salt)
{
	double gap = minus_log((random_bits(salt) >> 11) + 1) * (double)distance;

	return (int64_t)gap + 1;
}

// What a block of these bytes stands for.
static uint64_t weight_of(size_t size, uint64_t distance)
{
	double bytes = (double)(size ? size : 1);

	return size ? (uint64_t)(bytes / probability(bytes / (double)distance) + 0.5) : 0;
}

// ---- a sample

__attribute__((noinline, cold)) void sample(void *block, size_t size, uint64_t caller)
{
	uint64_t time = now(), distance;

	if (!configure()) {
		thread_state.left = UNKNOWN_PAUSE;
		return;
	}
	distance = swiftmem_sampler_state.distance;
	if (!distance) {
		thread_state.left = INT64_MAX;
		return;
	}
	if (!thread_state.random) {
		static uint64_t threads;

		// the thread begins with this block
		thread_state.random =
			(uintptr_t)&thread_state + (__atomic_add_fetch(&threads, 1, __ATOMIC_RELAXED) << 48);
		thread_state.left = draw(distance, time) - (int64_t)(size + !size);
		if (thread_state.left > 0)
			return;
	}
	thread_state.left = draw(distance, time);
	// what a look-up allocates is the sampler's own doing
	if (thread_state.is_finding)
		return;
	struct sampler_block what = {
		.size = size,
		.weight = weight_of(size, distance),
		.time_ns = time,
		.caller = caller,
	};

	if (table_put(block, &what))
		swiftmem_sampled_alloc(block, size, what.weight);
}
