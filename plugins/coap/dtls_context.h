/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_CONTEXT_H
#define COAP_DTLS_CONTEXT_H

/*
 * An SSL_CTX from one set of credentials and the gateway's policy (tg_host.crypto), which alone says which versions, suites, groups
 * and signatures are taken; everything that OpenSSL wants to load is loaded by then.
 */

#include <openssl/ssl.h>

#include "dtls.h"

struct dtls_context_calls {
	SSL_psk_server_cb_func psk;
	int (*cookie_make)(SSL *ssl, unsigned char *ret_cookie, unsigned int *ret_size);
	int (*cookie_check)(SSL *ssl, const unsigned char *cookie, unsigned int size);
};

/* UDP payload that a handshake's datagrams, and ours with data, do not exceed: an IPv6 packet of 1280 bytes. */
enum { DTLS_CONTEXT_MTU = 1280 - 40 - 8 };

/* Errors: -EKEYREJECTED, with *ret_problem in words, static storage. */
int dtls_context_new(const struct tg_host *host, const struct dtls_credentials *credentials,
		     const struct dtls_context_calls *calls, SSL_CTX **ret_context, const char **ret_problem);

/* The device's name in a certificate: the first URI of the subject alternative names, else the first DNS name, else the common
 * name. Ownership: free *ret_name. Errors: -ENOENT: there is none; -EINVAL: it is empty, holds a NUL, or is too long. */
int dtls_context_name(X509 *certificate, char **ret_name);

#endif
