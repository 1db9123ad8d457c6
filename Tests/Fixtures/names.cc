// SPDX-License-Identifier: Apache-2.0
//
// Leaks in another function of C++ with each line it is given, each of a mangled name: 100 × 10 bytes in
// shop::Basket<N>::fill(int), N = 0 … 7. Says "done" behind it, and ends with its input.
#include <cstdio>
#include <unistd.h>

void *volatile sink;

namespace shop
{
template <int N> struct Basket {
	__attribute__((noinline)) static void fill(int count)
	{
		for (int i = 0; i < count; i++)
			sink = operator new(10);
	}
};
} // namespace shop

int main()
{
	void (*const fills[])(int) = { shop::Basket<0>::fill, shop::Basket<1>::fill, shop::Basket<2>::fill,
				       shop::Basket<3>::fill, shop::Basket<4>::fill, shop::Basket<5>::fill,
				       shop::Basket<6>::fill, shop::Basket<7>::fill };
	char line[64];

	setvbuf(stdout, nullptr, _IOLBF, 0);
	printf("{\"type\":\"ready\",\"pid\":%d}\n", getpid());
	for (int step = 0; fgets(line, sizeof line, stdin); step++) {
		fills[step % 8](100);
		printf("{\"type\":\"done\"}\n");
	}
	return 0;
}
