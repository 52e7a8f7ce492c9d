/* SPDX-License-Identifier: Apache-2.0 */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/message.h"

/* Behind the id: u8 method, u8 outcome, u16 code, the command's id, u16 length of the reply address and of its endpoint's name, both,
 * and the correlation data to the end. Numbers are little-endian. */
enum { FIXED = 8 + TG_ID_SIZE, NAME_BYTES = 255 };

static bool is_plain(const struct message *message)
{
	return message->kind == TG_TELEMETRY;
}

size_t message_mark_size(const struct message *message)
{
	if (is_plain(message))
		return TG_ID_SIZE;
	return TG_ID_SIZE + FIXED + message->reply_to.size + message->reply_endpoint.size + message->correlation.size;
}

static uint8_t *put_number(uint8_t *p, size_t number)
{
	uint16_t u16 = htole16((uint16_t)number);

	memcpy(p, &u16, sizeof(u16));
	return p + sizeof(u16);
}

static uint8_t *put_bytes(uint8_t *p, struct tg_bytes bytes)
{
	if (bytes.size)
		memcpy(p, bytes.data, bytes.size);
	return p + bytes.size;
}

struct tg_bytes message_mark(const struct message *message, uint8_t *room)
{
	uint8_t *p = room;

	if (is_plain(message))
		return bytes_of(message->id, TG_ID_SIZE);
	p = put_bytes(p, bytes_of(message->id, TG_ID_SIZE));
	*p++ = message->method;
	*p++ = message->outcome;
	p = put_number(p, message->code);
	p = put_bytes(p, bytes_of(message->command, TG_ID_SIZE));
	p = put_number(p, message->reply_to.size);
	p = put_number(p, message->reply_endpoint.size);
	p = put_bytes(p, message->reply_to);
	p = put_bytes(p, message->reply_endpoint);
	p = put_bytes(p, message->correlation);
	return bytes_of(room, (size_t)(p - room));
}

static size_t get_number(const uint8_t *p)
{
	uint16_t u16;

	memcpy(&u16, p, sizeof(u16));
	return le16toh(u16);
}

int message_mark_read(struct tg_bytes mark, struct message *message)
{
	const uint8_t *p = mark.data;
	size_t reply, name;

	if (mark.size < TG_ID_SIZE)
		return -EUCLEAN;
	memcpy(message->id, p, TG_ID_SIZE);
	if (mark.size == TG_ID_SIZE)
		return 0;
	p += TG_ID_SIZE;
	if (mark.size < TG_ID_SIZE + FIXED)
		return -EUCLEAN;
	message->method = p[0];
	message->outcome = p[1];
	message->code = (uint16_t)get_number(p + 2);
	memcpy(message->command, p + 4, TG_ID_SIZE);
	reply = get_number(p + 4 + TG_ID_SIZE);
	name = get_number(p + 6 + TG_ID_SIZE);
	p += FIXED;
	if (reply + name > mark.size - TG_ID_SIZE - FIXED || reply > TG_REPLY_MAX || name > NAME_BYTES ||
	    mark.size - TG_ID_SIZE - FIXED - reply - name > TG_CORRELATION_MAX)
		return -EUCLEAN;
	message->reply_to = bytes_of(p, reply);
	message->reply_endpoint = bytes_of(p + reply, name);
	message->correlation = bytes_of(p + reply + name, mark.size - TG_ID_SIZE - FIXED - reply - name);
	return 0;
}
