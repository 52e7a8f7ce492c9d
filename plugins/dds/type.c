/* SPDX-License-Identifier: Apache-2.0 */
#include "type.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

void type_set_init(struct type_set *set)
{
	*set = (struct type_set){.n_types = 0};
	SLIST_INIT(&set->types);
}

static void type_free(struct type *type)
{
	for (size_t i = 0; i < type->n_members; i++) {
		free(type->members[i].name);
		free(type->members[i].labels);
	}
	free(type->members);
	free(type->by_id);
	free(type->name);
	free(type);
}

void type_set_done(struct type_set *set)
{
	struct type *type;

	while ((type = SLIST_FIRST(&set->types))) {
		SLIST_REMOVE_HEAD(&set->types, link);
		type_free(type);
	}
	set->n_types = 0;
	set->n_members = 0;
}

int type_new(struct type_set *set, enum type_kind kind, const char *name, size_t n_members, struct type **ret_type)
{
	struct type *type;

	if (set->n_types >= TYPE_MOST || n_members > TYPE_MEMBERS_MOST - set->n_members ||
	    strnlen(name, TYPE_NAME_MOST + 1) > TYPE_NAME_MOST)
		return -E2BIG;
	type = calloc(1, sizeof(*type));
	if (!type)
		return -ENOMEM;
	type->kind = kind;
	type->name = strdup(name);
	type->members = calloc(n_members ? n_members : 1, sizeof(*type->members));
	if (!type->name || !type->members) {
		type_free(type);
		return -ENOMEM;
	}
	type->n_members = n_members;
	set->n_types++;
	set->n_members += n_members;
	SLIST_INSERT_HEAD(&set->types, type, link);
	*ret_type = type;
	return 0;
}

int type_set_name(struct type_member *member, const char *name)
{
	char *copy;

	if (strnlen(name, TYPE_NAME_MOST + 1) > TYPE_NAME_MOST)
		return -E2BIG;
	copy = strdup(name);
	if (!copy)
		return -ENOMEM;
	free(member->name);
	member->name = copy;
	return 0;
}

int type_set_labels(struct type_member *member, const int32_t *labels, size_t n)
{
	int32_t *copy;

	if (n > TYPE_MEMBERS_MOST)
		return -E2BIG;
	copy = calloc(n ? n : 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	if (n)
		memcpy(copy, labels, n * sizeof(*copy));
	free(member->labels);
	member->labels = copy;
	member->n_labels = n;
	return 0;
}

static bool is_discriminator(const struct type *type)
{
	switch (type->kind) {
	case TYPE_FLOAT32:
	case TYPE_FLOAT64:
	case TYPE_BITMASK:
		return false;
	default:
		return type_width(type) > 0;
	}
}

static int check_members(const struct type *type)
{
	for (size_t i = 0; i < type->n_members; i++) {
		const struct type_member *member = &type->members[i];

		if (!member->name || !member->name[0] || !member->type || (member->key && member->optional))
			return -EINVAL;
		for (size_t other = 0; other < i; other++) {
			if (strcmp(type->members[other].name, member->name) == 0)
				return -EINVAL;
			if (type->kind == TYPE_STRUCT && type->members[other].id == member->id)
				return -EINVAL;
		}
	}
	return 0;
}

static int sort_by_id(struct type *type)
{
	uint16_t *places = calloc(type->n_members ? type->n_members : 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < type->n_members; i++) {
		size_t at = i;

		for (; at > 0 && type->members[places[at - 1]].id > type->members[i].id; at--)
			places[at] = places[at - 1];
		places[at] = (uint16_t)i;
	}
	free(type->by_id);
	type->by_id = places;
	return 0;
}

int type_finish(struct type *type)
{
	int r = check_members(type);

	if (r < 0)
		return r;
	if (type->kind == TYPE_UNION)
		return type->inner && is_discriminator(type->inner) ? 0 : -EINVAL;
	type->has_key = false;
	for (size_t i = 0; i < type->n_members; i++)
		type->has_key = type->has_key || type->members[i].key;
	return sort_by_id(type);
}

unsigned type_width(const struct type *type)
{
	switch (type->kind) {
	case TYPE_BOOL:
	case TYPE_BYTE:
	case TYPE_CHAR:
		return 1;
	case TYPE_INT16:
	case TYPE_UINT16:
		return 2;
	case TYPE_INT32:
	case TYPE_UINT32:
	case TYPE_FLOAT32:
		return 4;
	case TYPE_INT64:
	case TYPE_UINT64:
	case TYPE_FLOAT64:
		return 8;
	case TYPE_ENUM:
		return type->bound <= 8 ? 1 : type->bound <= 16 ? 2 : 4;
	case TYPE_BITMASK:
		return type->bound <= 8 ? 1 : type->bound <= 16 ? 2 : type->bound <= 32 ? 4 : 8;
	default:
		return 0;
	}
}

bool type_is_primitive(const struct type *type)
{
	return type->kind <= TYPE_CHAR;
}

static bool needs_version2(const struct type *type, unsigned depth)
{
	if (depth > TYPE_DEPTH_MOST || type->extent != TYPE_FINAL)
		return true;
	if (type->inner && needs_version2(type->inner, depth + 1))
		return true;
	for (size_t i = 0; i < type->n_members; i++) {
		const struct type_member *member = &type->members[i];

		if (member->optional || (member->type && needs_version2(member->type, depth + 1)))
			return true;
	}
	return false;
}

bool type_needs_version2(const struct type *type)
{
	return needs_version2(type, 0);
}

const struct type_member *type_union_member(const struct type *type, int64_t discriminator)
{
	const struct type_member *fallback = NULL;

	for (size_t i = 0; i < type->n_members; i++) {
		const struct type_member *member = &type->members[i];

		for (size_t k = 0; k < member->n_labels; k++)
			if (member->labels[k] == discriminator)
				return member;
		if (member->fallback)
			fallback = member;
	}
	return fallback;
}

const struct type_member *type_member(const struct type *type, const char *name)
{
	for (size_t i = 0; i < type->n_members; i++)
		if (strcmp(type->members[i].name, name) == 0)
			return &type->members[i];
	return NULL;
}

const struct type_member *type_literal(const struct type *type, int64_t value)
{
	for (size_t i = 0; i < type->n_members; i++)
		if (type->members[i].value == value)
			return &type->members[i];
	return NULL;
}
