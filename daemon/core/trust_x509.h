/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_X509_H
#define CORE_TRUST_X509_H

/* What stands in certificates and revocation lists, for those who watch them. Nobody is let in by what is read here: that is the
 * adapters' affair. Source: RFC 5280. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

enum { TRUST_X509_NAME_SIZE = 192, TRUST_X509_NAMES_SIZE = 320 };

/* Text that is longer than its place is cut. */
struct trust_x509 {
	bool list; /* a revocation list: of what follows it has issuer, the two times, signature and fingerprint */
	bool authority;
	char subject[TRUST_X509_NAME_SIZE]; /* "CN=hall-3,O=Example" */
	char issuer[TRUST_X509_NAME_SIZE];
	char names[TRUST_X509_NAMES_SIZE]; /* subject alternative names: "DNS:localhost, URI:urn:x" */
	char serial[48];                   /* hexadecimal */
	char key[24];                      /* "EC", "RSA" */
	unsigned bits;
	char group[32];         /* "prime256v1"; "" where the key has none */
	int key_strength;       /* bits of security, as OpenSSL counts them; 0: of no known kind */
	char signature[48];     /* "ecdsa-with-SHA256" */
	int signature_strength; /* the same; -1: nobody relies on it, for it is the certificate's own */
	char fingerprint[65];   /* SHA-256, hexadecimal */
	int64_t from_wall_us;   /* notBefore; thisUpdate of a list */
	int64_t until_wall_us;  /* notAfter; nextUpdate of a list, INT64_MAX where it names none */
};

typedef void trust_x509_fn(void *arg, const struct trust_x509 *facts);

/* Calls `fn` for each certificate and list of a PEM file, in their order; anything else in it is left out. Returns how many there
 * were. Errors: -EINVAL: one of them is broken, those before it were told; -ENOMEM. */
int trust_x509_read_pem(struct tg_bytes pem, trust_x509_fn *fn, void *arg) WARN_UNUSED;

/* One certificate, as it travels. Errors: -EINVAL. */
int trust_x509_read_der(struct tg_bytes der, struct trust_x509 *ret_facts) WARN_UNUSED;

/* Whether the key is that of the first certificate. Errors: -ENOENT: no unencrypted private key in it; -EKEYREJECTED: it is another
 * one; -EINVAL: no certificate. */
int trust_x509_check_key(struct tg_bytes certificate_pem, struct tg_bytes key_pem) WARN_UNUSED;

#endif
