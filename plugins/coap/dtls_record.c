/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_record.h"

#include <string.h>

enum {
	RECORD_MESSAGE_HEADER = 12,
	RECORD_CLIENT_HELLO = 1,
	RECORD_HELLO_VERIFY_REQUEST = 3,
	RECORD_CLIENT_KEY_EXCHANGE = 16,
	RECORD_SESSION_ID_MAX = 32,
	RECORD_HELLO_REST = 1 + 2 + 2 + 2, /* no cookie, one suite, one compression method */
	RECORD_MAJOR = 0xfe,               /* of DTLS 1.0 and 1.2, in ones' complement */
};

static size_t record_u16(const uint8_t *p)
{
	return (size_t)p[0] << 8 | p[1];
}

static size_t record_u24(const uint8_t *p)
{
	return (size_t)p[0] << 16 | record_u16(p + 1);
}

size_t dtls_record_next(struct tg_bytes bytes, struct dtls_record *ret_record)
{
	const uint8_t *p = bytes.data;

	if (bytes.size < DTLS_RECORD_HEADER)
		return 0;
	size_t size = DTLS_RECORD_HEADER + record_u16(p + 11);
	if (p[0] < DTLS_CONTENT_CHANGE_CIPHER_SPEC || p[0] > DTLS_CONTENT_DATA || p[1] != RECORD_MAJOR ||
	    size > bytes.size)
		return 0;
	ret_record->bytes = (struct tg_bytes){p, size};
	ret_record->type = p[0];
	ret_record->epoch = (uint16_t)record_u16(p + 3);
	return size;
}

bool dtls_record_is_hello(struct tg_bytes datagram)
{
	const uint8_t *p = datagram.data;
	struct dtls_record record;
	size_t size;

	if (datagram.size < DTLS_RECORD_HEADER || p[0] != DTLS_CONTENT_HANDSHAKE)
		return false;
	size = dtls_record_next(datagram, &record);
	if (size < DTLS_RECORD_HEADER + RECORD_MESSAGE_HEADER + 2 + DTLS_RANDOM_SIZE || record.epoch != 0)
		return false;
	p += DTLS_RECORD_HEADER;
	return p[0] == RECORD_CLIENT_HELLO && record_u24(p + 6) == 0;
}

const uint8_t *dtls_record_hello_random(struct tg_bytes datagram)
{
	return (const uint8_t *)datagram.data + DTLS_RECORD_HEADER + RECORD_MESSAGE_HEADER + 2;
}

bool dtls_record_hello_is_first(struct tg_bytes datagram)
{
	const uint8_t *p = datagram.data;
	size_t at = DTLS_RECORD_HEADER + RECORD_MESSAGE_HEADER + 2 + DTLS_RANDOM_SIZE;
	size_t end = DTLS_RECORD_HEADER + record_u16(p + 11);

	if (at >= end || p[at] > RECORD_SESSION_ID_MAX)
		return false;
	at += 1u + p[at];
	/* Suites and compression methods follow. */
	return at + RECORD_HELLO_REST <= end && p[at] == 0;
}

size_t dtls_record_verify(struct tg_bytes hello, struct tg_bytes cookie, uint8_t ret_datagram[DTLS_RECORD_VERIFY_MAX])
{
	const uint8_t *from = hello.data;
	uint8_t size = (uint8_t)(3 + cookie.size), *to = ret_datagram;

	memset(to, 0, DTLS_RECORD_HEADER + RECORD_MESSAGE_HEADER);
	to[0] = DTLS_CONTENT_HANDSHAKE;
	to[1] = RECORD_MAJOR;
	to[2] = 0xff; /* DTLS 1.0, whatever follows */
	memcpy(to + 3, from + 3, 8);
	to[12] = (uint8_t)(RECORD_MESSAGE_HEADER + size);
	to += DTLS_RECORD_HEADER;
	to[0] = RECORD_HELLO_VERIFY_REQUEST;
	to[3] = to[11] = size;
	to += RECORD_MESSAGE_HEADER;
	to[0] = RECORD_MAJOR;
	to[1] = 0xff;
	to[2] = (uint8_t)cookie.size;
	memcpy(to + 3, cookie.data, cookie.size);
	return DTLS_RECORD_HEADER + RECORD_MESSAGE_HEADER + (size_t)size;
}

bool dtls_record_identity(const struct dtls_record *record, struct tg_bytes *ret_identity)
{
	const uint8_t *p = (const uint8_t *)record->bytes.data + DTLS_RECORD_HEADER;
	size_t left = record->bytes.size - DTLS_RECORD_HEADER;

	if (record->type != DTLS_CONTENT_HANDSHAKE || record->epoch != 0)
		return false;
	while (left >= RECORD_MESSAGE_HEADER) {
		size_t whole = record_u24(p + 1), offset = record_u24(p + 6), here = record_u24(p + 9);

		if (here > left - RECORD_MESSAGE_HEADER)
			return false;
		if (p[0] == RECORD_CLIENT_KEY_EXCHANGE && offset == 0 && here == whole && here >= 2) {
			size_t size = record_u16(p + RECORD_MESSAGE_HEADER);

			if (size > here - 2)
				return false;
			*ret_identity = (struct tg_bytes){p + RECORD_MESSAGE_HEADER + 2, size};
			return true;
		}
		p += RECORD_MESSAGE_HEADER + here;
		left -= RECORD_MESSAGE_HEADER + here;
	}
	return false;
}
