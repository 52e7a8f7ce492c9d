/* SPDX-License-Identifier: Apache-2.0 */
#include "encode.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "encode_private.h"

static int encode_value(struct encode *e, const struct type *type, bool bare, const json_t *value);

int encode_refuse(struct encode *e, const char *format, ...)
{
	size_t at = (size_t)snprintf(e->reason->text, sizeof(e->reason->text), "%s: ", e->path);
	va_list args;

	va_start(args, format);
	vsnprintf(e->reason->text + at, sizeof(e->reason->text) - at, format, args);
	va_end(args);
	return -EINVAL;
}

int encode_spend(struct encode *e, size_t n)
{
	e->n_steps += n;
	return e->n_steps > ENCODE_STEPS ? -E2BIG : 0;
}

/* Goes on to a part of the value; the path is cut where it is too long. Returns what leave wants. */
static size_t enter(struct encode *e, const char *format, ...) __attribute__((format(printf, 2, 3)));
static size_t enter(struct encode *e, const char *format, ...)
{
	size_t before = e->path_size, room = sizeof(e->path) - before;
	va_list args;
	int n;

	va_start(args, format);
	n = vsnprintf(e->path + before, room, format, args);
	va_end(args);
	if (n > 0)
		e->path_size += (size_t)n < room ? (size_t)n : room - 1;
	return before;
}

static void leave(struct encode *e, size_t before)
{
	e->path_size = before;
	e->path[before] = 0;
}

static int encode_row(struct encode *e, const struct type *inner, const json_t *value, bool bare)
{
	size_t i;
	const json_t *item;
	int r = 0;

	json_array_foreach(value, i, item)
	{
		size_t before = enter(e, "[%zu]", i);

		r = encode_value(e, inner, bare, item);
		if (r < 0)
			return r;
		leave(e, before);
	}
	return r;
}

static int encode_dimensions(struct encode *e, const struct type *type, size_t dimension, const json_t *value,
			     bool bare)
{
	size_t n = type->dimensions[dimension], i;
	const json_t *item;
	int r = 0;

	if (dimension + 1 == type->n_dimensions && type->inner->kind == TYPE_BYTE)
		return encode_octets(e, value, false, n, n);
	if (!json_is_array(value) || json_array_size(value) != n)
		return encode_refuse(e, "must be an array of %zu", n);
	if (dimension + 1 == type->n_dimensions)
		return encode_row(e, type->inner, value, bare);
	json_array_foreach(value, i, item)
	{
		size_t before = enter(e, "[%zu]", i);

		r = encode_dimensions(e, type, dimension + 1, item, bare);
		if (r < 0)
			return r;
		leave(e, before);
	}
	return r;
}

static int encode_sequence(struct encode *e, const struct type *type, const json_t *value, bool bare)
{
	size_t most = type->bound ? type->bound : SIZE_MAX;
	int r;

	if (type->inner->kind == TYPE_BYTE)
		return encode_octets(e, value, true, 0, most);
	if (!json_is_array(value))
		return encode_refuse(e, "must be an array");
	if (json_array_size(value) > most)
		return encode_refuse(e, "must have at most %zu items", most);
	r = cdr_write(e->writer, 4, json_array_size(value));
	return r < 0 ? r : encode_row(e, type->inner, value, bare);
}

static int encode_collection(struct encode *e, const struct type *type, const json_t *value, bool bare)
{
	bool delimited = e->writer->version == 2 && !type_is_primitive(type->inner);
	size_t place = 0;
	int r = delimited ? cdr_write_begin(e->writer, &place) : 0;

	if (r >= 0)
		r = type->kind == TYPE_ARRAY ? encode_dimensions(e, type, 0, value, bare)
					     : encode_sequence(e, type, value, bare);
	if (r >= 0 && delimited)
		cdr_write_end(e->writer, place);
	return r;
}

/* The one member of the union that stands beside "$discriminator"; NULL: none. */
static int find_branch(struct encode *e, const struct type *type, const json_t *value,
		       const struct type_member **ret_member)
{
	const char *name;
	json_t *item;

	*ret_member = NULL;
	/* json_object_foreach wants what is not const, and changes nothing */
	for (void *at = json_object_iter((json_t *)(uintptr_t)value); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)value, at)) {
		name = json_object_iter_key(at);
		item = json_object_iter_value(at);
		if (strcmp(name, "$discriminator") == 0 || json_is_null(item))
			continue;
		if (*ret_member)
			return encode_refuse(e, "a union has one member: not both '%.60s' and '%.60s'",
					     (*ret_member)->name, name);
		*ret_member = type_member(type, name);
		if (!*ret_member)
			return encode_refuse(e, "'%.60s' is no member of %.60s", name, type->name);
	}
	return 0;
}

static int encode_discriminator(struct encode *e, const struct type *type, const json_t *value,
				const struct type_member *branch)
{
	const json_t *given = json_object_get(value, "$discriminator");
	size_t before = enter(e, ".$discriminator");
	int64_t number = 0;
	int r;

	if (given) {
		r = encode_scalar(e, type->inner, given, &number);
		if (r >= 0 && type_union_member(type, number) != branch)
			r = encode_refuse(e, "does not select '%.60s'", branch ? branch->name : "no member");
	} else if (branch && branch->n_labels && type->inner->kind != TYPE_BOOL) {
		r = cdr_write(e->writer, type_width(type->inner), (uint64_t)branch->labels[0]);
	} else {
		r = encode_refuse(e, "is missing");
	}
	if (r >= 0)
		leave(e, before);
	return r;
}

