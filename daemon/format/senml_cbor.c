/* SPDX-License-Identifier: Apache-2.0 */

/* RFC 8428 section 6. What is read may be of indefinite length, its numbers of any kind; what is written is neither. */

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "format/cbor_item.h"
#include "format/senml.h"

/* RFC 8949 section 3.4. */
enum { TAG_BIGNUM = 2, TAG_NEGATIVE_BIGNUM = 3, TAG_DECIMAL = 4, TAG_SELF_DESCRIBED = 55799 };

static const char cut_off[] = "is cut off", not_cbor[] = "is not CBOR", not_a_value[] = "has no value that SenML knows",
		  too_large[] = "is a number out of range";

struct input {
	struct senml_pack *pack;
	struct tg_bytes rest;
	bool inside;               /* a record */
	struct senml_field *field; /* that is being read, or NULL */
};

static int fail(struct input *input, const char *what)
{
	if (input->inside)
		return senml_complain(input->pack, input->field, what);
	return senml_complain_at(input->pack, 0, bytes_text(NULL), what);
}

static int next(struct input *input, struct cbor_item *ret_item)
{
	int r = cbor_item_next(&input->rest, ret_item);

	return r < 0 ? fail(input, r == -ENODATA ? cut_off : not_cbor) : 0;
}

/* Well-formed, NUL included. */
static bool is_text(struct tg_bytes bytes)
{
	const char *data = bytes.data;
	size_t start = 0;

	for (size_t at = 0; at <= bytes.size; at++) {
		if (at < bytes.size && data[at])
			continue;
		if (!bytes_is_utf8(bytes_of(data + start, at - start)))
			return false;
		start = at + 1;
	}
	return true;
}

/* The bytes of a string, its pieces put together. They are never more than the input has. */
static int read_string(struct input *input, const struct cbor_item *head, struct tg_bytes *ret_bytes)
{
	enum cbor_item_type piece = head->type == CBOR_ITEM_OPEN_TEXT ? CBOR_ITEM_TEXT : CBOR_ITEM_BYTES;
	struct tg_bytes whole = {input->pack->bytes + input->pack->bytes_used, 0};
	struct cbor_item item;
	int r;

	if (head->type == CBOR_ITEM_TEXT || head->type == CBOR_ITEM_BYTES) {
		whole = senml_copy(input->pack, head->bytes);
	} else {
		while ((r = next(input, &item)) >= 0 && item.type != CBOR_ITEM_BREAK) {
			if (item.type != piece)
				return fail(input, not_cbor);
			whole.size += senml_copy(input->pack, item.bytes).size;
		}
		if (r < 0)
			return r;
	}
	if (piece == CBOR_ITEM_TEXT || head->type == CBOR_ITEM_TEXT) {
		if (!is_text(whole))
			return fail(input, "is not UTF-8");
	}
	*ret_bytes = whole;
	return 0;
}

static int set_real(struct input *input, double real, struct senml_value *ret_value)
{
	if (!isfinite(real))
		return fail(input, isnan(real) ? "is not a number (NaN)" : too_large);
	*ret_value = (struct senml_value){.type = SENML_REAL, .real = real};
	return 0;
}

/* -1 - number where negative; a double beyond 64 bits with a sign. */
static int set_whole(struct input *input, bool negative, uint64_t number, struct senml_value *ret_value)
{
	if (number > INT64_MAX)
		return set_real(input, negative ? -1 - (double)number : (double)number, ret_value);
	*ret_value = (struct senml_value){.type = SENML_WHOLE, .whole = (int64_t)number};
	if (negative)
		ret_value->whole = -1 - ret_value->whole;
	return 0;
}

/* The nearest double of a number of more than 64 bits, by way of its digits. */
static int read_bignum(struct input *input, bool negative, struct senml_value *ret_value)
{
	char digits[2 + 2 * 128 + 1] = "0x";
	struct cbor_item item;
	const uint8_t *data;
	uint64_t number = 0;
	int r = next(input, &item);

	if (r < 0)
		return r;
	if (item.type != CBOR_ITEM_BYTES)
		return fail(input, not_a_value);
	data = item.bytes.data;
	while (item.bytes.size > 0 && *data == 0) {
		data++;
		item.bytes.size--;
	}
	if (item.bytes.size > 128)
		return fail(input, too_large);
	for (size_t i = 0; i < item.bytes.size; i++) {
		number = number << 8 | data[i];
		snprintf(digits + 2 + 2 * i, 3, "%02x", data[i]);
	}
	if (item.bytes.size <= 8)
		return set_whole(input, negative, number, ret_value);
	return set_real(input, negative ? -1 - strtod(digits, NULL) : strtod(digits, NULL), ret_value);
}

