// SPDX-License-Identifier: Apache-2.0
// Call-frame information as rows: dwarf_cfi_addrframe runs each function's instructions. Large files by several threads,
// and all within a limit of time.
#include "cfi.h"
#include "unwind_table.h"

#include <pthread.h>
#include <string.h>
#include <time.h>

// A share of the functions.
struct worker {
	Elf *elf;
	struct unwind_machine machine;
	bool eh;
	const struct unwind_function *functions;
	size_t count;
	uint64_t deadline_ns;
	pthread_t thread;
	bool has_thread;
	struct unwind_list rows;
	uint64_t unreadable;
	enum unwind_cfi_status status;
};

static uint64_t now_ns(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static bool add_row(struct worker *w, uint64_t start, uint64_t end, uint64_t rule)
{
	struct unwind_row *last = w->rows.count ? (struct unwind_row *)w->rows.items + w->rows.count - 1 : NULL;
	if (last && last->end == start && last->rule == rule) {
		last->end = end;
		return true;
	}
	struct unwind_row *row = unwind_append(&w->rows, sizeof *row, UNWIND_MOST_ROWS);
	if (!row) {
		w->status = UNWIND_CFI_TOO_MUCH;
		return false;
	}
	*row = (struct unwind_row){ start, end, rule };
	return true;
}

// Runs a function's instructions, from row to row.
static void function_rows(struct worker *w, Dwarf_CFI *cfi, const struct unwind_function *function)
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
		uint64_t rule =
			ra == w->machine.ra ? unwind_frame_rule(&w->machine, frame, signal) : UNWIND_UNSUPPORTED;
		free(frame);
		// Entries may overlap: no row says anything of another function.
		if (end <= at || end > function->end)
			end = function->end;
		if (!add_row(w, at, end, rule))
			return;
		at = end;
		// A row costs the instructions of all before it in its function.
		if (w->rows.count % 64 == 0 && now_ns() > w->deadline_ns) {
			w->status = UNWIND_CFI_TOO_MUCH;
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
		w->status = UNWIND_CFI_NONE;
	for (size_t i = 0; cfi && i < w->count && w->status == UNWIND_CFI_OK; i++) {
		function_rows(w, cfi, &w->functions[i]);
		if (i % 16 == 0 && now_ns() > w->deadline_ns)
			w->status = UNWIND_CFI_TOO_MUCH;
	}
	if (cfi && w->eh)
		dwarf_cfi_end(cfi);
	if (dwarf)
		dwarf_end(dwarf);
	return NULL;
}

enum { THREADS = 4, WORTH_A_THREAD = 4096 };

// A thread has a handle of its own on the file: libelf's must not be shared.
static void start(struct worker *w, int fd)
{
	w->elf = elf_begin(fd, ELF_C_READ, NULL);
	if (!w->elf) {
		w->status = UNWIND_CFI_NONE;
		return;
	}
	w->has_thread = pthread_create(&w->thread, NULL, work, w) == 0;
	if (!w->has_thread)
		work(w);
}

static void finish(struct worker *w)
{
	if (w->has_thread)
		pthread_join(w->thread, NULL);
	if (w->elf)
		elf_end(w->elf);
}

// Puts one list of rows behind another.
static bool join(struct unwind_list *rows, const struct unwind_list *more)
{
	if (!more->count)
		return true;
	struct unwind_row *all = realloc(rows->items, (rows->count + more->count) * sizeof *all);
	if (!all)
		return false;
	memcpy(all + rows->count, more->items, more->count * sizeof *all);
	rows->items = all;
	rows->count += more->count;
	return true;
}

static enum unwind_cfi_status rows_of(Elf *elf, int fd, const struct unwind_machine *machine, bool eh,
				      uint64_t deadline_ns, struct unwind_cfi *out)
{
	struct unwind_list functions = { 0 };
	enum unwind_cfi_status status = unwind_functions(elf, eh, &functions, &out->unreadable);
	if (status != UNWIND_CFI_OK) {
		free(functions.items);
		return status;
	}
	out->functions = functions.count;
	int count = fd >= 0 && eh && functions.count > WORTH_A_THREAD ? THREADS : 1;
	struct worker workers[THREADS] = { 0 };
	size_t done = 0;
	for (int i = 0; i < count; i++) {
		size_t until = functions.count * (size_t)(i + 1) / (size_t)count;
		workers[i] = (struct worker){ .machine = *machine,
					      .eh = eh,
					      .functions = (struct unwind_function *)functions.items + done,
					      .count = until - done,
					      .deadline_ns = deadline_ns };
		done = until;
		if (i > 0)
			start(&workers[i], fd);
	}
	workers[0].elf = elf;
	work(&workers[0]);
	struct unwind_list rows = workers[0].rows;
	for (int i = 0; i < count; i++) {
		struct worker *w = &workers[i];
		if (i > 0) {
			finish(w);
			if (!join(&rows, &w->rows))
				status = UNWIND_CFI_TOO_MUCH;
			free(w->rows.items);
		}
		if (w->status > status)
			status = w->status;
		out->unreadable += w->unreadable;
	}
	free(functions.items);
	if (status != UNWIND_CFI_OK) {
		free(rows.items);
		return status;
	}
	out->rows = rows.items;
	out->count = rows.count;
	return UNWIND_CFI_OK;
}

enum unwind_cfi_status unwind_cfi_rows(Elf *elf, int fd, unsigned milliseconds, struct unwind_cfi *out)
{
	struct unwind_machine machine;
	uint64_t deadline = now_ns() + (uint64_t)milliseconds * 1000000;
	memset(out, 0, sizeof *out);
	if (!unwind_machine_of(elf, &machine))
		return UNWIND_CFI_NONE;
	enum unwind_cfi_status status = rows_of(elf, fd, &machine, true, deadline, out);
	if (status != UNWIND_CFI_NONE && !(status == UNWIND_CFI_OK && out->count == 0))
		return status;
	free(out->rows);
	memset(out, 0, sizeof *out);
	return rows_of(elf, fd, &machine, false, deadline, out);
}
