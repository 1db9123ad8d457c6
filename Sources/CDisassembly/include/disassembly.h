// SPDX-License-Identifier: Apache-2.0
// Questions about machine code that a probe's placement depends on.
#ifndef DISASSEMBLY_H
#define DISASSEMBLY_H

#include <stddef.h>
#include <stdint.h>

// Where in an x86-64 function, given whole, a probe costs one trap instead of two:
// bytes from its start to the first instruction that the kernel emulates, if all
// before it leave arguments, stack and frame pointer as they were, and no jump of
// the function leads behind its start up to there. 0: its entry, in all doubt.
size_t emulated_instruction(const uint8_t *_Nonnull code, size_t size);

// The same in an arm64 function: the first instruction that the kernel simulates, if all before it leave memory, arguments,
// stack, frame pointer and return address as they were.
size_t simulated_instruction(const uint8_t *_Nonnull code, size_t size);

#endif
