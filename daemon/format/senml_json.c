/* SPDX-License-Identifier: Apache-2.0 */

/* RFC 8428 section 5. */

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "format/json_text.h"
#include "format/senml.h"

/* Whole numbers up to here are told from their doubles. */
#define EXACT_MAX 9007199254740992.0

enum { LISTS_SPARE = 64 };

static void unref(json_t **json)
{
	json_decref(*json);
}

/* What a parser says of its input may quote it; only the place and, of a label that stands there twice, its name go on. */
static int explain(struct senml_pack *pack, struct tg_bytes payload, const json_error_t *error)
{
	size_t place = error->position > 0 ? (size_t)error->position : 0;
	struct json_text_count before =
		json_text_count(bytes_of(payload.data, place < payload.size ? place : payload.size));
	const char *near = strstr(error->text, "near '\"");
	char what[48];

	if (json_error_code(error) == json_error_duplicate_key && near)
		return senml_complain_at(pack, before.objects, bytes_of(near + 7, strcspn(near + 7, "\"")),
					 "stands there twice");
	if (json_error_code(error) == json_error_numeric_overflow)
		return senml_complain_at(pack, before.objects, bytes_text(NULL), "has a number out of range");
	if (json_error_code(error) == json_error_invalid_utf8)
		return senml_complain_at(pack, before.objects, bytes_text(NULL), "is not UTF-8");
	snprintf(what, sizeof(what), "is not JSON (line %d, column %d)", error->line, error->column);
	return senml_complain_at(pack, before.objects, bytes_text(NULL), what);
}

/* Where a whole number does not fit into 64 bits all of them are read as doubles. */
static int parse(struct senml_pack *pack, struct tg_bytes payload, bool *ret_all_real, json_t **ret_root)
{
	const size_t flags = JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL;
	struct json_text_count count = json_text_count(payload);
	json_error_t error;

	if (count.objects > pack->records_max)
		return senml_complain_many(pack);
	if (count.lists > LISTS_SPARE)
		return senml_complain_at(pack, 0, bytes_text(NULL), "is full of lists");
	*ret_all_real = false;
	*ret_root = json_loadb(payload.size ? payload.data : "", payload.size, flags, &error);
	if (!*ret_root && json_error_code(&error) == json_error_numeric_overflow) {
		*ret_all_real = true;
		*ret_root = json_loadb(payload.data, payload.size, flags | JSON_DECODE_INT_AS_REAL, &error);
	}
	if (!*ret_root)
		return json_error_code(&error) == json_error_out_of_memory ? -ENOMEM : explain(pack, payload, &error);
	return 0;
}

static int read_data(struct senml_pack *pack, const struct senml_field *field, struct tg_bytes text,
		     struct senml_value *ret_value)
{
	uint8_t *to = pack->bytes + pack->bytes_used;
	ptrdiff_t size = base64_decode_url(text, to);

	if (size < 0)
		return senml_complain(pack, field, "is not base64url without padding");
	pack->bytes_used += (size_t)size;
	*ret_value = (struct senml_value){.type = SENML_DATA, .bytes = bytes_of(to, (size_t)size)};
	return 0;
}

static int read_value(struct senml_pack *pack, const struct senml_field *field, const json_t *json, bool all_real,
		      struct senml_value *ret_value)
{
	struct tg_bytes text;
	double real;

	switch (json_typeof(json)) {
	case JSON_INTEGER:
		*ret_value = (struct senml_value){.type = SENML_WHOLE, .whole = json_integer_value(json)};
		return 0;
	case JSON_REAL:
		real = json_real_value(json);
		if (all_real && fabs(real) <= EXACT_MAX && floor(real) == real)
			*ret_value = (struct senml_value){.type = SENML_WHOLE, .whole = (int64_t)real};
		else
			*ret_value = (struct senml_value){.type = SENML_REAL, .real = real};
		return 0;
	case JSON_TRUE:
	case JSON_FALSE:
		*ret_value = (struct senml_value){.type = SENML_BOOL, .yes = json_is_true(json)};
		return 0;
	case JSON_STRING:
		text = bytes_of(json_string_value(json), json_string_length(json));
		if (field->label == SENML_VD)
			return read_data(pack, field, text, ret_value);
		*ret_value = (struct senml_value){.type = SENML_TEXT, .bytes = senml_copy(pack, text)};
		return 0;
	default:
		return senml_complain(pack, field, "has no value that SenML knows");
	}
}

