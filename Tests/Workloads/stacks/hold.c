// SPDX-License-Identifier: Apache-2.0
#define LEAK_HERE
#include "hold.h"
