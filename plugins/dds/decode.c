/* SPDX-License-Identifier: Apache-2.0 */
#include "decode.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "cdr.h"

struct decode {
	struct cdr_reader in;
	struct out *out;
	size_t n_values;
	size_t n_steps;
	unsigned depth;
};

static int decode_value(struct decode *d, const struct type *type, enum decode_part part);

/* What looks at so many members of a type for one value: a wide type must not make many small values dear. */
static int spend(struct decode *d, size_t n)
{
	d->n_steps += n;
	return d->n_steps > DECODE_STEPS ? -E2BIG : 0;
}

static int64_t sign_extended(uint64_t value, unsigned width)
{
	unsigned shift = 64 - 8 * width;

	return (int64_t)(value << shift) >> shift;
}

static void put_float(struct out *out, uint64_t bits)
{
	uint32_t narrow = (uint32_t)bits;
	float value;

	memcpy(&value, &narrow, sizeof(value));
	out_float(out, value);
}

static void put_double(struct out *out, uint64_t bits)
{
	double value;

	memcpy(&value, &bits, sizeof(value));
	out_double(out, value);
}

static void put_enum(struct out *out, const struct type *type, int64_t value)
{
	const struct type_member *literal = type_literal(type, value);

	if (literal)
		out_text(out, literal->name, strlen(literal->name));
	else
		out_int(out, value);
}

static void put_bitmask(struct out *out, const struct type *type, uint64_t value)
{
	out_begin_array(out, (size_t)__builtin_popcountll(value));
	for (int bit = 0; bit < 64; bit++)
		if (value >> bit & 1)
			put_enum(out, type, bit);
	out_end_array(out);
}

/* A number, character, enum or bitmask. `ret_value`: as a discriminator; may be NULL. */
static int decode_scalar(struct decode *d, const struct type *type, int64_t *ret_value)
{
	unsigned width = type_width(type);
	uint64_t bits;
	char character;
	int64_t value;
	int r = cdr_read(&d->in, width, &bits);

	if (r >= 0 && (type->kind == TYPE_ENUM || type->kind == TYPE_BITMASK))
		r = spend(d, type->n_members * (type->kind == TYPE_ENUM ? 1 : type->bound));
	if (r < 0)
		return r;
	value = sign_extended(bits, width);
	if (type->kind == TYPE_BYTE || type->kind == TYPE_BOOL || type->kind == TYPE_CHAR ||
	    type->kind == TYPE_UINT16 || type->kind == TYPE_UINT32)
		value = (int64_t)bits;
	switch (type->kind) {
	case TYPE_BOOL:
		if (bits > 1)
			return -EBADMSG;
		out_bool(d->out, bits);
		break;
	case TYPE_CHAR:
		character = (char)bits;
		out_text(d->out, &character, 1);
		break;
	case TYPE_FLOAT32:
		put_float(d->out, bits);
		break;
	case TYPE_FLOAT64:
		put_double(d->out, bits);
		break;
	case TYPE_UINT64:
		out_uint(d->out, bits);
		break;
	case TYPE_ENUM:
		put_enum(d->out, type, value);
		break;
	case TYPE_BITMASK:
		put_bitmask(d->out, type, bits);
		break;
	default:
		out_int(d->out, value);
	}
	if (ret_value)
		*ret_value = value;
	return 0;
}

static int decode_string(struct decode *d, const struct type *type)
{
	const uint8_t *bytes = NULL;
	uint64_t length = 0;
	int r = cdr_read(&d->in, 4, &length);
	size_t size = (size_t)length;

	if (r >= 0)
		r = cdr_read_bytes(&d->in, size, &bytes);
	if (r < 0)
		return r;
	/* The zero at the end counts; without any byte it is what some make of an empty one. */
	if (size > 0 && memchr(bytes, 0, size) != bytes + size - 1)
		return -EBADMSG;
	size -= size > 0;
	if (type->bound && size > type->bound)
		return -EBADMSG;
	out_text(d->out, (const char *)bytes, size);
	return 0;
}

static int decode_row(struct decode *d, const struct type *inner, size_t n, enum decode_part part)
{
	const uint8_t *bytes;
	int r = 0;

	if (inner->kind == TYPE_BYTE) {
		r = cdr_read_bytes(&d->in, n, &bytes);
		if (r >= 0)
			out_bytes(d->out, bytes, n);
		return r;
	}
	if (n > DECODE_VALUES)
		return -E2BIG;
	out_begin_array(d->out, n);
	for (size_t i = 0; i < n && r >= 0; i++)
		r = decode_value(d, inner, part);
	out_end_array(d->out);
	return r;
}

