// SPDX-License-Identifier: Apache-2.0
// Code that no call-frame information tells of.
#include "CUnwind.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (!size)
		return 0;
	uint8_t *copy = malloc(size);
	struct unwind_row *rows = malloc((size / 2 + 1) * sizeof *rows);
	if (!copy || !rows)
		abort();
	memcpy(copy, bytes, size);
	struct unwind_code piece = { copy, size, 0x1000 };
	size_t count = unwind_code_rows(&piece, 1, rows, size / 2 + 1);
	for (size_t i = 0; i < count; i++)
		if (rows[i].start < 0x1000 || rows[i].end > 0x1000 + size || rows[i].start >= rows[i].end ||
		    (i && rows[i].start < rows[i - 1].end))
			abort();
	free(rows);
	free(copy);
	return 0;
}
