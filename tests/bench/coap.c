/* SPDX-License-Identifier: Apache-2.0 */
#include "coap.h"

#include <string.h>

/* The extension of an option's delta or length (RFC 7252 section 3.1): 13 one byte, 14 two bytes. */
static bool coap_read_extended(const uint8_t **at, const uint8_t *end, uint32_t nibble, uint32_t *ret_value)
{
	if (nibble == 15)
		return false;
	if (nibble == 13) {
		if (end - *at < 1)
			return false;
		*ret_value = 13u + *(*at)++;
	} else if (nibble == 14) {
		if (end - *at < 2)
			return false;
		*ret_value = 269u + ((uint32_t)(*at)[0] << 8) + (*at)[1];
		*at += 2;
	} else {
		*ret_value = nibble;
	}
	return true;
}

static bool coap_read_options(const uint8_t *at, const uint8_t *end, struct coap_view *view)
{
	uint32_t number = 0;

	while (at < end && *at != 0xff) {
		uint8_t first = *at++;
		uint32_t delta, length;

		if (!coap_read_extended(&at, end, first >> 4, &delta) ||
		    !coap_read_extended(&at, end, first & 15, &length) || (size_t)(end - at) < length)
			return false;
		number += delta;
		if (number == COAP_MAX_AGE && length <= 4) {
			view->max_age = 0;
			for (uint32_t i = 0; i < length; i++)
				view->max_age = view->max_age << 8 | at[i];
		}
		at += length;
	}
	if (at < end) {
		view->payload = at + 1;
		view->payload_size = (size_t)(end - at) - 1;
		return view->payload_size > 0;
	}
	return true;
}

bool coap_read(const uint8_t *data, size_t size, struct coap_view *ret_view)
{
	struct coap_view view = {.max_age = COAP_MAX_AGE_DEFAULT};

	if (size < COAP_HEAD || data[0] >> 6 != 1)
		return false;
	view.type = data[0] >> 4 & 3;
	view.token_size = data[0] & 15;
	view.code = data[1];
	view.id = (uint16_t)(data[2] << 8 | data[3]);
	view.token = data + COAP_HEAD;
	if (view.token_size > COAP_TOKEN_MAX || size < COAP_HEAD + view.token_size)
		return false;
	if (view.code == COAP_EMPTY && size != COAP_HEAD)
		return false;
	if (!coap_read_options(data + COAP_HEAD + view.token_size, data + size, &view))
		return false;
	*ret_view = view;
	return true;
}

size_t coap_head(uint8_t *data, size_t room, enum coap_type type, uint8_t code, uint16_t id, const void *token,
		 size_t token_size)
{
	if (room < COAP_HEAD + token_size || token_size > COAP_TOKEN_MAX)
		return 0;
	data[0] = (uint8_t)(1u << 6 | (unsigned)type << 4 | (unsigned)token_size);
	data[1] = code;
	coap_set_id(data, id);
	if (token_size > 0)
		memcpy(data + COAP_HEAD, token, token_size);
	return COAP_HEAD + token_size;
}

static uint8_t coap_extended(uint32_t value, uint8_t *extension, size_t *ret_size)
{
	if (value < 13) {
		*ret_size = 0;
		return (uint8_t)value;
	}
	if (value < 269) {
		extension[0] = (uint8_t)(value - 13);
		*ret_size = 1;
		return 13;
	}
	extension[0] = (uint8_t)((value - 269) >> 8);
	extension[1] = (uint8_t)(value - 269);
	*ret_size = 2;
	return 14;
}

size_t coap_option(uint8_t *data, size_t room, size_t size, unsigned *last, unsigned number, const void *value,
		   size_t value_size)
{
	uint8_t delta[2], length[2];
	size_t delta_size, length_size;
	uint8_t first;

	if (size == 0 || number < *last || value_size > UINT16_MAX)
		return 0;
	first = (uint8_t)(coap_extended(number - *last, delta, &delta_size) << 4);
	first |= coap_extended((uint32_t)value_size, length, &length_size);
	if (room - size < 1 + delta_size + length_size + value_size)
		return 0;
	data[size++] = first;
	memcpy(data + size, delta, delta_size);
	size += delta_size;
	memcpy(data + size, length, length_size);
	size += length_size;
	if (value_size > 0)
		memcpy(data + size, value, value_size);
	*last = number;
	return size + value_size;
}

size_t coap_option_number(uint8_t *data, size_t room, size_t size, unsigned *last, unsigned number, uint32_t value)
{
	uint8_t bytes[4];
	size_t length = 0;

	for (int shift = 24; shift >= 0; shift -= 8) {
		if (length > 0 || value >> shift)
			bytes[length++] = (uint8_t)(value >> shift);
	}
	return coap_option(data, room, size, last, number, bytes, length);
}

size_t coap_path(uint8_t *data, size_t room, size_t size, unsigned *last, const char *path)
{
	while (*path == '/')
		path++;
	while (*path) {
		size_t length = strcspn(path, "/");

		size = coap_option(data, room, size, last, COAP_URI_PATH, path, length);
		path += length;
		if (*path == '/')
			path++;
	}
	return size;
}

size_t coap_payload(uint8_t *data, size_t room, size_t size, const void *payload, size_t payload_size)
{
	if (size == 0 || payload_size == 0)
		return size;
	if (room - size < 1 + payload_size)
		return 0;
	data[size++] = 0xff;
	memcpy(data + size, payload, payload_size);
	return size + payload_size;
}

void coap_set_id(uint8_t *data, uint16_t id)
{
	data[2] = (uint8_t)(id >> 8);
	data[3] = (uint8_t)id;
}
