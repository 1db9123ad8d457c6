// SPDX-License-Identifier: Apache-2.0
//
// Call-frame information as rows, by libdw: dwarf_next_cfi finds the functions' entries, dwarf_cfi_addrframe runs them.
// C, because a large program has millions of rows, each of several calls.
#include "CUnwind.h"

#include <dwarf.h>
#include <elfutils/libdw.h>
#include <gelf.h>
#include "unwind_table.h"
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

// Registers by their DWARF numbers (System V ABI for x86-64; DWARF for the Arm 64-bit architecture).
struct machine {
	int fp, sp, ra;
	bool x86;
};

static bool machine_of(Elf *elf, struct machine *m)
{
	GElf_Ehdr header;
	if (!gelf_getehdr(elf, &header))
		return false;
	if (header.e_ident[EI_CLASS] != ELFCLASS64 || header.e_ident[EI_DATA] != ELFDATA2LSB)
		return false;
	if (header.e_machine == EM_X86_64)
		*m = (struct machine){ .fp = 6, .sp = 7, .ra = 16, .x86 = true };
	else if (header.e_machine == EM_AARCH64)
		*m = (struct machine){ .fp = 29, .sp = 31, .ra = 30, .x86 = false };
	else
		return false;
	return true;
}

// ---- rules -----------------------------------------------------------------------------------------------------------

static bool fits(int64_t offset)
{
	return offset >= -(1 << 23) && offset < 1 << 23;
}

static uint64_t rule(unsigned cfa, int64_t offset, unsigned saved, int64_t saved_offset, bool signal)
{
	if (!fits(offset) || !fits(saved_offset))
		return UNWIND_UNSUPPORTED;
	return cfa | saved << 4 | (signal ? UNWIND_SIGNAL : 0) | ((uint64_t)offset & 0xffffff) << 16 |
	       (uint64_t)saved_offset << 40;
}

// register + offset, in either of DWARF's spellings
static bool base_register(const Dwarf_Op *op, int *reg, int64_t *offset)
{
	if (op->atom >= DW_OP_breg0 && op->atom <= DW_OP_breg31) {
		*reg = op->atom - DW_OP_breg0;
		*offset = (int64_t)op->number;
		return true;
	}
	if (op->atom == DW_OP_bregx) {
		*reg = op->number > 1023 ? -1 : (int)op->number;
		*offset = (int64_t)op->number2;
		return true;
	}
	return false;
}

// Linkers describe all of .plt by one expression: rsp + 8 + ((rip & 15) >= n) << 3
static bool is_plt(const Dwarf_Op *ops, size_t count, int64_t *offset, int64_t *threshold)
{
	static const uint8_t shape[] = { DW_OP_breg7, DW_OP_breg16, DW_OP_lit15, DW_OP_and, 0,
					 DW_OP_ge,    DW_OP_lit3,   DW_OP_shl,	 DW_OP_plus };
	if (count != sizeof shape)
		return false;
	for (size_t i = 0; i < count; i++)
		if (shape[i] && ops[i].atom != shape[i])
			return false;
	if (ops[4].atom < DW_OP_lit0 || ops[4].atom > DW_OP_lit31 || ops[1].number != 0)
		return false;
	*offset = (int64_t)ops[0].number;
	*threshold = ops[4].atom - DW_OP_lit0;
	return true;
}

enum where { UNDEFINED, SAME, AT_CFA, AT_REGISTER, ELSEWHERE };

static enum where register_rule(Dwarf_Frame *frame, int number, int *reg, int64_t *offset)
{
	Dwarf_Op memory[3], *ops;
	size_t count;
	if (dwarf_frame_register(frame, number, memory, &ops, &count) < 0)
		return ELSEWHERE;
	if (count == 0)
		return ops == memory ? UNDEFINED : SAME;
	*offset = 0;
	if (ops[0].atom == DW_OP_call_frame_cfa) {
		if (count == 1)
			return AT_CFA;
		if (count == 2 && ops[1].atom == DW_OP_plus_uconst) {
			*offset = (int64_t)ops[1].number;
			return AT_CFA;
		}
		// DW_CFA_expression: the frame address is pushed first, and left alone by a register + offset
		return count == 2 && base_register(&ops[1], reg, offset) ? AT_REGISTER : ELSEWHERE;
	}
	return ELSEWHERE;
}

