/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_ANSWER_H
#define RENEW_ANSWER_H

/*
 * What an EST server answers with: certificates in a PKCS#7 structure without signer ("certs-only"), in base64. Also the
 * certificates of a PEM file. Pure, nothing is believed of them here; whoever gets them has to check them (check.h).
 * Source: RFC 7030 sections 4.1.3 and 4.2.3, RFC 5272 section 4.1 (certs-only), RFC 8951 section 3 (base64 in any case).
 */

#include <tidegate/message.h>

#include "base/cleanup.h"

struct stack_st_X509;

/* Units: bytes of base64, certificates. */
enum { ANSWER_MAX = 256 * 1024, ANSWER_CERTIFICATES = 16 };

/* Ownership: answer_free. Errors: -EBADMSG: not base64, not such a structure, bytes behind it, or no certificate in it; -E2BIG: more
 * than ANSWER_CERTIFICATES or ANSWER_MAX; -ENOMEM. */
int answer_parse(struct tg_bytes body, struct stack_st_X509 **ret_certificates) WARN_UNUSED;

/* The certificates of a PEM text, in its order; other things in it are passed over. Errors: as above. */
int answer_parse_pem(struct tg_bytes text, struct stack_st_X509 **ret_certificates) WARN_UNUSED;

void answer_free(struct stack_st_X509 *certificates); /* accepts NULL */
CLEANUP_DEFINE(struct stack_st_X509 *, answer_free)

#endif
