// SPDX-License-Identifier: Apache-2.0
#ifndef SWIFTMEM_GZIP_H
#define SWIFTMEM_GZIP_H
#include <stddef.h>
#include <stdint.h>

/// The most bytes that `count` become.
size_t gzip_bound(size_t count);

/// Compresses into `to`, as gzip does, without a name or a time. Returns the bytes written, 0 where it is not to be had.
size_t gzip_bytes(const uint8_t *from, size_t count, uint8_t *to, size_t room);

#endif
