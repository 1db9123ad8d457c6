// SPDX-License-Identifier: Apache-2.0
//
// A writer of one line of JSON, straight to stdout. The key is NULL inside an array.
#ifndef SWIFTMEM_JSON_H
#define SWIFTMEM_JSON_H
#include "undo.h"

static bool j_comma;

static inline void j_string(const char *s)
{
	putchar('"');
	for (; *s; s++) {
		unsigned char c = (unsigned char)*s;
		if (c == '"' || c == '\\')
			printf("\\%c", c);
		else if (c < 0x20)
			printf("\\u%04x", c);
		else
			putchar(c);
	}
	putchar('"');
}

static inline void j_key(const char *key)
{
	if (j_comma)
		putchar(',');
	j_comma = true;
	if (key) {
		j_string(key);
		putchar(':');
	}
}

static inline void j_open(const char *key, char bracket)
{
	j_key(key);
	putchar(bracket);
	j_comma = false;
}

static inline void j_close(char bracket)
{
	putchar(bracket);
	j_comma = true;
}

static inline void j_int(const char *key, long long value)
{
	j_key(key);
	printf("%lld", value);
}

static inline void j_uint(const char *key, unsigned long long value)
{
	j_key(key);
	printf("%llu", value);
}

static inline void j_bool(const char *key, bool value)
{
	j_key(key);
	fputs(value ? "true" : "false", stdout);
}

static inline void j_null(const char *key)
{
	j_key(key);
	fputs("null", stdout);
}

static inline void j_text(const char *key, const char *value)
{
	j_key(key);
	j_string(value);
}

/// Opens the truth line: `{"type":"truth","workload":NAME`.
static inline void j_begin_truth(void)
{
	j_comma = false;
	j_open(NULL, '{');
	j_text("type", "truth");
	j_text("workload", w_name);
	j_int("pid", getpid());
}

static inline void j_end_line(void)
{
	j_close('}');
	putchar('\n');
	if (fflush(stdout) != 0 || ferror(stdout))
		w_die(W_FAILED, errno, "stdout");
	j_comma = false;
}

#endif
