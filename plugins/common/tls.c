/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>

#include "tls_internal.h"
#include "url.h"

enum { TLS_LIST = 512 };

/* Many small boards, the Raspberry Pi 4 among them, have no AES instructions; ChaCha20 costs them a fraction. */
static bool tls_has_aes(void)
{
#if defined(__x86_64__) || defined(__i386__)
	return __builtin_cpu_supports("aes");
#elif defined(__aarch64__)
	return getauxval(AT_HWCAP) & (1ul << 3); /* HWCAP_AES */
#elif defined(__arm__)
	return getauxval(AT_HWCAP2) & (1ul << 0); /* HWCAP2_AES */
#else
	return false;
#endif
}

/* With OpenSSL's reason, where it has one. */
static void tls_cause(char cause[TLS_CAUSE_SIZE], const char *what)
{
	const char *reason = ERR_reason_error_string(ERR_peek_error());

	if (reason)
		snprintf(cause, TLS_CAUSE_SIZE, "%s (%s)", what, reason);
	else
		snprintf(cause, TLS_CAUSE_SIZE, "%s", what);
	ERR_clear_error();
}

static BIO *tls_bio(struct tg_bytes bytes)
{
	return bytes.size <= INT32_MAX ? BIO_new_mem_buf(bytes.data, (int)bytes.size) : NULL;
}

