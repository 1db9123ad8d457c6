// SPDX-License-Identifier: Apache-2.0
//
// What arm64's call-frame information looks like: frames.so is this, by
//   aarch64-linux-gnu-gcc -O2 -shared -nostdlib -fPIC -fasynchronous-unwind-tables \
//     -Wl,-z,max-page-size=4096,-z,noseparate-code -o frames.so frames.c
// Debian's gcc 12, then stripped by aarch64-linux-gnu-strip. The test compares its table with readelf's reading.
void use(void *);
int other(int);

#define APART __attribute__((noinline))

APART int leaf(int a)
{
	return a * 3;
}
APART int calls(int a)
{
	return other(a) + 1;
}
APART int keeps(int a, int b, int c, int d, int e, int f)
{
	return other(a) + other(b) + other(c) + other(d) + other(e) + other(f) + a + b + c + d + e + f;
}
APART void large(void)
{
	char room[70000];
	use(room);
	use(room + 1);
}
APART void grows(unsigned long n)
{
	use(__builtin_alloca(n));
	use(0);
}
APART void aligned(void)
{
	char room[256] __attribute__((aligned(128)));
	use(room);
	use(room + 1);
}
APART int early(int a)
{
	if (a < 10)
		return a;
	int b = other(a);
	if (b < 0)
		return other(b) + a;
	return b;
}
__attribute__((optimize("omit-frame-pointer"))) APART int bare(int a)
{
	return other(a) + other(a + 1);
}
__attribute__((target("branch-protection=pac-ret+leaf"))) APART int sealed(int a)
{
	return other(a) + 7;
}
APART double many(double a, double b)
{
	double c = a;
	for (int i = 0; i < 9; i++)
		c += other((int)c) * b;
	return c;
}
