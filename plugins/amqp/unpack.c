/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <errno.h>
#include <proton/codec.h>
#include <stdlib.h>
#include <string.h>

#include "walk.h"

/* Descriptors of the sections (AMQP 1.0 part 3, 3.2). */
enum unpack_section {
	SECTION_HEADER = 0x70,
	SECTION_DELIVERY_ANNOTATIONS = 0x71,
	SECTION_MESSAGE_ANNOTATIONS = 0x72,
	SECTION_PROPERTIES = 0x73,
	SECTION_APPLICATION_PROPERTIES = 0x74,
	SECTION_DATA = 0x75,
	SECTION_SEQUENCE = 0x76,
	SECTION_VALUE = 0x77,
	SECTION_FOOTER = 0x78
};

/* Places in the lists of header and properties. */
enum { HEADER_TTL = 2, HEADER_FIRST_ACQUIRER = 3, HEADER_DELIVERY_COUNT = 4 };
enum {
	PROPERTY_MESSAGE_ID = 0,
	PROPERTY_SUBJECT = 3,
	PROPERTY_REPLY_TO = 4,
	PROPERTY_CORRELATION_ID = 5,
	PROPERTY_CONTENT_TYPE = 6,
	PROPERTY_EXPIRY = 8
};

/* The text, or empty. */
static struct tg_bytes unpack_text(const struct walk_value *value)
{
	return walk_is_text(value) ? value->content : (struct tg_bytes){0};
}

/* Has the library decode a value that holds no other. Returns its type, PN_NULL where it is none of those. */
static pn_type_t unpack_simple(struct unpack_message *message, const struct walk_value *value)
{
	pn_data_t *data = message->data;

	pn_data_clear(data);
	if (!walk_is_simple(value) ||
	    pn_data_decode(data, value->all.data, value->all.size) != (ssize_t)value->all.size)
		return PN_NULL;
	pn_data_rewind(data);
	return pn_data_next(data) ? pn_data_type(data) : PN_NULL;
}

static void unpack_number_id(struct unpack_message *message, const struct walk_value *value, struct unpack_id *ret_id)
{
	struct unpack_id *id = ret_id;
	pn_type_t type = unpack_simple(message, value);
	uint64_t number;
	pn_uuid_t uuid;

	if (type == PN_ULONG) {
		number = pn_data_get_ulong(message->data);
		for (unsigned i = 0; i < 8; i++)
			id->space[i] = (uint8_t)(number >> 8 * (7 - i));
		id->type = UNPACK_ID_ULONG;
		id->bytes = (struct tg_bytes){.data = id->space, .size = 8};
	} else if (type == PN_UUID) {
		uuid = pn_data_get_uuid(message->data);
		memcpy(id->space, uuid.bytes, sizeof(id->space));
		id->type = UNPACK_ID_UUID;
		id->bytes = (struct tg_bytes){.data = id->space, .size = sizeof(id->space)};
	}
}

static void unpack_id(struct unpack_message *message, const struct walk_value *value, struct unpack_id *ret_id)
{
	if (!walk_is_string(value) && !walk_is_binary(value)) {
		unpack_number_id(message, value, ret_id);
		return;
	}
	ret_id->type = walk_is_string(value) ? UNPACK_ID_STRING : UNPACK_ID_BINARY;
	ret_id->bytes = value->content;
}

static void unpack_header(struct unpack_message *message, int place, const struct walk_value *value)
{
	pn_data_t *data = message->data;
	pn_type_t type;

	if (place != HEADER_TTL && place != HEADER_DELIVERY_COUNT && place != HEADER_FIRST_ACQUIRER)
		return;
	type = unpack_simple(message, value);
	if (place == HEADER_TTL && type == PN_UINT)
		message->ttl_ms = pn_data_get_uint(data);
	else if (place == HEADER_DELIVERY_COUNT && type == PN_UINT)
		message->repeated |= pn_data_get_uint(data) > 0;
	else if (place == HEADER_FIRST_ACQUIRER && type == PN_BOOL)
		message->repeated |= !pn_data_get_bool(data);
}

static void unpack_property(struct unpack_message *message, int place, const struct walk_value *value)
{
	switch (place) {
	case PROPERTY_MESSAGE_ID:
		unpack_id(message, value, &message->message_id);
		break;
	case PROPERTY_SUBJECT:
		message->subject = unpack_text(value);
		break;
	case PROPERTY_REPLY_TO:
		message->reply_to = unpack_text(value);
		break;
	case PROPERTY_CORRELATION_ID:
		unpack_id(message, value, &message->correlation_id);
		break;
	case PROPERTY_CONTENT_TYPE:
		message->content_type = unpack_text(value);
		break;
	case PROPERTY_EXPIRY:
		if (unpack_simple(message, value) == PN_TIMESTAMP)
			message->expires_ms = pn_data_get_timestamp(message->data);
		break;
	default:
		break;
	}
}