// __restore_rt: the interrupted registers are in the kernel's struct rt_sigframe.
static bool is_signal_frame(const struct machine *m, const Dwarf_Op *ops, size_t count, Dwarf_Frame *frame)
{
	int reg;
	int64_t offset;
	return m->x86 && count == 2 && ops[1].atom == DW_OP_deref && base_register(&ops[0], &reg, &offset) &&
	       reg == m->sp && offset == UNWIND_SIGNAL_SP &&
	       register_rule(frame, m->ra, &reg, &offset) == AT_REGISTER && reg == m->sp &&
	       offset == UNWIND_SIGNAL_PC && register_rule(frame, m->fp, &reg, &offset) == AT_REGISTER &&
	       reg == m->sp && offset == UNWIND_SIGNAL_FP;
}

static uint64_t frame_rule(const struct machine *m, Dwarf_Frame *frame, bool signal)
{
	int reg = -1, other = -1;
	int64_t ra = 0, offset = 0, saved = 0, threshold;
	Dwarf_Op *ops;
	size_t count;

	enum where place = register_rule(frame, m->ra, &other, &ra);
	if (place == UNDEFINED)
		return UNWIND_END;
	if (dwarf_frame_cfa(frame, &ops, &count) < 0 || count == 0)
		return UNWIND_UNSUPPORTED;
	if (is_signal_frame(m, ops, count, frame))
		return UNWIND_SIGNAL_FRAME | UNWIND_SIGNAL;

	unsigned cfa, how;
	if (count == 1 && base_register(&ops[0], &reg, &offset) && (reg == m->sp || reg == m->fp)) {
		cfa = reg == m->sp ? UNWIND_SP : UNWIND_FP;
	} else if (count == 2 && ops[1].atom == DW_OP_deref && base_register(&ops[0], &reg, &offset) && reg == m->fp) {
		cfa = UNWIND_FP_DEREF; // a function that aligns its stack keeps where it was
	} else if (m->x86 && is_plt(ops, count, &offset, &threshold)) {
		return rule(UNWIND_PLT, offset, UNWIND_SAME, threshold, signal);
	} else {
		return UNWIND_UNSUPPORTED;
	}

	switch (register_rule(frame, m->fp, &other, &saved)) {
	case UNDEFINED: // a register nobody speaks of: the ABI has it preserved
	case SAME:
		how = UNWIND_SAME;
		saved = 0;
		break;
	case AT_CFA: how = UNWIND_AT_CFA; break;
	case AT_REGISTER:
		if (other != m->fp)
			return UNWIND_UNSUPPORTED;
		how = UNWIND_AT_FP;
		break;
	default: return UNWIND_UNSUPPORTED;
	}
	if (m->x86)
		return place == AT_CFA && ra == -8 ? rule(cfa, offset, how, saved, signal) : UNWIND_UNSUPPORTED;
	// arm64: in its register, or stored with the frame pointer, or stored alone
	if (place == AT_CFA && how == UNWIND_AT_CFA && ra == saved + 8)
		return rule(cfa, offset, how, saved, signal);
	if (place == AT_CFA && how == UNWIND_SAME)
		return rule(cfa, offset, UNWIND_RA_ONLY, ra, signal);
	if (place == SAME && how == UNWIND_SAME)
		return rule(cfa, offset, UNWIND_SAME, 0, signal);
	return UNWIND_UNSUPPORTED;
}

// ---- functions' entries ----------------------------------------------------------------------------------------------

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
		    header.sh_size > CUNWIND_LARGEST_CFI || !(name = elf_strptr(elf, names, header.sh_name)) ||
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

// Little-endian, as both machines are.
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

// How a CIE's functions write their addresses; 0xff where that can't be told.
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

struct function {
	uint64_t start, end;
};

struct list {
	void *items;
	size_t count, room;
};

