/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_verify.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "dtls_session.h"

enum { VERIFY_DEPTH = 5, VERIFY_NAME = 96, VERIFY_SERIAL = 48 };

/* In the words of who looks after the devices, where OpenSSL's need knowing or differ between releases. */
static const char *verify_words(int error)
{
	switch (error) {
	case X509_V_ERR_CERT_HAS_EXPIRED:
		return "certificate has expired";
	case X509_V_ERR_CERT_NOT_YET_VALID:
		return "certificate is not yet valid";
	case X509_V_ERR_CERT_REVOKED:
		return "certificate is revoked";
	case X509_V_ERR_INVALID_PURPOSE:
		return "wrong usage: certificate is not for clients";
	case X509_V_ERR_DEPTH_ZERO_SELF_SIGNED_CERT:
		return "certificate is self-signed";
	case X509_V_ERR_SELF_SIGNED_CERT_IN_CHAIN:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT_LOCALLY:
	case X509_V_ERR_UNABLE_TO_VERIFY_LEAF_SIGNATURE:
	case X509_V_ERR_UNABLE_TO_GET_ISSUER_CERT:
	case X509_V_ERR_CERT_UNTRUSTED:
		return "chain does not lead to a trust anchor";
	case X509_V_ERR_CA_MD_TOO_WEAK:
		return "signature is too weak, such as SHA-1";
	case X509_V_ERR_EE_KEY_TOO_SMALL:
	case X509_V_ERR_CA_KEY_TOO_SMALL:
		return "key is too small";
	case X509_V_ERR_INVALID_CA:
		return "issuer is not an authority";
	case X509_V_ERR_PERMITTED_VIOLATION:
	case X509_V_ERR_EXCLUDED_VIOLATION:
		return "name is outside of what its authority may name";
	case X509_V_ERR_UNABLE_TO_GET_CRL:
		return "no revocation list of the issuer in \"crl\"";
	case X509_V_ERR_CRL_HAS_EXPIRED:
		return "revocation list of the issuer has expired";
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return "revocation list of the issuer is not yet valid";
	default:
		return X509_verify_cert_error_string(error);
	}
}

static void verify_name(const X509 *certificate, char *ret_text, size_t size)
{
	BIO *out = BIO_new(BIO_s_mem());
	char *text = NULL;

	ret_text[0] = '\0';
	if (!out)
		return;
	X509_NAME_print_ex(out, X509_get_subject_name(certificate), 0, XN_FLAG_ONELINE);
	long length = BIO_get_mem_data(out, &text);
	if (length > 0)
		snprintf(ret_text, size, "%.*s", (int)length, text);
	BIO_free(out);
}

static void verify_serial(const X509 *certificate, char *ret_text, size_t size)
{
	const ASN1_INTEGER *serial = X509_get0_serialNumber(certificate);
	const unsigned char *bytes = ASN1_STRING_get0_data(serial);
	size_t used = 0;

	ret_text[0] = '\0';
	for (int i = 0; i < ASN1_STRING_length(serial) && used + 3 <= size; i++)
		used += (size_t)snprintf(ret_text + used, size - used, "%02X", bytes[i]);
}

/* What the operator needs to find the certificate: the reason alone does not say which one of a chain. */
static void verify_note(X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	const struct dtls_session *session = ssl ? SSL_get_app_data(ssl) : NULL;
	const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	const char *words = verify_words(X509_STORE_CTX_get_error(store));
	char name[VERIFY_NAME], serial[VERIFY_SERIAL];

	if (!session || !session->handshake)
		return;
	char *problem = session->handshake->problem;
	size_t size = sizeof(session->handshake->problem);
	if (!certificate) {
		snprintf(problem, size, "%s", words);
		return;
	}
	verify_name(certificate, name, sizeof(name));
	verify_serial(certificate, serial, sizeof(serial));
	snprintf(problem, size, "%s, \"%s\" serial %s", words, name, serial);
}

static bool verify_is_about_lists(int error)
{
	switch (error) {
	case X509_V_ERR_UNABLE_TO_GET_CRL:
	case X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER:
	case X509_V_ERR_CRL_HAS_EXPIRED:
	case X509_V_ERR_CRL_NOT_YET_VALID:
		return true;
	default:
		return false;
	}
}

/* Nobody but the operator vouches for an anchor. */
static bool verify_is_anchor(X509_STORE_CTX *store)
{
	return X509_STORE_CTX_get_error_depth(store) == sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
}

static int verify_step(int good, X509_STORE_CTX *store)
{
	if (good)
		return 1;
	if (verify_is_about_lists(X509_STORE_CTX_get_error(store)) && verify_is_anchor(store)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	verify_note(store);
	return 0;
}

static int verify_step_lenient(int good, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);

	if (good || (error != X509_V_ERR_CRL_HAS_EXPIRED && error != X509_V_ERR_CRL_NOT_YET_VALID))
		return verify_step(good, store);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* OpenSSL lets old kinds of authorities pass that do not say that they are ones. As an anchor the operator may want such a
 * one; what a peer brings along must say so (RFC 5280 section 6.1.4, k). */
static bool verify_authorities(X509_STORE_CTX *store)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);

	for (int i = 1; i < sk_X509_num(chain) - 1; i++) {
		if (X509_check_ca(sk_X509_value(chain, i)) == 1)
			continue;
		X509_STORE_CTX_set_error_depth(store, i);
		X509_STORE_CTX_set_current_cert(store, sk_X509_value(chain, i));
		X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_CA);
		verify_note(store);
		return false;
	}
	return true;
}