static int encode_union(struct encode *e, const struct type *type, const json_t *value)
{
	bool delimited = e->writer->version == 2 && type->extent != TYPE_FINAL;
	const struct type_member *branch = NULL;
	size_t place = 0, before;
	int r;

	if (!json_is_object(value))
		return encode_refuse(e, "must be an object");
	r = find_branch(e, type, value, &branch);
	if (r >= 0)
		r = encode_spend(e, type->n_members + type->n_labels);
	if (r >= 0 && delimited)
		r = cdr_write_begin(e->writer, &place);
	if (r >= 0)
		r = encode_discriminator(e, type, value, branch);
	if (r >= 0 && branch) {
		before = enter(e, ".%s", branch->name);
		r = encode_value(e, branch->type, false, json_object_get(value, branch->name));
		if (r >= 0)
			leave(e, before);
	}
	if (r >= 0 && delimited)
		cdr_write_end(e->writer, place);
	return r;
}

static int check_names(struct encode *e, const struct type *type, const json_t *value)
{
	for (void *at = json_object_iter((json_t *)(uintptr_t)value); at;
	     at = json_object_iter_next((json_t *)(uintptr_t)value, at))
		if (!type_member(type, json_object_iter_key(at)))
			return encode_refuse(e, "'%.60s' is no member of %.60s", json_object_iter_key(at), type->name);
	return 0;
}

/* What stands before the member's value; `ret_place` is not 0 where its length is to be filled in. */
static int begin_member(struct encode *e, const struct type *type, const struct type_member *member, bool bare,
			bool present, size_t *ret_place)
{
	unsigned width = type_width(member->type);
	uint32_t code = width == 0 ? 4 : (uint32_t)__builtin_ctz(width);
	int r;

	*ret_place = 0;
	if (bare || type->extent != TYPE_MUTABLE)
		return member->optional ? cdr_write(e->writer, 1, present) : 0;
	if (!present)
		return 0;
	r = cdr_write(e->writer, 4, (member->key ? 1u << 31 : 0) | code << 28 | member->id);
	return r < 0 || code < 4 ? r : cdr_write_begin(e->writer, ret_place);
}

static int encode_member(struct encode *e, const struct type *type, const struct type_member *member, bool bare,
			 const json_t *value)
{
	const json_t *item = json_object_get(value, member->name);
	bool present = item && !(member->optional && json_is_null(item));
	size_t before = enter(e, ".%s", member->name), place = 0;
	int r;

	if (!present && !member->optional)
		return encode_refuse(e, "is missing");
	if (member->optional && e->writer->version == 1)
		return -ENOTSUP;
	r = begin_member(e, type, member, bare, present, &place);
	if (r >= 0 && present)
		r = encode_value(e, member->type, bare, item);
	if (r < 0)
		return r;
	if (place)
		cdr_write_end(e->writer, place);
	leave(e, before);
	return 0;
}

static int encode_struct(struct encode *e, const struct type *type, bool bare, const json_t *value)
{
	bool delimited = !bare && type->extent != TYPE_FINAL;
	size_t place = 0;
	int r;

	if (!json_is_object(value))
		return encode_refuse(e, "must be an object");
	if (delimited && e->writer->version == 1)
		return -ENOTSUP;
	r = encode_spend(e, type->n_members);
	if (r >= 0)
		r = check_names(e, type, value);
	if (r >= 0 && delimited)
		r = cdr_write_begin(e->writer, &place);
	for (size_t i = 0; i < type->n_members && r >= 0; i++) {
		const struct type_member *member = &type->members[bare ? type->by_id[i] : i];

		if (!bare || !type->has_key || member->key)
			r = encode_member(e, type, member, bare, value);
	}
	if (r >= 0 && delimited)
		cdr_write_end(e->writer, place);
	return r;
}

static int encode_value(struct encode *e, const struct type *type, bool bare, const json_t *value)
{
	int r;

	if (e->depth >= TYPE_DEPTH_MOST)
		return encode_refuse(e, "is nested too deep");
	e->depth++;
	switch (type->kind) {
	case TYPE_STRING:
		r = encode_string(e, type, value);
		break;
	case TYPE_STRUCT:
		r = encode_struct(e, type, bare, value);
		break;
	case TYPE_UNION:
		r = encode_union(e, type, value);
		break;
	case TYPE_SEQUENCE:
	case TYPE_ARRAY:
		r = encode_collection(e, type, value, bare);
		break;
	default:
		r = encode_scalar(e, type, value, NULL);
	}
	e->depth--;
	return r;
}

int encode(const struct type *type, bool bare, const json_t *value, const char *name, struct cdr_writer *writer,
	   struct encode_reason *ret_reason)
{
	static const enum cdr_layout layouts[] = {CDR_PLAIN, CDR_DELIMITED, CDR_LIST};
	struct encode e = {.writer = writer, .reason = ret_reason};
	int r;

	ret_reason->text[0] = 0;
	enter(&e, "%s", name);
	r = encode_value(&e, type, bare, value);
	return r < 0 ? r : cdr_write_header(writer, layouts[type->extent]);
}
