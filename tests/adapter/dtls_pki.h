/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DTLS_PKI_H
#define TESTS_DTLS_PKI_H

/* Certificates of any kind, good and bad, made while a test runs. A failure ends the test. */

#include <openssl/evp.h>
#include <openssl/x509.h>
#include <stdbool.h>

struct pki {
	X509 *certificate;
	EVP_PKEY *key;
};

struct pki_request {
	const char *name; /* CN */
	const char *uri;  /* subject alternative names; NULL: none */
	const char *dns;
	const struct pki *issuer; /* NULL: signs itself */
	unsigned rsa_bits;        /* 0: an elliptic curve */
	const char *curve;        /* NULL: P-256 */
	const char *digest;       /* NULL: SHA256 */
	const char *purpose;      /* extended key usage, such as "serverAuth"; NULL: none */
	const char *usage;        /* key usage, such as "digitalSignature"; NULL: none */
	const char *constraints;  /* name constraints; NULL: none */
	const char *basic;        /* basic constraints; NULL: by `authority` */
	const char *feature;      /* TLS feature, such as "status_request"; NULL: none */
	const char *names;        /* subject alternative names in OpenSSL's words, instead of the above */
	long from_s;              /* relative to now */
	long to_s;                /* 0: in one day */
	bool authority;
};

/* A certificate revocation list. */
struct pki_list {
	const struct pki *issuer;
	const struct pki *revoked; /* NULL: empty */
	long from_s;               /* relative to now; 0: a day ago */
	long to_s;                 /* 0: in one day */
};

void pki_make(const struct pki_request *request, struct pki *ret_pki);
void pki_done(struct pki *pki);

/* Descriptors of files in PEM form. The first holds `second`'s certificate too, where that is given. */
int pki_certificate_fd(const struct pki *pki, const struct pki *second);
int pki_key_fd(const struct pki *pki);
int pki_lists_fd(const struct pki_list *lists, unsigned count);
int pki_text_fd(const char *text);

#endif
