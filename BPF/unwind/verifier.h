/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Ways of saying things that cost the verifier little. */
#ifndef SWIFTMEM_UNWIND_VERIFIER_H
#define SWIFTMEM_UNWIND_VERIFIER_H

/* 1 where `a` <= `b`, both below 2^63. A comparison without a branch is one path to verify. */
#define AT_MOST(a, b) (((a) - (b)-1) >> 63)

/*
 * An index below `most`, a power of two, by a mask that old verifiers see: compilers would
 * make it one of 32 bits, whose bounds are lost before 5.13.
 */
#define MASKED(index, most) \
	({ \
		u64 masked = (index); \
		asm volatile("%0 &= %1" : "+r"(masked) : "i"((most)-1)); \
		masked; \
	})

#endif
