/* SPDX-License-Identifier: Apache-2.0 */
#include "test_dds_maker.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MEMBERS_MOST = 6 };

/* xorshift64* */
uint32_t dds_maker_number(struct dds_maker *maker, uint32_t below)
{
	maker->seed ^= maker->seed >> 12;
	maker->seed ^= maker->seed << 25;
	maker->seed ^= maker->seed >> 27;
	return (uint32_t)((maker->seed * 0x2545f4914f6cdd1dull) >> 33) % below;
}

static struct type *make(struct dds_maker *maker, enum type_kind kind, size_t n_members)
{
	struct type *type;
	char name[16];

	snprintf(name, sizeof(name), "T%u", maker->names++);
	if (type_new(maker->set, kind, name, n_members, &type) < 0)
		abort();
	return type;
}

static void name_member(struct dds_maker *maker, struct type_member *member)
{
	char name[16];

	snprintf(name, sizeof(name), "m%u", maker->names++);
	if (type_set_name(member, name) < 0)
		abort();
}

static struct type *make_literals(struct dds_maker *maker, enum type_kind kind)
{
	static const uint32_t bounds[] = {8, 16, 32, 64};
	struct type *type = make(maker, kind, 1 + dds_maker_number(maker, 5));

	type->bound = bounds[dds_maker_number(maker, kind == TYPE_ENUM ? 3 : 4)];
	for (size_t i = 0; i < type->n_members; i++) {
		name_member(maker, &type->members[i]);
		type->members[i].value = (int32_t)i;
	}
	return type;
}

static const struct type *make_any(struct dds_maker *maker, unsigned depth);

static struct type *make_collection(struct dds_maker *maker, enum type_kind kind, unsigned depth)
{
	struct type *type = make(maker, kind, 0);

	type->inner = make_any(maker, depth + 1);
	if (kind == TYPE_SEQUENCE) {
		type->bound = dds_maker_number(maker, 2) ? 0 : 4;
		return type;
	}
	type->n_dimensions = 1 + dds_maker_number(maker, 2);
	for (size_t i = 0; i < type->n_dimensions; i++)
		type->dimensions[i] = 1 + dds_maker_number(maker, 3);
	return type;
}

static struct type *make_union(struct dds_maker *maker, unsigned depth)
{
	struct type *type = make(maker, TYPE_UNION, 1 + dds_maker_number(maker, 3));

	type->extent = maker->plain || dds_maker_number(maker, 2) ? TYPE_FINAL : TYPE_APPENDABLE;
	type->inner = make(maker, TYPE_INT32, 0);
	for (size_t i = 0; i < type->n_members; i++) {
		int32_t label = (int32_t)i * 7 - 3;

		name_member(maker, &type->members[i]);
		type->members[i].type = make_any(maker, depth + 1);
		type->members[i].id = (uint32_t)i;
		if (type_set_labels(&type->members[i], &label, 1) < 0)
			abort();
	}
	if (type_finish(type) < 0)
		abort();
	return type;
}

static const struct type *make_any(struct dds_maker *maker, unsigned depth)
{
	enum type_kind kind = (enum type_kind)dds_maker_number(maker, depth < 4 ? TYPE_ARRAY + 1 : TYPE_BITMASK + 1);
	struct type *type;

	switch (kind) {
	case TYPE_ENUM:
	case TYPE_BITMASK:
		return make_literals(maker, kind);
	case TYPE_STRUCT:
		return dds_maker_struct(maker, depth + 1);
	case TYPE_UNION:
		return make_union(maker, depth);
	case TYPE_SEQUENCE:
	case TYPE_ARRAY:
		return make_collection(maker, kind, depth);
	default:
		type = make(maker, kind, 0);
		type->bound = kind == TYPE_STRING && dds_maker_number(maker, 2) ? 12 : 0;
		return type;
	}
}

struct type *dds_maker_struct(struct dds_maker *maker, unsigned depth)
{
	struct type *type = make(maker, TYPE_STRUCT, 1 + dds_maker_number(maker, MEMBERS_MOST));
	uint32_t turn = dds_maker_number(maker, 64);

	type->extent = maker->plain ? TYPE_FINAL : (enum type_extent)dds_maker_number(maker, 3);
	for (size_t i = 0; i < type->n_members; i++) {
		struct type_member *member = &type->members[i];

		name_member(maker, member);
		member->id = ((uint32_t)i * 5 + turn) % 64; /* in another order than they stand */
		member->type = make_any(maker, depth + 1);
		member->key = dds_maker_number(maker, 3) == 0;
		member->optional = !maker->plain && !member->key && dds_maker_number(maker, 4) == 0;
	}
	if (type_finish(type) < 0)
		abort();
	return type;
}

