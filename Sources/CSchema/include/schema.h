/* SPDX-License-Identifier: Apache-2.0 */
/* The JSON Schemas of Docs/schema, embedded. */
#ifndef SWIFTMEM_SCHEMA_H
#define SWIFTMEM_SCHEMA_H

#include <stddef.h>

struct record_schema {
	const char *type; /* the records' `type` */
	const unsigned char *text;
	size_t size;
};

/* One by one, in the order that `swiftmem schema` lists them; NULL past the last. */
const struct record_schema *record_schema_at(size_t index);

#endif
