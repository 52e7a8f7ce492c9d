/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_TLS_INSIDE_H
#define HYPERCAT_TLS_INSIDE_H

/* What tls.c (files and contexts) and tls_verify.c (whose certificates are taken) share. */

#include <openssl/ssl.h>

#include "tls.h"

struct tls {
	const struct tg_host *host;
	SSL_CTX *context;
	bool lists; /* there are revocation lists */
};

/* Never asks at a terminal. */
int tls_no_password(char *ret_password, int size, int writing, void *arg);

/* Fill the context's store. Return NULL, or what is wrong, in static storage. */
const char *tls_verify_anchors(SSL_CTX *context, BIO *file);
const char *tls_verify_lists(SSL_CTX *context, BIO *file);
/* Has clients' certificates asked for and verified; without one a client may come in all the same unless `required`. */
void tls_verify_set(struct tls *tls, bool required, bool expired_lists);

#endif
