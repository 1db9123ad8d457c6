// SPDX-License-Identifier: Apache-2.0
//
// The kernel's own account of an OOM kill, read from /dev/kmsg. The report ("invoked oom-killer", "oom-kill:") is
// rate-limited by the kernel (10 in 5 s); "Killed process" is not.
#ifndef SWIFTMEM_KMSG_H
#define SWIFTMEM_KMSG_H
#include "../include/workload.h"

struct oom_log {
	bool killed, summary, invoked; // which of the three lines were seen
	uint64_t time_us;
	int pid, uid, summary_pid; // summary_pid: the task that the report chose
	long adj, invoked_adj;
	char comm[32], domain[64];
	uint64_t total_vm_kb, anon_rss_kb, file_rss_kb, shmem_rss_kb, pgtables_kb;
	char constraint[48], oom_memcg[192], task_memcg[192];
	char invoked_comm[32], gfp_mask[24], gfp_flags[192];
	int order, trigger_tid; // trigger_tid: the invoking task of the report's "CPU: n PID: n" line, 0 when absent
};

/// Opens the log at its end; -1 where it can't be read.
static inline int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	if (fd >= 0 && lseek(fd, 0, SEEK_END) < 0) {
		close(fd);
		fd = -1;
	}
	return fd;
}

// Copies from `from` up to the first of `stop`, or to the end.
static inline void kmsg_copy(char *to, size_t size, const char *from, const char *stop)
{
	snprintf(to, size, "%.*s", (int)strcspn(from, stop), from);
}

static inline uint64_t kmsg_number(const char *text, const char *key)
{
	const char *at = strstr(text, key);
	return at ? strtoull(at + strlen(key), NULL, 10) : 0;
}

static inline void kmsg_line(struct oom_log *log, const char *text, uint64_t time_us)
{
	const char *at;
	if ((at = strstr(text, " invoked oom-killer: "))) {
		memset(log, 0, sizeof *log); // the first line of the next report
		log->invoked = true;
		snprintf(log->invoked_comm, sizeof log->invoked_comm, "%.*s", (int)(at - text), text);
		if ((at = strstr(text, "gfp_mask="))) {
			kmsg_copy(log->gfp_mask, sizeof log->gfp_mask, at + 9, "(,");
			if ((at = strchr(at, '(')))
				kmsg_copy(log->gfp_flags, sizeof log->gfp_flags, at + 1, ")");
		}
		log->order = (int)kmsg_number(text, "order=");
		if ((at = strstr(text, "oom_score_adj=")))
			log->invoked_adj = strtol(at + 14, NULL, 10);
	} else if (strncmp(text, "CPU: ", 5) == 0 && log->invoked && !log->trigger_tid) {
		log->trigger_tid = (int)kmsg_number(text, " PID: ");
	} else if (strncmp(text, "oom-kill:", 9) == 0) {
		log->summary = true;
		if ((at = strstr(text, "constraint=")))
			kmsg_copy(log->constraint, sizeof log->constraint, at + 11, ",");
		if ((at = strstr(text, "oom_memcg=")))
			kmsg_copy(log->oom_memcg, sizeof log->oom_memcg, at + 10, ",");
		if ((at = strstr(text, "task_memcg=")))
			kmsg_copy(log->task_memcg, sizeof log->task_memcg, at + 11, ",");
		log->summary_pid = (int)kmsg_number(text, ",pid=");
	} else if ((at = strstr(text, "Killed process "))) {
		log->killed = true;
		log->time_us = time_us;
		kmsg_copy(log->domain, sizeof log->domain, text, ":");
		log->pid = (int)strtol(at + 15, NULL, 10);
		const char *open = strchr(at, '('), *close = strstr(at, ") total-vm:");
		if (open && close)
			snprintf(log->comm, sizeof log->comm, "%.*s", (int)(close - open - 1), open + 1);
		log->total_vm_kb = kmsg_number(at, "total-vm:");
		log->anon_rss_kb = kmsg_number(at, "anon-rss:");
		log->file_rss_kb = kmsg_number(at, "file-rss:");
		log->shmem_rss_kb = kmsg_number(at, "shmem-rss:");
		log->pgtables_kb = kmsg_number(at, "pgtables:");
		log->uid = (int)kmsg_number(at, "UID:");
		if ((at = strstr(at, "oom_score_adj:")))
			log->adj = strtol(at + 14, NULL, 10);
	}
}

/// Reads on until the next "Killed process" line, at most until `deadline_ns` (CLOCK_MONOTONIC); true when it came. The
/// report before it stays in `log`, as one report may kill several.
static inline bool kmsg_next_kill(int fd, struct oom_log *log, uint64_t deadline_ns)
{
	char record[8192];
	while (fd >= 0) {
		ssize_t n = read(fd, record, sizeof record - 1);
		if (n < 0 && (errno == EPIPE || errno == EINTR)) // EPIPE: older records were overwritten
			continue;
		if (n < 0) {
			if (errno != EAGAIN || w_now_ns(CLOCK_MONOTONIC) > deadline_ns)
				return false;
			w_sleep_ms(5);
			continue;
		}
		record[n] = 0;
		char *text = strchr(record, ';'); // "priority,sequence,time,flags;text\n KEY=value..."
		if (!text)
			continue;
		text[1 + strcspn(text + 1, "\n")] = 0;
		char *time = strchr(record, ',');
		time = time ? strchr(time + 1, ',') : NULL;
		log->killed = false;
		kmsg_line(log, text + 1, time ? strtoull(time + 1, NULL, 10) : 0);
		if (log->killed)
			return true;
	}
	return false;
}

#endif
