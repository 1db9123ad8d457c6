// SPDX-License-Identifier: Apache-2.0
// libelf's archive with all that it needs: a target to depend on, nothing to call.
#ifndef CELFUTILS_H
#define CELFUTILS_H

#include <libelf.h>

#endif
