/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/dtls_pki.h"

#include <check.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

enum { PKI_DAY_S = 86400 };

static void pki_extend(X509 *certificate, X509 *issuer, int nid, const char *value)
{
	X509V3_CTX context;

	X509V3_set_ctx(&context, issuer, certificate, NULL, NULL, 0);
	X509_EXTENSION *extension = X509V3_EXT_conf_nid(NULL, &context, nid, value);
	ck_assert_ptr_nonnull(extension);
	ck_assert_int_eq(X509_add_ext(certificate, extension, -1), 1);
	X509_EXTENSION_free(extension);
}

static void pki_alternatives(X509 *certificate, X509 *issuer, const struct pki_request *request)
{
	char text[600] = "";

	if (request->names) {
		pki_extend(certificate, issuer, NID_subject_alt_name, request->names);
		return;
	}

	/* The DNS name first: the order must not matter. */
	if (request->dns)
		snprintf(text, sizeof(text), "DNS:%s", request->dns);
	if (request->uri)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), "%sURI:%s", request->dns ? "," : "",
			 request->uri);
	if (text[0])
		pki_extend(certificate, issuer, NID_subject_alt_name, text);
}

static EVP_PKEY *pki_key(const struct pki_request *request)
{
	EVP_PKEY *key = request->rsa_bits ? EVP_RSA_gen(request->rsa_bits)
					  : EVP_EC_gen(request->curve ? request->curve : "P-256");

	ck_assert_ptr_nonnull(key);
	return key;
}

void pki_make(const struct pki_request *request, struct pki *ret_pki)
{
	EVP_PKEY *key = pki_key(request);
	X509 *x = X509_new();
	X509 *issuer = request->issuer ? request->issuer->certificate : x;
	uint32_t serial;

	ck_assert_int_eq(RAND_bytes((unsigned char *)&serial, sizeof(serial)), 1);
	X509_set_version(x, X509_VERSION_3);
	ASN1_INTEGER_set(X509_get_serialNumber(x), (long)(serial >> 1) + 1);
	X509_gmtime_adj(X509_getm_notBefore(x), request->from_s ? request->from_s : -PKI_DAY_S);
	X509_gmtime_adj(X509_getm_notAfter(x), request->to_s ? request->to_s : PKI_DAY_S);
	X509_set_pubkey(x, key);
	if (request->name)
		X509_NAME_add_entry_by_txt(X509_get_subject_name(x), "CN", MBSTRING_UTF8,
					   (const unsigned char *)request->name, -1, -1, 0);
	X509_set_issuer_name(x, X509_get_subject_name(issuer));
	pki_extend(x, issuer, NID_basic_constraints,
		   request->basic       ? request->basic
		   : request->authority ? "critical,CA:TRUE"
					: "critical,CA:FALSE");
	if (request->usage)
		pki_extend(x, issuer, NID_key_usage, request->usage);
	if (request->feature)
		pki_extend(x, issuer, NID_tlsfeature, request->feature);
	if (request->constraints)
		pki_extend(x, issuer, NID_name_constraints, request->constraints);
	pki_extend(x, issuer, NID_subject_key_identifier, "hash");
	if (request->issuer)
		pki_extend(x, issuer, NID_authority_key_identifier, "keyid");
	pki_alternatives(x, issuer, request);
	if (request->purpose)
		pki_extend(x, issuer, NID_ext_key_usage, request->purpose);
	ck_assert_int_gt(X509_sign(x, request->issuer ? request->issuer->key : key,
				   EVP_get_digestbyname(request->digest ? request->digest : "SHA256")),
			 0);
	*ret_pki = (struct pki){x, key};
}

void pki_done(struct pki *pki)
{
	X509_free(pki->certificate);
	EVP_PKEY_free(pki->key);
	*pki = (struct pki){NULL, NULL};
}

static int pki_bio_fd(BIO *bio)
{
	char *data;
	long size = BIO_get_mem_data(bio, &data);
	int fd = memfd_create("pki", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, data, (size_t)size), size);
	BIO_free(bio);
	return fd;
}

int pki_certificate_fd(const struct pki *pki, const struct pki *second)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ck_assert_int_eq(PEM_write_bio_X509(bio, pki->certificate), 1);
	if (second)
		ck_assert_int_eq(PEM_write_bio_X509(bio, second->certificate), 1);
	return pki_bio_fd(bio);
}

int pki_key_fd(const struct pki *pki)
{
	BIO *bio = BIO_new(BIO_s_mem());

	ck_assert_int_eq(PEM_write_bio_PrivateKey(bio, pki->key, NULL, NULL, 0, NULL, NULL), 1);
	return pki_bio_fd(bio);
}

static X509_CRL *pki_list(const struct pki_list *list)
{
	X509_CRL *crl = X509_CRL_new();
	ASN1_TIME *at = ASN1_TIME_new();

	X509_CRL_set_version(crl, X509_CRL_VERSION_2);
	X509_CRL_set_issuer_name(crl, X509_get_subject_name(list->issuer->certificate));
	X509_gmtime_adj(at, list->from_s ? list->from_s : -PKI_DAY_S);
	X509_CRL_set1_lastUpdate(crl, at);
	if (list->revoked) {
		X509_REVOKED *entry = X509_REVOKED_new();

		X509_REVOKED_set_serialNumber(entry, X509_get_serialNumber(list->revoked->certificate));
		X509_REVOKED_set_revocationDate(entry, at);
		ck_assert_int_eq(X509_CRL_add0_revoked(crl, entry), 1);
	}
	X509_gmtime_adj(at, list->to_s ? list->to_s : PKI_DAY_S);
	X509_CRL_set1_nextUpdate(crl, at);
	ASN1_TIME_free(at);
	ck_assert_int_gt(X509_CRL_sign(crl, list->issuer->key, EVP_sha256()), 0);
	return crl;
}

int pki_lists_fd(const struct pki_list *lists, unsigned count)
{
	BIO *bio = BIO_new(BIO_s_mem());

	for (unsigned i = 0; i < count; i++) {
		X509_CRL *crl = pki_list(&lists[i]);

		ck_assert_int_eq(PEM_write_bio_X509_CRL(bio, crl), 1);
		X509_CRL_free(crl);
	}
	return pki_bio_fd(bio);
}

int pki_text_fd(const char *text)
{
	BIO *bio = BIO_new(BIO_s_mem());

	BIO_puts(bio, text);
	return pki_bio_fd(bio);
}