/* Two whole numbers, exponent and mantissa: RFC 8949 section 3.4.4. */
static int read_decimal(struct input *input, struct senml_value *ret_value)
{
	struct cbor_item array, exponent, mantissa;
	char digits[64];
	int r = next(input, &array);

	if (r >= 0 && (array.type != CBOR_ITEM_ARRAY || array.number != 2))
		return fail(input, not_a_value);
	if (r >= 0)
		r = next(input, &exponent);
	if (r >= 0)
		r = next(input, &mantissa);
	if (r < 0)
		return r;
	if (exponent.type > CBOR_ITEM_NEGATIVE || mantissa.type > CBOR_ITEM_NEGATIVE)
		return fail(input, not_a_value);
	if (exponent.number > 9999 || mantissa.number == UINT64_MAX)
		return fail(input, too_large);
	snprintf(digits, sizeof(digits), "%s%" PRIu64 "e%s%" PRIu64, mantissa.type == CBOR_ITEM_NEGATIVE ? "-" : "",
		 mantissa.number + (mantissa.type == CBOR_ITEM_NEGATIVE),
		 exponent.type == CBOR_ITEM_NEGATIVE ? "-" : "",
		 exponent.number + (exponent.type == CBOR_ITEM_NEGATIVE));
	return set_real(input, strtod(digits, NULL), ret_value);
}

static int read_tagged(struct input *input, uint64_t tag, struct senml_value *ret_value)
{
	if (tag == TAG_DECIMAL)
		return read_decimal(input, ret_value);
	if (tag == TAG_BIGNUM || tag == TAG_NEGATIVE_BIGNUM)
		return read_bignum(input, tag == TAG_NEGATIVE_BIGNUM, ret_value);
	return fail(input, not_a_value);
}

static int read_value(struct input *input, struct senml_value *ret_value)
{
	struct cbor_item item;
	int r = next(input, &item);

	if (r < 0)
		return r;
	switch (item.type) {
	case CBOR_ITEM_UNSIGNED:
	case CBOR_ITEM_NEGATIVE:
		return set_whole(input, item.type == CBOR_ITEM_NEGATIVE, item.number, ret_value);
	case CBOR_ITEM_FLOAT:
		return set_real(input, item.real, ret_value);
	case CBOR_ITEM_BOOL:
		*ret_value = (struct senml_value){.type = SENML_BOOL, .yes = item.yes};
		return 0;
	case CBOR_ITEM_TEXT:
	case CBOR_ITEM_OPEN_TEXT:
		ret_value->type = SENML_TEXT;
		return read_string(input, &item, &ret_value->bytes);
	case CBOR_ITEM_BYTES:
	case CBOR_ITEM_OPEN_BYTES:
		ret_value->type = SENML_DATA;
		return read_string(input, &item, &ret_value->bytes);
	case CBOR_ITEM_TAG:
		return read_tagged(input, item.number, ret_value);
	default:
		return fail(input, not_a_value);
	}
}

/* Labels of table 4 are numbers in CBOR, and no others are. */
static int read_label(struct input *input, const struct cbor_item *item, struct senml_field *ret_field)
{
	int64_t number = item->type == CBOR_ITEM_NEGATIVE ? -1 - (int64_t)(item->number & 63) : (int64_t)item->number;
	int r;

	*ret_field = (struct senml_field){.label = SENML_OTHER};
	if (item->type == CBOR_ITEM_UNSIGNED || item->type == CBOR_ITEM_NEGATIVE) {
		for (int label = 0; label < SENML_LABELS && item->number < 64; label++) {
			if (senml_rows[label].number == number)
				ret_field->label = (enum senml_label)label;
		}
		return ret_field->label < SENML_LABELS ? 0 : fail(input, "has a label that is not known here");
	}
	if (item->type != CBOR_ITEM_TEXT && item->type != CBOR_ITEM_OPEN_TEXT)
		return fail(input, "has a label that is neither a number nor a text");
	r = read_string(input, item, &ret_field->name);
	if (r < 0)
		return r;
	input->field = ret_field;
	if (senml_label(ret_field->name) != SENML_OTHER)
		return fail(input, "is a number in CBOR");
	return memchr(ret_field->name.data, 0, ret_field->name.size) ? fail(input, "has a NUL in it") : 0;
}

