/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_INSPECT_H
#define CORE_TRUST_INSPECT_H

/* What stands in certificates and revocation lists, for people and for the audit. Decides nothing about who is let in. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "base/cleanup.h"

struct trust_facts {
	bool revocation_list; /* then there is no key, and `until` is its next update */
	char subject[256];    /* of a list: its issuer. "CN=gateway,O=plant" */
	int64_t from_wall_us;
	int64_t until_wall_us;  /* 0: never */
	char key[64];           /* "RSA 2048 bits", "prime256v1" */
	int key_strength;       /* bits of security, as OpenSSL counts them */
	char signature[64];     /* "ecdsa-with-SHA256" */
	int signature_strength; /* -1: nobody relies on it, for it is the certificate's own */
	bool authority;
};

/* Errors: -EBADMSG. */
int trust_inspect_der(struct tg_bytes certificate, struct trust_facts *ret_facts) WARN_UNUSED;

/* Calls `fn` for each certificate and each revocation list of a PEM text. Returns how many there were. */
typedef void trust_facts_fn(void *arg, const struct trust_facts *facts);
int trust_inspect_pem(struct tg_bytes text, trust_facts_fn *fn, void *arg);

/* Why it is below the policy (static text), or NULL. */
const char *trust_below(const struct trust_facts *facts, const struct tg_crypto *policy);

/* Why a session of this version ("DTLSv1.2"), cipher suite (its standard name) and group is below the policy, or NULL. What is not known
 * is below. Source: RFC 9325 for what a policy may hold at all. */
const char *trust_session_below(const struct tg_crypto *policy, bool psk, const char *version, const char *cipher,
				const char *group);

#endif
