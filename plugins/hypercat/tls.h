/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_TLS_H
#define HYPERCAT_TLS_H

/*
 * The server's side of TLS, by the gateway's policy: its certificate, and whose certificates of clients are taken. Everything that reads a
 * file happens in tls_new. There are no sessions to resume: each connection shows its certificate, and each certificate is verified, against
 * the trust anchors and the revocation lists as they are, at the host's time of day. The rules are those of the coap adapter: any
 * anchor counts, every authority between has to have its list where there are lists.
 *
 * Source: RFC 8446, RFC 5280 section 6.
 */

#include <stdbool.h>
#include <tidegate/adapter.h>

enum { TLS_GROUP_SIZE = 32, TLS_CERTIFICATE_MAX = 8192 };

struct ssl_st;
struct tls;

/* What the operator is told of a connection. `certificate` is empty where the client has none. */
struct tls_description {
	const char *version;
	const char *cipher;
	char group[TLS_GROUP_SIZE];
	uint8_t certificate[TLS_CERTIFICATE_MAX];
	size_t certificate_size;
};

/* By the settings. On failure it has logged why. Errors: -EINVAL, -ENOMEM, those of tg_host.setting_file. */
int tls_new(const struct tg_host *host, struct tls **ret_tls);
void tls_free(struct tls *tls); /* accepts NULL; what was made with it lives on */

/* For one connection. NULL: out of memory. */
struct ssl_st *tls_secure(const struct tls *tls);

/* The name in the client's certificate, which was verified. Errors: -ENOENT: it has none; -EINVAL: there is no name that a device can have. */
int tls_name(const struct ssl_st *ssl, char ret_name[TG_DEVICE_MAX + 1]);

/* Whether a connection that was let in with other settings has to end with these: its certificate is on a list, or is under no anchor, or
 * it uses what the policy has no more. */
bool tls_objects(const struct tls *tls, const struct ssl_st *ssl);

void tls_describe(const struct ssl_st *ssl, struct tls_description *ret_description);

/* In constant time for one `size`. */
bool tls_is_equal(const void *a, const void *b, size_t size);

#endif
