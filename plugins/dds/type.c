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
	free(type->by_name);
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
	}
	return 0;
}

static int compare_names(const void *a, const void *b, void *type)
{
	const struct type_member *members = ((const struct type *)type)->members;

	return strcmp(members[*(const uint16_t *)a].name, members[*(const uint16_t *)b].name);
}

static int compare_ids(const void *a, const void *b, void *type)
{
	const struct type_member *members = ((const struct type *)type)->members;
	uint32_t one = members[*(const uint16_t *)a].id, other = members[*(const uint16_t *)b].id;

	return (one > other) - (one < other);
}

/* The members' places in this order, in which no two are equal. */
static int sort(struct type *type, int (*compare)(const void *, const void *, void *), uint16_t **ret_places)
{
	uint16_t *places = calloc(type->n_members ? type->n_members : 1, sizeof(*places));

	if (!places)
		return -ENOMEM;
	for (size_t i = 0; i < type->n_members; i++)
		places[i] = (uint16_t)i;
	qsort_r(places, type->n_members, sizeof(*places), compare, type);
	free(*ret_places);
	*ret_places = places;
	for (size_t i = 1; i < type->n_members; i++)
		if (compare(&places[i - 1], &places[i], type) == 0)
			return -EINVAL;
	return 0;
}

int type_finish(struct type *type)
{
	int r = check_members(type);

	if (r >= 0)
		r = sort(type, compare_names, &type->by_name);
	if (r < 0)
		return r;
	if (type->kind == TYPE_UNION) {
		type->n_labels = 0;
		for (size_t i = 0; i < type->n_members; i++)
			type->n_labels += type->members[i].n_labels;
		return type->inner && is_discriminator(type->inner) ? 0 : -EINVAL;
	}
	type->has_key = false;
	for (size_t i = 0; i < type->n_members; i++)
		type->has_key = type->has_key || type->members[i].key;
	return sort(type, compare_ids, &type->by_id);
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

static bool needs_version2(const struct type *type)
{
	if (type->extent != TYPE_FINAL)
		return true;
	for (size_t i = 0; i < type->n_members; i++)
		if (type->members[i].optional)
			return true;
	return false;
}

/* Not by walking through the graph: the ways through it may be more than anybody can go. */
bool type_set_needs_version2(const struct type_set *set)
{
	const struct type *type;

	SLIST_FOREACH(type, &set->types, link)
	if (needs_version2(type))
		return true;
	return false;
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

static const struct type_member *literal_of_name(const struct type *type, const char *name)
{
	for (size_t i = 0; i < type->n_members; i++)
		if (strcmp(type->members[i].name, name) == 0)
			return &type->members[i];
	return NULL;
}

const struct type_member *type_member(const struct type *type, const char *name)
{
	size_t low = 0, high = type->by_name ? type->n_members : 0;

	if (!type->by_name)
		return literal_of_name(type, name);
	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct type_member *member = &type->members[type->by_name[middle]];
		int order = strcmp(name, member->name);

		if (order == 0)
			return member;
		low = order > 0 ? middle + 1 : low;
		high = order < 0 ? middle : high;
	}
	return NULL;
}

const struct type_member *type_member_of_id(const struct type *type, uint32_t id)
{
	size_t low = 0, high = type->n_members;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		const struct type_member *member = &type->members[type->by_id[middle]];

		if (member->id == id)
			return member;
		low = id > member->id ? middle + 1 : low;
		high = id < member->id ? middle : high;
	}
	return NULL;
}

const struct type_member *type_literal(const struct type *type, int64_t value)
{
	for (size_t i = 0; i < type->n_members; i++)
		if (type->members[i].value == value)
			return &type->members[i];
	return NULL;
}
