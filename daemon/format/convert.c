/* SPDX-License-Identifier: Apache-2.0 */
#include "format/convert.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "format/json_text.h"
#include "format/senml.h"
#include "format/tree.h"

enum { FORMAT_JSON = 50, FORMAT_CBOR = 60, RECORDS_MAX = 1 << 16 };

static const int32_t lists[][CONVERT_MOST] = {
	{FORMAT_JSON, FORMAT_CBOR, TG_FORMAT_NONE},
	{FORMAT_CBOR, FORMAT_JSON, TG_FORMAT_NONE},
	{SENML_FORMAT_JSON, SENML_FORMAT_CBOR, FORMAT_JSON, TG_FORMAT_NONE},
	{SENML_FORMAT_CBOR, SENML_FORMAT_JSON, FORMAT_CBOR, TG_FORMAT_NONE},
};

static void unref(json_t **json)
{
	json_decref(*json);
}

size_t convert_formats(int32_t from, int32_t ret_formats[CONVERT_MOST])
{
	size_t count = 0;

	for (size_t i = 0; i < sizeof(lists) / sizeof(lists[0]); i++) {
		if (lists[i][0] != from)
			continue;
		for (; count < CONVERT_MOST && lists[i][count] != TG_FORMAT_NONE; count++)
			ret_formats[count] = lists[i][count];
		return count;
	}
	ret_formats[0] = from;
	return 1;
}

static int senml(int32_t from, struct tg_bytes payload, struct buffer *buffer)
{
	struct senml_pack pack;
	int r;

	senml_init(&pack, RECORDS_MAX);
	r = from == SENML_FORMAT_JSON ? senml_read_json(&pack, payload) : senml_read_cbor(&pack, payload);
	if (r >= 0)
		r = from == SENML_FORMAT_JSON ? senml_write_cbor(&pack, 0, pack.records_count, buffer)
					      : senml_write_json(&pack, 0, pack.records_count, buffer);
	senml_done(&pack);
	return r;
}

static int json_to_cbor(struct tg_bytes payload, struct buffer *buffer)
{
	CLEANUP(unref) json_t *root = NULL;
	json_error_t error;

	if (!json_text_valid(payload))
		return -EBADMSG;
	root = json_loadb(payload.data, payload.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL | JSON_DECODE_ANY,
			  &error);
	return root ? tree_to_cbor(root, buffer) : -EBADMSG;
}

static int cbor_to_json(struct tg_bytes payload, struct buffer *buffer)
{
	CLEANUP(unref) json_t *root = NULL;
	int r = tree_of_cbor(payload, TREE_EXACT, &root);

	return r < 0 ? r : tree_to_json(root, buffer);
}

static int convert(int32_t from, int32_t to, struct tg_bytes payload, struct buffer *buffer)
{
	if ((from == SENML_FORMAT_JSON && to == FORMAT_JSON) || (from == SENML_FORMAT_CBOR && to == FORMAT_CBOR))
		return buffer_append(buffer, payload.data, payload.size);
	if ((from == SENML_FORMAT_JSON && to == SENML_FORMAT_CBOR) ||
	    (from == SENML_FORMAT_CBOR && to == SENML_FORMAT_JSON))
		return senml(from, payload, buffer);
	if (from == FORMAT_JSON && to == FORMAT_CBOR)
		return json_to_cbor(payload, buffer);
	if (from == FORMAT_CBOR && to == FORMAT_JSON)
		return cbor_to_json(payload, buffer);
	return -ENOTSUP;
}

int convert_payload(int32_t from, int32_t to, struct tg_bytes payload, size_t limit, struct tg_bytes *ret_payload)
{
	struct buffer buffer;
	uint8_t *data;
	int r;

	buffer_init(&buffer, limit);
	r = convert(from, to, payload, &buffer);
	if (r >= 0) {
		data = malloc(buffer_size(&buffer) + 1);
		r = data ? 0 : -ENOMEM;
	}
	if (r >= 0) {
		if (buffer_size(&buffer) > 0)
			memcpy(data, buffer_data(&buffer), buffer_size(&buffer));
		*ret_payload = bytes_of(data, buffer_size(&buffer));
	}
	buffer_done(&buffer);
	return r == -ENOBUFS ? -EMSGSIZE : r == -E2BIG ? -EBADMSG : r;
}
