// SPDX-License-Identifier: Apache-2.0
#include "CSymbols.h"

#include <lzma.h>
#include <stdlib.h>

// xz's default preset needs 9 MiB to decode, and .gnu_debugdata is made with that.
static const uint64_t memory_limit = 12u << 20;

int csymbols_unxz(const uint8_t *in, size_t in_size, size_t limit, uint8_t **out, size_t *out_size)
{
	lzma_stream stream = LZMA_STREAM_INIT;
	size_t capacity = 1u << 16;
	uint8_t *buffer = NULL;
	int result = -1;

	if (lzma_stream_decoder(&stream, memory_limit, LZMA_CONCATENATED) != LZMA_OK)
		return -1;
	stream.next_in = in;
	stream.avail_in = in_size;
	for (;;) {
		if (stream.avail_out == 0) {
			if (buffer)
				capacity *= 2;
			if (capacity > limit)
				capacity = limit;
			if (stream.total_out >= capacity)
				break;
			uint8_t *grown = realloc(buffer, capacity);
			if (!grown)
				break;
			buffer = grown;
			stream.next_out = buffer + stream.total_out;
			stream.avail_out = capacity - stream.total_out;
		}
		lzma_ret code = lzma_code(&stream, LZMA_FINISH);
		if (code == LZMA_STREAM_END) {
			*out = buffer;
			*out_size = stream.total_out;
			buffer = NULL;
			result = 0;
			break;
		}
		if (code != LZMA_OK)
			break;
	}
	free(buffer);
	lzma_end(&stream);
	return result;
}
