/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TRUST_SEAL_H
#define CORE_TRUST_SEAL_H

/*
 * Bytes that lie on a disk and that nobody else may read or exchange: AES-256-GCM with a nonce drawn at random. What is sealed is
 * bound to a context, such as the row that it stands in: under another one it does not open.
 */

#include "base/secret.h"

enum {
	TRUST_SEAL_KEY = 32,
	TRUST_SEAL_EXTRA = 12 + 16 /* what sealing adds: nonce and tag */
};

/* Fills `key` with `size` random bytes. Errors: -EIO: no random numbers. */
int trust_random(struct secret *ret_secret, size_t size) WARN_UNUSED;

/* Writes clear.size + TRUST_SEAL_EXTRA bytes. `key` has TRUST_SEAL_KEY bytes. Errors: -EIO.
 * Source: NIST SP 800-38D section 8.2.2. */
int trust_seal(const struct secret *key, struct tg_bytes context, struct tg_bytes clear,
	       uint8_t *ret_sealed) WARN_UNUSED;

/* Writes sealed.size - TRUST_SEAL_EXTRA bytes, and returns how many. Errors: -EKEYREJECTED: another key, another context, or the bytes
 * were changed; nothing of them is left in `ret_clear`. */
int trust_unseal(const struct secret *key, struct tg_bytes context, struct tg_bytes sealed,
		 uint8_t *ret_clear) WARN_UNUSED;

#endif
