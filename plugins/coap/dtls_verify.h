/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_VERIFY_H
#define COAP_DTLS_VERIFY_H

/*
 * Whose certificates are taken. dtls_verify_load fills a context's store with trust anchors and certificate revocation lists;
 * from then on OpenSSL asks here about every certificate that a peer brings. The chain is built from what the peer sent and what is
 * trusted; every anchor counts at any time, so that two authorities can stand side by side while devices move from one to the
 * other. Purpose, key usage, name constraints, path length and the strength of keys and signatures are OpenSSL's checks, by the
 * gateway's policy; the time of day is the host's, asked for at each handshake.
 *
 * With revocation lists every authority between the peer and the anchor must have one: a certificate whose authority has none is
 * refused, as is one on a list, however old that is. The anchor itself is trusted because the operator says so and needs no list.
 * Whether a list that has run out, or whose time has not come, is still taken for the others is a setting.
 *
 * Source: RFC 5280 section 6.
 */

#include <openssl/ssl.h>

#include "dtls.h"

/* Both read PEM. Returns NULL, or what is wrong, in static storage. */
const char *dtls_verify_anchors(SSL_CTX *context, BIO *file);
/* `expired`: lists that have run out are still taken. */
const char *dtls_verify_lists(SSL_CTX *context, BIO *file);

/* Has the context's handshakes verified here. `host` lives longer than every session. */
void dtls_verify_set(SSL_CTX *context, const struct tg_host *host, bool lists, bool expired_lists);

/* The earliest time that a list of the context runs out. Units: seconds since 1970; INT64_MAX: there is none. */
int64_t dtls_verify_lists_until_s(SSL_CTX *context);

/* Whether a list of the context names the peer's certificate, or that of an authority that it came with: what has to end a session
 * that was let in before the list came. False where the peer has no certificate. */
bool dtls_verify_is_revoked(SSL_CTX *context, const SSL *ssl);

#endif
