/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <string.h>

#include "tls_internal.h"

static struct tls_peer *verify_peer(X509_STORE_CTX *store, const struct tls *tls)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());

	struct tls_peer *peer = NULL;

	if (ssl)
		tls->find(tls->arg, ssl, &peer);
	return peer;
}

static int name_copy(const ASN1_STRING *text, char ret_name[TG_DEVICE_MAX + 1])
{
	int size = ASN1_STRING_length(text);

	if (size <= 0 || size > (int)TG_DEVICE_MAX || memchr(ASN1_STRING_get0_data(text), '\0', (size_t)size))
		return -EINVAL;
	memcpy(ret_name, ASN1_STRING_get0_data(text), (size_t)size);
	ret_name[size] = '\0';
	return 0;
}

static int name_alternative(const GENERAL_NAMES *names, int type, char ret_name[TG_DEVICE_MAX + 1])
{
	for (int i = 0; i < sk_GENERAL_NAME_num(names); i++) {
		const GENERAL_NAME *name = sk_GENERAL_NAME_value(names, i);

		if (name->type == type) /* both types are text of one kind */
			return name_copy(name->d.ia5, ret_name);
	}
	return -ENOENT;
}

int tls_verify_name(X509 *certificate, char ret_name[TG_DEVICE_MAX + 1])
{
	GENERAL_NAMES *names = X509_get_ext_d2i(certificate, NID_subject_alt_name, NULL, NULL);
	const X509_NAME *subject = X509_get_subject_name(certificate);
	int r = name_alternative(names, GEN_URI, ret_name);

	if (r == -ENOENT)
		r = name_alternative(names, GEN_DNS, ret_name);
	if (r == -ENOENT) {
		int at = X509_NAME_get_index_by_NID(subject, NID_commonName, -1);

		if (at >= 0)
			r = name_copy(X509_NAME_ENTRY_get_data(X509_NAME_get_entry(subject, at)), ret_name);
	}
	GENERAL_NAMES_free(names);
	return r;
}

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

static bool is_pardoned(const struct tls *tls, X509_STORE_CTX *store)
{
	int error = X509_STORE_CTX_get_error(store);

	if (is_about_lists(error) && is_anchor(store))
		return true;
	return tls->expired_lists && (error == X509_V_ERR_CRL_HAS_EXPIRED || error == X509_V_ERR_CRL_NOT_YET_VALID);
}

static int verify_step(int good, X509_STORE_CTX *store)
{
	const struct tls *tls = X509_STORE_CTX_get_app_data(store);
	struct tls_peer *peer = tls ? verify_peer(store, tls) : NULL;

	if (good)
		return 1;
	if (tls && is_pardoned(tls, store)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (peer)
		snprintf(peer->problem, sizeof(peer->problem), "its certificate: %s",
			 X509_verify_cert_error_string(X509_STORE_CTX_get_error(store)));
	return 0;
}

/* What a device brings along as an authority must say that it is one (RFC 5280 section 6.1.4, k). */
static bool are_authorities(X509_STORE_CTX *store)
{
	STACK_OF(X509) *chain = X509_STORE_CTX_get0_chain(store);

	for (int i = 1; i < sk_X509_num(chain) - 1; i++)
		if (X509_check_ca(sk_X509_value(chain, i)) != 1)
			return false;
	return true;
}

static bool has_name(X509_STORE_CTX *store, struct tls_peer *peer)
{
	char name[TG_DEVICE_MAX + 1];
	int r = tls_verify_name(X509_STORE_CTX_get0_cert(store), name);

	if (r >= 0 && strcmp(name, peer->name) == 0)
		return true;
	snprintf(peer->problem, sizeof(peer->problem),
		 r < 0 ? "its certificate has no usable name" : "its certificate is that of \"%s\"", name);
	return false;
}

int tls_verify(X509_STORE_CTX *store, void *arg)
{
	const struct tls *tls = arg;
	const struct tg_host *host = tls->host;
	X509_VERIFY_PARAM *param = X509_STORE_CTX_get0_param(store);
	struct tls_peer *peer = verify_peer(store, tls);

	X509_VERIFY_PARAM_set_time(param, (time_t)(host->now_wall_us(host) / 1000000));
	X509_VERIFY_PARAM_set_auth_level(param, (int)host->crypto(host)->level);
	X509_STORE_CTX_set_app_data(store, arg);
	X509_STORE_CTX_set_verify_cb(store, verify_step);
	if (!peer || X509_verify_cert(store) != 1) {
		if (X509_STORE_CTX_get_error(store) == X509_V_OK)
			X509_STORE_CTX_set_error(store, X509_V_ERR_UNSPECIFIED);
		return 0;
	}
	if (are_authorities(store) && has_name(store, peer))
		return 1;
	if (peer->problem[0] == '\0')
		snprintf(peer->problem, sizeof(peer->problem), "its certificate: an issuer is not an authority");
	X509_STORE_CTX_set_error(store, X509_V_ERR_APPLICATION_VERIFICATION);
	return 0;
}
