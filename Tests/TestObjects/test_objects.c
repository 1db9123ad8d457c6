// SPDX-License-Identifier: Apache-2.0
#include "test_objects.h"

#if !__has_embed("objects/ringtest.bpf.o")
#error the BPF objects are not built yet: run "make bpf" first
#endif

_Alignas(8) static const unsigned char ringtest[] = {
#embed "objects/ringtest.bpf.o"
};

const void *ringtest_image(void) { return ringtest; }
size_t ringtest_size(void) { return sizeof(ringtest); }
