/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_UNPACK_H
#define AMQP_UNPACK_H

/*
 * The sections of an AMQP message (AMQP 1.0 part 3, 3.2). No byte is trusted: what is not a message is refused. Walk.c finds the values, the
 * library decodes those that are wanted; annotations and the footer are passed over as they are. Pure; for arrival.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

/* A message-id or correlation-id: its type is kept, so that it can go back as it came. */
enum unpack_id_type {
	UNPACK_ID_NONE = 0,
	UNPACK_ID_BINARY = 'b',
	UNPACK_ID_STRING = 's',
	UNPACK_ID_ULONG = 'l', /* eight bytes, the highest first */
	UNPACK_ID_UUID = 'u'
};

struct unpack_id {
	char type; /* enum unpack_id_type */
	struct tg_bytes bytes;
	uint8_t space[16]; /* of what is not a text */
};

/* Bytes are borrowed from the message. Empty where there is none. */
struct unpack_message {
	struct pn_data_t *data; /* for one value at a time */
	uint8_t *joined;        /* several sections of payload as one */
	uint32_t ttl_ms;        /* 0: none */
	bool repeated;          /* it was delivered before, or may have been */
	struct unpack_id message_id;
	struct unpack_id correlation_id;
	int64_t expires_ms; /* absolute, since 1970; 0: never */
	struct tg_bytes subject;
	struct tg_bytes reply_to;
	struct tg_bytes content_type;
	struct tg_bytes method; /* of the application properties */
	struct tg_bytes via;
	bool text;     /* the body is a string */
	uint64_t body; /* which section it is; 0: none yet */
	struct tg_bytes payload;
};

/* Ownership: unpack_done; not copied or moved. Errors: -EBADMSG: not a message; -EPROTONOSUPPORT: its body is neither bytes nor a
 * string; -ENOMEM. */
int unpack(struct tg_bytes bytes, struct unpack_message *ret_message);
void unpack_done(struct unpack_message *message);

#endif
