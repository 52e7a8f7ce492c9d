/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trust_ca.h"

#include <errno.h>
#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/param_build.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/trust_sign.h"

#define YEAR_S INT64_C(31556952)

enum { PRIVATE_BYTES = 32, POINT_MAX = 133, LIFETIME_YEARS = 30 };

struct trust_ca {
	EVP_PKEY *key;
	X509 *certificate;
};

void trust_pem_done(struct trust_pem *pem)
{
	if (pem->text)
		OPENSSL_cleanse(pem->text, pem->size);
	free(pem->text);
	*pem = (struct trust_pem){0};
}

void trust_issued_done(struct trust_issued *issued)
{
	trust_pem_done(&issued->certificate);
	trust_pem_done(&issued->key);
}

void trust_ca_free(struct trust_ca *ca)
{
	if (!ca)
		return;
	EVP_PKEY_free(ca->key);
	X509_free(ca->certificate);
	free(ca);
}

/* A common name has at most 64 characters: a gateway with a longer one has a shortened one there. */
static bool name_authority(X509 *certificate, const char *gateway)
{
	char name[TRUST_COMMON_NAME_MAX + 1];
	size_t size;

	snprintf(name, sizeof(name), "tidegate device CA of %s", gateway);
	size = strlen(name);
	while (size > 0 && !bytes_is_utf8(bytes_of(name, size)))
		name[--size] = '\0';
	return trust_sign_name(X509_get_subject_name(certificate), name) &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(certificate)) == 1;
}

static bool describe_authority(struct trust_ca *ca, const char *gateway, int64_t now_wall_us)
{
	static const struct trust_extension extensions[] = {
		{NID_basic_constraints, "critical,CA:TRUE,pathlen:0"},
		{NID_key_usage, "critical,keyCertSign,cRLSign"},
		{NID_subject_key_identifier, "hash"},
	};
	X509 *certificate = ca->certificate;

	return trust_sign_begin(certificate, now_wall_us, now_wall_us / 1000000 + LIFETIME_YEARS * YEAR_S) &&
	       X509_set_pubkey(certificate, ca->key) == 1 && name_authority(certificate, gateway) &&
	       trust_sign_extend(certificate, certificate, extensions, sizeof(extensions) / sizeof(extensions[0])) &&
	       X509_sign(certificate, ca->key, EVP_sha256()) > 0;
}

int trust_ca_new(const char *gateway, int64_t now_wall_us, struct trust_ca **ret_ca)
{
	struct trust_ca *ca = calloc(1, sizeof(*ca));
	bool good;

	if (!ca)
		return -ENOMEM;
	ca->key = EVP_EC_gen("P-256");
	ca->certificate = X509_new();
	good = ca->key && ca->certificate && describe_authority(ca, gateway, now_wall_us);
	ERR_clear_error();
	if (!good) {
		trust_ca_free(ca);
		return -EIO;
	}
	*ret_ca = ca;
	return 0;
}

int trust_ca_key(const struct trust_ca *ca, struct secret *ret_key)
{
	BIGNUM *number = NULL;
	bool good = EVP_PKEY_get_bn_param(ca->key, OSSL_PKEY_PARAM_PRIV_KEY, &number) == 1 &&
		    BN_bn2binpad(number, ret_key->data, PRIVATE_BYTES) == PRIVATE_BYTES;

	BN_clear_free(number);
	ERR_clear_error();
	ret_key->size = good ? PRIVATE_BYTES : 0;
	return good ? 0 : -EIO;
}

int trust_ca_certificate(const struct trust_ca *ca, uint8_t *ret_der, size_t room)
{
	int size = i2d_X509(ca->certificate, NULL);
	unsigned char *at = ret_der;

	if (size < 0 || (size_t)size > room)
		return -EMSGSIZE;
	return i2d_X509(ca->certificate, &at);
}

/* The private key, whose public half is in the certificate. */
static EVP_PKEY *key_from(const struct secret *key, const X509 *certificate)
{
	const EVP_PKEY *public = X509_get0_pubkey(certificate);
	BIGNUM *number = BN_bin2bn(key->data, (int)key->size, NULL);
	OSSL_PARAM_BLD *build = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new_from_name(NULL, "EC", NULL);
	unsigned char point[POINT_MAX];
	OSSL_PARAM *params = NULL;
	EVP_PKEY *result = NULL;
	size_t size = 0;

	if (public && number && build && context &&
	    EVP_PKEY_get_octet_string_param(public, OSSL_PKEY_PARAM_PUB_KEY, point, sizeof(point), &size) == 1 &&
	    OSSL_PARAM_BLD_push_utf8_string(build, OSSL_PKEY_PARAM_GROUP_NAME, "prime256v1", 0) == 1 &&
	    OSSL_PARAM_BLD_push_octet_string(build, OSSL_PKEY_PARAM_PUB_KEY, point, size) == 1 &&
	    OSSL_PARAM_BLD_push_BN(build, OSSL_PKEY_PARAM_PRIV_KEY, number) == 1)
		params = OSSL_PARAM_BLD_to_param(build);
	if (params && EVP_PKEY_fromdata_init(context) == 1)
		EVP_PKEY_fromdata(context, &result, EVP_PKEY_KEYPAIR, params);
	OSSL_PARAM_free(params);
	OSSL_PARAM_BLD_free(build);
	EVP_PKEY_CTX_free(context);
	BN_clear_free(number);
	return result;
}

