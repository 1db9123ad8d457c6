// SPDX-License-Identifier: Apache-2.0
#include "bpf_objects.h"

#include <string.h>

// `make bpf` writes it: IMAGE(tool) for each BPF/*.bpf.c, its bytes embedded, then IMAGES(tool) for all of them.
#if !__has_include("objects/images.h")
#error the BPF objects are not built yet: run "make bpf" first
#endif

// libbpf reads ELF structures in place: the images must be aligned as those are.
#define IMAGE(tool) _Alignas(8) static const unsigned char image_##tool[]
#include "objects/images.h"

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
