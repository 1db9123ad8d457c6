// SPDX-License-Identifier: Apache-2.0
//
// The list of system calls made, as the truth line prints it.
#ifndef SWIFTMEM_RECORD_H
#define SWIFTMEM_RECORD_H
#include "../include/workload.h"
#include <sys/syscall.h>

struct argument {
	const char *name;
	bool text;
	long value;
	const char *string;
};

struct call {
	const char *name, *abi;
	int syscall, arguments, error;
	struct argument argument[6];
	long result; // -1 with `error` set
};

static struct call calls[256];
static int call_count;

static inline const char *error_name(int e)
{
	static const struct {
		int number;
		const char *name;
	} names[] = { { EPERM, "EPERM" },   { ENOENT, "ENOENT" },	{ ENOMEM, "ENOMEM" },
		      { EACCES, "EACCES" }, { EFAULT, "EFAULT" },	{ EBUSY, "EBUSY" },
		      { EEXIST, "EEXIST" }, { EINVAL, "EINVAL" },	{ ENOSPC, "ENOSPC" },
		      { ENOSYS, "ENOSYS" }, { EIDRM, "EIDRM" },		{ EBADF, "EBADF" },
		      { EAGAIN, "EAGAIN" }, { EOVERFLOW, "EOVERFLOW" }, { EOPNOTSUPP, "EOPNOTSUPP" },
		      { EINTR, "EINTR" },   { EXDEV, "EXDEV" } };
	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (names[i].number == e)
			return names[i].name;
	return "E?";
}

/// Appends a call that was just made: its result (-1 and errno) and its arguments as the kernel was given them.
static inline long record(const char *name, const char *abi, int number, long result, const struct argument *arguments)
{
	int e = result == -1 ? errno : 0;
	if (call_count == (int)(sizeof calls / sizeof calls[0]))
		w_die(W_FAILED, 0, "more calls than the list holds");
	struct call *c = &calls[call_count++];
	*c = (struct call){ .name = name, .abi = abi, .syscall = number, .error = e, .result = result };
	for (; arguments->name; arguments++)
		c->argument[c->arguments++] = *arguments;
	errno = e;
	return result;
}

#define NUMBER(n, v) \
	{ \
		.name = n, .value = (long)(v) \
	}
#define TEXT(n, v) \
	{ \
		.name = n, .text = true, .string = v \
	}
#define ARGUMENTS(...) ((const struct argument[]){ __VA_ARGS__, { .name = NULL } })

static inline void print_calls(void)
{
	j_int("calls_made", call_count);
	j_open("calls", '[');
	for (int i = 0; i < call_count; i++) {
		const struct call *c = &calls[i];
		j_open(NULL, '{');
		j_text("call", c->name);
		j_text("abi", c->abi);
		j_int("syscall", c->syscall);
		for (int k = 0; k < c->arguments; k++)
			if (c->argument[k].text)
				j_text(c->argument[k].name, c->argument[k].string);
			else
				j_int(c->argument[k].name, c->argument[k].value);
		j_int("ret", c->result);
		j_int("errno", c->error);
		if (c->error)
			j_text("errno_name", error_name(c->error));
		j_close('}');
	}
	j_close(']');
}

#endif
