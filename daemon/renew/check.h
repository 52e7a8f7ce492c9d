/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_CHECK_H
#define RENEW_CHECK_H

/*
 * Whether a certificate that came back may take the place of the old one: it is of our key, names who the old one names, is for the
 * same use, is valid now, stands under the anchors given, and a handshake in memory works with it.
 */

#include <stdbool.h>
#include <stdint.h>

#include "base/cleanup.h"

struct evp_pkey_st;
struct stack_st_X509;
struct x509_st;

enum { CHECK_CAUSE_SIZE = 256 };

struct check {
	struct evp_pkey_st *key;   /* of the new certificate */
	const struct x509_st *old; /* NULL: there is none, then `common_name` counts */
	const char *common_name;
	struct stack_st_X509 *anchors;   /* NULL: where it stands is not looked at */
	struct stack_st_X509 *untrusted; /* further certificates that may belong to the chain; may be NULL */
	int64_t now_s;                   /* wall time */
	bool server;                     /* it is for a server; else for a client */
};

/* Finds the key's certificate among `given` and its chain up to, but without, the root. Ownership: answer_free. Errors: -EKEYREJECTED:
 * `ret_cause` says what is wrong with it; -ENOMEM. */
int check_certificates(const struct check *check, struct stack_st_X509 *given, char ret_cause[CHECK_CAUSE_SIZE],
		       struct stack_st_X509 **ret_chain) WARN_UNUSED;

#endif
