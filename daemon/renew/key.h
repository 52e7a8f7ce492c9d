/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_KEY_H
#define RENEW_KEY_H

/* The private key of the new certificate: made here, of the kind that the old one is. Keys are OpenSSL's. */

#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

struct evp_pkey_st;

/* A new key of the kind of `old`: the same curve; RSA of the same size within 2048 and 4096 bits. Without an old one, or with one of
 * another kind: P-256. Ownership: key_free. Errors: -EIO. */
int key_make(const struct evp_pkey_st *old, struct evp_pkey_st **ret_key) WARN_UNUSED;

/* The first private key of a PEM text. Errors: -ENOENT: there is none that can be read without a password. */
int key_read(struct tg_bytes text, struct evp_pkey_st **ret_key) WARN_UNUSED;

void key_free(struct evp_pkey_st *key); /* accepts NULL */
CLEANUP_DEFINE(struct evp_pkey_st *, key_free)

#endif
