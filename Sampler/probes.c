// SPDX-License-Identifier: Apache-2.0
//
// Two functions that do nothing: tracers attach to them, by name or as the USDT probes otel_memory:alloc and
// otel_memory:free. Each begins with an instruction that the kernel need not step over.
#include "sampler.h"

// A note of systemtap's third format: where the instruction is, and where its arguments are.
#define PROBE(name, arguments, ...) \
	__asm__ volatile("990: nop\n" \
			 ".pushsection .note.stapsdt,\"\",\"note\"\n" \
			 ".balign 4\n" \
			 ".4byte 992f-991f, 994f-993f, 3\n" \
			 "991: .asciz \"stapsdt\"\n" \
			 "992: .balign 4\n" \
			 "993: .8byte 990b, _.stapsdt.base, 0\n" \
			 ".asciz \"otel_memory\"\n" \
			 ".asciz \"" name "\"\n" \
			 ".asciz \"" arguments "\"\n" \
			 "994: .balign 4\n" \
			 ".popsection\n" \
			 ".ifndef _.stapsdt.base\n" \
			 ".pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n" \
			 ".weak _.stapsdt.base\n" \
			 ".hidden _.stapsdt.base\n" \
			 "_.stapsdt.base: .space 1\n" \
			 ".size _.stapsdt.base, 1\n" \
			 ".popsection\n" \
			 ".endif\n" ::__VA_ARGS__ \
			 : "memory")

__attribute__((noinline)) void swiftmem_sampled_alloc(void *block, size_t size, uint64_t weight)
{
	PROBE("alloc", "8@%0 8@%1 8@%2", "r"(block), "r"(size), "r"(weight));
}

__attribute__((noinline)) void swiftmem_sampled_free(void *block)
{
	PROBE("free", "8@%0", "r"(block));
}
