/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_cookie.h"

#include <errno.h>
#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/params.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <string.h>

enum { COOKIE_SECRET = 32 };

struct dtls_cookies {
	EVP_MAC *mac;
	EVP_MAC_CTX *secret[2]; /* with the key set: now and before */
	int64_t changed_us;
	bool changed;
};

static int cookies_draw(EVP_MAC_CTX *secret)
{
	uint8_t key[COOKIE_SECRET];
	OSSL_PARAM params[2] = {OSSL_PARAM_construct_utf8_string(OSSL_MAC_PARAM_DIGEST, (char[]){"SHA256"}, 0),
				OSSL_PARAM_construct_end()};

	if (RAND_bytes(key, sizeof(key)) != 1 || EVP_MAC_init(secret, key, sizeof(key), params) != 1)
		return -EIO;
	OPENSSL_cleanse(key, sizeof(key));
	return 0;
}

int dtls_cookies_new(struct dtls_cookies **ret_cookies)
{
	struct dtls_cookies *cookies = calloc(1, sizeof(*cookies));

	if (!cookies)
		return -ENOMEM;
	cookies->mac = EVP_MAC_fetch(NULL, "HMAC", NULL);
	for (unsigned i = 0; i < 2; i++) {
		cookies->secret[i] = EVP_MAC_CTX_new(cookies->mac);
		if (!cookies->secret[i] || cookies_draw(cookies->secret[i]) < 0) {
			dtls_cookies_free(cookies);
			return -ENOMEM;
		}
	}
	*ret_cookies = cookies;
	return 0;
}

void dtls_cookies_free(struct dtls_cookies *cookies)
{
	if (!cookies)
		return;
	EVP_MAC_CTX_free(cookies->secret[0]);
	EVP_MAC_CTX_free(cookies->secret[1]);
	EVP_MAC_free(cookies->mac);
	free(cookies);
}

static int cookies_turn(struct dtls_cookies *cookies, int64_t now_us)
{
	int64_t age_us = now_us - cookies->changed_us;

	if (cookies->changed && age_us < DTLS_COOKIE_SPAN_US)
		return 0;
	bool both = !cookies->changed || age_us >= 2 * DTLS_COOKIE_SPAN_US;
	EVP_MAC_CTX *oldest = cookies->secret[1];
	if (cookies_draw(oldest) < 0)
		return -EIO;
	cookies->secret[1] = cookies->secret[0];
	cookies->secret[0] = oldest;
	cookies->changed_us = now_us;
	cookies->changed = true;
	return both ? cookies_draw(cookies->secret[1]) : 0;
}

static int cookies_mac(EVP_MAC_CTX *secret, const struct dtls_peer *peer, uint8_t ret_cookie[DTLS_COOKIE_SIZE])
{
	uint8_t mac[EVP_MAX_MD_SIZE];
	size_t size;

	if (EVP_MAC_init(secret, NULL, 0, NULL) != 1 ||
	    EVP_MAC_update(secret, (const uint8_t *)peer, sizeof(*peer)) != 1 ||
	    EVP_MAC_final(secret, mac, &size, sizeof(mac)) != 1 || size < DTLS_COOKIE_SIZE)
		return -EIO;
	memcpy(ret_cookie, mac, DTLS_COOKIE_SIZE);
	return 0;
}

int dtls_cookies_make(struct dtls_cookies *cookies, int64_t now_us, const struct dtls_peer *peer,
		      uint8_t ret_cookie[DTLS_COOKIE_SIZE])
{
	int r = cookies_turn(cookies, now_us);

	return r < 0 ? r : cookies_mac(cookies->secret[0], peer, ret_cookie);
}

bool dtls_cookies_check(struct dtls_cookies *cookies, int64_t now_us, const struct dtls_peer *peer,
			const uint8_t *cookie, size_t size)
{
	uint8_t expected[DTLS_COOKIE_SIZE];

	if (size != DTLS_COOKIE_SIZE || cookies_turn(cookies, now_us) < 0)
		return false;
	for (unsigned i = 0; i < 2; i++)
		if (cookies_mac(cookies->secret[i], peer, expected) == 0 &&
		    CRYPTO_memcmp(expected, cookie, DTLS_COOKIE_SIZE) == 0)
			return true;
	return false;
}
