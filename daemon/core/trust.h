/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_H
#define CORE_TRUST_H

/* What the core needs of cryptography, all of it OpenSSL's: trust.c and the files trust_*.c are the only ones of the core that
 * include it. Here: pre-shared keys. */

#include "base/secret.h"

struct trust;

/* A fresh secret that lives as long as the process. Errors: -EIO: no random numbers. */
int trust_new(struct trust **ret_trust) WARN_UNUSED;
void trust_free(struct trust *trust);

/* A new pre-shared key of 16 bytes, none of them zero. Errors: -EIO. */
int trust_make_key(struct secret *ret_key) WARN_UNUSED;

/* The key that nobody has for an identity that nobody has: 16 bytes, the same each time that identity comes, so that an unknown
 * identity looks to the peer like a known one with another key. Errors: -EIO. */
int trust_decoy_key(const struct trust *trust, struct tg_bytes identity, struct secret *ret_key) WARN_UNUSED;

#endif
