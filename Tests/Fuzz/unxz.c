// SPDX-License-Identifier: Apache-2.0
// .gnu_debugdata, packed.
#include "CSymbols.h"

#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	uint8_t *out = NULL;
	size_t length = 0, limit = 1 << 20;
	if (csymbols_unxz(bytes, size, limit, &out, &length) == 0 && length > limit)
		abort();
	free(out);
	return 0;
}
