// SPDX-License-Identifier: Apache-2.0
//
// What a pattern did to the page cache, and the line of JSON that says so.
#ifndef SWIFTMEM_PAGECACHE_TRUTH_H
#define SWIFTMEM_PAGECACHE_TRUTH_H
#include "prepare.h"
#include "readers.h"
#include <sys/sysmacros.h>

// The measured phase: the kernel's counters and the file's residency at its start and end.
struct phase {
	struct counters before, after;
	struct residency start, end;
};

struct truth {
	uint64_t distinct;
	int64_t inserted, misses, read_bytes, write_bytes, minflt, majflt;
	const char *miss_source;
	bool has_io;
};

static struct truth truth_of(const struct phase *p, const struct work *w, const struct pattern *pattern)
{
	struct truth t = { 0 };
	const uint64_t file_pages = file_pages_of(w);
	for (uint64_t i = 0; i < file_pages; i++)
		t.distinct += w->touched[i];
	t.minflt = p->after.usage.ru_minflt - p->before.usage.ru_minflt;
	t.majflt = p->after.usage.ru_majflt - p->before.usage.ru_majflt;
	t.has_io = counters_delta(p->before.io, p->after.io, "read_bytes", &t.read_bytes) &&
		   counters_delta(p->before.io, p->after.io, "write_bytes", &t.write_bytes);
	for (int i = 0; is("two-procs") && i < 2; i++) {
		// Their I/O is in the parent's already: the kernel adds a child's when it is waited for.
		t.minflt += readers[i].minflt;
		t.majflt += readers[i].majflt;
	}
	t.inserted = (int64_t)p->end.resident_pages - (int64_t)p->start.resident_pages;
	t.misses = t.inserted;
	int64_t pgpgin = 0;
	int64_t fetched = t.read_bytes / (int64_t)w->page;
	t.miss_source = "residency";
	if ((pattern->kind == READ || pattern->kind == MAP) && t.has_io && fetched > t.inserted) {
		// Some pages are gone again: the limit of bigger-than-memory, reclaim, or DAMON. What was read tells.
		t.misses = fetched;
		t.miss_source = "io_read_bytes";
	} else if (is("bigger-than-memory") && !t.has_io) {
		counters_delta(p->before.vmstat, p->after.vmstat, "pgpgin", &pgpgin);
		t.misses = pgpgin * 1024 / (int64_t)w->page;
		t.miss_source = "pgpgin";
	} else if (pattern->kind == WRITE) { // a partial write of a page that isn't cached reads it first
		t.misses = is("overwrite") && !opt.warm ? (int64_t)w->partial_pages : 0;
		t.miss_source = "pattern";
	}
	return t;
}

static void print_phase(const struct phase *p, const struct work *w, const struct pattern *pattern,
			const struct memcg *cg, const char *path)
{
	const struct truth t = truth_of(p, w, pattern);
	struct stat s;
	if (fstat(w->fd, &s) < 0)
		w_die(W_FAILED, errno, "fstat");

	j_begin_truth();
	j_text("pattern", pattern->name);
	static const char *const kinds[] = { "read", "write", "mmap", "direct" };
	j_text("kind", kinds[pattern->kind]);
	j_text("state", opt.warm ? "warm" : "cold");
	j_bool("no_readahead", opt.random_hint);
	j_text("path", path);
	j_uint("inode", s.st_ino);
	j_uint("device_major", major(s.st_dev));
	j_uint("device_minor", minor(s.st_dev));
	j_uint("file_size_bytes", (uint64_t)s.st_size);
	j_uint("page_size_bytes", w->page);
	j_uint("block_size_bytes", w->block);
	j_uint("bs_bytes", w->bs);
	j_uint("calls", w->calls);
	j_uint("asked_bytes", w->bytes);
	j_uint("access_pages", pattern->kind == DIRECT ? 0 : w->access_pages);
	j_uint("direct_pages", pattern->kind == DIRECT ? w->access_pages : 0);
	j_uint("distinct_pages", t.distinct);
	j_uint("resident_before_pages", p->start.resident_pages);
	j_uint("resident_after_pages", p->end.resident_pages);
	j_text("residency_source", p->end.source);
	j_int("inserted_pages", t.inserted);
	j_int("miss_pages_expected", t.misses);
	j_text("miss_source", t.miss_source);
	j_int("evicted_pages", pattern->kind == READ || pattern->kind == MAP ? t.misses - t.inserted : 0);
	j_uint("dirtied_pages_expected", pattern->kind == WRITE ? t.distinct : 0);
	if (p->end.has_dirty) {
		j_uint("dirty_after_pages", p->end.dirty_pages);
		j_uint("writeback_after_pages", p->end.writeback_pages);
	}
	if (t.has_io) { // of this process: bytes fetched from the device (readahead too), bytes of pages dirtied
		j_int("io_read_bytes", t.read_bytes);
		j_int("io_write_bytes", t.write_bytes);
	}
	static const char *const keys[] = { "pgpgin",	  "pgpgout", "nr_dirtied", "nr_written",
					    "pgmajfault", "pgfault", NULL };
	counters_print_vmstat(&p->before, &p->after, keys);
	j_int("minflt", t.minflt);
	j_int("majflt", t.majflt);
	if (is("stray-read")) {
		uint64_t left = p->end.resident_pages > t.distinct ? p->end.resident_pages - t.distinct : 0;
		j_uint("readahead_dropped_pages_expected", left);
	}
	if (is("two-procs")) {
		j_open("children", '[');
		for (int i = 0; i < 2; i++) {
			j_open(NULL, '{');
			j_int("pid", reader_pids[i]);
			j_uint("access_pages", readers[i].access_pages);
			if (readers[i].has_io)
				j_int("io_read_bytes", readers[i].read_bytes);
			j_close('}');
		}
		j_close(']');
	}
	if (pattern->kind == MAP) {
		counters_print_status(&p->before, &p->after, "VmRSS", "vm_rss");
		counters_print_status(&p->before, &p->after, "RssFile", "rss_file");
	}
	if (cg->version) {
		j_int("cgroup_version", cg->version);
		j_text("cgroup_directory", cg->directory);
		j_uint("cgroup_id", memcg_id(cg));
		j_uint("limit_bytes", cg->limit_bytes);
		j_uint("times", w->times);
	} else if (is("reread"))
		j_uint("times", w->times);
	j_uint("duration_ns", p->after.time_ns - p->before.time_ns);
	j_end_line();
}

#endif
