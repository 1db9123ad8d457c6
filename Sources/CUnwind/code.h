// SPDX-License-Identifier: Apache-2.0
// Frames of x86-64 code that has no call-frame information, from the code itself: thunks and accessors that the Swift
// compiler makes, assembly. Functions are looked for (code_rows.c); each is followed from its entry along all its jumps
// (code_function.c), and what its instructions do to the stack and the frame pointer is added up (code_effect.c). It is
// believed only when everything fits: each place is reached with one state, and each return and tail call finds the stack
// as the entry had it. A guess at an entry that was wrong does not survive that.
#ifndef CUNWIND_CODE_H
#define CUNWIND_CODE_H

#include "CUnwind.h"
#include "disassembler.h"

// What is known of the two registers at a place. Offsets are distances below the frame address.
struct code_state {
	int32_t sp; // of the stack pointer; UNKNOWN where it isn't constant
	int32_t fp; // of the frame pointer, when it is one; else 0
	int32_t saved; // of the caller's frame pointer; 0 while it is in its register
	bool ends; // there is no caller
};

enum { UNKNOWN = -1, CLEAN_SP = 8, LARGEST_FRAME = 1 << 22 };

struct code_place {
	struct code_state state;
	uint32_t function; // that reached it; 0: none
	uint8_t length;
};

struct code_walk {
	struct disassembler disassembler;
	const uint8_t *code;
	size_t size;
	struct code_place *places;
	uint8_t *entries; // called from within
	size_t *todo, *reached; // as large as the code: a place is reached once, or once more with less known
	size_t todo_count, reached_count;
	uint32_t function;
	bool returns, calls;
	size_t work; // instructions that may still be looked at
};

enum code_next { GO_ON, END, FAIL };

// What the last instruction, which is no jump, call or return, does to the state.
enum code_next unwind_code_effect(const struct disassembler *disassembler, struct code_state *state);

// Follows a function from its entry; whether all of it fits.
bool unwind_code_follow(struct code_walk *walk, size_t entry);

// Does a function begin here by setting up a frame pointer?
bool unwind_code_is_prologue(const struct code_walk *walk, size_t at);

// Bytes of a call at a place that is `exit(main(…))`'s call of main; 0: it is not. It is where a C library begins that
// has no information (musl's): called through a register, its result is passed to a call that does not return.
size_t unwind_code_is_start(const struct code_walk *walk, size_t at);

// Bytes of a no-op at a place; 0: none.
size_t unwind_code_padding(const struct code_walk *walk, size_t at);

#endif
