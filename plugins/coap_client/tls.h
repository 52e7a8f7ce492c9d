/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_TLS_H
#define COAP_CLIENT_TLS_H

/*
 * What DTLS handshakes with devices are to be like: the gateway's crypto policy, the pre-shared key of the one device, or certificates.
 * libcoap makes the handshakes; it has no way to hand over cipher lists, groups or an own verification, so everything is put
 * into the SSL_CTX that libcoap uses (stack.c gets hold of it), and into each SSL when its handshake begins. The one user of
 * OpenSSL in this adapter.
 */

#include <tidegate/adapter.h>

struct ssl_ctx_st;
struct ssl_st;
struct tls;

enum { TLS_KEY_MAX = 64, TLS_PROBLEM = 256, TLS_CERTIFICATE_MAX = 8192 };

/* One handshake; kept by the session. */
struct tls_peer {
	const char *name;     /* the device; the name that its certificate must bear */
	const char *identity; /* ours, for PSK */
	uint8_t key[TLS_KEY_MAX];
	size_t key_size;           /* 0: certificates */
	char problem[TLS_PROBLEM]; /* why it failed, as far as is known */
};

/* Finds the peer of an SSL; left alone where there is none. */
typedef void tls_find_fn(void *arg, const struct ssl_st *ssl, struct tls_peer **ret_peer);

/* Takes over the SSL_CTX of libcoap. Ownership: tls_free, before the SSL_CTX goes. Errors: -ENOMEM. */
int tls_new(struct ssl_ctx_st *context, const struct tg_host *host, tls_find_fn *find, void *arg, struct tls **ret_tls);
void tls_free(struct tls *tls);

/* Reads policy and files into the SSL_CTX, at the beginning and again at a reload: what is wrong with them is logged, and the old ones
 * stay. Errors: -EINVAL. */
int tls_load(struct tls *tls);

/* Whether devices without a key can prove themselves by a certificate: there are trust anchors. */
bool tls_has_trust(const struct tls *tls);

/* After the handshake: what there is to tell, and the peer's certificate. `ret_certificate` has TLS_CERTIFICATE_MAX bytes. */
void tls_describe(const struct ssl_st *ssl, uint8_t *ret_certificate, struct tg_session *ret_session);

void tls_wipe(struct tls_peer *peer);

/* To be called at the end of every callback: an old error in OpenSSL's queue would end a session. */
void tls_forget_errors(void);

#endif
