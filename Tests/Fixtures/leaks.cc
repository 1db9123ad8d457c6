// SPDX-License-Identifier: Apache-2.0
//
// C++: operator new and its arrays, make_shared in cycles, exceptions that pass through it all.
#include <cstdlib>
#include <memory>
#include <new>
#include <stdexcept>

void *volatile sink;

#define LEAK __attribute__((noinline)) void
#define END asm volatile("" : : : "memory")

LEAK leak_new()
{
	sink = operator new(48);
	END;
}
LEAK leak_array()
{
	sink = new char[200];
	END;
}

struct Node {
	std::shared_ptr<Node> other;
	char payload[64];
};
LEAK leak_cycle()
{
	auto a = std::make_shared<Node>(), b = std::make_shared<Node>();
	a->other = b;
	b->other = a;
	END;
}

// leaves a block behind, as what was allocated before a throw often is
LEAK leak_and_throw(int i)
{
	sink = operator new(24);
	if (i >= 0)
		throw std::runtime_error("thrown");
	END;
}
LEAK fail(std::size_t size)
{
	sink = operator new(size);
	END;
}

int main()
{
	int caught = 0;
	for (int i = 0; i < 300; i++) {
		leak_new();
		leak_array();
		leak_cycle();
		try {
			leak_and_throw(i);
		} catch (const std::runtime_error &) {
			caught++;
		}
		delete new int;
		if (i % 50 == 0)
			try {
				fail(std::size_t(1) << 62);
			} catch (const std::bad_alloc &) {
				caught++;
			}
	}
	return caught == 306 ? 42 : 1;
}
