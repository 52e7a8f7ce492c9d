/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_SIGN_H
#define CORE_TRUST_SIGN_H

/* How a certificate is put together; for trust_ca.c alone, the wrapper of OpenSSL in it. */

#include <openssl/x509.h>

#include "core/trust_ca.h"

enum { TRUST_COMMON_NAME_MAX = 64, TRUST_NAME_MAX = 255 };

struct trust_extension {
	int nid;
	const char
		*value; /* as in openssl's configuration, never of what somebody else chose, but for a checked name */
};

/* Version 3, a random serial number, valid from a day before now, for devices whose clock is behind. Units: seconds since 1970. */
bool trust_sign_begin(X509 *certificate, int64_t now_wall_us, int64_t until_s);
/* The name has this common name and nothing else. */
bool trust_sign_name(X509_NAME *name, const char *common);
bool trust_sign_extend(X509 *certificate, X509 *issuer, const struct trust_extension *extensions, size_t count);
/* "URI:…" or "DNS:…" of a name that has such a form; false: it has none. */
bool trust_sign_alternative(const char *name, char *ret_text, size_t room);
/* Whether a certificate can hold that name in a place where it is looked for. */
bool trust_sign_can_bear(const char *name, const char **ret_problem);
int64_t trust_sign_time(const ASN1_TIME *time);

/* The public key of a request whose own signature is good. Errors: -EINVAL. */
int trust_sign_request(struct tg_bytes pem, EVP_PKEY **ret_public, const char **ret_problem) WARN_UNUSED;

int trust_sign_write(X509 *certificate, struct trust_pem *ret_pem) WARN_UNUSED;
int trust_sign_write_key(EVP_PKEY *key, struct trust_pem *ret_pem) WARN_UNUSED;

#endif
