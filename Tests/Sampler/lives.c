// SPDX-License-Identifier: Apache-2.0
//
// lives CASE: what happens to processes and threads; at the end of each case the sampler has no block of it.
#define _GNU_SOURCE
#include <pthread.h>
#include <signal.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>
#include "books.h"

enum { THREADS = 8, ROUNDS = 60000, BLOCKS = 512 };

static void *shared[BLOCKS];

static unsigned next_random(unsigned *seed)
{
	return *seed = *seed * 1664525 + 1013904223;
}

// Blocks go from thread to thread: whoever takes one out of the common place frees it.
static void *exchange(void *seed)
{
	unsigned random = (unsigned)(uintptr_t)seed * 7919 + 1;

	for (int i = 0; i < ROUNDS; i++) {
		void *block = malloc(next_random(&random) % 3000 + 1);

		CHECK(block);
		if (i % 7 == 0)
			CHECK((block = realloc(block, next_random(&random) % 9000 + 1)));
		free(__atomic_exchange_n(&shared[(next_random(&random) >> 16) % BLOCKS], block, __ATOMIC_ACQ_REL));
	}
	return NULL;
}

static void free_shared(void)
{
	for (int i = 0; i < BLOCKS; i++) {
		free(shared[i]);
		shared[i] = NULL;
	}
}

static void threads(void)
{
	pthread_t ids[THREADS];

	for (uintptr_t i = 0; i < THREADS; i++)
		CHECK(pthread_create(&ids[i], NULL, exchange, (void *)i) == 0);
	for (int i = 0; i < THREADS; i++)
		CHECK(pthread_join(ids[i], NULL) == 0);
	free_shared();
}

static void *one_block(void *unused)
{
	(void)unused;
	free(malloc(500));
	return malloc(1000); // another thread frees it
}

// Threads that end leave nothing behind.
static void ends(void)
{
	for (int i = 0; i < 1500; i++) {
		pthread_t id;
		void *block;

		CHECK(pthread_create(&id, NULL, one_block, NULL) == 0);
		CHECK(pthread_join(id, &block) == 0);
		free(block);
	}
}

// The child has the parent's blocks, and frees them in its own books.
static void forks(void)
{
	for (int i = 0; i < BLOCKS; i++)
		shared[i] = malloc(400);
	uint64_t before = alive();
	pid_t child = fork();
	int status;

	CHECK(child >= 0);
	if (!child) {
		CHECK(alive() == before);
		free_shared();
		for (int i = 0; i < BLOCKS; i++)
			free(malloc(900));
		CHECK(before - alive() >= BLOCKS * 9 / 10);
		_exit(0);
	}
	CHECK(waitpid(child, &status, 0) == child && status == 0);
	CHECK(alive() == before);
	free_shared();
}

static volatile sig_atomic_t handled;

static void handle(int signal)
{
	(void)signal;
	// the allocator behind is one that may be interrupted
	void *block = malloc(200);

	handled++;
	free(block);
}

static void signals(void)
{
	struct sigaction action = { .sa_handler = handle };
	struct itimerval often = { { 0, 200 }, { 0, 200 } }, never = { { 0, 0 }, { 0, 0 } };

	CHECK(sigaction(SIGALRM, &action, NULL) == 0);
	CHECK(setitimer(ITIMER_REAL, &often, NULL) == 0);
	for (int i = 0; handled < 300; i++)
		free(malloc((size_t)(i % 2000) + 1));
	CHECK(setitimer(ITIMER_REAL, &never, NULL) == 0);
}

// More than there is room for: what is not recorded is counted, and its free is nothing special.
static void full(void)
{
	enum { MANY = SAMPLER_SLOTS + 30000 };
	void **many = malloc(MANY * sizeof(*many));

	CHECK(many);
	for (int i = 0; i < MANY; i++)
		many[i] = malloc(64);
	CHECK(BOOKS->lost >= 30000);
	CHECK(alive() <= SAMPLER_SLOTS && alive() > SAMPLER_SLOTS * 9 / 10);
	for (int i = 0; i < MANY; i++)
		free(many[i]);
	free(many);
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*run)(void);
	} cases[] = {
		{ "threads", threads }, { "ends", ends }, { "forks", forks }, { "signals", signals }, { "full", full }
	};

	CHECK(argc >= 2 && BOOKS);
	free(malloc(1000));
	if (!strcmp(argv[1], "exec")) {
		// the new program has books of its own
		CHECK(alive() < 100 && BOOKS->sampled > 0);
		if (argc > 2)
			return 0;
		for (int i = 0; i < 5000; i++)
			CHECK(malloc(100));
		execl(argv[0], argv[0], "exec", "again", (char *)NULL);
		return 1;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
		if (strcmp(cases[i].name, argv[1]))
			continue;
		cases[i].run(); // what the C library keeps for itself is allocated now
		uint64_t before = alive(), sampled = BOOKS->sampled;

		if (cases[i].run != full)
			cases[i].run();
		else
			CHECK(before < 100);
		uint64_t after = alive(); // printf has a buffer

		sampled = BOOKS->sampled - sampled;
		printf("%s: %llu sampled, %llu alive before, %llu after\n", argv[1], (unsigned long long)sampled,
		       (unsigned long long)before, (unsigned long long)after);
		// the C library keeps a little for each stack, which is sampled one time and another time not
		CHECK(BOOKS->distance > 1 ? after <= before + THREADS : after == before);
		return 0;
	}
	return 64;
}
