// SPDX-License-Identifier: Apache-2.0
#include "test_objects.h"

#if !__has_embed("objects/ringtest.bpf.o") || !__has_embed("objects/empty.bpf.o") || \
	!__has_embed("objects/library.bpf.o")
#error the BPF objects are not built yet: run "make bpf" first
#endif

_Alignas(8) static const unsigned char ringtest[] = {
#embed "objects/ringtest.bpf.o"
};

_Alignas(8) static const unsigned char empty[] = {
#embed "objects/empty.bpf.o"
};

_Alignas(8) static const unsigned char library[] = {
#embed "objects/library.bpf.o"
};

const void *ringtest_image(void)
{
	return ringtest;
}
size_t ringtest_size(void)
{
	return sizeof(ringtest);
}
const void *empty_image(void)
{
	return empty;
}
size_t empty_size(void)
{
	return sizeof(empty);
}
const void *library_image(void)
{
	return library;
}
size_t library_size(void)
{
	return sizeof(library);
}
