// SPDX-License-Identifier: Apache-2.0
// The kernel's types that an object can be relocated to, as BTF of their own. For every type an object names,
// libbpf looks through all of a kernel's 150 000: of a few hundred that takes no time.
#define _GNU_SOURCE
#include "clibbpf.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

// A name up to its flavour: `task_struct___old` asks for `task_struct`, as libbpf has it.
static size_t essential_length(const char *name)
{
	size_t length = strlen(name);
	for (size_t at = length < 5 ? 0 : length - 4; at-- > 0;)
		if (name[at] != '_' && !strncmp(name + at + 1, "___", 3) && name[at + 4] != '_')
			return at + 1;
	return length;
}

// Names, found by their text: open addressing, at most half full.
struct names {
	struct {
		const char *text;
		size_t length;
	} * slots;
	uint32_t mask;
};

static uint32_t hash(const char *text, size_t length)
{
	uint32_t value = 2166136261u;
	for (size_t i = 0; i < length; i++)
		value = (value ^ (uint8_t)text[i]) * 16777619u;
	return value;
}

static bool contains(const struct names *names, const char *text, size_t length, bool insert)
{
	for (uint32_t at = hash(text, length);; at++) {
		if (!names->slots[at & names->mask].text) {
			if (insert) {
				names->slots[at & names->mask].text = text;
				names->slots[at & names->mask].length = length;
			}
			return false;
		}
		if (names->slots[at & names->mask].length == length &&
		    !memcmp(names->slots[at & names->mask].text, text, length))
			return true;
	}
}

// What a relocation can start at.
static bool is_root(const struct btf_type *type)
{
	switch (BTF_INFO_KIND(type->info)) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
	case BTF_KIND_ENUM:
	case BTF_KIND_ENUM64:
	case BTF_KIND_TYPEDEF: return type->name_off != 0;
	default: return false;
	}
}

struct copy {
	const struct btf *from;
	struct btf *to;
	uint32_t *ids; // by the kernel's id, 0 where not copied
	int pointer;
	int error;
};

static uint32_t copy_type(struct copy *copy, uint32_t id);

// An array of records with type ids, right behind a type: libbpf keeps it elsewhere after each addition.
static struct btf_member *members(struct copy *copy, uint32_t id)
{
	return (struct btf_member *)(btf__type_by_id(copy->to, id) + 1);
}

static uint32_t copy_type(struct copy *copy, uint32_t id)
{
	if (!id || copy->error)
		return 0;
	if (copy->ids[id])
		return copy->ids[id];
	const struct btf_type *type = btf__type_by_id(copy->from, id);
	uint32_t kind = type ? BTF_INFO_KIND(type->info) : BTF_KIND_UNKN;
	switch (kind) {
	case BTF_KIND_PTR: // a relocation ends at it: whatever it points to
		return copy->ids[id] = (uint32_t)copy->pointer;
	case BTF_KIND_UNKN:
	case BTF_KIND_FUNC:
	case BTF_KIND_FUNC_PROTO:
	case BTF_KIND_VAR:
	case BTF_KIND_DATASEC:
	case BTF_KIND_DECL_TAG: return 0;
	}
	int added = btf__add_type(copy->to, copy->from, type);
	if (added < 0) {
		copy->error = added;
		return 0;
	}
	uint32_t new_id = copy->ids[id] = (uint32_t)added;
	switch (kind) {
	case BTF_KIND_STRUCT:
	case BTF_KIND_UNION:
		for (uint32_t i = 0; i < BTF_INFO_VLEN(type->info); i++) {
			uint32_t member = copy_type(copy, ((const struct btf_member *)(type + 1))[i].type);
			members(copy, new_id)[i].type = member;
		}
		break;
	case BTF_KIND_ARRAY: {
		const struct btf_array *array = (const struct btf_array *)(type + 1);
		uint32_t element = copy_type(copy, array->type), index = copy_type(copy, array->index_type);
		struct btf_array *made = (struct btf_array *)members(copy, new_id);
		made->type = element;
		made->index_type = index;
		break;
	}
	case BTF_KIND_TYPEDEF:
	case BTF_KIND_CONST:
	case BTF_KIND_VOLATILE:
	case BTF_KIND_RESTRICT:
	case BTF_KIND_TYPE_TAG: {
		uint32_t target = copy_type(copy, type->type);
		((struct btf_type *)btf__type_by_id(copy->to, new_id))->type = target;
		break;
	}
	}
	return new_id;
}

static int write_all(const void *data, size_t size)
{
	int file = memfd_create("btf", MFD_CLOEXEC);
	if (file < 0)
		return -errno;
	for (size_t done = 0; done < size;) {
		ssize_t written = write(file, (const char *)data + done, size - done);
		if (written < 0 && errno == EINTR)
			continue;
		if (written <= 0) {
			int error = written ? -errno : -EIO;
			close(file);
			return error;
		}
		done += (size_t)written;
	}
	return file;
}

int clibbpf_subset(const struct btf *kernel, const struct bpf_object *object)
{
	const struct btf *local = bpf_object__btf(object);
	uint32_t locals = local ? btf__type_cnt(local) : 0, count = btf__type_cnt(kernel);
	struct names names = { .mask = 63 };
	while (names.mask < 2 * locals)
		names.mask = names.mask * 2 + 1;
	struct copy copy = { .from = kernel, .to = btf__new_empty() };
	names.slots = calloc(names.mask + 1, sizeof(*names.slots));
	copy.ids = calloc(count, sizeof(*copy.ids));
	int result = -ENOMEM;
	if (!copy.to || !names.slots || !copy.ids)
		goto out;
	result = copy.pointer = btf__add_ptr(copy.to, 0);
	if (result < 0)
		goto out;
	for (uint32_t id = 1; id < locals; id++) {
		const struct btf_type *type = btf__type_by_id(local, id);
		const char *name = type && is_root(type) ? btf__name_by_offset(local, type->name_off) : NULL;
		if (name)
			contains(&names, name, essential_length(name), true);
	}
	for (uint32_t id = 1; id < count && !copy.error; id++) {
		const struct btf_type *type = btf__type_by_id(kernel, id);
		const char *name = type && is_root(type) ? btf__name_by_offset(kernel, type->name_off) : NULL;
		if (name && contains(&names, name, strlen(name), false))
			copy_type(&copy, id);
	}
	result = copy.error;
	if (!result) {
		uint32_t size = 0;
		const void *data = btf__raw_data(copy.to, &size);
		result = data ? write_all(data, size) : -ENOMEM;
	}
out:
	btf__free(copy.to);
	free(names.slots);
	free(copy.ids);
	return result;
}
