// SPDX-License-Identifier: Apache-2.0
//
// calls: each function once, every block sampled (SWIFTMEM_SAMPLE_BYTES=1): one call, one sample of the bytes asked for.
#define _GNU_SOURCE
#include <errno.h>
#include <malloc.h>
#include <unistd.h>
#include "books.h"

extern void *reallocarray(void *, size_t, size_t);

static void resizing(void)
{
	void *block, *moved;

	ONE(void *, block, malloc(1000), 1000);
	memset(block, 7, 1000);
	uint64_t freed = BOOKS->freed, sampled = BOOKS->sampled;

	moved = realloc(block, 300000);
	CHECK(moved && ((char *)moved)[999] == 7);
	CHECK(BOOKS->freed - freed == 1 && BOOKS->sampled - sampled == 1);
	CHECK(size_of(moved) == 300000);
	// one that fails leaves the old block, sampled as it was
	volatile size_t absurd = SIZE_MAX / 2;

	CHECK(!realloc(moved, absurd)); // jemalloc leaves errno as it was
	CHECK(size_of(moved) == 300000);
	CHECK(!reallocarray(moved, absurd, 16) && errno == ENOMEM);
	CHECK(size_of(moved) == 300000);
	void *last = reallocarray(moved, 50, 100);

	CHECK(size_of(last) == 5000);
	GONE(last, free(last));
	ONE(void *, block, realloc(NULL, 640), 640);
	GONE(block, free(block));
	ONE(void *, block, reallocarray(NULL, 4, 200), 800);
	GONE(block, free(block));
}

static void alignments(void)
{
	void *block;

	uint64_t before = BOOKS->sampled;

	CHECK(posix_memalign(&block, 4096, 700) == 0 && (uintptr_t)block % 4096 == 0);
	CHECK(BOOKS->sampled - before == 1 && size_of(block) == 700);
	GONE(block, free(block));
	block = (void *)7;
	CHECK(posix_memalign(&block, 24, 700) == EINVAL && block == (void *)7);
	ONE(void *, block, aligned_alloc(256, 1024), 1024);
	CHECK((uintptr_t)block % 256 == 0);
	GONE(block, free(block));
	ONE(void *, block, memalign(512, 900), 900);
	CHECK((uintptr_t)block % 512 == 0);
	GONE(block, free(block));
#ifdef __GLIBC__
	ONE(void *, block, valloc(800), 800);
	CHECK((uintptr_t)block % 4096 == 0);
	GONE(block, free(block));
	ONE(void *, block, pvalloc(800), 800);
	CHECK((uintptr_t)block % 4096 == 0);
	GONE(block, free(block));
#endif
}

static void failures(void)
{
	uint64_t before = BOOKS->sampled;
	volatile size_t absurd = SIZE_MAX / 2;

	CHECK(!malloc(absurd) && errno == ENOMEM);
	CHECK(!calloc(absurd, 4) && errno == ENOMEM);
	CHECK(!calloc(absurd, 1));
	CHECK(!aligned_alloc(64, absurd));
	free(NULL);
	CHECK(BOOKS->sampled == before);
}

int main(void)
{
	void *block, *other;

	CHECK(BOOKS && BOOKS->magic == SAMPLER_MAGIC);
	free(malloc(1000));
	CHECK(BOOKS->distance == 1);
	uint64_t alive_before = alive();

	ONE(void *, block, malloc(1234), 1234);
	ONE(void *, other, calloc(10, 100), 1000);
	for (int i = 0; i < 1000; i++)
		CHECK(((char *)other)[i] == 0);
	CHECK(malloc_usable_size(block) >= 1234);
	GONE(block, free(block));
	GONE(other, free(other));
	resizing();
	alignments();
	failures();
	// what calls malloc by its name
	static const char text[] = "a text that is longer than forty bytes, so that it is surely sampled";

	ONE(char *, block, strdup(text), sizeof(text));
	GONE(block, free(block));
	char *printed;

	CHECK(asprintf(&printed, "%s", text) > 0);
	CHECK(slot_of(printed) >= 0);
	GONE(printed, free(printed));
	CHECK(alive() == alive_before);
	// errno stays
	errno = 99;
	free(malloc(5000));
	CHECK(errno == 99);
	return 0;
}
