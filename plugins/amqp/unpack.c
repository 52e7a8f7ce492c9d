/* SPDX-License-Identifier: Apache-2.0 */
#include "unpack.h"

#include <errno.h>
#include <proton/codec.h>
#include <stdlib.h>
#include <string.h>

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

static struct tg_bytes unpack_bytes(pn_bytes_t bytes)
{
	return (struct tg_bytes){.data = bytes.start, .size = bytes.size};
}

static bool unpack_is_text(pn_type_t type)
{
	return type == PN_STRING || type == PN_SYMBOL;
}

/* The text at the place where `data` stands, or empty. */
static struct tg_bytes unpack_text(pn_data_t *data)
{
	return unpack_is_text(pn_data_type(data)) ? unpack_bytes(pn_data_get_bytes(data)) : (struct tg_bytes){0};
}

static void unpack_id(pn_data_t *data, struct unpack_id *ret_id)
{
	struct unpack_id *id = ret_id;
	pn_uuid_t uuid;
	uint64_t number;

	switch (pn_data_type(data)) {
	case PN_STRING:
		id->type = UNPACK_ID_STRING;
		id->bytes = unpack_bytes(pn_data_get_bytes(data));
		break;
	case PN_BINARY:
		id->type = UNPACK_ID_BINARY;
		id->bytes = unpack_bytes(pn_data_get_bytes(data));
		break;
	case PN_ULONG:
		number = pn_data_get_ulong(data);
		for (unsigned i = 0; i < 8; i++)
			id->space[i] = (uint8_t)(number >> 8 * (7 - i));
		id->type = UNPACK_ID_ULONG;
		id->bytes = (struct tg_bytes){.data = id->space, .size = 8};
		break;
	case PN_UUID:
		uuid = pn_data_get_uuid(data);
		memcpy(id->space, uuid.bytes, sizeof(id->space));
		id->type = UNPACK_ID_UUID;
		id->bytes = (struct tg_bytes){.data = id->space, .size = sizeof(id->space)};
		break;
	default:
		break;
	}
}

static void unpack_header(struct unpack_message *message, pn_data_t *data)
{
	for (int i = 0; pn_data_next(data); i++) {
		pn_type_t type = pn_data_type(data);

		if (i == HEADER_TTL && type == PN_UINT)
			message->ttl_ms = pn_data_get_uint(data);
		else if (i == HEADER_DELIVERY_COUNT && type == PN_UINT)
			message->repeated |= pn_data_get_uint(data) > 0;
		else if (i == HEADER_FIRST_ACQUIRER && type == PN_BOOL)
			message->repeated |= !pn_data_get_bool(data);
	}
}

static void unpack_properties(struct unpack_message *message, pn_data_t *data)
{
	for (int i = 0; pn_data_next(data); i++) {
		if (i == PROPERTY_MESSAGE_ID)
			unpack_id(data, &message->message_id);
		else if (i == PROPERTY_SUBJECT)
			message->subject = unpack_text(data);
		else if (i == PROPERTY_REPLY_TO)
			message->reply_to = unpack_text(data);
		else if (i == PROPERTY_CORRELATION_ID)
			unpack_id(data, &message->correlation_id);
		else if (i == PROPERTY_CONTENT_TYPE)
			message->content_type = unpack_text(data);
		else if (i == PROPERTY_EXPIRY && pn_data_type(data) == PN_TIMESTAMP)
			message->expires_ms = pn_data_get_timestamp(data);
	}
}

static bool unpack_is(struct tg_bytes text, const char *word)
{
	return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static void unpack_application(struct unpack_message *message, pn_data_t *data)
{
	while (pn_data_next(data)) {
		struct tg_bytes name = unpack_text(data);

		if (!pn_data_next(data))
			return;
		if (unpack_is(name, "method"))
			message->method = unpack_text(data);
		else if (unpack_is(name, "via"))
			message->via = unpack_text(data);
	}
}

/* One more section of payload. */
static int unpack_data(struct unpack_message *message, pn_data_t *data)
{
	struct tg_bytes more = unpack_bytes(pn_data_get_bytes(data));
	uint8_t *joined;

	if (message->payload.size == 0 || more.size == 0) {
		message->payload = more.size == 0 ? message->payload : more;
		return 0;
	}
	joined = malloc(message->payload.size + more.size);
	if (!joined)
		return -ENOMEM;
	memcpy(joined, message->payload.data, message->payload.size);
	memcpy(joined + message->payload.size, more.data, more.size);
	message->payload = (struct tg_bytes){.data = joined, .size = message->payload.size + more.size};
	free(message->joined);
	message->joined = joined;
	return 0;
}

static int unpack_value(struct unpack_message *message, pn_data_t *data)
{
	pn_type_t type = pn_data_type(data);

	if (type == PN_NULL)
		return 0;
	if (type != PN_STRING && type != PN_BINARY)
		return -EPROTONOSUPPORT;
	message->text = type == PN_STRING;
	message->payload = unpack_bytes(pn_data_get_bytes(data));
	return 0;
}

/* `data` stands at the section's value. */
static int unpack_section(struct unpack_message *message, uint64_t section, pn_data_t *data)
{
	pn_type_t type = pn_data_type(data);
	bool list = section == SECTION_HEADER || section == SECTION_PROPERTIES;

	if (section == SECTION_DATA)
		return type == PN_BINARY ? unpack_data(message, data) : -EBADMSG;
	if (section == SECTION_VALUE)
		return unpack_value(message, data);
	if (section == SECTION_SEQUENCE)
		return -EPROTONOSUPPORT;
	if (section < SECTION_HEADER || section > SECTION_FOOTER)
		return -EBADMSG;
	if (type != (list ? PN_LIST : PN_MAP))
		return type == PN_NULL ? 0 : -EBADMSG;
	pn_data_enter(data);
	if (section == SECTION_HEADER)
		unpack_header(message, data);
	else if (section == SECTION_PROPERTIES)
		unpack_properties(message, data);
	else if (section == SECTION_APPLICATION_PROPERTIES)
		unpack_application(message, data);
	pn_data_exit(data);
	return 0;
}

static int unpack_sections(struct unpack_message *message)
{
	pn_data_t *data = message->data;
	int r = 0;

	pn_data_rewind(data);
	while (r >= 0 && pn_data_next(data)) {
		if (pn_data_type(data) != PN_DESCRIBED)
			return -EBADMSG;
		pn_data_enter(data);
		if (!pn_data_next(data) || pn_data_type(data) != PN_ULONG)
			return -EBADMSG;
		uint64_t section = pn_data_get_ulong(data);

		r = pn_data_next(data) ? unpack_section(message, section, data) : -EBADMSG;
		pn_data_exit(data);
	}
	return r;
}

int unpack(struct tg_bytes bytes, struct unpack_message *ret_message)
{
	struct unpack_message *message = ret_message;
	const char *p = bytes.data;
	size_t left = bytes.size;
	int r;

	*message = (struct unpack_message){.data = pn_data(0)};
	if (!message->data)
		return -ENOMEM;
	while (left > 0) {
		ssize_t n = pn_data_decode(message->data, p, left);

		if (n <= 0) {
			unpack_done(message);
			return -EBADMSG;
		}
		p += n;
		left -= (size_t)n;
	}
	r = bytes.size > 0 ? unpack_sections(message) : -EBADMSG;
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
