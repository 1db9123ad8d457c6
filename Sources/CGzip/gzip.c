// SPDX-License-Identifier: Apache-2.0
#include "gzip.h"
#include <limits.h>
#include <string.h>
#include <zlib.h>

size_t gzip_bound(size_t count)
{
	return compressBound(count) + 32;
}

size_t gzip_bytes(const uint8_t *from, size_t count, uint8_t *to, size_t room)
{
	z_stream stream;
	size_t written = 0;

	memset(&stream, 0, sizeof(stream));
	if (count > UINT_MAX || room > UINT_MAX)
		return 0;
	// 15: the largest window; 16 more: gzip's head and sum
	if (deflateInit2(&stream, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY) != Z_OK)
		return 0;
	stream.next_in = (uint8_t *)from;
	stream.avail_in = (unsigned)count;
	stream.next_out = to;
	stream.avail_out = (unsigned)room;
	if (deflate(&stream, Z_FINISH) == Z_STREAM_END)
		written = stream.total_out;
	deflateEnd(&stream);
	return written;
}
