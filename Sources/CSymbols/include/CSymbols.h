// SPDX-License-Identifier: Apache-2.0
#ifndef CSYMBOLS_H
#define CSYMBOLS_H

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include <libelf.h>
#include <stddef.h>
#include <stdint.h>
#include <zlib.h>

enum { CSYMBOLS_BROKEN = -1, CSYMBOLS_TOO_LARGE = -2 };

/// Decompresses an xz stream. Gives 0 and a malloc'd block, or why not: it would have more than `limit` bytes, or take
/// more than 12 MiB to decode. A shim because lzma_stream is initialised by a macro that Swift doesn't import.
int csymbols_unxz(const uint8_t *_Nonnull in, size_t in_size, size_t limit, uint8_t *_Nullable *_Nonnull out,
		  size_t *_Nonnull out_size);

enum csymbols_language { CSYMBOLS_CXX, CSYMBOLS_RUST };

/// Demangles into `out`, NUL-terminated. Gives the length, or -1 when `mangled` is no such name or its demangled form
/// doesn't fit. A shim because libiberty's callback must be able to stop a name that expands without end.
ptrdiff_t csymbols_demangle(enum csymbols_language language, const char *_Nonnull mangled, char *_Nonnull out,
			    size_t capacity);

/// The Swift runtime's own (swift/Demangling/Demangle.h, stdlib/public/runtime/Demangle.cpp): exported by libswiftCore,
/// declared in no header. Gives a malloc'd string, or NULL when it is no Swift name; `flags` must be 0.
char *_Nullable swift_demangle(const char *_Nonnull mangled, size_t length, char *_Nullable out,
			       size_t *_Nullable out_size, uint32_t flags);

#endif
