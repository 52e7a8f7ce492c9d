/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>

#include "encode_private.h"

/* A whole number as JSON number or as a string of digits. */
static int take_digits(struct encode *e, const json_t *value, bool *ret_negative, uint64_t *ret_magnitude)
{
	const char *text = json_string_value(value);
	json_int_t number = json_integer_value(value);
	char *end = NULL;
	bool negative;

	if (json_is_integer(value)) {
		*ret_negative = number < 0;
		*ret_magnitude = number < 0 ? (uint64_t) - (number + 1) + 1 : (uint64_t)number;
		return 0;
	}
	if (!text)
		return encode_refuse(e, "must be a whole number");
	negative = text[0] == '-';
	text += negative;
	if (text[0] < '0' || text[0] > '9')
		return encode_refuse(e, "must be a whole number");
	errno = 0;
	*ret_magnitude = strtoull(text, &end, 10);
	if (errno || *end)
		return encode_refuse(e, "must be a whole number of at most 64 bits");
	*ret_negative = negative && *ret_magnitude;
	return 0;
}

static int encode_integer(struct encode *e, const struct type *type, const json_t *value, int64_t *ret_value)
{
	bool is_signed = type->kind >= TYPE_INT16 && type->kind <= TYPE_INT64;
	unsigned width = type_width(type);
	uint64_t most = is_signed ? UINT64_MAX >> (65 - 8 * width) : UINT64_MAX >> (64 - 8 * width);
	uint64_t least = is_signed ? most + 1 : 0; /* its magnitude */
	bool negative = false;
	uint64_t magnitude = 0;
	int r = take_digits(e, value, &negative, &magnitude);

	if (r < 0)
		return r;
	if (magnitude > (negative ? least : most))
		return encode_refuse(e, "must be from %s%" PRIu64 " to %" PRIu64, least ? "-" : "", least, most);
	*ret_value = (int64_t)(negative ? 0 - magnitude : magnitude);
	return cdr_write(e->writer, width, (uint64_t)*ret_value);
}

static int take_real(struct encode *e, const json_t *value, double *ret_value)
{
	const char *text = json_string_value(value);

	if (json_is_number(value))
		*ret_value = json_number_value(value);
	else if (text && strcmp(text, "NaN") == 0)
		*ret_value = (double)NAN;
	else if (text && strcmp(text, "Infinity") == 0)
		*ret_value = (double)INFINITY;
	else if (text && strcmp(text, "-Infinity") == 0)
		*ret_value = -(double)INFINITY;
	else
		return encode_refuse(e, "must be a number");
	return 0;
}

static int encode_real(struct encode *e, const struct type *type, const json_t *value)
{
	double real = 0;
	float narrow;
	uint32_t bits32;
	uint64_t bits;
	int r = take_real(e, value, &real);

	if (r < 0)
		return r;
	if (type->kind == TYPE_FLOAT32) {
		if (isfinite(real) && fabs(real) > (double)FLT_MAX)
			return encode_refuse(e, "is too large for a float");
		narrow = (float)real;
		memcpy(&bits32, &narrow, sizeof(bits32));
		return cdr_write(e->writer, 4, bits32);
	}
	memcpy(&bits, &real, sizeof(bits));
	return cdr_write(e->writer, 8, bits);
}

/* A literal or flag by its name, or by its number. */
static int take_literal(struct encode *e, const struct type *type, const json_t *value, int64_t *ret_value)
{
	const struct type_member *literal;

	if (encode_spend(e, type->n_members) < 0)
		return -E2BIG;
	if (json_is_string(value)) {
		literal = type_member(type, json_string_value(value));
		if (!literal)
			return encode_refuse(e, "'%.60s' is none of %.60s", json_string_value(value), type->name);
	} else if (json_is_integer(value)) {
		literal = type_literal(type, json_integer_value(value));
		if (!literal)
			return encode_refuse(e, "%" JSON_INTEGER_FORMAT " is none of %.60s", json_integer_value(value),
					     type->name);
	} else {
		return encode_refuse(e, "must be a name of %.60s", type->name);
	}
	*ret_value = literal->value;
	return 0;
}

static int encode_enum(struct encode *e, const struct type *type, const json_t *value, int64_t *ret_value)
{
	int r = take_literal(e, type, value, ret_value);

	return r < 0 ? r : cdr_write(e->writer, type_width(type), (uint64_t)*ret_value);
}

