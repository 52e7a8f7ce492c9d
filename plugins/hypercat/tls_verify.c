/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>

#include "tls_inside.h"

enum { DEPTH = 5 };

static bool is_about_lists(int error)
{
	return error == X509_V_ERR_UNABLE_TO_GET_CRL || error == X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER ||
	       error == X509_V_ERR_CRL_HAS_EXPIRED || error == X509_V_ERR_CRL_NOT_YET_VALID;
}

/* Nobody but the operator vouches for an anchor. */
static bool is_anchor(X509_STORE_CTX *store)
{
	return X509_STORE_CTX_get_error_depth(store) == sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
}

static int step_strict(int good, X509_STORE_CTX *store)
{
	if (!good && is_about_lists(X509_STORE_CTX_get_error(store)) && is_anchor(store)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	return good;
}

static int step_lenient(int good, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);

	if (good || (error != X509_V_ERR_CRL_HAS_EXPIRED && error != X509_V_ERR_CRL_NOT_YET_VALID))
		return step_strict(good, store);
	X509_STORE_CTX_set_error(store, X509_V_OK);
	return 1;
}

/* What a client brings along must say that it is an authority (RFC 5280 section 6.1.4, k). */
static bool are_authorities(X509_STORE_CTX *store)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);

	for (int i = 1; i < sk_X509_num(chain) - 1; i++) {
		if (X509_check_ca(sk_X509_value(chain, i)) == 1)
			continue;
		X509_STORE_CTX_set_error(store, X509_V_ERR_INVALID_CA);
		return false;
	}
	return true;
}

static int verify(X509_STORE_CTX *store, const struct tg_host *host, X509_STORE_CTX_verify_cb step)
{
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);

	X509_VERIFY_PARAM_set_time(param, (time_t)(host->now_wall_us(host) / 1000000));
	X509_VERIFY_PARAM_set_auth_level(param, (int)host->crypto(host)->level);
	X509_STORE_CTX_set_verify_cb(store, step);
	if (X509_verify_cert(store) == 1 && are_authorities(store))
		return 1;
	if (X509_STORE_CTX_get_error(store) == X509_V_OK)
		X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
	host->log(host, TG_LOG_INFO, NULL, "refused a client's certificate (%s)",
		  X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
	return 0;
}

static int verify_strict(X509_STORE_CTX *store, void *arg)
{
	return verify(store, arg, step_strict);
}

static int verify_lenient(X509_STORE_CTX *store, void *arg)
{
	return verify(store, arg, step_lenient);
}

void tls_verify_set(struct tls *tls, bool required, bool expired_lists)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);

	SSL_CTX_set_verify(tls->context, SSL_VERIFY_PEER | (required ? SSL_VERIFY_FAIL_IF_NO_PEER_CERT : 0), NULL);
	SSL_CTX_set_verify_depth(tls->context, DEPTH);
	/* Whatever stands in `trust` is an anchor, also an intermediate authority. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	if (tls->lists)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	SSL_CTX_set_cert_verify_callback(tls->context, expired_lists ? verify_lenient : verify_strict,
					 (void *)(uintptr_t)tls->host);
}

const char *tls_verify_anchors(SSL_CTX *context, BIO *file)
{
	STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(file, NULL, tls_no_password, NULL);
	const char *problem = infos ? NULL : "trust: a certificate is broken";
	unsigned count = 0;

	for (int i = 0; !problem && i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->crl)
			problem = "trust: holds a revocation list, which belongs into 'crl'";
		else if (info->x509 && (X509_STORE_add_cert(SSL_CTX_get_cert_store(context), info->x509) != 1 ||
					SSL_CTX_add_client_CA(context, info->x509) != 1))
			problem = "trust: a certificate cannot be used";
		count += info->x509 != NULL;
	}
	if (!problem && count == 0)
		problem = "trust: no certificate in PEM form found";
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	return problem;
}

const char *tls_verify_lists(SSL_CTX *context, BIO *file)
{
	STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(file, NULL, tls_no_password, NULL);
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

/* The chain once more, as if it came now. */
static bool is_good_now(const struct tls *tls, const struct ssl_st *ssl, X509 *certificate)
{
	X509_STORE_CTX *store = X509_STORE_CTX_new();
	bool lenient = strcmp(tls->host->setting_text(tls->host, "crl_expired"), "accept") == 0;
	bool good = false;

	if (store && X509_STORE_CTX_init(store, SSL_CTX_get_cert_store(tls->context), certificate,
					 SSL_get_peer_cert_chain(ssl)) == 1) {
		X509_STORE_CTX_set_default(store, "ssl_client");
		X509_VERIFY_PARAM_set1(X509_STORE_CTX_get0_param(store), SSL_CTX_get0_param(tls->context));
		good = verify(store, tls->host, lenient ? step_lenient : step_strict);
	}
	X509_STORE_CTX_free(store);
	ERR_clear_error();
	return good;
}

bool tls_objects(const struct tls *tls, const struct ssl_st *ssl)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	const struct tg_crypto *crypto = tls->host->crypto(tls->host);
	uint32_t version = (uint32_t)SSL_version(ssl);

	if (version < crypto->tls_min || version > crypto->tls_max)
		return true;
	return certificate && !is_good_now(tls, ssl, certificate);
}

static int copy(const unsigned char *text, int size, char ret_name[TG_DEVICE_MAX + 1])
{
	if (size <= 0 || (size_t)size > TG_DEVICE_MAX || memchr(text, '\0', (size_t)size))
		return -EINVAL;
	memcpy(ret_name, text, (size_t)size);
	ret_name[size] = '\0';
	return 0;
}

static int alternative(const GENERAL_NAMES *names, int type, char ret_name[TG_DEVICE_MAX + 1])
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == type) /* URI and DNS are one ASN.1 type, IA5String */
			return copy(ASN1_STRING_get0_data(name->d.ia5), ASN1_STRING_length(name->d.ia5), ret_name);
	}
	return -ENOENT;
}

static int common(const X509_NAME *subject, char ret_name[TG_DEVICE_MAX + 1])
{
	int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1), size, r;
	unsigned char *text = NULL;

	if (at < 0)
		return -EINVAL;
	size = ASN1_STRING_to_UTF8(&text, X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)));
	r = size < 0 ? -EINVAL : copy(text, size, ret_name);
	OPENSSL_free(text);
	return r;
}

int tls_name(const struct ssl_st *ssl, char ret_name[TG_DEVICE_MAX + 1])
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	GENERAL_NAMES *names;
	int r;

	if (!certificate || SSL_get_verify_result(ssl) != X509_V_OK)
		return -ENOENT;
	names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	r = alternative(names, GEN_URI, ret_name);
	if (r == -ENOENT)
		r = alternative(names, GEN_DNS, ret_name);
	if (r == -ENOENT)
		r = common(X509_get_subject_name(certificate), ret_name);
	GENERAL_NAMES_free(names);
	ERR_clear_error();
	return r;
}