static void *append(struct list *list, size_t size, size_t most)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 1024;
		void *items = list->room < most ? realloc(list->items, room * size) : NULL;
		if (!items)
			return NULL;
		list->items = items;
		list->room = room;
	}
	return (char *)list->items + size * list->count++;
}

static int functions_of(Elf *elf, const struct section *section, struct list *functions, uint64_t *unreadable)
{
	const uint8_t *identity = (const uint8_t *)elf_getident(elf, NULL), *base = section->data->d_buf;
	Dwarf_CFI_Entry entry;
	Dwarf_Off next, known = (Dwarf_Off)-1;
	uint8_t encoding = DW_EH_PE_omit;
	for (Dwarf_Off offset = 0;; offset = next) {
		int code = dwarf_next_cfi(identity, section->data, section->eh, offset, &next, &entry);
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
			Dwarf_CFI_Entry cie;
			Dwarf_Off ignored;
			known = fde.CIE_pointer;
			encoding = DW_EH_PE_omit;
			if (dwarf_next_cfi(identity, section->data, section->eh, known, &ignored, &cie) == 0 &&
			    dwarf_cfi_cie_p(&cie))
				encoding = address_encoding(&cie.cie);
		}
		const uint8_t *at = fde.start;
		uint64_t start, length;
		if (encoding == DW_EH_PE_omit ||
		    !pointer(&at, fde.end, encoding, section->address + (uint64_t)(at - base), &start) ||
		    !pointer(&at, fde.end, encoding & 15, 0, &length) || start + length < start) {
			++*unreadable;
			continue;
		}
		if (!length || !start) // what a linker leaves of a function that it dropped
			continue;
		struct function *function = append(functions, sizeof *function, CUNWIND_MOST_ROWS);
		if (!function)
			return -1;
		*function = (struct function){ start, start + length };
	}
	return 0;
}

// ---- rows ------------------------------------------------------------------------------------------------------------