static int decode_dimensions(struct decode *d, const struct type *type, size_t dimension, enum decode_part part)
{
	uint32_t n = type->dimensions[dimension];
	int r = 0;

	if (dimension + 1 == type->n_dimensions)
		return decode_row(d, type->inner, n, part);
	if (n > DECODE_VALUES || (d->n_values += n) > DECODE_VALUES)
		return -E2BIG;
	out_begin_array(d->out, n);
	for (uint32_t i = 0; i < n && r >= 0; i++)
		r = decode_dimensions(d, type, dimension + 1, part);
	out_end_array(d->out);
	return r;
}

static int decode_collection(struct decode *d, const struct type *type, enum decode_part part)
{
	size_t outer = d->in.size, end = outer;
	bool delimited = d->in.version == 2 && !type_is_primitive(type->inner);
	uint64_t n = 0;
	int r = delimited ? cdr_read_length(&d->in, &end) : 0;

	if (r < 0)
		return r;
	d->in.size = end;
	if (type->kind == TYPE_SEQUENCE)
		r = cdr_read(&d->in, 4, &n);
	if (r >= 0 && type->kind == TYPE_SEQUENCE && type->bound && n > type->bound)
		r = -EBADMSG;
	if (r >= 0)
		r = type->kind == TYPE_ARRAY ? decode_dimensions(d, type, 0, part)
					     : decode_row(d, type->inner, (size_t)n, part);
	if (r >= 0 && delimited)
		d->in.pos = end;
	d->in.size = outer;
	return r;
}

static int decode_union(struct decode *d, const struct type *type)
{
	size_t outer = d->in.size, end = outer;
	bool delimited = d->in.version == 2 && type->extent != TYPE_FINAL;
	const struct type_member *member;
	int64_t discriminator = 0;
	int r = delimited ? cdr_read_length(&d->in, &end) : 0;

	if (r < 0)
		return r;
	d->in.size = end;
	out_begin_map(d->out);
	out_name(d->out, "$discriminator");
	r = decode_scalar(d, type->inner, &discriminator);
	if (r >= 0)
		r = spend(d, type->n_members + type->n_labels);
	member = type_union_member(type, discriminator);
	if (r >= 0 && member) {
		out_name(d->out, member->name);
		r = decode_value(d, member->type, DECODE_WHOLE);
	}
	out_end_map(d->out);
	if (r >= 0 && delimited)
		d->in.pos = end;
	d->in.size = outer;
	return r;
}

/* Whether this part shows the member: the keys, or all of a struct that is a key without naming any. */
static bool is_shown(const struct type *type, const struct type_member *member, enum decode_part part)
{
	return part == DECODE_WHOLE || !type->has_key || member->key;
}

/* The silent walk over a member: `ret_place` is where its value begins, plus one; 0 where it is absent. */
static int pass_member(struct decode *d, const struct type_member *member, enum decode_part part, size_t *ret_place)
{
	uint64_t present = 1;
	int r = 0;

	if (member->optional && d->in.version == 1)
		return -ENOTSUP;
	if (member->optional)
		r = cdr_read(&d->in, 1, &present);
	if (r < 0 || present > 1)
		return -EBADMSG;
	*ret_place = present ? d->in.pos + 1 : 0;
	return present ? decode_value(d, member->type, part) : 0;
}

/* Bytes of a member in a mutable struct (section 7.4.3.4.2): the length code, or the length that follows. Where the value
 * begins with that length, it is not taken from the stream. */
static int pass_length(struct decode *d, unsigned code, size_t *ret_length)
{
	uint64_t length = 0;
	size_t before;
	int r;

	if (code < 4) {
		*ret_length = (size_t)1 << code;
		return 0;
	}
	r = cdr_read(&d->in, 4, &length);
	if (r < 0)
		return r;
	before = d->in.pos - 4;
	if (code > 4) {
		length *= code == 5 ? 1 : code == 6 ? 4 : 8;
		length += 4;
		d->in.pos = before;
	}
	if (length > d->in.size - d->in.pos)
		return -EBADMSG;
	*ret_length = (size_t)length;
	return 0;
}

static int pass_list(struct decode *d, const struct type *type, size_t *places)
{
	while (d->in.pos < d->in.size) {
		const struct type_member *member;
		size_t length = 0;
		uint64_t header;
		int r = cdr_read(&d->in, 4, &header);

		if (r >= 0)
			r = pass_length(d, header >> 28 & 7, &length);
		if (r < 0 || length > d->in.size - d->in.pos)
			return -EBADMSG;
		member = type_member_of_id(type, header & 0x0fffffff);
		if (member && places[member - type->members])
			return -EBADMSG;
		if (member)
			places[member - type->members] = d->in.pos + 1;
		else if (header >> 31)
			return -EBADMSG; /* must be understood */
		d->in.pos += length;
	}
	return 0;
}

