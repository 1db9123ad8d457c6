// SPDX-License-Identifier: Apache-2.0
#include "CSymbols.h"

#include <libiberty/demangle.h>
#include <setjmp.h>
#include <string.h>

struct sink {
	char *out;
	size_t capacity, used;
	jmp_buf full;
};

// libiberty's callback can't refuse, and a few hundred bytes of back-references may stand for gigabytes of text. Both
// demanglers keep their state on the stack when they are given a callback, so jumping out frees everything (but for the
// code points of a Rust punycode identifier being printed at that very moment).
static void append(const char *text, size_t length, void *context)
{
	struct sink *sink = context;
	if (length >= sink->capacity - sink->used)
		longjmp(sink->full, 1);
	if (length) // else `text` may be NULL
		memcpy(sink->out + sink->used, text, length);
	sink->used += length;
}

// `for<'a, 'b, …>` of a function's type (F) or a trait object's (D) is a number of lifetimes in base 62, and libiberty
// counts up to it even where it prints nothing: "FGLONvMsr_" is 62^6 of them. No real name has more than two digits
// there. An identifier that looks as if ("DGRAM_") keeps its name mangled.
static int binds_too_much(const char *mangled)
{
	static const char base62[] = "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";

	for (const char *at = mangled; *at; at++) {
		if ((*at != 'F' && *at != 'D') || at[1] != 'G')
			continue;
		size_t digits = strspn(at + 2, base62);
		if (digits > 2 && at[2 + digits] == '_')
			return 1;
	}
	return 0;
}

ptrdiff_t csymbols_demangle(enum csymbols_language language, const char *mangled, char *out, size_t capacity)
{
	struct sink sink = { .out = out, .capacity = capacity };
	int ok;

	if (capacity == 0 || setjmp(sink.full))
		return -1;
	if (language == CSYMBOLS_RUST)
		ok = !binds_too_much(mangled) && rust_demangle_callback(mangled, 0, append, &sink);
	else
		ok = cplus_demangle_v3_callback(mangled, DMGL_PARAMS | DMGL_ANSI, append, &sink);
	if (!ok)
		return -1;
	out[sink.used] = '\0';
	return (ptrdiff_t)sink.used;
}
