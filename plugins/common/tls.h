/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_TLS_H
#define COMMON_TLS_H

/*
 * The gateway's side of TLS to a broker: certificate, key, trust anchors and revocation lists as they were read, and a context
 * for each connection made of them, by the gateway's policy. Everything that reads a file or loads a part of OpenSSL happens in
 * tls_new, which runs before the sandbox is shut; tls_context and the handshake need no file. For adapters
 * that connect to brokers.
 *
 * What is asked of a broker's certificate: a chain to any of the anchors, of certificates sent by the broker or found in `trust`;
 * a certificate for servers; name constraints, path length, strength; validity by the host's time; no revocation list that names one
 * of the chain; the name; and what it has stapled (RFC 6066 section 8). A revoked one ends the connection whatever the settings are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

enum { TLS_CAUSE_SIZE = 256 };

struct ssl_st;
struct ssl_ctx_st;
struct tls;

enum tls_ocsp {
	TLS_OCSP_OFF,    /* not asked for */
	TLS_OCSP_ACCEPT, /* verified where it is stapled, and required where the certificate says so (RFC 7633) */
	TLS_OCSP_REQUIRE /* a broker that staples none is refused */
};

/* The contents of PEM files, and what else goes into a context. Empty bytes: none. */
struct tls_settings {
	const struct tg_crypto *crypto; /* lent as by tg_host.crypto */
	struct tg_bytes certificate;    /* the gateway's own first, then the chain */
	struct tg_bytes key;
	struct tg_bytes trust;
	struct tg_bytes crl; /* with it every authority of a chain, but for the anchor, must have its list */
	bool expired_crl;    /* a list that has run out is still taken */
	bool insecure;       /* an empty trust accepts any broker */
	enum tls_ocsp ocsp;
	const char *alpn; /* "" offers none */
};

/* One handshake: what it is to check, and why it failed. Lives as long as the context that was made with it. */
struct tls_handshake {
	char *server_name; /* a DNS name or an IP address; borrowed */
	int64_t wall_s;    /* the time of day to judge by, since 1970 */
	const struct tls *tls;
	char cause[TLS_CAUSE_SIZE];
};

/* Ownership: tls_ref, tls_unref. Errors: -EINVAL: `ret_cause` says what is wrong with which setting; -ENOMEM. */
int tls_new(const struct tls_settings *settings, char ret_cause[TLS_CAUSE_SIZE], struct tls **ret_tls);
struct tls *tls_ref(struct tls *tls);
void tls_unref(struct tls *tls); /* accepts NULL */

/* A context for one connection. It verifies the chain against the trust anchors and the name against
 * `handshake->server_name` (RFC 9525; no partial wildcards), and sends that name (RFC 6066) unless it is an address.
 * Ownership: SSL_CTX_free; `tls` must stay as long. Errors: -ENOMEM, -EINVAL. */
int tls_context(const struct tls *tls, struct tls_handshake *handshake, struct ssl_ctx_st **ret_context);

/* The same, put into a new context that a library has made. Errors: -EINVAL. */
int tls_fill(const struct tls *tls, struct tls_handshake *handshake, struct ssl_ctx_st *context);

/* Whether a connection that was made with other settings could stay with these: it uses what the policy has, and no revocation list
 * names the broker's certificate or one of its authorities. Returns NULL, or why not, in static storage. */
const char *tls_objection(const struct tls *tls, const struct ssl_st *ssl);

/* The earliest time that a revocation list runs out. Units: seconds since 1970; INT64_MAX: there is none. */
int64_t tls_lists_until_s(const struct tls *tls);

/* "TLSv1.3 TLS_AES_128_GCM_SHA256". */
void tls_describe(const struct ssl_st *ssl, char *ret_text, size_t size);

#endif
