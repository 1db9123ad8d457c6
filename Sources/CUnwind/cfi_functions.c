// SPDX-License-Identifier: Apache-2.0
// The functions that call-frame information has entries of. dwarf_next_cfi reads the entries; of their content only the
// addresses are parsed here.
#include "cfi.h"

#include <dwarf.h>
#include <gelf.h>
#include <string.h>

struct section {
	Elf_Data *data;
	uint64_t address;
	bool eh;
};

static bool find_section(Elf *elf, bool eh, struct section *out)
{
	size_t names;
	if (elf_getshdrstrndx(elf, &names) < 0)
		return false;
	for (Elf_Scn *scn = NULL; (scn = elf_nextscn(elf, scn));) {
		GElf_Shdr header;
		const char *name;
		if (!gelf_getshdr(scn, &header) || header.sh_type == SHT_NOBITS ||
		    header.sh_size > UNWIND_LARGEST_CFI || !(name = elf_strptr(elf, names, header.sh_name)) ||
		    strcmp(name, eh ? ".eh_frame" : ".debug_frame"))
			continue;
		if (header.sh_flags & SHF_COMPRESSED && elf_compress(scn, 0, 0) < 0)
			return false;
		Elf_Data *data = elf_rawdata(scn, NULL);
		if (!data || !data->d_buf || !data->d_size)
			return false;
		*out = (struct section){ data, header.sh_addr, eh };
		return true;
	}
	return false;
}

// Reads an address in one of the encodings of .eh_frame. Little-endian, as both machines are. `here` is the address of
// what is read.
static bool pointer(const uint8_t **at, const uint8_t *end, uint8_t encoding, uint64_t here, uint64_t *value)
{
	static const uint8_t sizes[16] = {
		[DW_EH_PE_absptr] = 8, [DW_EH_PE_udata2] = 2, [DW_EH_PE_udata4] = 4, [DW_EH_PE_udata8] = 8,
		[DW_EH_PE_sdata2] = 2, [DW_EH_PE_sdata4] = 4, [DW_EH_PE_sdata8] = 8
	};
	size_t size = sizes[encoding & 15];
	if (!size || (size_t)(end - *at) < size)
		return false;
	uint64_t raw = 0;
	memcpy(&raw, *at, size);
	if (encoding & DW_EH_PE_signed && size < 8 && raw >> (size * 8 - 1))
		raw |= ~0ull << (size * 8);
	*at += size;
	switch (encoding & 0x70) {
	case DW_EH_PE_absptr: break;
	case DW_EH_PE_pcrel: raw += here; break;
	default: return false;
	}
	*value = raw;
	return !(encoding & DW_EH_PE_indirect);
}

// How the functions of a CIE write their addresses; DW_EH_PE_omit where that is not known.
static uint8_t address_encoding(const Dwarf_CIE *cie)
{
	const uint8_t *at = cie->augmentation_data, *end = at + cie->augmentation_data_size;
	if (cie->augmentation[0] != 'z')
		return cie->augmentation[0] ? DW_EH_PE_omit : DW_EH_PE_absptr;
	for (const char *letter = cie->augmentation + 1; *letter; letter++) {
		uint64_t ignored;
		switch (*letter) {
		case 'R': return at && at < end ? *at : DW_EH_PE_omit;
		case 'L': at++; break;
		case 'P':
			if (!at || at >= end)
				return DW_EH_PE_omit;
			uint8_t encoding = *at++;
			if (!pointer(&at, end, encoding & 15, 0, &ignored))
				return DW_EH_PE_omit;
			break;
		case 'S':
		case 'B':
		case 'G': break;
		default: return DW_EH_PE_omit;
		}
	}
	return DW_EH_PE_absptr;
}

// The same by the place of the CIE.
static uint8_t encoding_of(const uint8_t *identity, const struct section *section, Dwarf_Off place)
{
	Dwarf_CFI_Entry cie;
	Dwarf_Off ignored;
	if (dwarf_next_cfi(identity, section->data, section->eh, place, &ignored, &cie) != 0 || !dwarf_cfi_cie_p(&cie))
		return DW_EH_PE_omit;
	return address_encoding(&cie.cie);
}

enum unwind_cfi_status unwind_functions(Elf *elf, bool eh, struct unwind_list *functions, uint64_t *unreadable)
{
	struct section section;
	if (!find_section(elf, eh, &section))
		return UNWIND_CFI_NONE;
	const uint8_t *identity = (const uint8_t *)elf_getident(elf, NULL), *base = section.data->d_buf;
	Dwarf_CFI_Entry entry;
	Dwarf_Off next, known = (Dwarf_Off)-1;
	uint8_t encoding = DW_EH_PE_omit;
	for (Dwarf_Off offset = 0;; offset = next) {
		int code = dwarf_next_cfi(identity, section.data, section.eh, offset, &next, &entry);
		// An entry that is not understood has its length all the same.
		if (code > 0 || (code < 0 && (next == (Dwarf_Off)-1 || next <= offset)))
			break;
		if (code < 0) {
			++*unreadable;
			continue;
		}
		if (next <= offset)
			break;
		if (dwarf_cfi_cie_p(&entry))
			continue;
		Dwarf_FDE fde = entry.fde;
		if (fde.CIE_pointer != known) {
			known = fde.CIE_pointer;
			encoding = encoding_of(identity, &section, known);
		}
		const uint8_t *at = fde.start;
		uint64_t start, length;
		if (encoding == DW_EH_PE_omit ||
		    !pointer(&at, fde.end, encoding, section.address + (uint64_t)(at - base), &start) ||
		    !pointer(&at, fde.end, encoding & 15, 0, &length) || start + length < start) {
			++*unreadable;
			continue;
		}
		if (!length || !start) // what a linker leaves of a function that it dropped
			continue;
		struct unwind_function *function = unwind_append(functions, sizeof *function, UNWIND_MOST_ROWS);
		if (!function)
			return UNWIND_CFI_TOO_MUCH;
		*function = (struct unwind_function){ start, start + length };
	}
	return UNWIND_CFI_OK;
}
