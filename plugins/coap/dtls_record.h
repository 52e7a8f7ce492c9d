/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_RECORD_H
#define COAP_DTLS_RECORD_H

/*
 * What of a datagram can be read without any key: which records it holds, and in the first, unprotected ones what decides where
 * they go. It only looks ahead, for the sake of cheapness and of waiting; what is true is up to OpenSSL. Pure functions.
 *
 * Source: RFC 6347 sections 4.1, 4.2; RFC 4279 section 2; RFC 5489 section 2.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

enum { DTLS_RECORD_HEADER = 13, DTLS_RANDOM_SIZE = 32, DTLS_IDENTITY_MAX = 255 };

enum dtls_content {
	DTLS_CONTENT_CHANGE_CIPHER_SPEC = 20,
	DTLS_CONTENT_ALERT = 21,
	DTLS_CONTENT_HANDSHAKE = 22,
	DTLS_CONTENT_DATA = 23
};

struct dtls_record {
	struct tg_bytes bytes; /* header included */
	enum dtls_content type;
	uint16_t epoch; /* 0: not protected */
};

/* The record at the start of `bytes`. Returns its size, header included, or 0 where there is no whole one of DTLS. */
size_t dtls_record_next(struct tg_bytes bytes, struct dtls_record *ret_record);

/* Whether the datagram is a ClientHello that begins a handshake, unprotected and not a later fragment. */
bool dtls_record_is_hello(struct tg_bytes datagram);
/* The random number of such a ClientHello, DTLS_RANDOM_SIZE bytes; the same in every repeat of one handshake. */
const uint8_t *dtls_record_hello_random(struct tg_bytes datagram);

/* Whether such a ClientHello brings no cookie back; false where that cannot be seen. */
bool dtls_record_hello_is_first(struct tg_bytes datagram);

/* The HelloVerifyRequest that answers it: RFC 6347 section 4.2.1. Always smaller than what it answers. Returns its size. */
enum { DTLS_RECORD_VERIFY_MAX = DTLS_RECORD_HEADER + 12 + 3 + 32 };
size_t dtls_record_verify(struct tg_bytes hello, struct tg_bytes cookie, uint8_t ret_datagram[DTLS_RECORD_VERIFY_MAX]);

/* The PSK identity, where the record holds an unfragmented ClientKeyExchange of a PSK suite. Borrowed. */
bool dtls_record_identity(const struct dtls_record *record, struct tg_bytes *ret_identity);

#endif
