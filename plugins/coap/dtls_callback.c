/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/rand.h>
#include <string.h>

#include "dtls_session.h"

/* A peer that was not asked for (an identity that came in fragments, or is too long), or that names another identity than the one
 * asked for, gets a key that nobody has: it fails at its Finished like one with a wrong key. */
unsigned int dtls_callback_psk(SSL *ssl, const char *identity, unsigned char *ret_key, unsigned int size)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	struct dtls_handshake *handshake = session->handshake;

	if (handshake && handshake->answered && handshake->proof == TG_PROOF_PSK &&
	    strcmp(identity, handshake->identity) == 0 && handshake->key_size > 0 && handshake->key_size <= size) {
		memcpy(ret_key, handshake->key, handshake->key_size);
		return (unsigned int)handshake->key_size;
	}
	if (handshake)
		handshake->known = false;
	enum { CALLBACK_KEY = 16 };
	if (size < CALLBACK_KEY || RAND_bytes(ret_key, CALLBACK_KEY) != 1)
		return 0;
	return CALLBACK_KEY;
}

int dtls_callback_cookie_make(SSL *ssl, unsigned char *ret_cookie, unsigned int *ret_size)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	struct dtls *dtls = session->dtls;

	*ret_size = DTLS_COOKIE_SIZE;
	return dtls_cookies_make(dtls->cookies, dtls_now_us(dtls), &session->entry.peer, ret_cookie) == 0;
}

int dtls_callback_cookie_check(SSL *ssl, const unsigned char *cookie, unsigned int size)
{
	const struct dtls_session *session = SSL_get_app_data(ssl);
	struct dtls *dtls = session->dtls;

	return dtls_cookies_check(dtls->cookies, dtls_now_us(dtls), &session->entry.peer, cookie, size);
}
