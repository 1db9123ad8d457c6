// SPDX-License-Identifier: Apache-2.0
//
// The allocator that does the work: the next one behind this library in the order of loading, be it the C library's or
// another that is preloaded. It is looked up at the first call, which may come before any constructor; what the look-up
// itself allocates comes from a small reserve.
#include "libc.h"
#include "sampler.h"

// glibc's own names, where it is so old that dlsym is in another library
extern void *__libc_malloc(size_t) WEAK;
extern void *__libc_calloc(size_t, size_t) WEAK;
extern void *__libc_realloc(void *, size_t) WEAK;
extern void *__libc_memalign(size_t, size_t) WEAK;
extern void __libc_free(void *) WEAK;

// ---- the reserve

#define EARLY_BYTES (64 << 10)
#define EARLY_ALIGNMENT 16

static struct {
	uint8_t bytes[EARLY_BYTES];
	size_t used;
} early __attribute__((aligned(4096)));

// Each has its size before it. Zeroed, for none is given out twice.
void *early_block(size_t size, size_t alignment)
{
	if (alignment < EARLY_ALIGNMENT)
		alignment = EARLY_ALIGNMENT;
	if (size > EARLY_BYTES || alignment > 4096) {
		errno = ENOMEM;
		return NULL;
	}
	size_t used = __atomic_load_n(&early.used, __ATOMIC_RELAXED), start;

	do {
		start = (used + EARLY_ALIGNMENT + alignment - 1) & ~(alignment - 1);
		if (start + size > EARLY_BYTES) {
			errno = ENOMEM;
			return NULL;
		}
	} while (!__atomic_compare_exchange_n(&early.used, &used, start + size, true, __ATOMIC_RELAXED,
					      __ATOMIC_RELAXED));
	*(size_t *)(void *)&early.bytes[start - sizeof(size_t)] = size;
	filter_keep(&early.bytes[start]);
	return &early.bytes[start];
}

bool is_early(const void *block)
{
	return (uintptr_t)block - (uintptr_t)early.bytes < EARLY_BYTES;
}

size_t early_size(const void *block)
{
	return *((const size_t *)block - 1);
}

// ---- the first call of each function that every allocator has

static void *first_malloc(size_t size)
{
	return find_next() ? next.malloc(size) : early_block(size, 0);
}

static void *first_calloc(size_t count, size_t size)
{
	size_t bytes;

	if (find_next())
		return next.calloc(count, size);
	if (__builtin_mul_overflow(count, size, &bytes)) {
		errno = ENOMEM;
		return NULL;
	}
	return early_block(bytes, 0);
}

// An early block does not come here; another can't be while there is no allocator.
static void *first_realloc(void *old, size_t size)
{
	if (find_next())
		return next.realloc(old, size);
	return old ? NULL : early_block(size, 0);
}

static void first_free(void *block)
{
	if (find_next())
		next.free(block);
}

struct next_allocator next = {
	.malloc = first_malloc,
	.calloc = first_calloc,
	.realloc = first_realloc,
	.free = first_free,
};

// ---- the look-up

static void *find(const char *name)
{
	void *found = dlsym ? dlsym(RTLD_NEXT, name) : NULL;

	// not the last thing that is done: dlsym asks who has called it
	__asm__ volatile("" : "+r"(found));
	return found;
}

// Functions as objects: POSIX allows it where there is dlsym.
#define FIND(field) \
	do { \
		void *found = find(#field); \
		if (found) \
			__builtin_memcpy(&all.field, &found, sizeof(found)); \
	} while (0)

// Is it of the same library as malloc?
static bool is_beside(void *function, const void *malloc_function)
{
	struct object_info own, other;

	return function && dladdr && dladdr(function, &own) && dladdr(malloc_function, &other) &&
	       own.base == other.base;
}

#define BESIDE(field) is_beside(__extension__(void *) all->field, __extension__(void *) all->malloc)
#define TAKE_APART(field) \
	do { \
		if (!BESIDE(field)) \
			all->field = NULL; \
	} while (0)

// An allocator without pvalloc, as jemalloc is, has the C library's behind it, whose block it could not free: its own
// memalign does the same. One that aligns nothing leaves it to whoever does, as without the sampler.
static void keep_one_library(struct next_allocator *all)
{
	if (BESIDE(memalign) || BESIDE(posix_memalign) || BESIDE(aligned_alloc)) {
		TAKE_APART(posix_memalign);
		TAKE_APART(aligned_alloc);
		TAKE_APART(memalign);
		TAKE_APART(valloc);
		TAKE_APART(pvalloc);
	}
	TAKE_APART(free_sized);
	TAKE_APART(free_aligned_sized);
}

static struct next_allocator found_allocator(void)
{
	struct next_allocator all = { 0 };

	if (!dlsym) {
		all.malloc = __libc_malloc;
		all.calloc = __libc_calloc;
		all.realloc = __libc_realloc;
		all.free = __libc_free;
		all.memalign = __libc_memalign;
		return all;
	}
	FIND(malloc);
	FIND(calloc);
	FIND(realloc);
	FIND(free);
	FIND(posix_memalign);
	FIND(aligned_alloc);
	FIND(memalign);
	FIND(valloc);
	FIND(pvalloc);
	FIND(malloc_usable_size);
	FIND(free_sized);
	FIND(free_aligned_sized);
	if (all.malloc)
		keep_one_library(&all);
	return all;
}

bool is_found(void)
{
	return LIKELY(__atomic_load_n(&next.malloc, __ATOMIC_ACQUIRE) != first_malloc) || find_next();
}

bool find_next(void)
{
	if (thread_state.is_finding)
		return false;
	thread_state.is_finding = true;
	struct next_allocator all = found_allocator();

	thread_state.is_finding = false;
	// these four come together: without them the process has no allocator
	if (!all.malloc || !all.calloc || !all.realloc || !all.free)
		return false;
	// a thread that looks at the same time finds the same, and writes what is there already
	__atomic_store_n(&next.posix_memalign, all.posix_memalign, __ATOMIC_RELAXED);
	__atomic_store_n(&next.aligned_alloc, all.aligned_alloc, __ATOMIC_RELAXED);
	__atomic_store_n(&next.memalign, all.memalign, __ATOMIC_RELAXED);
	__atomic_store_n(&next.valloc, all.valloc, __ATOMIC_RELAXED);
	__atomic_store_n(&next.pvalloc, all.pvalloc, __ATOMIC_RELAXED);
	__atomic_store_n(&next.malloc_usable_size, all.malloc_usable_size, __ATOMIC_RELAXED);
	__atomic_store_n(&next.free_sized, all.free_sized, __ATOMIC_RELAXED);
	__atomic_store_n(&next.free_aligned_sized, all.free_aligned_sized, __ATOMIC_RELAXED);
	__atomic_store_n(&next.calloc, all.calloc, __ATOMIC_RELEASE);
	__atomic_store_n(&next.realloc, all.realloc, __ATOMIC_RELEASE);
	__atomic_store_n(&next.free, all.free, __ATOMIC_RELEASE);
	__atomic_store_n(&next.malloc, all.malloc, __ATOMIC_RELEASE);
	return true;
}
