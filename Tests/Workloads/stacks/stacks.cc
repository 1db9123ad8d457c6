// SPDX-License-Identifier: Apache-2.0
//
// C++: allocations while an exception is on its way, in a handler, below inlined and virtual functions.
#define LEAK_HERE
#include "hold.h"
#include <algorithm>
#include <cstring>
#include <functional>
#include <stdexcept>
#include <vector>

#define APART __attribute__((noinline))
static volatile int one = 1;

struct Guard {
	APART ~Guard()
	{
		if (one)
			leak_and_hold();
		asm volatile("" ::: "memory");
	}
};
APART void fail()
{
	if (one)
		throw std::runtime_error("wanted");
}
APART void unwinding()
{
	Guard guard;
	fail();
}
APART void handling()
{
	try {
		fail();
	} catch (const std::exception &) {
		leak_and_hold();
		asm volatile("" ::: "memory");
	}
}

struct Base {
	virtual ~Base() = default;
	virtual int run(int) = 0;
};
struct Derived : Base {
	APART int run(int depth) override
	{
		if (depth > 0)
			one = run(depth - 1);
		else
			leak_and_hold();
		asm volatile("" ::: "memory");
		return one;
	}
};
static inline int inlined(Base &base)
{
	std::vector<int> v(10);
	int sum = base.run(2);
	for (int i : v)
		sum += i;
	return sum;
}
APART int sorting()
{
	std::vector<int> v{ 3, 1, 2 };
	std::function<bool(int, int)> less = [](int a, int b) {
		Derived d;
		inlined(d);
		return a < b;
	};
	std::sort(v.begin(), v.end(), less);
	return v[0];
}

int main(int argc, char **argv)
{
	const char *kind = argc > 1 ? argv[1] : "";
	wait_for_go();
	if (!std::strcmp(kind, "unwinding"))
		try {
			unwinding();
		} catch (...) {
		}
	if (!std::strcmp(kind, "handling"))
		handling();
	if (!std::strcmp(kind, "sorting"))
		return sorting();
	return 1;
}
