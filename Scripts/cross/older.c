// SPDX-License-Identifier: Apache-2.0
//
// What Debian unstable's Swift library asks of glibc 2.38 and newer, for a program that is to run with older ones: C23's
// readers of numbers, which take 0b11 too, and strlcpy. No header is included: it may be another machine's.
#include <stdarg.h>
#include <stddef.h>

long strtol(const char *text, char **end, int base);
long long strtoll(const char *text, char **end, int base);
unsigned long strtoul(const char *text, char **end, int base);
unsigned long long strtoull(const char *text, char **end, int base);
int __isoc99_vsscanf(const char *text, const char *format, va_list arguments);
size_t strlen(const char *text);
size_t strnlen(const char *text, size_t limit);
void *memcpy(void *to, const void *from, size_t count);

long __isoc23_strtol(const char *text, char **end, int base)
{
	return strtol(text, end, base);
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
	return strtoll(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
	return strtoul(text, end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
	return strtoull(text, end, base);
}

int __isoc23_sscanf(const char *text, const char *format, ...)
{
	va_list arguments;
	va_start(arguments, format);
	int count = __isoc99_vsscanf(text, format, arguments);
	va_end(arguments);
	return count;
}

size_t strlcpy(char *to, const char *from, size_t size)
{
	size_t length = strlen(from);
	if (size > 0) {
		size_t count = length < size ? length : size - 1;
		memcpy(to, from, count);
		to[count] = 0;
	}
	return length;
}

size_t strlcat(char *to, const char *from, size_t size)
{
	size_t before = strnlen(to, size);
	return before + strlcpy(to + before, from, size - before);
}