static int read_record(struct input *input, const struct cbor_item *map)
{
	bool open = map->type == CBOR_ITEM_OPEN_MAP;
	struct senml_field field;
	struct cbor_item item;
	int r = senml_begin(input->pack);

	input->inside = true;
	if (r >= 0 && map->type != CBOR_ITEM_MAP && !open)
		return fail(input, "is not a map");
	for (uint64_t i = 0; r >= 0 && (open || i < map->number); i++) {
		r = next(input, &item);
		if (r >= 0 && open && item.type == CBOR_ITEM_BREAK)
			break;
		if (r >= 0)
			r = read_label(input, &item, &field);
		input->field = &field;
		if (r >= 0)
			r = read_value(input, &field.value);
		if (r >= 0)
			r = senml_add(input->pack, &field);
		input->field = NULL;
	}
	input->inside = false;
	return r;
}

int senml_read_cbor(struct senml_pack *pack, struct tg_bytes payload)
{
	struct input input = {.pack = pack, .rest = payload};
	struct cbor_item array, item;
	int r = senml_room(pack, payload.size);

	if (r >= 0)
		r = next(&input, &array);
	if (r >= 0 && array.type == CBOR_ITEM_TAG && array.number == TAG_SELF_DESCRIBED)
		r = next(&input, &array);
	if (r >= 0 && array.type != CBOR_ITEM_ARRAY && array.type != CBOR_ITEM_OPEN_ARRAY)
		return fail(&input, "is not an array");
	for (uint64_t i = 0; r >= 0 && (array.type == CBOR_ITEM_OPEN_ARRAY || i < array.number); i++) {
		r = next(&input, &item);
		if (r >= 0 && array.type == CBOR_ITEM_OPEN_ARRAY && item.type == CBOR_ITEM_BREAK)
			break;
		if (r >= 0)
			r = read_record(&input, &item);
	}
	if (r >= 0 && input.rest.size > 0)
		return fail(&input, "has something behind its end");
	return r < 0 ? r : senml_check(pack);
}

static int write_label(const struct senml_field *field, struct buffer *buffer)
{
	int number = field->label < SENML_LABELS ? senml_rows[field->label].number : 0;
	struct cbor_item item = {.type = CBOR_ITEM_TEXT, .bytes = field->name};

	if (field->label < SENML_LABELS && number < 0)
		item = (struct cbor_item){.type = CBOR_ITEM_NEGATIVE, .number = (uint64_t)(-1 - number)};
	else if (field->label < SENML_LABELS)
		item = (struct cbor_item){.type = CBOR_ITEM_UNSIGNED, .number = (uint64_t)number};
	return cbor_item_append(buffer, &item);
}

static int write_value(const struct senml_value *value, struct buffer *buffer)
{
	struct cbor_item item = {.type = CBOR_ITEM_BOOL};

	if (value->type == SENML_WHOLE && value->whole < 0)
		item = (struct cbor_item){.type = CBOR_ITEM_NEGATIVE, .number = (uint64_t)(-1 - value->whole)};
	else if (value->type == SENML_WHOLE)
		item = (struct cbor_item){.type = CBOR_ITEM_UNSIGNED, .number = (uint64_t)value->whole};
	else if (value->type == SENML_REAL)
		item = (struct cbor_item){.type = CBOR_ITEM_FLOAT, .real = value->real};
	else if (value->type == SENML_BOOL)
		item.yes = value->yes;
	else
		item = (struct cbor_item){.type = value->type == SENML_TEXT ? CBOR_ITEM_TEXT : CBOR_ITEM_BYTES,
					  .bytes = value->bytes};
	return cbor_item_append(buffer, &item);
}

int senml_write_cbor(const struct senml_pack *pack, size_t first, size_t count, struct buffer *buffer)
{
	int r = cbor_item_append(buffer, &(struct cbor_item){.type = CBOR_ITEM_ARRAY, .number = count});

	for (size_t at = first; at < first + count && r >= 0; at++) {
		const struct senml_record *record = &pack->records[at];

		r = cbor_item_append(buffer, &(struct cbor_item){.type = CBOR_ITEM_MAP, .number = record->count});
		for (size_t i = 0; i < record->count && r >= 0; i++) {
			const struct senml_field *field = &pack->fields[record->first + i];

			r = write_label(field, buffer);
			if (r >= 0)
				r = write_value(&field->value, buffer);
		}
	}
	return r;
}
