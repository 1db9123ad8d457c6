// SPDX-License-Identifier: Apache-2.0
#include "bpf_objects.h"

#include <string.h>

// The objects are of the architecture that this is built for.
#if !__has_embed("objects/oomkill.bpf.o")
#error the BPF objects are not built yet: run "make bpf" first
#endif

// libbpf reads ELF structures in place: the images must be aligned as those are.
#define IMAGE(tool) _Alignas(8) static const unsigned char image_##tool[]

// A new tool: its image here, and its row in the table below.
IMAGE(oomkill) = {
#embed "objects/oomkill.bpf.o"
};
IMAGE(cachestat) = {
#embed "objects/cachestat.bpf.o"
};
IMAGE(swapin) = {
#embed "objects/swapin.bpf.o"
};
IMAGE(shmsnoop) = {
#embed "objects/shmsnoop.bpf.o"
};
IMAGE(cachetop) = {
#embed "objects/cachetop.bpf.o"
};
IMAGE(memleak) = {
#embed "objects/memleak.bpf.o"
};
IMAGE(kernelleak) = {
#embed "objects/kernelleak.bpf.o"
};

#define ROW(tool) \
	{ \
#tool, image_##tool, sizeof(image_##tool) \
	}
static const struct bpf_object_image images[] = {
	ROW(oomkill), ROW(cachestat), ROW(cachetop), ROW(swapin), ROW(shmsnoop), ROW(memleak), ROW(kernelleak),
};

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
