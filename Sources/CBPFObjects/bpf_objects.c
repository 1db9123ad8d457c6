// SPDX-License-Identifier: Apache-2.0
#include "bpf_objects.h"

#include <string.h>

// `make bpf` writes it: IMAGE(tool) for each BPF/*.bpf.c, its bytes embedded, then IMAGES(tool) for all of them.
#if defined(__aarch64__)
#define IMAGES_OF_THIS_MACHINE "objects/arm64/images.h"
#else
#define IMAGES_OF_THIS_MACHINE "objects/x86/images.h"
#endif
#if !__has_include(IMAGES_OF_THIS_MACHINE)
#error the BPF objects are not built yet: run "make bpf" first
#endif

// libbpf reads ELF structures in place: the images must be aligned as those are.
#define IMAGE(tool) _Alignas(8) static const unsigned char image_##tool[]
#include IMAGES_OF_THIS_MACHINE

#define ROW(tool) { .name = #tool, .bytes = image_##tool, .size = sizeof(image_##tool) },
static const struct bpf_object_image images[] = { IMAGES(ROW) };

const struct bpf_object_image *bpf_object_image_at(size_t index)
{
	return index < sizeof(images) / sizeof(images[0]) ? &images[index] : NULL;
}

const struct bpf_object_image *bpf_object_image(const char *name)
{
	for (size_t i = 0; i < sizeof(images) / sizeof(images[0]); i++)
		if (strcmp(images[i].name, name) == 0)
			return &images[i];
	return NULL;
}