/* Without it OpenSSL would ask at the terminal for the pass phrase of an encrypted key. */
static int tls_no_password(char *buffer, int size, int writing, void *arg)
{
	(void)buffer;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static int tls_load_certificate(struct tls *tls, struct tg_bytes pem)
{
	BIO *bio = tls_bio(pem);
	X509 *next;
	bool good;

	if (!bio)
		return -ENOMEM;
	tls->certificate = PEM_read_bio_X509_AUX(bio, NULL, tls_no_password, NULL);
	tls->chain = sk_X509_new_null();
	good = tls->certificate && tls->chain;
	while (good && (next = PEM_read_bio_X509(bio, NULL, tls_no_password, NULL)) != NULL) {
		if (sk_X509_push(tls->chain, next) <= 0) {
			X509_free(next);
			good = false;
		}
	}
	if (good)
		ERR_clear_error(); /* the end of the file */
	BIO_free(bio);
	return good ? 0 : -EINVAL;
}

static int tls_load_key(struct tls *tls, struct tg_bytes pem)
{
	BIO *bio = tls_bio(pem);

	if (!bio)
		return -ENOMEM;
	tls->key = PEM_read_bio_PrivateKey(bio, NULL, tls_no_password, NULL);
	BIO_free(bio);
	return tls->key ? 0 : -EINVAL;
}

static int tls_load_trust(struct tls *tls, const struct tls_settings *settings, char cause[TLS_CAUSE_SIZE])
{
	BIO *trust = tls_bio(settings->trust);
	BIO *crl = settings->crl.size > 0 ? tls_bio(settings->crl) : NULL;
	const char *problem = NULL;
	bool good = trust && (crl || settings->crl.size == 0);

	if (good)
		problem = tls_verify_load(tls, trust, crl);
	BIO_free(trust);
	BIO_free(crl);
	if (problem)
		tls_cause(cause, problem);
	ERR_clear_error();
	return !good ? -ENOMEM : problem ? -EINVAL : 0;
}

static int tls_load(struct tls *tls, const struct tls_settings *settings, char cause[TLS_CAUSE_SIZE])
{
	if ((settings->certificate.size == 0) != (settings->key.size == 0)) {
		snprintf(cause, TLS_CAUSE_SIZE, "\"certificate\" and \"key\" must be set together");
		return -EINVAL;
	}
	if (settings->certificate.size > 0) {
		if (tls_load_certificate(tls, settings->certificate) < 0) {
			tls_cause(cause, "no certificate can be read from \"certificate\"");
			return -EINVAL;
		}
		if (tls_load_key(tls, settings->key) < 0) {
			tls_cause(cause, "no private key can be read from \"key\"");
			return -EINVAL;
		}
		if (X509_check_private_key(tls->certificate, tls->key) != 1) {
			tls_cause(cause, "\"key\" is not the key of \"certificate\"");
			return -EINVAL;
		}
	}
	if (settings->trust.size > 0)
		return tls_load_trust(tls, settings, cause);
	if (settings->crl.size > 0) {
		snprintf(cause, TLS_CAUSE_SIZE, "\"crl\" is of no use without \"trust\"");
		return -EINVAL;
	}
	if (!settings->insecure) {
		snprintf(cause, TLS_CAUSE_SIZE,
			 "\"trust\" is empty: name the file of the CA that the broker's certificate is from");
		return -EINVAL;
	}
	return 0;
}

int tls_new(const struct tls_settings *settings, char ret_cause[TLS_CAUSE_SIZE], struct tls **ret_tls)
{
	char name[] = "localhost";
	struct tls_handshake handshake = {.server_name = name};
	struct tls *tls = calloc(1, sizeof(*tls));
	unsigned char warm[16];
	SSL_CTX *context = NULL;
	int r;

	snprintf(ret_cause, TLS_CAUSE_SIZE, "%s", strerror(ENOMEM));
	if (!tls)
		return -ENOMEM;
	tls->refs = 1;
	tls->crypto = settings->crypto;
	tls->level = (int)settings->crypto->level;
	tls->expired_crl = settings->expired_crl;
	tls->ocsp = settings->ocsp;
	tls->alpn_size = (unsigned)strnlen(settings->alpn, 255);
	if (tls->alpn_size > 0) {
		tls->alpn[0] = (unsigned char)tls->alpn_size;
		memcpy(tls->alpn + 1, settings->alpn, tls->alpn_size);
		tls->alpn_size++;
	}
	r = tls_load(tls, settings, ret_cause);
	/* One context for nothing: what OpenSSL loads on its first use is loaded now. */
	if (r >= 0)
		r = tls_context(tls, &handshake, &context);
	if (r >= 0 && RAND_bytes(warm, sizeof(warm)) != 1)
		r = -EIO;
	if (r == -EINVAL && ERR_peek_error() != 0)
		tls_cause(ret_cause, "\"certificate\" or \"key\" cannot be used");
	SSL_CTX_free(context);
	if (r < 0) {
		tls_unref(tls);
		return r;
	}
	*ret_tls = tls;
	return 0;
}

struct tls *tls_ref(struct tls *tls)
{
	tls->refs++;
	return tls;
}

void tls_unref(struct tls *tls)
{
	if (!tls || --tls->refs > 0)
		return;
	X509_free(tls->certificate);
	sk_X509_pop_free(tls->chain, X509_free);
	EVP_PKEY_free(tls->key);
	sk_X509_pop_free(tls->anchors, X509_free);
	sk_X509_CRL_pop_free(tls->lists, X509_CRL_free);
	free(tls);
}

/* The name that is offered (RFC 6066 section 3), which an address must not be. Runs before the ClientHello. The SSL is const by the
 * callback's type alone. */
static void tls_on_info(const SSL *ssl, int where, int value)
{
	const struct tls_handshake *handshake = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	char *name = handshake->server_name;

	(void)value;
	if (where & SSL_CB_HANDSHAKE_START)
		SSL_set_tlsext_host_name((SSL *)(uintptr_t)ssl, url_is_address(name) ? NULL : name);
}

static bool tls_set_name(SSL_CTX *context, const char *name)
{
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(context);

	X509_VERIFY_PARAM_set_hostflags(param, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
	if (url_is_address(name))
		return X509_VERIFY_PARAM_set1_ip_asc(param, name) == 1;
	return X509_VERIFY_PARAM_set1_host(param, name, 0) == 1;
}

static bool tls_set_own(SSL_CTX *context, const struct tls *tls)
{
	return !tls->certificate ||
	       (SSL_CTX_use_certificate(context, tls->certificate) == 1 &&
		SSL_CTX_use_PrivateKey(context, tls->key) == 1 && SSL_CTX_set1_chain(context, tls->chain) == 1);
}

/* Adds the entries of a list that have ChaCha20, or those that do not. */
static size_t tls_add_suites(const char *list, bool chacha, char *text, size_t used)
{
	size_t length;

	for (; *list; list += length + (list[length] == ':')) {
		char name[128];

		length = strcspn(list, ":");
		snprintf(name, sizeof(name), "%.*s", (int)length, list);
		if ((strstr(name, "CHACHA20") != NULL) == chacha && used < TLS_LIST)
			used += (size_t)snprintf(text + used, TLS_LIST - used, "%s%s", used > 0 ? ":" : "", name);
	}
	return used;
}

/* The policy's suites, in the order that this machine likes best. */
static bool tls_order(const char *list, char ret_text[TLS_LIST])
{
	size_t used;

	if (tls_has_aes())
		return snprintf(ret_text, TLS_LIST, "%s", list) < TLS_LIST;
	used = tls_add_suites(list, true, ret_text, 0);
	return tls_add_suites(list, false, ret_text, used) < TLS_LIST;
}

/* The list is const by what OpenSSL does with it, but not by its types. */
static bool tls_set_list(SSL_CTX *context, int what, const char *list)
{
	return SSL_CTX_ctrl(context, what, 0, (void *)(uintptr_t)list) == 1;
}

static bool tls_set_policy(SSL_CTX *context, const struct tg_crypto *crypto)
{
	char suites[TLS_LIST] = "";

	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_security_level(context, (int)crypto->level);
	if (SSL_CTX_set_min_proto_version(context, (int)crypto->tls_min) != 1 ||
	    SSL_CTX_set_max_proto_version(context, (int)crypto->tls_max) != 1 ||
	    !tls_order(crypto->tls13_suites, suites) || SSL_CTX_set_ciphersuites(context, suites) != 1)
		return false;
	if (crypto->tls_min <= TLS1_2_VERSION &&
	    (!tls_order(crypto->tls12_suites, suites) || SSL_CTX_set_cipher_list(context, suites) != 1))
		return false;
	return tls_set_list(context, SSL_CTRL_SET_GROUPS_LIST, crypto->groups) &&
	       tls_set_list(context, SSL_CTRL_SET_SIGALGS_LIST, crypto->signatures);
}

int tls_fill(const struct tls *tls, struct tls_handshake *handshake, struct ssl_ctx_st *context)
{
	handshake->tls = tls;
	SSL_CTX_set_app_data(context, handshake);
	SSL_CTX_set_info_callback(context, tls_on_info);
	if (!tls_set_policy(context, tls->crypto) || !tls_set_own(context, tls) ||
	    !tls_set_name(context, handshake->server_name) ||
	    (tls->alpn_size > 0 && SSL_CTX_set_alpn_protos(context, tls->alpn, tls->alpn_size) != 0) ||
	    (tls->anchors && !tls_verify_set(context, tls, handshake)))
		return -EINVAL;
	if (!tls->anchors)
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	tls_ocsp_set(context, tls);
	return 0;
}

int tls_context(const struct tls *tls, struct tls_handshake *handshake, struct ssl_ctx_st **ret_context)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	int r;

	if (!context)
		return -ENOMEM;
	r = tls_fill(tls, handshake, context);
	if (r < 0) {
		SSL_CTX_free(context);
		return r;
	}
	*ret_context = context;
	return 0;
}

static bool tls_is_in(const char *list, const char *name)
{
	size_t length;

	for (; *list; list += length + (list[length] == ':')) {
		length = strcspn(list, ":");
		if (strlen(name) == length && memcmp(list, name, length) == 0)
			return true;
	}
	return false;
}

const char *tls_objection(const struct tls *tls, const struct ssl_st *ssl)
{
	const char *suite = SSL_get_cipher_name(ssl);
	uint32_t version = (uint32_t)SSL_version(ssl);

	if (version < tls->crypto->tls_min || version > tls->crypto->tls_max)
		return "the policy has other versions of TLS now";
	if (!tls_is_in(version >= TLS1_3_VERSION ? tls->crypto->tls13_suites : tls->crypto->tls12_suites, suite))
		return "the policy has other cipher suites now";
	if (tls_verify_is_revoked(tls, ssl))
		return "the broker's certificate is revoked";
	return NULL;
}

void tls_describe(const struct ssl_st *ssl, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "%s %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
}
