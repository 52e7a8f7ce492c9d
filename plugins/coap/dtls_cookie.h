/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_COOKIE_H
#define COAP_DTLS_COOKIE_H

/*
 * The cookies of RFC 6347 section 4.2.1: an HMAC over the peer's address with a secret that is thrown away after a minute or so.
 * The one before is still taken, so a cookie is good for at least DTLS_COOKIE_SPAN_US.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "dtls_peer.h"

struct dtls_cookies;

enum { DTLS_COOKIE_SIZE = 16 };
#define DTLS_COOKIE_SPAN_US INT64_C(60000000)

int dtls_cookies_new(struct dtls_cookies **ret_cookies);
void dtls_cookies_free(struct dtls_cookies *cookies);

/* Errors: -EIO: the library failed. */
int dtls_cookies_make(struct dtls_cookies *cookies, int64_t now_us, const struct dtls_peer *peer,
		      uint8_t ret_cookie[DTLS_COOKIE_SIZE]);
bool dtls_cookies_check(struct dtls_cookies *cookies, int64_t now_us, const struct dtls_peer *peer,
			const uint8_t *cookie, size_t size);

#endif
