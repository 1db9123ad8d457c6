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

/// Decompresses an xz stream. Gives 0 and a malloc'd block, or -1 when the stream is broken or grows beyond `limit`
/// bytes. A shim because lzma_stream is initialised by a macro that Swift doesn't import.
int csymbols_unxz(const uint8_t *_Nonnull in, size_t in_size, size_t limit, uint8_t *_Nullable *_Nonnull out,
                  size_t *_Nonnull out_size);

enum csymbols_language { CSYMBOLS_CXX, CSYMBOLS_RUST };

/// Demangles into `out`, NUL-terminated. Gives the length, or -1 when `mangled` is no such name or its demangled form
/// doesn't fit. A shim because libiberty's callback must be able to stop a name that expands without end.
ptrdiff_t csymbols_demangle(enum csymbols_language language, const char *_Nonnull mangled, char *_Nonnull out,
                            size_t capacity);

/// One stretch of code and how its frames are unwound: a rule of unwind_table.h.
struct csymbols_cfi_row {
    uint64_t start, end; // as linked
    uint64_t rule;
};

struct csymbols_cfi {
    struct csymbols_cfi_row *_Nullable rows; // malloc'd
    size_t count;
    uint64_t functions;  // entries of functions
    uint64_t unreadable; // entries, or parts of them, that make no sense
};

enum csymbols_cfi_status {
    CSYMBOLS_CFI_OK,
    CSYMBOLS_CFI_NONE,     // there is no call-frame information, or none for a machine known here
    CSYMBOLS_CFI_TOO_MUCH, // more rows or more time than agreed to
};

enum { CSYMBOLS_LARGEST_CFI = 1 << 28, CSYMBOLS_MOST_ROWS = 1 << 24 };

/// Call-frame information: `.eh_frame`, or `.debug_frame` where only that exists. Rows come in the order of the entries,
/// which may overlap. `fd`: the file, to read it by several threads; -1 where there is none.
enum csymbols_cfi_status csymbols_cfi_rows(Elf *_Nonnull elf, int fd, unsigned milliseconds, struct csymbols_cfi *_Nonnull out);

/// The Swift runtime's own (swift/Demangling/Demangle.h, stdlib/public/runtime/Demangle.cpp): exported by libswiftCore,
/// declared in no header. Gives a malloc'd string, or NULL when it is no Swift name; `flags` must be 0.
char *_Nullable swift_demangle(const char *_Nonnull mangled, size_t length, char *_Nullable out,
                               size_t *_Nullable out_size, uint32_t flags);

#endif