static int read_record(struct senml_pack *pack, json_t *object, bool all_real)
{
	const char *key;
	json_t *value;
	int r = senml_begin(pack);

	if (r >= 0 && !json_is_object(object))
		return senml_complain(pack, NULL, "is not an object");
	json_object_foreach(object, key, value)
	{
		struct senml_field field = {.label = senml_label(bytes_text(key))};

		if (r >= 0 && field.label == SENML_OTHER)
			field.name = senml_copy(pack, bytes_text(key));
		if (r >= 0)
			r = read_value(pack, &field, value, all_real, &field.value);
		if (r >= 0)
			r = senml_add(pack, &field);
		if (r < 0)
			break;
	}
	return r;
}

int senml_read_json(struct senml_pack *pack, struct tg_bytes payload)
{
	CLEANUP(unref) json_t *root = NULL;
	bool all_real;
	int r = senml_room(pack, payload.size);

	if (r >= 0)
		r = parse(pack, payload, &all_real, &root);
	if (r >= 0 && !json_is_array(root))
		return senml_complain(pack, NULL, "is not a list");
	for (size_t i = 0; r >= 0 && i < json_array_size(root); i++)
		r = read_record(pack, json_array_get(root, i), all_real);
	return r < 0 ? r : senml_check(pack);
}

static int write_data(struct buffer *buffer, struct tg_bytes bytes)
{
	size_t size = base64_size(BASE64_URL, bytes.size);
	char *room = (char *)buffer_reserve(buffer, size + 2);

	if (!room)
		return -ENOBUFS;
	room[0] = room[size + 1] = '"';
	base64_encode(BASE64_URL, bytes, room + 1);
	buffer_commit(buffer, size + 2);
	return 0;
}

static int write_value(const struct senml_value *value, struct buffer *buffer)
{
	switch (value->type) {
	case SENML_WHOLE:
		return json_text_whole(buffer, value->whole);
	case SENML_REAL:
		return json_text_real(buffer, value->real);
	case SENML_TEXT:
		return json_text_string(buffer, value->bytes);
	case SENML_DATA:
		return write_data(buffer, value->bytes);
	case SENML_BOOL:
		return json_text_raw(buffer, value->yes ? "true" : "false");
	}
	return -EINVAL;
}

static int write_record(const struct senml_pack *pack, const struct senml_record *record, struct buffer *buffer)
{
	int r = json_text_raw(buffer, "{");

	for (size_t i = 0; i < record->count && r >= 0; i++) {
		const struct senml_field *field = &pack->fields[record->first + i];
		struct tg_bytes label =
			field->label == SENML_OTHER ? field->name : bytes_text(senml_rows[field->label].text);

		if (i > 0)
			r = json_text_raw(buffer, ",");
		if (r >= 0)
			r = json_text_string(buffer, label);
		if (r >= 0)
			r = json_text_raw(buffer, ":");
		if (r >= 0)
			r = write_value(&field->value, buffer);
	}
	return r < 0 ? r : json_text_raw(buffer, "}");
}

int senml_write_json(const struct senml_pack *pack, size_t first, size_t count, struct buffer *buffer)
{
	int r = json_text_raw(buffer, "[");

	for (size_t at = 0; at < count && r >= 0; at++) {
		if (at > 0)
			r = json_text_raw(buffer, ",");
		if (r >= 0)
			r = write_record(pack, &pack->records[first + at], buffer);
	}
	return r < 0 ? r : json_text_raw(buffer, "]");
}