struct worker {
	Elf *elf;
	struct machine machine;
	bool eh;
	const struct function *functions;
	size_t count;
	uint64_t deadline_ns;
	struct list rows;
	uint64_t unreadable;
	enum cunwind_cfi_status status;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool add_row(struct worker *w, uint64_t start, uint64_t end, uint64_t rule)
{
	struct cunwind_cfi_row *last =
		w->rows.count ? (struct cunwind_cfi_row *)w->rows.items + w->rows.count - 1 : NULL;
	if (last && last->end == start && last->rule == rule) {
		last->end = end;
		return true;
	}
	struct cunwind_cfi_row *row = append(&w->rows, sizeof *row, CUNWIND_MOST_ROWS);
	if (!row) {
		w->status = CUNWIND_CFI_TOO_MUCH;
		return false;
	}
	*row = (struct cunwind_cfi_row){ start, end, rule };
	return true;
}

static void function_rows(struct worker *w, Dwarf_CFI *cfi, const struct function *function)
{
	for (uint64_t at = function->start; at < function->end;) {
		Dwarf_Frame *frame;
		if (dwarf_cfi_addrframe(cfi, at, &frame) != 0) {
			w->unreadable++;
			return;
		}
		Dwarf_Addr start, end;
		bool signal = false;
		int ra = dwarf_frame_info(frame, &start, &end, &signal);
		uint64_t rule = ra == w->machine.ra ? frame_rule(&w->machine, frame, signal) : UNWIND_UNSUPPORTED;
		free(frame);
		// Entries may overlap: no row says anything of another function.
		if (end <= at || end > function->end)
			end = function->end;
		if (!add_row(w, at, end, rule))
			return;
		at = end;
		// A row costs the instructions of all before it in its function.
		if (w->rows.count % 64 == 0 && now_ns() > w->deadline_ns) {
			w->status = CUNWIND_CFI_TOO_MUCH;
			return;
		}
	}
}

static void *work(void *argument)
{
	struct worker *w = argument;
	Dwarf *dwarf = w->eh ? NULL : dwarf_begin_elf(w->elf, DWARF_C_READ, NULL);
	Dwarf_CFI *cfi = w->eh ? dwarf_getcfi_elf(w->elf) : dwarf ? dwarf_getcfi(dwarf) : NULL;
	if (!cfi)
		w->status = CUNWIND_CFI_NONE;
	for (size_t i = 0; cfi && i < w->count && w->status == CUNWIND_CFI_OK; i++) {
		function_rows(w, cfi, &w->functions[i]);
		if (i % 16 == 0 && now_ns() > w->deadline_ns)
			w->status = CUNWIND_CFI_TOO_MUCH;
	}
	if (cfi && w->eh)
		dwarf_cfi_end(cfi);
	if (dwarf)
		dwarf_end(dwarf);
	return NULL;
}

enum { THREADS = 4, WORTH_A_THREAD = 4096 };

static enum cunwind_cfi_status rows_of(Elf *elf, int fd, const struct machine *machine, bool eh, uint64_t deadline_ns,
				       struct cunwind_cfi *out)
{
	struct section section;
	if (!find_section(elf, eh, &section))
		return CUNWIND_CFI_NONE;
	struct list functions = { 0 };
	if (functions_of(elf, &section, &functions, &out->unreadable) < 0) {
		free(functions.items);
		return CUNWIND_CFI_TOO_MUCH;
	}
	out->functions = functions.count;
	// Each thread has a handle of its own on the file, for libelf's aren't shared.
	int threads = fd >= 0 && eh && functions.count > WORTH_A_THREAD ? THREADS : 1;
	struct worker workers[THREADS] = { 0 };
	pthread_t ids[THREADS];
	bool started[THREADS] = { false };
	size_t done = 0;
	for (int i = 0; i < threads; i++) {
		struct worker *w = &workers[i];
		size_t until = functions.count * (size_t)(i + 1) / (size_t)threads;
		*w = (struct worker){ .elf = elf,
				      .machine = *machine,
				      .eh = eh,
				      .functions = (struct function *)functions.items + done,
				      .count = until - done,
				      .deadline_ns = deadline_ns };
		done = until;
		if (i == 0)
			continue;
		w->elf = elf_begin(fd, ELF_C_READ, NULL);
		if (!w->elf)
			w->status = CUNWIND_CFI_NONE;
		else
			started[i] = pthread_create(&ids[i], NULL, work, w) == 0;
		if (w->elf && !started[i])
			work(w);
	}
	work(&workers[0]);
	enum cunwind_cfi_status status = CUNWIND_CFI_OK;
	struct list rows = workers[0].rows;
	for (int i = 0; i < threads; i++) {
		struct worker *w = &workers[i];
		if (started[i])
			pthread_join(ids[i], NULL);
		if (i > 0 && w->elf)
			elf_end(w->elf);
		if (w->status > status)
			status = w->status;
		out->unreadable += w->unreadable;
		if (i == 0) {
			rows = w->rows;
			continue;
		}
		struct cunwind_cfi_row *all = realloc(rows.items, (rows.count + w->rows.count + 1) * sizeof *all);
		if (all) {
			rows.items = all;
			if (w->rows.count)
				memcpy(all + rows.count, w->rows.items, w->rows.count * sizeof *all);
			rows.count += w->rows.count;
		} else {
			status = CUNWIND_CFI_TOO_MUCH;
		}
		free(w->rows.items);
	}
	free(functions.items);
	if (status != CUNWIND_CFI_OK) {
		free(rows.items);
		return status;
	}
	out->rows = rows.items;
	out->count = rows.count;
	return CUNWIND_CFI_OK;
}

enum cunwind_cfi_status cunwind_cfi_rows(Elf *elf, int fd, unsigned milliseconds, struct cunwind_cfi *out)
{
	struct machine machine;
	uint64_t deadline = now_ns() + (uint64_t)milliseconds * 1000000;
	memset(out, 0, sizeof *out);
	if (!machine_of(elf, &machine))
		return CUNWIND_CFI_NONE;
	enum cunwind_cfi_status status = rows_of(elf, fd, &machine, true, deadline, out);
	if (status != CUNWIND_CFI_NONE && !(status == CUNWIND_CFI_OK && out->count == 0))
		return status;
	free(out->rows);
	memset(out, 0, sizeof *out);
	return rows_of(elf, fd, &machine, false, deadline, out);
}
