// SPDX-License-Identifier: Apache-2.0
// A library with two versions of one function, as glibc has.
int take_old(int x)
{
	return x + 1;
}
int take_new(int x)
{
	return x + 2;
}
int plain(int x)
{
	return x + 3;
}
__asm__(".symver take_old, take@CORPUS_1.0");
__asm__(".symver take_new, take@@CORPUS_2.0");
