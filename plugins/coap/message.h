/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_MESSAGE_H
#define COAP_MESSAGE_H

/*
 * CoAP messages as bytes and as a struct (RFC 7252 section 3), and the one door to libcoap, whose option codec and URI splitting
 * are used. Pure: no state, no I/O. What is accepted is checked here once, so that nobody behind has to doubt a length.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

enum message_type { MESSAGE_CON = 0, MESSAGE_NON = 1, MESSAGE_ACK = 2, MESSAGE_RST = 3 };

/* `class.detail`, as codes are written in the RFCs. */
#define MESSAGE_CODE(class, detail) ((class) << 5 | (detail))
#define MESSAGE_CODE_CLASS(code)    ((code) >> 5)

enum message_code {
	MESSAGE_EMPTY = 0,
	MESSAGE_GET = 1,
	MESSAGE_POST = 2,
	MESSAGE_PUT = 3,
	MESSAGE_DELETE = 4,
	MESSAGE_FETCH = 5,
	MESSAGE_PATCH = 6,
	MESSAGE_IPATCH = 7,
	MESSAGE_CREATED = MESSAGE_CODE(2, 1),
	MESSAGE_DELETED = MESSAGE_CODE(2, 2),
	MESSAGE_VALID = MESSAGE_CODE(2, 3),
	MESSAGE_CHANGED = MESSAGE_CODE(2, 4),
	MESSAGE_CONTENT = MESSAGE_CODE(2, 5),
	MESSAGE_CONTINUE = MESSAGE_CODE(2, 31),
	MESSAGE_BAD_REQUEST = MESSAGE_CODE(4, 0),
	MESSAGE_UNAUTHORIZED = MESSAGE_CODE(4, 1),
	MESSAGE_BAD_OPTION = MESSAGE_CODE(4, 2),
	MESSAGE_FORBIDDEN = MESSAGE_CODE(4, 3),
	MESSAGE_NOT_FOUND = MESSAGE_CODE(4, 4),
	MESSAGE_METHOD_NOT_ALLOWED = MESSAGE_CODE(4, 5),
	MESSAGE_NOT_ACCEPTABLE = MESSAGE_CODE(4, 6),
	MESSAGE_INCOMPLETE = MESSAGE_CODE(4, 8),
	MESSAGE_PRECONDITION_FAILED = MESSAGE_CODE(4, 12),
	MESSAGE_TOO_LARGE = MESSAGE_CODE(4, 13),
	MESSAGE_UNSUPPORTED_FORMAT = MESSAGE_CODE(4, 15),
	MESSAGE_TOO_MANY_REQUESTS = MESSAGE_CODE(4, 29),
	MESSAGE_UNAVAILABLE = MESSAGE_CODE(5, 3),
	MESSAGE_PROXYING_NOT_SUPPORTED = MESSAGE_CODE(5, 5)
};

enum message_option_number {
	MESSAGE_IF_MATCH = 1,
	MESSAGE_URI_HOST = 3,
	MESSAGE_ETAG = 4,
	MESSAGE_IF_NONE_MATCH = 5,
	MESSAGE_OBSERVE = 6,
	MESSAGE_URI_PORT = 7,
	MESSAGE_LOCATION_PATH = 8,
	MESSAGE_OSCORE = 9,
	MESSAGE_URI_PATH = 11,
	MESSAGE_CONTENT_FORMAT = 12,
	MESSAGE_MAX_AGE = 14,
	MESSAGE_URI_QUERY = 15,
	MESSAGE_HOP_LIMIT = 16,
	MESSAGE_ACCEPT = 17,
	MESSAGE_BLOCK2 = 23,
	MESSAGE_BLOCK1 = 27,
	MESSAGE_SIZE2 = 28,
	MESSAGE_PROXY_URI = 35,
	MESSAGE_PROXY_SCHEME = 39,
	MESSAGE_SIZE1 = 60,
	MESSAGE_NO_RESPONSE = 258
};

enum { MESSAGE_TOKEN_MAX = 8 };
/* The value of an option that is not there: no option of 3 bytes or less can have it. */
#define MESSAGE_ABSENT UINT32_MAX

