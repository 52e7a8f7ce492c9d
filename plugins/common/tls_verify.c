/* SPDX-License-Identifier: Apache-2.0 */
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <time.h>

#include "tls_internal.h"

enum { VERIFY_DEPTH = 5 };

/* In the words of who looks after the link, where OpenSSL's need knowing or differ between releases. */
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
		return "wrong usage: certificate is not for servers";
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

static bool verify_is_stale(int error)
{
	return error == X509_V_ERR_CRL_HAS_EXPIRED || error == X509_V_ERR_CRL_NOT_YET_VALID;
}

/* Nobody but the operator vouches for an anchor: it needs no list. */
static bool verify_passes(const struct tls *tls, X509_STORE_CTX *store, int error)
{
	int top = sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1;
	bool about_lists = verify_is_stale(error) || error == X509_V_ERR_UNABLE_TO_GET_CRL ||
			   error == X509_V_ERR_UNABLE_TO_GET_CRL_ISSUER;

	return (about_lists && X509_STORE_CTX_get_error_depth(store) == top) ||
	       (tls->expired_crl && verify_is_stale(error));
}

/* OpenSSL lets old kinds of authorities pass that do not say that they are ones; as an anchor the operator may want such a one,
 * what a broker sends must say so (RFC 5280 section 6.1.4, k). */
static bool verify_is_no_authority(X509_STORE_CTX *store)
{
	int depth = X509_STORE_CTX_get_error_depth(store);

	return depth > 0 && depth < sk_X509_num(X509_STORE_CTX_get0_chain(store)) - 1 &&
	       X509_check_ca(X509_STORE_CTX_get_current_cert(store)) != 1;
}

static int verify_step(int good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_handshake *handshake = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	const X509 *certificate = X509_STORE_CTX_get_current_cert(store);
	int error = X509_STORE_CTX_get_error(store);
	char name[96] = "";

	if (good && !verify_is_no_authority(store))
		return 1;
	if (good) {
		error = X509_V_ERR_INVALID_CA;
		X509_STORE_CTX_set_error(store, error);
	} else if (verify_passes(handshake->tls, store, error)) {
		X509_STORE_CTX_set_error(store, X509_V_OK);
		return 1;
	}
	if (certificate)
		X509_NAME_oneline(X509_get_subject_name(certificate), name, sizeof(name));
	if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		snprintf(handshake->cause, sizeof(handshake->cause),
			 "server name mismatch: the broker's certificate is not for \"%s\"", handshake->server_name);
	else
		snprintf(handshake->cause, sizeof(handshake->cause), "certificate verify failed: %s (\"%s\")",
			 verify_words(error), name);
	return 0;
}

/* Never asks at a terminal. */
static int verify_no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* Moves what is wanted out of `info`, so that it is not freed with it. */
static bool verify_take(struct tls *tls, X509_INFO *info, bool lists)
{
	if (lists && info->crl) {
		if (sk_X509_CRL_push(tls->lists, info->crl) <= 0)
			return false;
		info->crl = NULL;
	} else if (!lists && info->x509) {
		if (sk_X509_push(tls->anchors, info->x509) <= 0)
			return false;
		info->x509 = NULL;
	}
	return true;
}

static bool verify_read(struct tls *tls, BIO *file, bool lists, bool *ret_other)
{
	STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(file, NULL, verify_no_password, NULL);
	bool good = infos != NULL;

	*ret_other = false;
	for (int i = 0; good && i < sk_X509_INFO_num(infos); i++) {
		X509_INFO *info = sk_X509_INFO_value(infos, i);

		*ret_other |= !lists && info->crl;
		good = verify_take(tls, info, lists);
	}
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	return good && (lists ? sk_X509_CRL_num(tls->lists) : sk_X509_num(tls->anchors)) > 0;
}

const char *tls_verify_load(struct tls *tls, BIO *trust, BIO *crl)
{
	bool other;

	tls->anchors = sk_X509_new_null();
	tls->lists = sk_X509_CRL_new_null();
	if (!tls->anchors || !tls->lists || !verify_read(tls, trust, false, &other))
		return "no trust anchor can be read from \"trust\"";
	if (other)
		return "\"trust\" holds a revocation list, which belongs into \"crl\"";
	if (crl && !verify_read(tls, crl, true, &other))
		return "no revocation list can be read from \"crl\"";
	return NULL;
}

X509_STORE *tls_verify_store(const struct tls *tls, int64_t wall_s)
{
	X509_STORE *store = X509_STORE_new();
	bool good = store != NULL;

	for (int i = 0; good && i < sk_X509_num(tls->anchors); i++)
		good = X509_STORE_add_cert(store, sk_X509_value(tls->anchors, i)) == 1;
	if (!good) {
		X509_STORE_free(store);
		return NULL;
	}
	/* Whatever stands in `trust` is an anchor, also an intermediate authority. */
	X509_STORE_set_flags(store, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	X509_VERIFY_PARAM_set_time(X509_STORE_get0_param(store), (time_t)wall_s);
	X509_VERIFY_PARAM_set_auth_level(X509_STORE_get0_param(store), tls->level);
	return store;
}

bool tls_verify_set(SSL_CTX *context, const struct tls *tls, const struct tls_handshake *handshake)
{
	X509_STORE *store = tls_verify_store(tls, handshake->wall_s);
	bool good = store != NULL;

	for (int i = 0; good && i < sk_X509_CRL_num(tls->lists); i++)
		good = X509_STORE_add_crl(store, sk_X509_CRL_value(tls->lists, i)) == 1;
	if (good && sk_X509_CRL_num(tls->lists) > 0)
		X509_STORE_set_flags(store, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	if (good)
		SSL_CTX_set1_cert_store(context, store);
	X509_STORE_free(store);
	SSL_CTX_set_verify_depth(context, VERIFY_DEPTH);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER, verify_step);
	return good;
}

static bool verify_is_on_any(const struct tls *tls, X509 *certificate)
{
	X509_REVOKED *entry;

	for (int i = 0; i < sk_X509_CRL_num(tls->lists); i++) {
		X509_CRL *list = sk_X509_CRL_value(tls->lists, i);

		/* 2 is removeFromCRL: it was only on hold. */
		if (X509_NAME_cmp(X509_CRL_get_issuer(list), X509_get_issuer_name(certificate)) == 0 &&
		    X509_CRL_get0_by_cert(list, &entry, certificate) == 1)
			return true;
	}
	return false;
}

bool tls_verify_is_revoked(const struct tls *tls, const SSL *ssl)
{
	STACK_OF(X509) *chain = SSL_get_peer_cert_chain(ssl);

	for (int i = 0; i < sk_X509_num(chain); i++)
		if (verify_is_on_any(tls, sk_X509_value(chain, i)))
			return true;
	return false;
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

int64_t tls_lists_until_s(const struct tls *tls)
{
	int64_t until_s = INT64_MAX;

	for (int i = 0; i < sk_X509_CRL_num(tls->lists); i++) {
		const ASN1_TIME *next = X509_CRL_get0_nextUpdate(sk_X509_CRL_value(tls->lists, i));
		int64_t next_s = next ? seconds_of(next) : INT64_MAX;

		until_s = next_s < until_s ? next_s : until_s;
	}
	return until_s;
}