static int verify_chain(X509_STORE_CTX *store, const struct tg_host *host, X509_STORE_CTX_verify_cb step)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);

	X509_VERIFY_PARAM_set_time(param, (time_t)(host->now_wall_us(host) / 1000000));
	X509_VERIFY_PARAM_set_auth_level(param, (int)host->crypto(host)->level);
	X509_STORE_CTX_set_verify_cb(store, step);
	if (X509_verify_cert(store) == 1)
		return verify_authorities(store);
	if (X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
	return 0;
}

static int verify_strict(X509_STORE_CTX *store, void *arg)
{
	return verify_chain(store, arg, verify_step);
}

static int verify_lenient(X509_STORE_CTX *store, void *arg)
{
	return verify_chain(store, arg, verify_step_lenient);
}

void dtls_verify_set(SSL_CTX *context, const struct tg_host *host, bool lists, bool expired_lists)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(context, VERIFY_DEPTH);
	/* Whatever stands in `trust` is an anchor, also an intermediate authority. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	if (lists)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	SSL_CTX_set_cert_verify_callback(context, expired_lists ? verify_lenient : verify_strict,
					 (void *)(uintptr_t)host);
}

/* Never asks at a terminal. */
static int verify_no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static STACK_OF(X509_INFO) * verify_read(BIO *file)
{
	return PEM_X509_INFO_read_bio(file, NULL, verify_no_password, NULL);
}

const char *dtls_verify_anchors(SSL_CTX *context, BIO *file)
{
	STACK_OF(X509_INFO) *infos = verify_read(file);
	const char *problem = infos ? NULL : "trust: a certificate is broken";
	unsigned count = 0;

	for (int i = 0; !problem && i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->crl)
			problem = "trust: holds a revocation list, which belongs into 'crl'";
		else if (info->x509 && X509_STORE_add_cert(SSL_CTX_get_cert_store(context), info->x509) != 1)
			problem = "trust: a certificate cannot be used";
		count += info->x509 != NULL;
	}
	if (!problem && count == 0)
		problem = "trust: no certificate in PEM form found";
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	return problem;
}

const char *dtls_verify_lists(SSL_CTX *context, BIO *file)
{
	STACK_OF(X509_INFO) *infos = verify_read(file);
	const char *problem = infos ? NULL : "crl: a revocation list is broken";
	unsigned count = 0;

	for (int i = 0; !problem && i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->crl && X509_STORE_add_crl(SSL_CTX_get_cert_store(context), info->crl) != 1)
			problem = "crl: a revocation list cannot be used";
		count += info->crl != NULL;
	}
	if (!problem && count == 0)
		problem = "crl: no revocation list in PEM form found";
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	return problem;
}

static bool verify_is_on(X509_CRL *list, X509 *certificate)
{
	X509_REVOKED *entry;

	/* 2 is removeFromCRL: it was only on hold. */
	return X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(certificate)) == 0 &&
	       X509_CRL_get0_by_cert(list, &entry, certificate) == 1;
}

static bool verify_is_on_any(STACK_OF(X509_OBJECT) * objects, X509 *certificate)
{
	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509_CRL *list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));

		if (list && verify_is_on(list, certificate))
			return true;
	}
	return false;
}

bool dtls_verify_is_revoked(SSL_CTX *context, const SSL *ssl)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
	STACK_OF(X509) *others = SSL_get_peer_cert_chain(ssl);
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	bool revoked = certificate && verify_is_on_any(objects, certificate);

	for (int i = 0; certificate && !revoked && i < sk_X509_num(others); i++)
		revoked = verify_is_on_any(objects, sk_X509_value(others, i));
	return revoked;
}

/* Not timegm(3): its seconds end in 2038 where a long has 32 bits. */
static int64_t seconds_of(const ASN1_TIME *time)
{
	ASN1_TIME *epoch = ASN1_TIME_set(NULL, 0);
	int days, seconds;
	bool good = epoch && ASN1_TIME_diff(&days, &seconds, epoch, time) == 1;

	ASN1_TIME_free(epoch);
	return good ? days * INT64_C(86400) + seconds : INT64_MAX;
}

int64_t dtls_verify_lists_until_s(SSL_CTX *context)
{
	STACK_OF(X509_OBJECT) *objects = X509_STORE_get0_objects(SSL_CTX_get_cert_store(context));
	int64_t until_s = INT64_MAX;

	for (int i = 0; i < sk_X509_OBJECT_num(objects); i++) {
		X509_CRL *list = X509_OBJECT_get0_X509_CRL(sk_X509_OBJECT_value(objects, i));
		const ASN1_TIME *next = list ? X509_CRL_get0_nextUpdate(list) : NULL;
		int64_t next_s = next ? seconds_of(next) : INT64_MAX;

		until_s = next_s < until_s ? next_s : until_s;
	}
	return until_s;
}