/* Whether the private number and the public point fit. */
static bool is_pair(EVP_PKEY *key)
{
	EVP_PKEY_CTX *context = EVP_PKEY_CTX_new(key, NULL);
	bool good = context && EVP_PKEY_pairwise_check(context) == 1;

	EVP_PKEY_CTX_free(context);
	return good;
}

int trust_ca_load(const struct secret *key, struct tg_bytes certificate, struct trust_ca **ret_ca)
{
	struct trust_ca *ca = calloc(1, sizeof(*ca));
	const unsigned char *at = certificate.data;
	bool good;

	if (!ca)
		return -ENOMEM;
	ca->certificate = d2i_X509(NULL, &at, (long)certificate.size);
	if (ca->certificate)
		ca->key = key_from(key, ca->certificate);
	good = ca->key && is_pair(ca->key);
	ERR_clear_error();
	if (!good) {
		trust_ca_free(ca);
		return -EBADMSG;
	}
	*ret_ca = ca;
	return 0;
}

static bool name_device(X509 *certificate, const char *name)
{
	char alternative[TRUST_NAME_MAX + 32];
	bool has_alternative = trust_sign_alternative(name, alternative, sizeof(alternative));
	/* Without a subject the alternative name has to be critical (RFC 5280 section 4.2.1.6). */
	bool has_common = strlen(name) <= TRUST_COMMON_NAME_MAX;
	char value[sizeof(alternative) + 16];
	struct trust_extension extension = {NID_subject_alt_name, value};

	if (!has_alternative && !has_common)
		return false;
	if (has_common && !trust_sign_name(X509_get_subject_name(certificate), name))
		return false;
	snprintf(value, sizeof(value), "%s%s", has_common ? "" : "critical,", alternative);
	return !has_alternative || trust_sign_extend(certificate, certificate, &extension, 1);
}

static bool sign(const struct trust_ca *ca, const struct trust_wish *wish, EVP_PKEY *public, int64_t until_s,
		 X509 *certificate)
{
	static const struct trust_extension extensions[] = {
		{NID_basic_constraints, "critical,CA:FALSE"},
		{NID_key_usage, "critical,digitalSignature"},
		{NID_ext_key_usage, "clientAuth"},
		{NID_subject_key_identifier, "hash"},
		{NID_authority_key_identifier, "keyid:always"},
	};

	return trust_sign_begin(certificate, wish->now_wall_us, until_s) && X509_set_pubkey(certificate, public) == 1 &&
	       X509_set_issuer_name(certificate, X509_get_subject_name(ca->certificate)) == 1 &&
	       trust_sign_extend(certificate, ca->certificate, extensions,
				 sizeof(extensions) / sizeof(extensions[0])) &&
	       name_device(certificate, wish->name) && X509_sign(certificate, ca->key, EVP_sha256()) > 0;
}

/* What the wish and the authority's own end allow. Units: seconds since 1970. */
static int64_t find_end(const struct trust_ca *ca, const struct trust_wish *wish)
{
	int64_t until_s = (wish->now_wall_us + wish->lifetime_us) / 1000000;
	int64_t limit_s = trust_sign_time(X509_get0_notAfter(ca->certificate));

	return until_s < limit_s ? until_s : limit_s;
}

int trust_ca_issue(const struct trust_ca *ca, const struct trust_wish *wish, struct trust_issued *ret_issued,
		   const char **ret_problem)
{
	struct trust_issued issued = {.until_wall_us = find_end(ca, wish) * 1000000};
	bool asked = wish->request.data != NULL;
	X509 *certificate = X509_new();
	EVP_PKEY *public = NULL;
	int r = 0;

	*ret_problem = "openssl could not make it";
	if (!trust_sign_can_bear(wish->name, ret_problem))
		r = -EINVAL;
	if (r >= 0 && asked)
		r = trust_sign_request(wish->request, &public, ret_problem);
	else if (r >= 0)
	public = EVP_EC_gen("P-256");
	if (r >= 0 && (!certificate || !public || !sign(ca, wish, public, issued.until_wall_us / 1000000, certificate)))
		r = -EIO;
	if (r >= 0)
		r = trust_sign_write(certificate, &issued.certificate);
	if (r >= 0 && !asked)
		r = trust_sign_write_key(public, &issued.key);
	X509_free(certificate);
	EVP_PKEY_free(public);
	ERR_clear_error();
	if (r < 0)
		trust_issued_done(&issued);
	else
		*ret_issued = issued;
	return r;
}
