/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DIRECTORY_ORDER_H
#define COAP_DIRECTORY_ORDER_H

/* The parameters of a registration as they stand in the queries of a request (RFC 9176 sections 5 and 9.3), and what they may be. Pure. */

#include "message.h"

enum {
	DIRECTORY_NAME_MAX = 63,       /* of endpoint names and sectors, in bytes */
	DIRECTORY_ATTRIBUTES_MAX = 16, /* other parameters, in one request and in one registration */
	DIRECTORY_LIFETIME_S = 90000,  /* where none is given */
	DIRECTORY_LIFETIME_MIN_S = 60, /* a shorter one would only make work */
	DIRECTORY_BASE_MAX = 256,      /* bytes */
};

struct directory_order {
	struct tg_bytes endpoint; /* NULL data where not given, as `sector` and `base` */
	struct tg_bytes sector;
	struct tg_bytes base;
	bool base_is_local;                                   /* to a link, as its address says */
	uint32_t lifetime_s;                                  /* 0: not given */
	struct tg_bytes attributes[DIRECTORY_ATTRIBUTES_MAX]; /* name=value, or a name alone */
	size_t attributes_count;
};

/* Returns NULL, or what is wrong in words. Ownership: *ret_order borrows from the message. */
const char *directory_order_read(const struct coap_message *message, struct directory_order *ret_order);

/* A decimal number without sign, up to `most`. */
bool directory_number(struct tg_bytes text, uint32_t most, uint32_t *ret_number);

#endif
