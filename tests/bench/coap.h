/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_COAP_H
#define BENCH_COAP_H

/* As much of a CoAP message (RFC 7252 section 3) as a sensor needs: requests with a path and a payload, empty messages, and reading
 * a response's head, token and Max-Age. Plain bytes, no state. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum coap_type { COAP_CON = 0, COAP_NON = 1, COAP_ACK = 2, COAP_RST = 3 };

/* class and detail as on the wire: 2.04 is COAP_CODE(2, 4) */
#define COAP_CODE(class, detail) ((uint8_t)((class) << 5 | (detail)))
#define COAP_CLASS(code)         ((code) >> 5)
#define COAP_DETAIL(code)        ((code)&31)

enum {
	COAP_EMPTY = COAP_CODE(0, 0),
	COAP_GET = COAP_CODE(0, 1),
	COAP_POST = COAP_CODE(0, 2),
	COAP_TOKEN_MAX = 8,
	COAP_HEAD = 4,
	COAP_MAX_AGE_DEFAULT = 60 /* section 5.10.5; seconds */
};

enum coap_option {
	COAP_OBSERVE = 6,
	COAP_URI_PATH = 11,
	COAP_CONTENT_FORMAT = 12,
	COAP_MAX_AGE = 14,
	COAP_URI_QUERY = 15,
	COAP_BLOCK2 = 23,
	COAP_BLOCK1 = 27,
	COAP_SIZE1 = 60
};

struct coap_view {
	enum coap_type type;
	uint8_t code;
	uint16_t id;
	const uint8_t *token; /* within the message */
	size_t token_size;
	uint32_t max_age; /* seconds */
	const uint8_t *payload;
	size_t payload_size;
};

/* Errors: false where it is not a well-formed message. */
bool coap_read(const uint8_t *data, size_t size, struct coap_view *ret_view);

/* A message is written from front to end: head, options in rising order, payload. Each function returns the new size, 0 when
 * it does not fit into `room` (and takes a `size` of 0 as a failure before). */
size_t coap_head(uint8_t *data, size_t room, enum coap_type type, uint8_t code, uint16_t id, const void *token,
		 size_t token_size);
size_t coap_option(uint8_t *data, size_t room, size_t size, unsigned *last, unsigned number, const void *value,
		   size_t value_size);
/* An option of a number's shortest form (section 3.2). */
size_t coap_option_number(uint8_t *data, size_t room, size_t size, unsigned *last, unsigned number, uint32_t value);
/* "/a/b" as Uri-Path options. */
size_t coap_path(uint8_t *data, size_t room, size_t size, unsigned *last, const char *path);
size_t coap_payload(uint8_t *data, size_t room, size_t size, const void *payload, size_t payload_size);

void coap_set_id(uint8_t *data, uint16_t id);

#endif