/* Header or properties. */
static int unpack_list(struct unpack_message *message, uint64_t section, const struct walk_value *list)
{
	struct walk walk = walk_into(list);
	struct walk_value value;

	for (int place = 0; !walk_is_over(&walk); place++) {
		if (!walk_next(&walk, &value))
			return -EBADMSG;
		if (section == SECTION_HEADER)
			unpack_header(message, place, &value);
		else
			unpack_property(message, place, &value);
	}
	return 0;
}

static bool unpack_is(struct tg_bytes text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static int unpack_application(struct unpack_message *message, const struct walk_value *map)
{
	struct walk walk = walk_into(map);
	struct walk_value name, value;

	while (!walk_is_over(&walk)) {
		if (!walk_next(&walk, &name) || !walk_next(&walk, &value))
			return -EBADMSG;
		if (unpack_is(unpack_text(&name), "method"))
			message->method = unpack_text(&value);
		else if (unpack_is(unpack_text(&name), "via"))
			message->via = unpack_text(&value);
	}
	return 0;
}

/* One more section of payload; all of them together are no larger than the message. */
static int unpack_data(struct unpack_message *message, const struct walk_value *value, size_t message_size)
{
	struct tg_bytes more = value->content;

	if (!walk_is_binary(value))
		return -EBADMSG;
	if (message->payload.size == 0 || more.size == 0) {
		message->payload = more.size == 0 ? message->payload : more;
		return 0;
	}
	if (!message->joined) {
		message->joined = malloc(message_size);
		if (!message->joined)
			return -ENOMEM;
		memcpy(message->joined, message->payload.data, message->payload.size);
	}
	memcpy(message->joined + message->payload.size, more.data, more.size);
	message->payload = (struct tg_bytes){.data = message->joined, .size = message->payload.size + more.size};
	return 0;
}

static int unpack_value(struct unpack_message *message, const struct walk_value *value)
{
	if (walk_is_null(value))
		return 0;
	if (!walk_is_string(value) && !walk_is_binary(value))
		return -EPROTONOSUPPORT;
	message->text = walk_is_string(value);
	message->payload = value->content;
	return 0;
}

/* There is one body: one value, or any number of sections of data. */
static int unpack_body(struct unpack_message *message, uint64_t section, const struct walk_value *value,
		       size_t message_size)
{
	if (message->body && (section != SECTION_DATA || message->body != section))
		return -EBADMSG;
	message->body = section;
	if (section == SECTION_DATA)
		return unpack_data(message, value, message_size);
	return section == SECTION_VALUE ? unpack_value(message, value) : -EPROTONOSUPPORT;
}

static int unpack_section(struct unpack_message *message, uint64_t section, const struct walk_value *value,
			  size_t message_size)
{
	bool list = section == SECTION_HEADER || section == SECTION_PROPERTIES;

	if (section >= SECTION_DATA && section <= SECTION_VALUE)
		return unpack_body(message, section, value, message_size);
	if (section < SECTION_HEADER || section > SECTION_FOOTER)
		return -EBADMSG;
	if (walk_is_null(value))
		return 0;
	if (!(list ? walk_is_list(value) : walk_is_map(value)))
		return -EBADMSG;
	if (list)
		return unpack_list(message, section, value);
	return section == SECTION_APPLICATION_PROPERTIES ? unpack_application(message, value) : 0;
}

static int unpack_sections(struct unpack_message *message, struct tg_bytes bytes)
{
	struct walk walk = walk_over(bytes);
	struct walk_value descriptor, value;
	int r = 0;

	while (r >= 0 && !walk_is_over(&walk)) {
		if (!walk_byte(&walk, 0) || !walk_next(&walk, &descriptor) ||
		    unpack_simple(message, &descriptor) != PN_ULONG || !walk_next(&walk, &value))
			return -EBADMSG;
		/* What is decoded next takes its place. */
		r = unpack_section(message, pn_data_get_ulong(message->data), &value, bytes.size);
	}
	return r;
}

int unpack(struct tg_bytes bytes, struct unpack_message *ret_message)
{
	struct unpack_message *message = ret_message;
	int r;

	*message = (struct unpack_message){.data = pn_data(0)};
	if (!message->data)
		return -ENOMEM;
	r = bytes.size > 0 ? unpack_sections(message, bytes) : -EBADMSG;
	if (r < 0)
		unpack_done(message);
	return r;
}

void unpack_done(struct unpack_message *message)
{
	pn_data_free(message->data);
	free(message->joined);
	*message = (struct unpack_message){0};
}
