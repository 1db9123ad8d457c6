/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The hooks of the page cache's accounting, for the objects of cachestat and cachetop.
 * A kernel has some of them; the tools' ladders say which go together. mm/filemap.c:
 *
 * in the task that reads             reads.h by tracepoints, read_ends.h where these tell nothing,
 *                                    filemap_read.h by functions
 *   filemap_read() / filemap_splice_read()
 *     filemap_get_pages()              once per batch of folios
 *       filemap_add_folio()            insertions.h, each folio
 * in the task that writes
 *   write_begin: __filemap_get_folio() insertions.h, if it is new
 *   write_end: folio_mark_dirty()      dirtied.h, if it was clean
 * in the task that touches a mapping fault_events.h by tracepoints, fault_functions.h by functions
 *   filemap_map_pages()                fault-around
 *   filemap_fault(), finish_fault()    the page itself
 * in whichever task
 *   page_cache_delete()                removals.h
 *
 * A tool that counts by file defines PAGECACHE_BY_FILE. One that counts the whole machine
 * has removals too, and what becomes of readahead (readahead.h).
 */
#ifndef SWIFTMEM_PAGECACHE_H
#define SWIFTMEM_PAGECACHE_H

#include "vmlinux/fs.h"
#include "vmlinux/mm.h"
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "pagecache/accounting.h"
#ifndef PAGECACHE_BY_FILE
#include "pagecache/readahead.h"
#endif
#include "pagecache/reads.h"
#include "pagecache/read_ends.h"
#include "pagecache/filemap_read.h"
#include "pagecache/insertions.h"
#include "pagecache/dirtied.h"
#include "pagecache/fault_functions.h"
#include "pagecache/fault_events.h"
#ifndef PAGECACHE_BY_FILE
#include "pagecache/ahead_faults.h"
#include "pagecache/removals.h"
#endif

#endif