/* Notes where the members begin. */
static int pass_members(struct decode *d, const struct type *type, enum decode_part part, size_t *places)
{
	int r = 0;

	if (type->extent == TYPE_MUTABLE && part != DECODE_BARE)
		return d->in.version == 2 ? pass_list(d, type, places) : -ENOTSUP;
	for (size_t i = 0; i < type->n_members && r >= 0; i++) {
		size_t place = part == DECODE_BARE ? type->by_id[i] : i;
		const struct type_member *member = &type->members[place];

		if (part == DECODE_BARE && !is_shown(type, member, part))
			continue;
		if (type->extent == TYPE_APPENDABLE && part != DECODE_BARE && d->in.version == 2 &&
		    d->in.pos >= d->in.size)
			break; /* the writer's type has fewer */
		r = pass_member(d, member, part == DECODE_BARE ? part : DECODE_WHOLE, &places[place]);
	}
	return r;
}

static int show_members(struct decode *d, const struct type *type, enum decode_part part, const size_t *places)
{
	int r = 0;

	for (size_t i = 0; i < type->n_members && r >= 0; i++) {
		const struct type_member *member = &type->members[i];

		if (!places[i] || !is_shown(type, member, part))
			continue;
		d->in.pos = places[i] - 1;
		out_name(d->out, member->name);
		r = decode_value(d, member->type, part);
	}
	return r;
}

/* What comes in another order than it is shown, or is not all shown: walked over once, then shown. */
static int decode_out_of_order(struct decode *d, const struct type *type, enum decode_part part)
{
	int r = spend(d, type->n_members);
	size_t *places, after = 0;

	if (r < 0)
		return r;
	places = calloc(type->n_members ? type->n_members : 1, sizeof(*places));
	if (!places)
		return -ENOMEM;
	d->out->silent++;
	r = pass_members(d, type, part, places);
	d->out->silent--;
	after = d->in.pos;
	if (r >= 0)
		r = show_members(d, type, part, places);
	d->in.pos = after;
	free(places);
	return r;
}

static int decode_in_order(struct decode *d, const struct type *type)
{
	int r = 0;

	for (size_t i = 0; i < type->n_members && r >= 0; i++) {
		const struct type_member *member = &type->members[i];
		uint64_t present = 1;

		if (type->extent == TYPE_APPENDABLE && d->in.version == 2 && d->in.pos >= d->in.size)
			break; /* the writer's type has fewer */
		if (member->optional && d->in.version == 1)
			return -ENOTSUP;
		if (member->optional)
			r = cdr_read(&d->in, 1, &present);
		if (r < 0 || present > 1)
			return -EBADMSG;
		if (!present)
			continue;
		out_name(d->out, member->name);
		r = decode_value(d, member->type, DECODE_WHOLE);
	}
	return r;
}

static int decode_struct(struct decode *d, const struct type *type, enum decode_part part)
{
	size_t outer = d->in.size, end = outer;
	bool delimited = d->in.version == 2 && type->extent != TYPE_FINAL && part != DECODE_BARE;
	int r = delimited ? cdr_read_length(&d->in, &end) : 0;

	if (r < 0)
		return r;
	d->in.size = end;
	out_begin_map(d->out);
	if (part == DECODE_WHOLE && type->extent != TYPE_MUTABLE)
		r = decode_in_order(d, type);
	else
		r = decode_out_of_order(d, type, part);
	out_end_map(d->out);
	if (r >= 0 && delimited)
		d->in.pos = end;
	d->in.size = outer;
	return r;
}

static int decode_value(struct decode *d, const struct type *type, enum decode_part part)
{
	int r;

	if (++d->n_values > DECODE_VALUES || d->depth >= TYPE_DEPTH_MOST)
		return -E2BIG;
	d->depth++;
	switch (type->kind) {
	case TYPE_STRING:
		r = decode_string(d, type);
		break;
	case TYPE_STRUCT:
		r = decode_struct(d, type, part);
		break;
	case TYPE_UNION:
		r = decode_union(d, type);
		break;
	case TYPE_SEQUENCE:
	case TYPE_ARRAY:
		r = decode_collection(d, type, part);
		break;
	default:
		r = decode_scalar(d, type, NULL);
	}
	d->depth--;
	return r < 0 ? r : d->out->error;
}

int decode(const struct type *type, enum decode_part part, const void *payload, size_t size, struct out *out)
{
	struct decode d = {.out = out};
	int r = cdr_reader_init(&d.in, payload, size);

	return r < 0 ? r : decode_value(&d, type, part);
}
