/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_TLS_INTERNAL_H
#define COMMON_TLS_INTERNAL_H

/* What tls.c (settings and contexts), tls_verify.c (chains and lists) and tls_ocsp.c (what is stapled) share. */

#include <openssl/ssl.h>

#include "tls.h"

struct tls {
	_Atomic unsigned refs; /* connections hold it too, and their threads */
	const struct tg_crypto *crypto;
	int level;
	X509 *certificate;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	STACK_OF(X509) * anchors; /* NULL: any broker is accepted */
	STACK_OF(X509_CRL) * lists;
	bool expired_crl;
	enum tls_ocsp ocsp;
	unsigned char alpn[256]; /* as on the wire, its length first */
	unsigned alpn_size;
};

/* Fills tls->anchors and tls->lists. Returns NULL, or what is wrong, in static storage. */
const char *tls_verify_load(struct tls *tls, BIO *trust, BIO *crl);
/* A store of the anchors that judges by this time. Ownership: X509_STORE_free. NULL: out of memory. */
X509_STORE *tls_verify_store(const struct tls *tls, int64_t wall_s);
/* Has the context verify; the handshake is the context's app data. */
bool tls_verify_set(SSL_CTX *context, const struct tls *tls, const struct tls_handshake *handshake);
bool tls_verify_is_revoked(const struct tls *tls, const SSL *ssl);

/* Has the context ask for a stapled response, and verify it. */
void tls_ocsp_set(SSL_CTX *context, const struct tls *tls);

#endif
