// SPDX-License-Identifier: Apache-2.0
#include "test_objects.h"

// `make bpf` writes it: IMAGE(name) for each of the programs here, its bytes embedded.
#if defined(__aarch64__)
#define IMAGES_OF_THIS_MACHINE "objects/arm64/images.h"
#else
#define IMAGES_OF_THIS_MACHINE "objects/x86/images.h"
#endif
#if !__has_include(IMAGES_OF_THIS_MACHINE)
#error the BPF objects are not built yet: run "make bpf" first
#endif

#define IMAGE(name) _Alignas(8) static const unsigned char name[]
#include IMAGES_OF_THIS_MACHINE

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
