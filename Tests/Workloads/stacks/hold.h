// SPDX-License-Identifier: Apache-2.0
//
// Every stack of these programs ends in leak_and_hold(): it allocates 54321 bytes and stands still there for good, so
// that a debugger sees the very frames that were there when malloc was called.
#ifndef SWIFTMEM_HOLD_H
#define SWIFTMEM_HOLD_H
#include <stdlib.h>
#include <unistd.h>

enum { LEAKED_BYTES = 54321 };

#ifdef __cplusplus
extern "C" {
#endif

static inline void wait_for_go(void)
{
	char c;
	if (write(1, "{\"type\":\"ready\"}\n", 17) != 17 || read(0, &c, 1) != 1)
		_exit(1);
}

void leak_and_hold(void);

#ifdef LEAK_HERE
void *volatile leaked;
__attribute__((noinline)) void leak_and_hold(void)
{
	leaked = malloc(LEAKED_BYTES);
	if (write(1, "{\"type\":\"leaked\"}\n", 18) != 18)
		_exit(1);
	for (;;)
		pause();
}
#endif

#ifdef __cplusplus
}
#endif
#endif
