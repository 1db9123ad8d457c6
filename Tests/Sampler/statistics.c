// SPDX-License-Identifier: Apache-2.0
//
// statistics RUNS: how often the truth lies within two standard errors of what the sampled blocks tell, for bytes and for
// counts, of one size and of mixed sizes. Fails outside of 93 ... 97 %.
#include <malloc.h>
#include <math.h>
#include "books.h"

enum { BLOCKS = 3000 };

static void *kept[BLOCKS];
static uint64_t seed = 1;

static uint64_t next_random(void)
{
	seed = seed * 6364136223846793005ULL + 1442695040888963407ULL;
	return seed >> 33;
}

// One size, or from 64 bytes to 8 KiB, as many of each power of two.
static size_t pick(bool mixed)
{
	size_t power = mixed ? 64UL << next_random() % 7 : 512;

	return mixed ? power + next_random() % power : power;
}

struct sum {
	double bytes, count, bytes_variance, count_variance;
};

// Horvitz and Thompson's estimate: each sampled block stands for as many as its probability says.
static struct sum estimate(void)
{
	const uint64_t *addresses = (const uint64_t *)BOOKS->addresses;
	const struct sampler_block *blocks = (const struct sampler_block *)BOOKS->blocks;
	struct sum sum = { 0 };

	for (uint32_t i = 0; i < BOOKS->slots; i++) {
		if (addresses[i] <= SAMPLER_BUSY)
			continue;
		double size = (double)blocks[i].size, p = -expm1(-size / (double)BOOKS->distance);
		double excess = (1 - p) / (p * p);

		// the weight that the probe carries is the same estimate
		CHECK(fabs((double)blocks[i].weight - size / p) <= 0.5001 + size / p * 1e-9);
		sum.bytes += size / p;
		sum.count += 1 / p;
		sum.bytes_variance += excess * size * size;
		sum.count_variance += excess;
	}
	return sum;
}

int main(int argc, char **argv)
{
	long runs = argc > 1 ? atol(argv[1]) : 200;

	mallopt(M_TRIM_THRESHOLD, 1 << 30); // memory is not given back after each run
	free(malloc(1 << 20)); // the thread has begun
	CHECK(BOOKS && BOOKS->distance > 1);
	for (int mixed = 0; mixed < 2; mixed++) {
		long bytes_within = 0, count_within = 0;
		double ratio = 0;

		for (long run = 0; run < runs; run++) {
			double truth = 0;
			struct sum base = estimate();

			for (int i = 0; i < BLOCKS; i++) {
				size_t size = pick(mixed);

				CHECK((kept[i] = malloc(size)));
				truth += (double)size;
			}
			struct sum sum = estimate();

			sum.bytes -= base.bytes;
			sum.count -= base.count;
			bytes_within += fabs(sum.bytes - truth) <= 2 * sqrt(sum.bytes_variance - base.bytes_variance);
			count_within += fabs(sum.count - BLOCKS) <= 2 * sqrt(sum.count_variance - base.count_variance);
			ratio += sum.bytes / truth / (double)runs;
			for (int i = 0; i < BLOCKS; i++)
				free(kept[i]);
		}
		double bytes = 100.0 * (double)bytes_within / (double)runs;
		double count = 100.0 * (double)count_within / (double)runs;

		printf("%s: of %ld runs bytes within two errors in %.1f %%, counts in %.1f %%; mean estimate %.4f of the truth\n",
		       mixed ? "mixed sizes" : "one size", runs, bytes, count, ratio);
		CHECK(bytes >= 93 && bytes <= 97 && count >= 93 && count <= 97);
		CHECK(ratio > 0.99 && ratio < 1.01);
	}
	return 0;
}
