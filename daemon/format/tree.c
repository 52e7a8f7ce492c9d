/* SPDX-License-Identifier: Apache-2.0 */
#include "format/tree.h"

#include <errno.h>
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/base64.h"
#include "base/bytes.h"
#include "format/cbor_item.h"

/* RFC 8949 section 3.4.6. */
enum { TAG_SELF_DESCRIBED = 55799 };

struct reader {
	struct tg_bytes rest;
	enum tree_manner manner;
	size_t items;
	unsigned depth;
};

static void unref(json_t **json)
{
	json_decref(*json);
}

static int read_item(struct reader *reader, const struct cbor_item *item, json_t **ret_json);

static int next(struct reader *reader, struct cbor_item *ret_item)
{
	if (++reader->items > TREE_ITEMS_MAX)
		return -E2BIG;
	return cbor_item_next(&reader->rest, ret_item) < 0 ? -EBADMSG : 0;
}

/* Hands over what was made, which is NULL where memory is out. */
static int give(json_t *json, json_t **ret_json)
{
	if (!json)
		return -ENOMEM;
	*ret_json = json;
	return 0;
}

static int give_text(struct tg_bytes text, json_t **ret_json)
{
	json_t *json = json_stringn(text.size ? text.data : "", text.size);

	if (!json)
		return -EBADMSG; /* not UTF-8 */
	*ret_json = json;
	return 0;
}

static int read_whole(const struct reader *reader, const struct cbor_item *item, json_t **ret_json)
{
	bool negative = item->type == CBOR_ITEM_NEGATIVE;
	char digits[32];

	if (item->number <= INT64_MAX)
		return give(json_integer(negative ? -1 - (int64_t)item->number : (int64_t)item->number), ret_json);
	if (reader->manner == TREE_EXACT)
		return -EBADMSG;
	if (negative && item->number == UINT64_MAX)
		return give(json_string("-18446744073709551616"), ret_json);
	snprintf(digits, sizeof(digits), "%s%" PRIu64, negative ? "-" : "", item->number + negative);
	return give(json_string(digits), ret_json);
}

static int read_real(const struct reader *reader, double real, json_t **ret_json)
{
	if (isfinite(real))
		return give(json_real(real), ret_json);
	if (reader->manner == TREE_EXACT)
		return -EBADMSG;
	return give(json_string(isnan(real) ? "NaN" : real > 0 ? "Infinity" : "-Infinity"), ret_json);
}

static int read_bytes(const struct reader *reader, struct tg_bytes bytes, json_t **ret_json)
{
	size_t size = base64_size(BASE64_PLAIN, bytes.size);
	char *text;

	if (reader->manner == TREE_EXACT)
		return -EBADMSG;
	text = malloc(size + 1);
	if (!text)
		return -ENOMEM;
	base64_encode(BASE64_PLAIN, bytes, text);
	*ret_json = json_stringn_nocheck(text, size);
	free(text);
	return *ret_json ? 0 : -ENOMEM;
}

/* A string of no length: its pieces put together are never more than the input has. */
static int read_pieces(struct reader *reader, enum cbor_item_type type, json_t **ret_json)
{
	struct cbor_item piece;
	struct buffer whole;
	int r;

	buffer_init(&whole, reader->rest.size + 1);
	while ((r = next(reader, &piece)) >= 0 && piece.type != CBOR_ITEM_BREAK) {
		r = piece.type == type ? buffer_append(&whole, piece.bytes.data, piece.bytes.size) : -EBADMSG;
		if (r < 0)
			break;
	}
	if (r >= 0 && type == CBOR_ITEM_TEXT)
		r = give_text(bytes_of_buffer(&whole), ret_json);
	else if (r >= 0)
		r = read_bytes(reader, bytes_of_buffer(&whole), ret_json);
	buffer_done(&whole);
	return r;
}

static int read_array(struct reader *reader, const struct cbor_item *head, json_t **ret_json)
{
	bool open = head->type == CBOR_ITEM_OPEN_ARRAY;
	CLEANUP(unref) json_t *array = json_array();
	struct cbor_item item;
	int r = array ? 0 : -ENOMEM;

	for (uint64_t i = 0; r >= 0 && (open || i < head->number); i++) {
		json_t *value = NULL;

		r = next(reader, &item);
		if (r >= 0 && open && item.type == CBOR_ITEM_BREAK)
			break;
		if (r >= 0)
			r = read_item(reader, &item, &value);
		if (r >= 0 && json_array_append_new(array, value) < 0)
			r = -ENOMEM;
	}
	return r < 0 ? r : give(json_incref(array), ret_json);
}

static int read_key(struct reader *reader, const struct cbor_item *item, const json_t *map, json_t **ret_key)
{
	int r = item->type == CBOR_ITEM_TEXT || item->type == CBOR_ITEM_OPEN_TEXT ? read_item(reader, item, ret_key)
										  : -EBADMSG;

	if (r < 0)
		return r;
	if (strlen(json_string_value(*ret_key)) == json_string_length(*ret_key) &&
	    !json_object_get(map, json_string_value(*ret_key)))
		return 0;
	json_decref(*ret_key);
	*ret_key = NULL;
	return -EBADMSG;
}

static int read_pair(struct reader *reader, const struct cbor_item *head, json_t *map)
{
	CLEANUP(unref) json_t *key = NULL;
	struct cbor_item item;
	json_t *value = NULL;
	int r = read_key(reader, head, map, &key);

	if (r >= 0)
		r = next(reader, &item);
	if (r >= 0)
		r = read_item(reader, &item, &value);
	if (r >= 0 && json_object_set_new(map, json_string_value(key), value) < 0)
		r = -ENOMEM;
	return r;
}

