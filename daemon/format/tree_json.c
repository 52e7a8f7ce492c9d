/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "format/json_text.h"
#include "format/tree.h"

static int write_json(const json_t *json, struct buffer *buffer, unsigned depth);

static int write_array(const json_t *array, struct buffer *buffer, unsigned depth)
{
	int r = json_text_raw(buffer, "[");

	for (size_t i = 0; r >= 0 && i < json_array_size(array); i++) {
		if (i > 0)
			r = json_text_raw(buffer, ",");
		if (r >= 0)
			r = write_json(json_array_get(array, i), buffer, depth + 1);
	}
	return r < 0 ? r : json_text_raw(buffer, "]");
}

static int write_object(const json_t *object, struct buffer *buffer, unsigned depth)
{
	/* An iterator wants what is not const, and changes nothing. */
	json_t *map = (json_t *)(uintptr_t)object;
	bool some = false;
	int r = json_text_raw(buffer, "{");

	for (void *at = json_object_iter(map); r >= 0 && at; at = json_object_iter_next(map, at)) {
		if (some)
			r = json_text_raw(buffer, ",");
		some = true;
		if (r >= 0)
			r = json_text_string(buffer, bytes_text(json_object_iter_key(at)));
		if (r >= 0)
			r = json_text_raw(buffer, ":");
		if (r >= 0)
			r = write_json(json_object_iter_value(at), buffer, depth + 1);
	}
	return r < 0 ? r : json_text_raw(buffer, "}");
}

static int write_json(const json_t *json, struct buffer *buffer, unsigned depth)
{
	if (depth >= TREE_DEPTH_MAX)
		return -E2BIG;
	switch (json_typeof(json)) {
	case JSON_OBJECT:
		return write_object(json, buffer, depth);
	case JSON_ARRAY:
		return write_array(json, buffer, depth);
	case JSON_STRING:
		return json_text_string(buffer, bytes_of(json_string_value(json), json_string_length(json)));
	case JSON_INTEGER:
		return json_text_whole(buffer, json_integer_value(json));
	case JSON_REAL:
		return json_text_real(buffer, json_real_value(json));
	case JSON_TRUE:
		return json_text_raw(buffer, "true");
	case JSON_FALSE:
		return json_text_raw(buffer, "false");
	default:
		return json_text_raw(buffer, "null");
	}
}

int tree_to_json(const json_t *root, struct buffer *buffer)
{
	return write_json(root, buffer, 0);
}
