/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_ENROL_INSIDE_H
#define RENEW_ENROL_INSIDE_H

/* What enrol.c (from the files to the outcome) and enrol_est.c (the conversation) share. */

#include <openssl/x509.h>

#include "renew/enrol.h"

struct enrol {
	const struct job *job;
	STACK_OF(X509) * old;     /* the certificate that is to be renewed, then its chain; NULL: there is none */
	EVP_PKEY *old_key;        /* NULL: there is none, or it is not that certificate's */
	STACK_OF(X509) * trust;   /* NULL: none given */
	STACK_OF(X509) * issuers; /* what the server says of its authority (cacerts); NULL: nothing */
	char *password;           /* NULL: none */
	EVP_PKEY *key;
	X509_REQ *request;
};

/* The old certificate, or NULL. */
X509 *enrol_old(const struct enrol *enrol);

/* Gets the certificates of the new key from the server. Ownership: answer_free. Errors: as noted in `ret_outcome`. */
int enrol_over_est(struct enrol *enrol, struct outcome *ret_outcome, STACK_OF(X509) * *ret_given) WARN_UNUSED;

#endif
