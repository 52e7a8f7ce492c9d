/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_TLS_DIGEST_H
#define COAP_CLIENT_TLS_DIGEST_H

/* A SHA-256 of several pieces, each with its length in front, so that no two lists of pieces have the same one. */

#include <stdbool.h>
#include <tidegate/message.h>

enum { TLS_DIGEST_SIZE = 32 };

/* Returns false where OpenSSL cannot do it. */
bool tls_digest(const struct tg_bytes *pieces, size_t count, uint8_t ret_digest[TLS_DIGEST_SIZE]);

#endif
