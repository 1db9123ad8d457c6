// SPDX-License-Identifier: Apache-2.0
#ifndef STEPS_H
#define STEPS_H

#include <stdint.h>

// Gives up all capabilities but these, by their bits, where it has them. Gives 0 or -errno.
int keep_capabilities(uint32_t kept);

// Lets this process make none but the system calls it needs, for good. Gives 0 or -errno.
int filter_system_calls(void);

#endif