static int encode_bitmask(struct encode *e, const struct type *type, const json_t *value)
{
	uint64_t bits = 0, known = 0;
	bool negative = false;
	size_t i;
	const json_t *flag;
	int r = 0;

	for (i = 0; i < type->n_members; i++)
		known |= 1ull << (type->members[i].value & 63);
	if (!json_is_array(value)) {
		r = take_digits(e, value, &negative, &bits);
		if (r >= 0 && (negative || bits & ~known))
			r = encode_refuse(e, "has bits that %.60s does not have", type->name);
		return r < 0 ? r : cdr_write(e->writer, type_width(type), bits);
	}
	json_array_foreach(value, i, flag)
	{
		int64_t position = 0;

		r = take_literal(e, type, flag, &position);
		if (r < 0)
			return r;
		bits |= 1ull << (position & 63);
	}
	return cdr_write(e->writer, type_width(type), bits);
}

/* One character: below U+0100, since a char has eight bits. */
static int encode_char(struct encode *e, const json_t *value, int64_t *ret_value)
{
	const unsigned char *text = (const unsigned char *)json_string_value(value);
	size_t n = json_string_length(value);
	unsigned c;

	if (!text)
		return encode_refuse(e, "must be a string of one character");
	if (n == 1)
		c = text[0];
	else if (n == 2 && (text[0] & 0xfe) == 0xc2)
		c = (text[0] & 3u) << 6 | (text[1] & 0x3fu);
	else
		return encode_refuse(e, "must be one character below U+0100");
	*ret_value = (int64_t)c;
	return cdr_write(e->writer, 1, c);
}

int encode_scalar(struct encode *e, const struct type *type, const json_t *value, int64_t *ret_value)
{
	int64_t ignored, *number = ret_value ? ret_value : &ignored;

	switch (type->kind) {
	case TYPE_BOOL:
		if (!json_is_boolean(value))
			return encode_refuse(e, "must be true or false");
		*number = json_is_true(value);
		return cdr_write(e->writer, 1, (uint64_t)*number);
	case TYPE_CHAR:
		return encode_char(e, value, number);
	case TYPE_FLOAT32:
	case TYPE_FLOAT64:
		return encode_real(e, type, value);
	case TYPE_ENUM:
		return encode_enum(e, type, value, number);
	case TYPE_BITMASK:
		return encode_bitmask(e, type, value);
	default:
		return encode_integer(e, type, value, number);
	}
}

int encode_string(struct encode *e, const struct type *type, const json_t *value)
{
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);
	int r;

	if (!text)
		return encode_refuse(e, "must be a string");
	if (memchr(text, 0, n))
		return encode_refuse(e, "must have no zero character");
	if (type->bound && n > type->bound)
		return encode_refuse(e, "must have at most %" PRIu32 " bytes", type->bound);
	r = cdr_write(e->writer, 4, n + 1);
	return r < 0 ? r : cdr_write_bytes(e->writer, text, n + 1);
}

static int take_octets(struct encode *e, const json_t *value, uint8_t *bytes)
{
	size_t i;
	const json_t *octet;

	json_array_foreach(value, i, octet)
	{
		json_int_t number = json_is_integer(octet) ? json_integer_value(octet) : -1;

		if (number < 0 || number > 255)
			return encode_refuse(e, "must be numbers from 0 to 255");
		bytes[i] = (uint8_t)number;
	}
	return 0;
}

static int take_base64(struct encode *e, const json_t *value, uint8_t *bytes, size_t *ret_n)
{
	const char *text = json_string_value(value);
	size_t n = json_string_length(value);
	int written = n % 4 || n > INT32_MAX ? -1 : EVP_DecodeBlock(bytes, (const unsigned char *)text, (int)n);

	/* The library passes over white space at the ends. */
	if (written < 0 || (size_t)written != n / 4 * 3)
		return encode_refuse(e, "must be base64");
	*ret_n = (size_t)written - (n && text[n - 1] == '=') - (n > 1 && text[n - 2] == '=');
	return 0;
}

int encode_octets(struct encode *e, const json_t *value, bool sequence, size_t n_least, size_t n_most)
{
	size_t n = json_is_array(value) ? json_array_size(value) : json_string_length(value);
	uint8_t *bytes;
	int r;

	if (!json_is_array(value) && !json_is_string(value))
		return encode_refuse(e, "must be base64 or an array of numbers");
	bytes = malloc(n + 4);
	if (!bytes)
		return -ENOMEM;
	r = json_is_array(value) ? take_octets(e, value, bytes) : take_base64(e, value, bytes, &n);
	if (r >= 0 && (n < n_least || n > n_most))
		r = encode_refuse(e, "has %zu octets, not %zu to %zu", n, n_least, n_most);
	if (r >= 0 && sequence)
		r = cdr_write(e->writer, 4, n);
	if (r >= 0)
		r = cdr_write_bytes(e->writer, bytes, n);
	free(bytes);
	return r;
}
