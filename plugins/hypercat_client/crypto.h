/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_CRYPTO_H
#define HYPERCAT_CLIENT_CRYPTO_H

/* The little that this adapter wants of OpenSSL beside TLS. */

#include <tidegate/message.h>

enum { CRYPTO_DIGEST = 32 };

/* What is loaded on the first use is loaded now. False: it cannot be. */
bool crypto_prepare(void);

/* SHA-256, to know equal bytes by. False: no memory. */
bool crypto_digest(struct tg_bytes bytes, uint8_t ret_digest[CRYPTO_DIGEST]);

/* To be called behind whatever has used OpenSSL: an old error would end another connection. */
void crypto_forget_errors(void);

void crypto_wipe(void *data, size_t size);

#endif