static int read_map(struct reader *reader, const struct cbor_item *head, json_t **ret_json)
{
	bool open = head->type == CBOR_ITEM_OPEN_MAP;
	CLEANUP(unref) json_t *map = json_object();
	struct cbor_item item;
	int r = map ? 0 : -ENOMEM;

	for (uint64_t i = 0; r >= 0 && (open || i < head->number); i++) {
		r = next(reader, &item);
		if (r >= 0 && open && item.type == CBOR_ITEM_BREAK)
			break;
		if (r >= 0)
			r = read_pair(reader, &item, map);
	}
	return r < 0 ? r : give(json_incref(map), ret_json);
}

static int read_any(struct reader *reader, const struct cbor_item *item, json_t **ret_json)
{
	switch (item->type) {
	case CBOR_ITEM_UNSIGNED:
	case CBOR_ITEM_NEGATIVE:
		return read_whole(reader, item, ret_json);
	case CBOR_ITEM_FLOAT:
		return read_real(reader, item->real, ret_json);
	case CBOR_ITEM_BOOL:
		return give(json_boolean(item->yes), ret_json);
	case CBOR_ITEM_NULL:
		return give(json_null(), ret_json);
	case CBOR_ITEM_TEXT:
		return give_text(item->bytes, ret_json);
	case CBOR_ITEM_BYTES:
		return read_bytes(reader, item->bytes, ret_json);
	case CBOR_ITEM_OPEN_TEXT:
		return read_pieces(reader, CBOR_ITEM_TEXT, ret_json);
	case CBOR_ITEM_OPEN_BYTES:
		return read_pieces(reader, CBOR_ITEM_BYTES, ret_json);
	case CBOR_ITEM_ARRAY:
	case CBOR_ITEM_OPEN_ARRAY:
		return read_array(reader, item, ret_json);
	case CBOR_ITEM_MAP:
	case CBOR_ITEM_OPEN_MAP:
		return read_map(reader, item, ret_json);
	default:
		return -EBADMSG; /* tags, undefined, a break without a beginning */
	}
}

static int read_item(struct reader *reader, const struct cbor_item *item, json_t **ret_json)
{
	int r;

	if (reader->depth >= TREE_DEPTH_MAX)
		return -E2BIG;
	reader->depth++;
	r = read_any(reader, item, ret_json);
	reader->depth--;
	return r;
}

int tree_of_cbor(struct tg_bytes cbor, enum tree_manner manner, json_t **ret_root)
{
	struct reader reader = {.rest = cbor, .manner = manner};
	CLEANUP(unref) json_t *root = NULL;
	struct cbor_item item;
	int r = next(&reader, &item);

	if (r >= 0 && item.type == CBOR_ITEM_TAG && item.number == TAG_SELF_DESCRIBED)
		r = next(&reader, &item);
	if (r >= 0)
		r = read_item(&reader, &item, &root);
	if (r >= 0 && reader.rest.size > 0)
		r = -EBADMSG;
	return r < 0 ? r : give(json_incref(root), ret_root);
}

static int append(struct buffer *buffer, enum cbor_item_type type, uint64_t number)
{
	return cbor_item_append(buffer, &(struct cbor_item){.type = type, .number = number});
}

static int write_text(struct buffer *buffer, const char *text, size_t size)
{
	return cbor_item_append(buffer, &(struct cbor_item){.type = CBOR_ITEM_TEXT, .bytes = bytes_of(text, size)});
}

static int write_plain(const json_t *json, struct buffer *buffer)
{
	json_int_t whole = json_integer_value(json);

	switch (json_typeof(json)) {
	case JSON_INTEGER:
		return whole < 0 ? append(buffer, CBOR_ITEM_NEGATIVE, (uint64_t)(-1 - whole))
				 : append(buffer, CBOR_ITEM_UNSIGNED, (uint64_t)whole);
	case JSON_REAL:
		return cbor_item_append(buffer,
					&(struct cbor_item){.type = CBOR_ITEM_FLOAT, .real = json_real_value(json)});
	case JSON_STRING:
		return write_text(buffer, json_string_value(json), json_string_length(json));
	case JSON_TRUE:
	case JSON_FALSE:
		return cbor_item_append(buffer, &(struct cbor_item){.type = CBOR_ITEM_BOOL, .yes = json_is_true(json)});
	default:
		return append(buffer, CBOR_ITEM_NULL, 0);
	}
}

static int write_item(const json_t *json, struct buffer *buffer, unsigned depth)
{
	/* An iterator wants what is not const, and changes nothing. */
	json_t *map = (json_t *)(uintptr_t)json;
	int r;

	if (depth >= TREE_DEPTH_MAX)
		return -E2BIG;
	if (json_is_array(json)) {
		r = append(buffer, CBOR_ITEM_ARRAY, json_array_size(json));
		for (size_t i = 0; r >= 0 && i < json_array_size(json); i++)
			r = write_item(json_array_get(json, i), buffer, depth + 1);
		return r;
	}
	if (!json_is_object(json))
		return write_plain(json, buffer);
	r = append(buffer, CBOR_ITEM_MAP, json_object_size(json));
	for (void *at = json_object_iter(map); r >= 0 && at; at = json_object_iter_next(map, at)) {
		r = write_text(buffer, json_object_iter_key(at), strlen(json_object_iter_key(at)));
		if (r >= 0)
			r = write_item(json_object_iter_value(at), buffer, depth + 1);
	}
	return r;
}

int tree_to_cbor(const json_t *root, struct buffer *buffer)
{
	return write_item(root, buffer, 0);
}
