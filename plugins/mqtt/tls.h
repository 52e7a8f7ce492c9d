/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_TLS_H
#define MQTT_TLS_H

/*
 * The gateway's side of TLS to a broker: certificate, key and trust anchors as they were read, and a context for each
 * connection made of them. Everything that reads a file or loads a part of OpenSSL happens in tls_new, which runs before the
 * sandbox is shut; tls_context and the handshake need no file. For options.c and session.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <tidegate/message.h>

enum { TLS_CAUSE_SIZE = 256 };

struct ssl_st;
struct ssl_ctx_st;
struct tls;

/* The contents of PEM files, and what else goes into a context. Empty bytes: none. */
struct tls_settings {
	struct tg_bytes certificate; /* the gateway's own first, then the chain */
	struct tg_bytes key;
	struct tg_bytes trust; /* trust anchors, and CRLs, which are then required of every issuer */
	bool insecure;         /* an empty trust accepts any broker */
	bool allow_tls12;
	const char *alpn; /* "" offers none */
};

/* One handshake: what it is to check, and why it failed. Lives as long as the context that was made with it. */
struct tls_handshake {
	char *server_name; /* a DNS name or an IP address; borrowed */
	char cause[TLS_CAUSE_SIZE];
};

/* Ownership: tls_free. Errors: -EINVAL: `ret_cause` says what is wrong with which setting; -ENOMEM. */
int tls_new(const struct tls_settings *settings, char ret_cause[TLS_CAUSE_SIZE], struct tls **ret_tls);
void tls_free(struct tls *tls);

/* A context for one connection. It verifies the chain against the trust anchors and the name against
 * `handshake->server_name` (RFC 9525; no partial wildcards), and sends that name (RFC 6066) unless it is an address.
 * Ownership: SSL_CTX_free. Errors: -ENOMEM, -EINVAL. */
int tls_context(const struct tls *tls, struct tls_handshake *handshake, struct ssl_ctx_st **ret_context);

/* "TLSv1.3 TLS_AES_128_GCM_SHA256". */
void tls_describe(const struct ssl_st *ssl, char *ret_text, size_t size);

#endif
