// SPDX-License-Identifier: Apache-2.0
// A growing array.
#ifndef CUNWIND_LIST_H
#define CUNWIND_LIST_H

#include <stddef.h>
#include <stdlib.h>

struct unwind_list {
	void *items;
	size_t count, room;
};

// Room for one more item; NULL beyond `most` items or where memory is out.
static inline void *unwind_append(struct unwind_list *list, size_t size, size_t most)
{
	if (list->count == list->room) {
		size_t room = list->room ? list->room * 2 : 1024;
		if (room > most)
			room = most;
		void *items = list->room < most ? realloc(list->items, room * size) : NULL;
		if (!items)
			return NULL;
		list->items = items;
		list->room = room;
	}
	return (char *)list->items + size * list->count++;
}

#endif
