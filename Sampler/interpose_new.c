// SPDX-License-Identifier: Apache-2.0
//
// C++'s operators new and delete. The standard library's call malloc and free, where they are counted; jemalloc's, tcmalloc's
// and mimalloc's don't, and are counted here. One may throw: its exception passes through these functions, which have
// nothing to undo. Where the operators are in a library that was opened apart (dlopen without RTLD_GLOBAL), as those of a
// plug-in are, they don't lie behind this one: they are looked for by the library's name, and else it is malloc.
#include "libc.h"
#include "sampler.h"

extern void *malloc(size_t size);
extern int posix_memalign(void **result, size_t alignment, size_t size);

// By the operators' arguments: nothrow_t and align_val_t are passed as a pointer and as a size.
typedef void *(*new_function)(size_t, uintptr_t, uintptr_t);
typedef void (*delete_function)(void *, uintptr_t, uintptr_t);

static void *find_in(void *library, const char *name)
{
	void *found = library ? dlsym(library, name) : NULL;

	__asm__ volatile("" : "+r"(found));
	return found;
}

// NULL: nobody has it, or this thread is looking something up already.
static void *find_operator(const char *name)
{
	static const char *const libraries[] = { "libstdc++.so.6", "libc++.so.1", "libc++abi.so.1" };
	void *found;

	if (!dlsym || thread_state.is_finding)
		return NULL;
	thread_state.is_finding = true;
	found = dlsym(RTLD_NEXT, name);
	for (size_t i = 0; !found && dlopen && i < sizeof(libraries) / sizeof(*libraries); i++)
		found = find_in(dlopen(libraries[i], RTLD_LAZY | RTLD_NOLOAD), name);
	thread_state.is_finding = false;
	return found;
}

// What a caller would have called but for this library. It fails as its own does: by an exception.
static new_function own_operator(const char *name, const void *caller)
{
	struct object_info object;
	void *found = NULL;

	if (dladdr && dlopen && dlsym && dladdr(caller, &object))
		found = find_in(dlopen(object.file, RTLD_LAZY | RTLD_NOLOAD), name);
	return (new_function)(uintptr_t)found;
}

static void *allocate(size_t size, size_t alignment)
{
	void *block = NULL;

	if (alignment <= 16)
		return malloc(size ? size : 1);
	return posix_memalign(&block, alignment, size) ? NULL : block;
}

#define NEW(name, parameters, alignment, nothrow, second, third) \
	EXPORTED void *name parameters \
	{ \
		static new_function function; \
		new_function call = __atomic_load_n(&function, __ATOMIC_RELAXED); \
		void *block; \
\
		if (UNLIKELY(!call)) { \
			call = (new_function)(uintptr_t)find_operator(#name); \
			__atomic_store_n(&function, call, __ATOMIC_RELAXED); \
		} \
		if (UNLIKELY(!call)) { \
			block = allocate(size, alignment); \
			if (block || nothrow) \
				return block; \
			call = own_operator(#name, __builtin_return_address(0)); \
			if (!call || call == (new_function)(uintptr_t)name) \
				abort(); \
		} \
		before_call(); \
		block = call(size, second, third); \
		after_call(block, size, CALLER()); \
		return block; \
	}

NEW(_Znwm, (size_t size), 0, false, 0, 0)
NEW(_Znam, (size_t size), 0, false, 0, 0)
NEW(_ZnwmRKSt9nothrow_t, (size_t size, uintptr_t tag), 0, true, tag, 0)
NEW(_ZnamRKSt9nothrow_t, (size_t size, uintptr_t tag), 0, true, tag, 0)
NEW(_ZnwmSt11align_val_t, (size_t size, size_t alignment), alignment, false, alignment, 0)
NEW(_ZnamSt11align_val_t, (size_t size, size_t alignment), alignment, false, alignment, 0)
NEW(_ZnwmSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, uintptr_t tag), alignment, true, alignment, tag)
NEW(_ZnamSt11align_val_tRKSt9nothrow_t, (size_t size, size_t alignment, uintptr_t tag), alignment, true, alignment, tag)

#define DELETE(name, parameters, second, third) \
	EXPORTED void name parameters \
	{ \
		static delete_function function; \
		delete_function call = __atomic_load_n(&function, __ATOMIC_RELAXED); \
\
		if (UNLIKELY(is_special(block)) && !forget(block)) \
			return; \
		if (UNLIKELY(!call)) { \
			call = (delete_function)(uintptr_t)find_operator(#name); \
			__atomic_store_n(&function, call, __ATOMIC_RELAXED); \
		} \
		if (UNLIKELY(!call)) \
			next.free(block); \
		else \
			call(block, second, third); \
	}

DELETE(_ZdlPv, (void *block), 0, 0)
DELETE(_ZdaPv, (void *block), 0, 0)
DELETE(_ZdlPvm, (void *block, size_t size), size, 0)
DELETE(_ZdaPvm, (void *block, size_t size), size, 0)
DELETE(_ZdlPvRKSt9nothrow_t, (void *block, uintptr_t tag), tag, 0)
DELETE(_ZdaPvRKSt9nothrow_t, (void *block, uintptr_t tag), tag, 0)
DELETE(_ZdlPvSt11align_val_t, (void *block, size_t alignment), alignment, 0)
DELETE(_ZdaPvSt11align_val_t, (void *block, size_t alignment), alignment, 0)
DELETE(_ZdlPvmSt11align_val_t, (void *block, size_t size, size_t alignment), size, alignment)
DELETE(_ZdaPvmSt11align_val_t, (void *block, size_t size, size_t alignment), size, alignment)
DELETE(_ZdlPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t alignment, uintptr_t tag), alignment, tag)
DELETE(_ZdaPvSt11align_val_tRKSt9nothrow_t, (void *block, size_t alignment, uintptr_t tag), alignment, tag)