struct coap_message {
	enum message_type type;
	uint8_t code;
	uint16_t id;
	uint8_t token_size;
	uint8_t token[MESSAGE_TOKEN_MAX];
	struct tg_bytes options; /* as on the wire, checked; message_option_next walks them */
	struct tg_bytes payload;

	/* What was found on the way; MESSAGE_ABSENT where it was not. */
	uint32_t content_format;
	uint32_t accept;
	uint32_t block1;
	uint32_t block2;
	uint32_t hop_limit;
	uint32_t observe;
	int64_t size1;       /* -1: absent */
	uint8_t no_response; /* the classes of responses that are not wanted, as bits (RFC 7967 section 2.1); 0: all are */
	/* The first critical option that is not understood, has a length that it must not have, or is repeated though it must
	 * not be (RFC 7252 section 5.4); 0: none. Elective ones of that kind count as absent. */
	uint16_t bad_option;
	bool oscore; /* protected for somebody else (RFC 8613) */
	bool proxy;  /* Proxy-Uri or Proxy-Scheme is there */
	bool size2;  /* Size2 is there: how large the whole is wants to be known (RFC 7959 section 4) */
	bool if_match;
	bool if_none_match;
};

static inline bool message_is_response(const struct coap_message *message)
{
	unsigned class = MESSAGE_CODE_CLASS(message->code);
	return class == 2 || class == 4 || class == 5;
}

struct message_option {
	uint16_t number;
	struct tg_bytes value;
};

struct message_walk {
	const uint8_t *next;
	size_t left;
	uint16_t number;
};

/* Ownership: the message borrows from `datagram`. Errors: -EPROTO: to be ignored in silence (too short for a header, another
 * version); -EBADMSG: format error, `ret_message` has type and id, so that it can be rejected.
 * Source: RFC 7252 sections 3, 4.1, 5.4, 5.10. */
int message_parse(struct tg_bytes datagram, struct coap_message *ret_message);

/* Walks the options of a parsed message, in order. Returns false behind the last. */
void message_walk_init(struct message_walk *walk, const struct coap_message *message);
bool message_option_next(struct message_walk *walk, struct message_option *ret_option);

/*
 * Writes into memory of the caller. A writer that ran out of room stays failed, and only the end says so: no need to look at each
 * step. Options are to be added in the order of their numbers.
 */
struct message_writer {
	uint8_t *data;
	size_t size;
	size_t capacity;
	uint16_t number;
	bool failed;
};

void message_writer_init(struct message_writer *writer, void *data, size_t capacity);
void message_write_header(struct message_writer *writer, enum message_type type, uint8_t code, uint16_t id,
			  struct tg_bytes token);
void message_write_option(struct message_writer *writer, uint16_t number, struct tg_bytes value);
void message_write_option_uint(struct message_writer *writer, uint16_t number, uint32_t value);
/* The marker and the payload; nothing where it is empty. */
void message_write_payload(struct message_writer *writer, struct tg_bytes payload);
/* Bytes as they are: options and payload that another writer has made. */
void message_write_raw(struct message_writer *writer, struct tg_bytes bytes);

/* An empty message (RFC 7252 section 4.1). Ownership: the bytes are in `memory`. */
enum { MESSAGE_EMPTY_SIZE = 4 };
struct tg_bytes message_empty(enum message_type type, uint16_t id, uint8_t memory[MESSAGE_EMPTY_SIZE]);

/*
 * An address is "/path?query" as in a URI: segments between '/', queries between '&', where '%' stands before two digits. "/" is the path
 * without segments. Not one is anything that the options could not say (a segment of dots or over 255 bytes, '#').
 * Source: RFC 7252 sections 5.10.1, 6.4.
 */
bool message_is_address(struct tg_bytes address);
/* Writes the Uri-Path options of an address, or its Uri-Query options. */
void message_write_path(struct message_writer *writer, struct tg_bytes address);
void message_write_query(struct message_writer *writer, struct tg_bytes address);

/* Splits "coaps://host:port" and, not secure, "coap://host:port". Ownership: `*ret_host` borrows from `uri`. Errors: -EINVAL: no URI of
 * these schemes, or more than host and port in it. Source: RFC 7252 sections 6.1, 6.2. */
int message_split_uri(const char *uri, bool *ret_secure, struct tg_bytes *ret_host, uint16_t *ret_port);

#endif
