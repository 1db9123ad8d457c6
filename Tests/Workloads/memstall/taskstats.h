// SPDX-License-Identifier: Apache-2.0
//
// What the kernel's delay accounting says of a task (kernel/delayacct.c), asked for by generic netlink.
#ifndef SWIFTMEM_MEMSTALL_TASKSTATS_H
#define SWIFTMEM_MEMSTALL_TASKSTATS_H
#include "../include/workload.h"
#include <linux/genetlink.h>
#include <linux/netlink.h>
#include <linux/taskstats.h>
#include <sys/socket.h>

#define DELAYACCT "/proc/sys/kernel/task_delayacct"

/// Turns delay accounting on for tasks that start from now on, and back at the end. Kernels before 5.14 have it on always.
static inline void delays_on(void)
{
	char text[8];
	if (w_read_file(DELAYACCT, text, sizeof text) <= 0 || text[0] != '0')
		return;
	w_undo_write(DELAYACCT, "0");
	w_write_file(DELAYACCT, "1");
}

// One request and its answer: an attribute to a family. Returns the answer's length, 0 when there is none.
static inline size_t delays_ask(int fd, int family, int command, int attribute, const void *value, size_t size,
				char *answer, size_t room)
{
	struct {
		struct nlmsghdr head;
		struct genlmsghdr generic;
		char attributes[64];
	} request = { .head = { .nlmsg_type = (__u16)family, .nlmsg_flags = NLM_F_REQUEST },
		      .generic = { .cmd = (__u8)command, .version = 1 } };
	struct nlattr *a = (void *)request.attributes;
	a->nla_type = (__u16)attribute;
	a->nla_len = (__u16)(NLA_HDRLEN + size);
	memcpy(request.attributes + NLA_HDRLEN, value, size);
	request.head.nlmsg_len = (__u32)(NLMSG_LENGTH(GENL_HDRLEN) + NLA_ALIGN(a->nla_len));
	if (send(fd, &request, request.head.nlmsg_len, 0) < 0)
		return 0;
	ssize_t n = recv(fd, answer, room, 0);
	const struct nlmsghdr *head = (void *)answer;
	if (n < (ssize_t)NLMSG_LENGTH(GENL_HDRLEN) || head->nlmsg_type == NLMSG_ERROR)
		return 0;
	return (size_t)n;
}

// The attribute of this type in a list of them; NULL when it is not there.
static inline const struct nlattr *delays_attribute(const char *list, size_t length, int type)
{
	while (length >= NLA_HDRLEN) {
		const struct nlattr *a = (const void *)list;
		size_t step = NLA_ALIGN(a->nla_len);
		if (a->nla_len < NLA_HDRLEN || a->nla_len > length)
			return NULL;
		if ((a->nla_type & NLA_TYPE_MASK) == type)
			return a;
		if (step >= length)
			return NULL;
		list += step;
		length -= step;
	}
	return NULL;
}

/// A task's statistics, as the running kernel knows them; false where it keeps none, or refuses.
static inline bool delays_of(pid_t tid, struct taskstats *stats)
{
	static char answer[8192];
	const size_t head = NLMSG_LENGTH(GENL_HDRLEN);
	memset(stats, 0, sizeof *stats);
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_GENERIC);
	if (fd < 0)
		return false;
	static const char name[] = TASKSTATS_GENL_NAME;
	size_t n = delays_ask(fd, GENL_ID_CTRL, CTRL_CMD_GETFAMILY, CTRL_ATTR_FAMILY_NAME, name, sizeof name, answer,
			      sizeof answer);
	const struct nlattr *a = n > head ? delays_attribute(answer + head, n - head, CTRL_ATTR_FAMILY_ID) : NULL;
	__u16 family = 0;
	if (a)
		memcpy(&family, (const char *)a + NLA_HDRLEN, sizeof family);
	__u32 id = (__u32)tid;
	n = family ? delays_ask(fd, family, TASKSTATS_CMD_GET, TASKSTATS_CMD_ATTR_PID, &id, sizeof id, answer,
				sizeof answer)
		   : 0;
	close(fd);
	a = n > head ? delays_attribute(answer + head, n - head, TASKSTATS_TYPE_AGGR_PID) : NULL;
	if (a)
		a = delays_attribute((const char *)a + NLA_HDRLEN, a->nla_len - NLA_HDRLEN, TASKSTATS_TYPE_STATS);
	if (!a)
		return false;
	size_t size = a->nla_len - NLA_HDRLEN;
	memcpy(stats, (const char *)a + NLA_HDRLEN, size < sizeof *stats ? size : sizeof *stats);
	return true;
}

static inline void delays_print_one(const char *key, bool known, uint64_t ns, uint64_t count)
{
	char name[64];
	snprintf(name, sizeof name, "%s_ns", key);
	if (known)
		j_uint(name, ns);
	else
		j_null(name);
	snprintf(name, sizeof name, "%s_count", key);
	if (known)
		j_uint(name, count);
	else
		j_null(name);
}

/// Prints `"delays":{...}`: what a task was delayed by between two readings; null where there are none.
static inline void delays_print(bool known, const struct taskstats *b, const struct taskstats *a)
{
	if (!known) {
		j_null("delays");
		return;
	}
	j_open("delays", '{');
	j_uint("version", a->version);
	delays_print_one("freepages", true, a->freepages_delay_total - b->freepages_delay_total,
			 a->freepages_count - b->freepages_count);
	delays_print_one("thrashing", true, a->thrashing_delay_total - b->thrashing_delay_total,
			 a->thrashing_count - b->thrashing_count);
	delays_print_one("swapin", true, a->swapin_delay_total - b->swapin_delay_total,
			 a->swapin_count - b->swapin_count);
	delays_print_one("compact", a->version >= 11, a->compact_delay_total - b->compact_delay_total,
			 a->compact_count - b->compact_count);
	delays_print_one("wpcopy", a->version >= 13, a->wpcopy_delay_total - b->wpcopy_delay_total,
			 a->wpcopy_count - b->wpcopy_count);
	j_close('}');
}

#endif
