/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_TLS_INTERNAL_H
#define COAP_CLIENT_TLS_INTERNAL_H

/* Shared by the parts of tls.h: tls.c sets contexts up, tls_files.c reads their files, tls_verify.c judges certificates. */

#include <openssl/bio.h>
#include <openssl/ssl.h>

#include "tls.h"

typedef void tls_info_fn(const SSL *ssl, int where, int ret);

struct tls {
	SSL_CTX *context; /* libcoap's */
	const struct tg_host *host;
	tls_find_fn *find;
	void *arg;
	tls_info_fn *info; /* libcoap's */
	char *psk_suites;
	char *certificate_suites;
	bool trust;
	bool lists;
	bool expired_lists;
};

/* Reads all files of the settings. `ret_store` is NULL where there is no `trust`. The rest goes into the SSL_CTX. Returns NULL, or what
 * is wrong. */
const char *tls_files_load(struct tls *tls, X509_STORE **ret_store);

/* A SSL_CTX's cert_verify_callback; `arg` is the struct tls. */
int tls_verify(X509_STORE_CTX *store, void *arg);

/* The name of a device by its certificate: the first URI among the subject's alternative names, else the first DNS name, else the common
 * name. Errors: -ENOENT: none; -EINVAL: unusable. */
int tls_verify_name(X509 *certificate, char ret_name[TG_DEVICE_MAX + 1]);

#endif
