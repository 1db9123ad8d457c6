// SPDX-License-Identifier: Apache-2.0
// The entries of call-frame information. dwarf_next_cfi reads them; of their content the addresses are parsed here.
#include "cfi.h"

#include <dwarf.h>
#include <string.h>

// Reads a common entry's augmentation: how its functions write their addresses, and whether they are a signal's.
static void read_augmentation(const Dwarf_CIE *cie, struct cfi_common *common)
{
	const uint8_t *data = cie->augmentation_data;
	struct cfi_bytes bytes = { data, data ? data + cie->augmentation_data_size : NULL };
	uint64_t ignored;

	common->encoding = DW_EH_PE_absptr;
	common->is_sized = cie->augmentation[0] == 'z';
	for (const char *letter = cie->augmentation; *letter; letter++) {
		uint8_t encoding = DW_EH_PE_omit;
		// without a `z` first nobody knows where the instructions begin
		if ((letter == cie->augmentation) != (*letter == 'z')) {
			common->encoding = DW_EH_PE_omit;
			return;
		}
		if (strchr("RLP", *letter) && bytes.at < bytes.end)
			encoding = *bytes.at++;
		switch (*letter) {
		case 'R': common->encoding = encoding; break;
		case 'L': break;
		case 'P':
			if (cfi_pointer(&bytes, encoding & 15, 0, &ignored))
				break;
			common->encoding = DW_EH_PE_omit;
			return;
		case 'S': common->is_signal = true; break;
		case 'z':
		case 'B':
		case 'G': break;
		default: common->encoding = DW_EH_PE_omit; return;
		}
	}
}

// The common entry at a place; its encoding is DW_EH_PE_omit where it is not understood.
static void read_common(struct cfi_run *run, const uint8_t *identity, Dwarf_Off place, struct cfi_common *common)
{
	Dwarf_CFI_Entry entry;
	Dwarf_Off ignored;

	*common = (struct cfi_common){ .encoding = DW_EH_PE_omit };
	if (dwarf_next_cfi(identity, run->section.data, run->section.eh, place, &ignored, &entry) != 0 ||
	    !dwarf_cfi_cie_p(&entry))
		return;
	const Dwarf_CIE *cie = &entry.cie;
	common->code_alignment = cie->code_alignment_factor;
	common->data_alignment = cie->data_alignment_factor;
	common->returns = cie->return_address_register == (Dwarf_Word)run->machine.ra;
	read_augmentation(cie, common);
	struct cfi_bytes instructions = { cie->initial_instructions, cie->initial_instructions_end };
	if (common->encoding != DW_EH_PE_omit && !cfi_run_common(run, common, instructions))
		common->encoding = DW_EH_PE_omit;
}

static void read_function(struct cfi_run *run, const struct cfi_common *common, const Dwarf_FDE *fde)
{
	const uint8_t *base = run->section.data->d_buf;
	struct cfi_bytes bytes = { fde->start, fde->end };
	uint64_t here = run->section.address + (uint64_t)(fde->start - base), start, length, skip;

	if (common->encoding == DW_EH_PE_omit || !cfi_pointer(&bytes, common->encoding, here, &start) ||
	    !cfi_pointer(&bytes, common->encoding & 15, 0, &length) || start + length < start) {
		run->unreadable++;
		return;
	}
	if (!length || !start) // what a linker leaves of a function that it dropped
		return;
	if (common->is_sized) {
		if (!cfi_unsigned(&bytes, &skip) || skip > (uint64_t)(bytes.end - bytes.at)) {
			run->unreadable++;
			return;
		}
		bytes.at += skip;
	}
	cfi_run_function(run, common, bytes, start, start + length);
}

enum unwind_cfi_status unwind_cfi_rows(Elf *elf, const struct unwind_section *section,
				       const struct unwind_limits *limits, struct unwind_cfi *out)
{
	struct cfi_run run = { .section = *section, .limits = limits };
	struct cfi_common common = { .encoding = DW_EH_PE_omit };
	const uint8_t *identity = (const uint8_t *)elf_getident(elf, NULL);
	Dwarf_CFI_Entry entry;
	Dwarf_Off next, known = (Dwarf_Off)-1;

	*out = (struct unwind_cfi){ 0 };
	if (!identity || !cfi_machine_of(elf, &run.machine))
		return UNWIND_CFI_NONE;
	for (Dwarf_Off offset = 0; run.status == UNWIND_CFI_OK && cfi_step(&run); offset = next) {
		int code = dwarf_next_cfi(identity, section->data, section->eh, offset, &next, &entry);
		// An entry that is not understood has its length all the same.
		if (code > 0 || next == (Dwarf_Off)-1 || next <= offset)
			break;
		if (code < 0) {
			run.unreadable++;
			continue;
		}
		if (dwarf_cfi_cie_p(&entry))
			continue;
		if (entry.fde.CIE_pointer != known) {
			known = entry.fde.CIE_pointer;
			read_common(&run, identity, known, &common);
		}
		if (run.status == UNWIND_CFI_OK)
			read_function(&run, &common, &entry.fde);
	}
	if (run.status != UNWIND_CFI_OK) {
		free(run.rows.items);
		return run.status;
	}
	*out = (struct unwind_cfi){ run.rows.items, run.rows.count, run.unreadable };
	return UNWIND_CFI_OK;
}
