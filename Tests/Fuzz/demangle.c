// SPDX-License-Identifier: Apache-2.0
// Names that C++ and Rust compilers have mangled, or nobody.
#include "CSymbols.h"

#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	// longer ones are not tried (Demangler.longestName)
	if (size > 1 << 13)
		return 0;
	char *name = malloc(size + 1), *out = malloc(1 << 16);
	if (!name || !out)
		abort();
	memcpy(name, bytes, size);
	name[size] = '\0';
	for (int language = CSYMBOLS_CXX; language <= CSYMBOLS_RUST; language++) {
		ptrdiff_t length = csymbols_demangle((enum csymbols_language)language, name, out, 1 << 16);
		if (length >= 0 && out[length] != '\0')
			abort();
	}
	free(out);
	free(name);
	return 0;
}
