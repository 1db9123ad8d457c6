// SPDX-License-Identifier: Apache-2.0
// The numbers of call-frame information. Little-endian, as both machines are.
#include "cfi.h"

#include <dwarf.h>
#include <string.h>

bool cfi_unsigned(struct cfi_bytes *bytes, uint64_t *value)
{
	uint64_t result = 0;

	for (unsigned shift = 0; bytes->at < bytes->end; shift += 7) {
		uint8_t byte = *bytes->at++;
		if (shift < 64)
			result |= (uint64_t)(byte & 0x7f) << shift;
		if (!(byte & 0x80)) {
			*value = result;
			return true;
		}
	}
	return false;
}

bool cfi_signed(struct cfi_bytes *bytes, int64_t *value)
{
	uint64_t result = 0;

	for (unsigned shift = 0; bytes->at < bytes->end;) {
		uint8_t byte = *bytes->at++;
		if (shift < 64)
			result |= (uint64_t)(byte & 0x7f) << shift;
		shift += 7;
		if (byte & 0x80)
			continue;
		if (byte & 0x40 && shift < 64)
			result |= ~0ull << shift;
		*value = (int64_t)result;
		return true;
	}
	return false;
}

bool cfi_fixed(struct cfi_bytes *bytes, size_t size, uint64_t *value)
{
	if ((size_t)(bytes->end - bytes->at) < size)
		return false;
	*value = 0;
	memcpy(value, bytes->at, size);
	bytes->at += size;
	return true;
}

bool cfi_pointer(struct cfi_bytes *bytes, uint8_t encoding, uint64_t here, uint64_t *value)
{
	static const uint8_t sizes[16] = {
		[DW_EH_PE_absptr] = 8, [DW_EH_PE_udata2] = 2, [DW_EH_PE_udata4] = 4, [DW_EH_PE_udata8] = 8,
		[DW_EH_PE_sdata2] = 2, [DW_EH_PE_sdata4] = 4, [DW_EH_PE_sdata8] = 8
	};
	size_t size = sizes[encoding & 15];
	uint64_t raw;

	if (!size || encoding & DW_EH_PE_indirect || !cfi_fixed(bytes, size, &raw))
		return false;
	if (encoding & DW_EH_PE_signed && size < 8 && raw >> (size * 8 - 1))
		raw |= ~0ull << (size * 8);
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr: break;
	case DW_EH_PE_pcrel: raw += here; break;
	default: return false;
	}
	*value = raw;
	return true;
}