static json_t *make_number(struct dds_maker *maker, const struct type *type)
{
	static const int64_t least[] = {
		[TYPE_BYTE] = 0, [TYPE_INT16] = INT16_MIN, [TYPE_INT32] = INT32_MIN, [TYPE_INT64] = INT64_MIN};
	static const uint64_t most[] = {
		[TYPE_BYTE] = 255,         [TYPE_INT16] = INT16_MAX,   [TYPE_INT32] = INT32_MAX,
		[TYPE_INT64] = INT64_MAX,  [TYPE_UINT16] = UINT16_MAX, [TYPE_UINT32] = UINT32_MAX,
		[TYPE_UINT64] = UINT64_MAX};
	bool is_signed = type->kind >= TYPE_INT16 && type->kind <= TYPE_INT64;
	char text[32];

	switch (dds_maker_number(maker, 4)) {
	case 0:
		if (most[type->kind] < 1ull << 53)
			return json_integer((json_int_t)most[type->kind]);
		snprintf(text, sizeof(text), "%" PRIu64, most[type->kind]);
		return json_string(text);
	case 1:
		if (!is_signed || type->kind != TYPE_INT64)
			return json_integer(is_signed ? least[type->kind] : 0);
		snprintf(text, sizeof(text), "%" PRId64, least[type->kind]);
		return json_string(text);
	default:
		return json_integer((json_int_t)dds_maker_number(maker, 100));
	}
}

static json_t *make_text(struct dds_maker *maker)
{
	static const char *const texts[] = {"", "x", "gr\xc3\xbc\xc3\x9f", "\"\\\n\x01", "twelve bytes"};

	return json_string(texts[dds_maker_number(maker, 5)]);
}

static json_t *make_octets(struct dds_maker *maker, size_t n)
{
	static const char *const rows[] = {"", "AA==", "//4=", "AAEC", "AAECAw==", "AAECAwQ=", "AAECAwQF"};

	(void)maker;
	return json_string(rows[n]);
}

static json_t *make_row(struct dds_maker *maker, const struct type *inner, size_t n)
{
	json_t *row;

	if (inner->kind == TYPE_BYTE)
		return make_octets(maker, n);
	row = json_array();
	for (size_t i = 0; i < n; i++)
		json_array_append_new(row, dds_maker_value(maker, inner));
	return row;
}

static json_t *make_dimensions(struct dds_maker *maker, const struct type *type, size_t dimension)
{
	json_t *row;

	if (dimension + 1 == type->n_dimensions)
		return make_row(maker, type->inner, type->dimensions[dimension]);
	row = json_array();
	for (size_t i = 0; i < type->dimensions[dimension]; i++)
		json_array_append_new(row, make_dimensions(maker, type, dimension + 1));
	return row;
}

static json_t *make_members(struct dds_maker *maker, const struct type *type)
{
	json_t *object = json_object();

	if (type->kind == TYPE_UNION) {
		const struct type_member *member = &type->members[dds_maker_number(maker, (uint32_t)type->n_members)];
		bool none = dds_maker_number(maker, 5) == 0;

		json_object_set_new(object, "$discriminator", json_integer(none ? 1000 : member->labels[0]));
		if (!none)
			json_object_set_new(object, member->name, dds_maker_value(maker, member->type));
		return object;
	}
	for (size_t i = 0; i < type->n_members; i++)
		if (!type->members[i].optional || dds_maker_number(maker, 2))
			json_object_set_new(object, type->members[i].name,
					    dds_maker_value(maker, type->members[i].type));
	return object;
}

static json_t *make_flags(struct dds_maker *maker, const struct type *type)
{
	json_t *flags = json_array();

	for (size_t i = 0; i < type->n_members; i++)
		if (dds_maker_number(maker, 2))
			json_array_append_new(flags, json_string(type->members[i].name));
	return flags;
}

json_t *dds_maker_value(struct dds_maker *maker, const struct type *type)
{
	static const char letters[][3] = {"a", "Z", "\xc3\xa9"};

	switch (type->kind) {
	case TYPE_BOOL:
		return json_boolean(dds_maker_number(maker, 2));
	case TYPE_CHAR:
		return json_string(letters[dds_maker_number(maker, 3)]);
	case TYPE_FLOAT32:
	case TYPE_FLOAT64:
		return dds_maker_number(maker, 8) ? json_real(dds_maker_number(maker, 1000) + 0.5)
						  : json_string("-Infinity");
	case TYPE_STRING:
		return make_text(maker);
	case TYPE_ENUM:
		return json_string(type->members[dds_maker_number(maker, (uint32_t)type->n_members)].name);
	case TYPE_BITMASK:
		return make_flags(maker, type);
	case TYPE_STRUCT:
	case TYPE_UNION:
		return make_members(maker, type);
	case TYPE_SEQUENCE:
		return make_row(maker, type->inner, dds_maker_number(maker, 5));
	case TYPE_ARRAY:
		return make_dimensions(maker, type, 0);
	default:
		return make_number(maker, type);
	}
}
