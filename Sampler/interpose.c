// SPDX-License-Identifier: Apache-2.0
//
// The C library's functions, as programs call them: each does what the next allocator's does, and counts it.
#include "libc.h"
#include "sampler.h"

EXPORTED void *malloc(size_t size)
{
	void *block = next.malloc(size);

	if (LIKELY(block != NULL))
		count_block(block, size, CALLER());
	return block;
}

EXPORTED void free(void *block)
{
	if (UNLIKELY(is_special(block)) && !forget(block))
		return;
	next.free(block);
}

EXPORTED void *calloc(size_t count, size_t size)
{
	before_call();
	void *block = next.calloc(count, size);

	after_call(block, count * size, CALLER());
	return block;
}

static void *failed(int error)
{
	errno = error;
	return NULL;
}

// The old block is gone where it succeeds: what it stood for is taken out, and put back where it fails.
static inline __attribute__((always_inline)) void *resize(void *old, size_t size, uint64_t caller)
{
	struct sampler_block what;
	bool was_sampled = false;

	if (UNLIKELY(is_special(old)) && old) {
		if (is_early(old)) {
			void *block = next.malloc(size);
			size_t bytes = early_size(old);

			if (block)
				__builtin_memcpy(block, old, bytes < size ? bytes : size);
			return block;
		}
		was_sampled = table_take(old, &what);
		if (was_sampled)
			swiftmem_sampled_free(old);
	}
	before_call();
	void *block = next.realloc(old, size);

	after_call(block, size, caller);
	if (UNLIKELY(was_sampled) && !block && size && table_put(old, &what))
		swiftmem_sampled_alloc(old, what.size, what.weight);
	return block;
}

EXPORTED void *realloc(void *old, size_t size)
{
	return resize(old, size, CALLER());
}

EXPORTED void *reallocarray(void *old, size_t count, size_t size)
{
	size_t bytes;

	return __builtin_mul_overflow(count, size, &bytes) ? failed(ENOMEM) : resize(old, bytes, CALLER());
}

static bool is_power_of_two(size_t value)
{
	return value && !(value & (value - 1));
}

// By whichever function the next allocator has.
static void *aligned(size_t alignment, size_t size)
{
	void *block = NULL;
	int error;

	if (!is_found())
		return early_block(size, alignment);
	if (next.memalign)
		return next.memalign(alignment, size);
	if (!next.posix_memalign)
		return next.aligned_alloc ? next.aligned_alloc(alignment, size) : failed(ENOMEM);
	if (alignment < sizeof(void *))
		alignment = sizeof(void *);
	error = next.posix_memalign(&block, alignment, size);
	return error ? failed(error) : block;
}

EXPORTED int posix_memalign(void **result, size_t alignment, size_t size)
{
	void *block = NULL;
	int error = 0;

	if (!is_power_of_two(alignment) || alignment % sizeof(void *))
		return EINVAL;
	before_call();
	if (is_found() && next.posix_memalign) {
		error = next.posix_memalign(&block, alignment, size);
	} else {
		int saved = errno;

		block = aligned(alignment, size);
		errno = saved;
		if (!block)
			error = ENOMEM;
	}
	if (error)
		return error;
	after_call(block, size, CALLER());
	*result = block;
	return 0;
}

EXPORTED void *aligned_alloc(size_t alignment, size_t size)
{
	before_call();
	void *block = is_found() && next.aligned_alloc ? next.aligned_alloc(alignment, size) : aligned(alignment, size);

	after_call(block, size, CALLER());
	return block;
}

EXPORTED void *memalign(size_t alignment, size_t size)
{
	before_call();
	void *block = aligned(alignment, size);

	after_call(block, size, CALLER());
	return block;
}

EXPORTED void *valloc(size_t size)
{
	before_call();
	void *block = is_found() && next.valloc ? next.valloc(size) : aligned((size_t)getpagesize(), size);

	after_call(block, size, CALLER());
	return block;
}

EXPORTED void *pvalloc(size_t size)
{
	size_t page = (size_t)getpagesize();

	before_call();
	void *block = is_found() && next.pvalloc ? next.pvalloc(size) : aligned(page, (size + page - 1) & ~(page - 1));

	after_call(block, size, CALLER());
	return block;
}

EXPORTED size_t malloc_usable_size(void *block)
{
	if (UNLIKELY(is_special(block)) && is_early(block))
		return early_size(block);
	return is_found() && next.malloc_usable_size ? next.malloc_usable_size(block) : 0;
}

// C23
EXPORTED void free_sized(void *block, size_t size)
{
	if (UNLIKELY(is_special(block)) && !forget(block))
		return;
	if (is_found() && next.free_sized)
		next.free_sized(block, size);
	else
		next.free(block);
}

EXPORTED void free_aligned_sized(void *block, size_t alignment, size_t size)
{
	if (UNLIKELY(is_special(block)) && !forget(block))
		return;
	if (is_found() && next.free_aligned_sized)
		next.free_aligned_sized(block, alignment, size);
	else
		next.free(block);
}
