/* SPDX-License-Identifier: Apache-2.0 */
#ifndef WIRE_CRYPTO_H
#define WIRE_CRYPTO_H

/*
 * The crypto policy: the one place where the setting `crypto` becomes versions, suites, groups and signatures, in the words of
 * OpenSSL's lists. Made to be raised: what is added or struck out here counts for every program and every library.
 *
 * Both policies hold the mandatory suites of RFC 7925 for constrained devices, TLS_PSK_WITH_AES_128_CCM_8 and
 * TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8, and are within RFC 9325 otherwise.
 */

#include <tidegate/adapter.h>

/* As the setting's choices stand in a schema row; the first one is the default. */
#define CRYPTO_POLICIES "modern compatible"

/* Returns the policy of that name, or NULL. Static storage. */
const struct tg_crypto *crypto_policy(const char *name);

#endif
