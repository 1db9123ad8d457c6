// SPDX-License-Identifier: Apache-2.0
// Call-frame information as a file may have it: the first byte chooses machine and section, the rest is the section.
#include "CUnwind.h"

#include <gelf.h>
#include <stdlib.h>
#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size < 2)
		return 0;
	Elf64_Ehdr header = { .e_type = ET_DYN, .e_version = EV_CURRENT, .e_ehsize = sizeof header };
	memcpy(header.e_ident, (char[]){ 0x7f, 'E', 'L', 'F', ELFCLASS64, ELFDATA2LSB, EV_CURRENT }, 7);
	header.e_machine = bytes[0] & 1 ? EM_AARCH64 : EM_X86_64;
	elf_version(EV_CURRENT);
	Elf *elf = elf_memory((char *)&header, sizeof header);
	// its own block, so that a byte too many is seen
	uint8_t *copy = malloc(size - 1);
	if (!elf || !copy)
		abort();
	memcpy(copy, bytes + 1, size - 1);
	Elf_Data data = { .d_buf = copy, .d_size = size - 1, .d_type = ELF_T_BYTE, .d_version = EV_CURRENT };
	struct unwind_section section = { &data, 0x2000, !(bytes[0] & 2) };
	struct unwind_limits limits = { .rows = 1 << 16 };
	struct unwind_cfi out;
	if (unwind_cfi_rows(elf, &section, &limits, &out) == UNWIND_CFI_OK)
		for (size_t i = 0; i < out.count; i++)
			if (out.rows[i].start >= out.rows[i].end)
				abort();
	free(out.rows);
	free(copy);
	elf_end(elf);
	return 0;
}
