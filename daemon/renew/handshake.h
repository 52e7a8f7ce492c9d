/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_HANDSHAKE_H
#define RENEW_HANDSHAKE_H

/* A TLS handshake between two ends in memory, one of which shows the new certificate: what OpenSSL would refuse to work with is found
 * out before anybody depends on it. The other end looks at no trust: that was checked before. */

#include <stdbool.h>
#include <stddef.h>

#include "base/cleanup.h"

struct evp_pkey_st;
struct stack_st_X509;

/* `chain` begins with the certificate. Errors: -EKEYREJECTED: `ret_detail` says why; -ENOMEM. */
int handshake_try(struct stack_st_X509 *chain, struct evp_pkey_st *key, bool server, char *ret_detail,
		  size_t size) WARN_UNUSED;

#endif
