// SPDX-License-Identifier: Apache-2.0
//
// operators: C++'s new and delete in every form, each block sampled. LIBRARY: a plug-in, which plugin.c opens.
#include <cstddef>
#include <new>
#include "books.h"

static volatile size_t absurd = SIZE_MAX / 4;

// operator new is called as a function: the compiler may leave out an expression's.
static void forms()
{
	auto wide = std::align_val_t(128);
	void *block;

	ONE(void *, block, ::operator new(1000), 1000);
	GONE(block, ::operator delete(block));
	ONE(void *, block, ::operator new[](1001), 1001);
	GONE(block, ::operator delete[](block));
	ONE(void *, block, ::operator new(1002), 1002);
	GONE(block, ::operator delete(block, size_t(1002)));
	ONE(void *, block, ::operator new[](1003), 1003);
	GONE(block, ::operator delete[](block, size_t(1003)));
	ONE(void *, block, ::operator new(1004, std::nothrow), 1004);
	GONE(block, ::operator delete(block, std::nothrow));
	ONE(void *, block, ::operator new[](1005, std::nothrow), 1005);
	GONE(block, ::operator delete[](block, std::nothrow));
	uint64_t before = BOOKS->sampled;

	// libstdc++ rounds what it asks of aligned_alloc
	block = ::operator new(1024, wide);
	CHECK((uintptr_t)block % 128 == 0 && BOOKS->sampled - before == 1 && size_of(block) == 1024);
	GONE(block, ::operator delete(block, wide));
	ONE(void *, block, ::operator new[](1024, wide), 1024);
	GONE(block, ::operator delete[](block, size_t(1024), wide));
	ONE(void *, block, ::operator new(2048, wide, std::nothrow), 2048);
	GONE(block, ::operator delete(block, wide, std::nothrow));
	ONE(void *, block, ::operator new[](2048, wide, std::nothrow), 2048);
	GONE(block, ::operator delete[](block, wide, std::nothrow));
	::operator delete(nullptr);
}

// An exception passes through the sampler.
static void exceptions()
{
	int caught = 0;

	for (int i = 0; i < 3; i++) {
		try {
			void *volatile block = ::operator new(absurd);

			(void)block;
		} catch (const std::bad_alloc &) {
			caught++;
		}
	}
	CHECK(caught == 3);
	CHECK(::operator new(absurd, std::nothrow) == nullptr);
}

extern "C" int run_operators()
{
	uint64_t before;

	::operator delete(::operator new(500));
	before = alive();
	forms();
	// a look-up may free what the C library had before
	CHECK(alive() <= before);
	// mimalloc's new, compiled as C, ends the program instead
	if (!getenv("NO_EXCEPTIONS"))
		exceptions();
	return 0;
}

#ifndef LIBRARY
int main()
{
	return run_operators();
}
#endif
