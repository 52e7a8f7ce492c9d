/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_CA_H
#define CORE_TRUST_CA_H

/*
 * The gateway's own certificate authority for devices: ECDSA on P-256, made on the box. It signs for the public key of a request, or
 * makes a key for the device, which it hands out and does not keep. Whether an endpoint trusts it is up to that endpoint's `trust`.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/secret.h"

struct trust_ca;

/* Units: bytes, of a request in PEM, and of the authority's certificate in DER. */
enum { TRUST_REQUEST_MAX = 32 * 1024, TRUST_CA_MAX = 2048 };

/* Bytes that are wiped when they end. */
struct trust_pem {
	char *text; /* terminated; NULL: none */
	size_t size;
};

void trust_pem_done(struct trust_pem *pem);
#define CLEANUP_PEM CLEANUP(trust_pem_done)

/* A new one, valid for thirty years. Errors: -EIO. */
int trust_ca_new(const char *gateway, int64_t now_wall_us, struct trust_ca **ret_ca) WARN_UNUSED;
/* The one that was made from this private key and this certificate (DER). Errors: -EBADMSG: it is none, or they do not belong together. */
int trust_ca_load(const struct secret *key, struct tg_bytes certificate, struct trust_ca **ret_ca) WARN_UNUSED;
void trust_ca_free(struct trust_ca *ca);

/* The private number, 32 bytes. */
int trust_ca_key(const struct trust_ca *ca, struct secret *ret_key) WARN_UNUSED;
/* DER. Returns its size. Errors: -EMSGSIZE. */
int trust_ca_certificate(const struct trust_ca *ca, uint8_t *ret_der, size_t room) WARN_UNUSED;

/* PEM of a certificate in DER. Errors: -EBADMSG; -ENOMEM. */
int trust_pem_of(struct tg_bytes certificate, struct trust_pem *ret_pem) WARN_UNUSED;
/* Whether this certificate (DER) is one of those in PEM. */
bool trust_is_among(struct tg_bytes certificate, struct tg_bytes pem);

struct trust_wish {
	const char *name;        /* the device's: SAN URI or DNS where it has that form, and the common name */
	struct tg_bytes request; /* PEM; data NULL: there is none, a key is made */
	int64_t now_wall_us;
	int64_t lifetime_us; /* not beyond the authority's own end */
};

struct trust_issued {
	struct trust_pem certificate;
	struct trust_pem key; /* none where there was a request */
	int64_t until_wall_us;
};

void trust_issued_done(struct trust_issued *issued);

/* Source: RFC 5280, RFC 7925 section 4.4. Errors, for people too: *ret_problem says what is wrong; -EINVAL: with the request or the
 * name; -EIO. */
int trust_ca_issue(const struct trust_ca *ca, const struct trust_wish *wish, struct trust_issued *ret_issued,
		   const char **ret_problem) WARN_UNUSED;

#endif
