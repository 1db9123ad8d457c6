// SPDX-License-Identifier: Apache-2.0
// The compiled kernel programs, one object a tool, embedded in the binary.
#ifndef BPF_OBJECTS_H
#define BPF_OBJECTS_H

#include <stddef.h>

struct bpf_object_image {
	const char *_Nonnull name; // of the tool
	const void *_Nonnull bytes;
	size_t size;
};

// NULL for a name there is no object of.
const struct bpf_object_image *_Nullable bpf_object_image(const char *_Nonnull name);

// The object at an index, NULL past the last.
const struct bpf_object_image *_Nullable bpf_object_image_at(size_t index);

#endif
