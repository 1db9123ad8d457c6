// SPDX-License-Identifier: Apache-2.0
// Programs that only the tests load.
#ifndef TEST_OBJECTS_H
#define TEST_OBJECTS_H

#include <stddef.h>

const void *_Nonnull ringtest_image(void);
size_t ringtest_size(void);
const void *_Nonnull empty_image(void);
size_t empty_size(void);
const void *_Nonnull library_image(void);
size_t library_size(void);

#endif
