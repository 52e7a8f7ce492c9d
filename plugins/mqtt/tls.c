/* SPDX-License-Identifier: Apache-2.0 */
#include "tls.h"

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

#include "url.h"

struct tls {
	X509 *certificate;
	STACK_OF(X509) * chain;
	EVP_PKEY *key;
	X509_STORE *trust; /* NULL: any broker is accepted */
	bool allow_tls12;
	unsigned char alpn[256]; /* as on the wire, its length first */
	unsigned alpn_size;
};

#define TLS_SUITES_AES    "TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384:TLS_CHACHA20_POLY1305_SHA256"
#define TLS_SUITES_CHACHA "TLS_CHACHA20_POLY1305_SHA256:TLS_AES_128_GCM_SHA256:TLS_AES_256_GCM_SHA384"
#define TLS12_AES         "ECDHE+AESGCM:ECDHE+CHACHA20"
#define TLS12_CHACHA      "ECDHE+CHACHA20:ECDHE+AESGCM"

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

static int tls_load_trust(struct tls *tls, struct tg_bytes pem)
{
	BIO *bio = tls_bio(pem);
	STACK_OF(X509_INFO) *infos = bio ? PEM_X509_INFO_read_bio(bio, NULL, tls_no_password, NULL) : NULL;
	int certificates = 0, lists = 0;
	bool good = infos != NULL;

	tls->trust = X509_STORE_new();
	good = good && tls->trust;
	for (int i = 0; good && i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (info->x509) {
			certificates++;
			good = X509_STORE_add_cert(tls->trust, info->x509) == 1;
		}
		if (good && info->crl) {
			lists++;
			good = X509_STORE_add_crl(tls->trust, info->crl) == 1;
		}
	}
	if (good && lists > 0)
		good = X509_STORE_set_flags(tls->trust, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL) == 1;
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	BIO_free(bio);
	return good && certificates > 0 ? 0 : -EINVAL;
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
	if (settings->trust.size > 0) {
		if (tls_load_trust(tls, settings->trust) < 0) {
			tls_cause(cause, "no trust anchor can be read from \"trust\"");
			return -EINVAL;
		}
	} else if (!settings->insecure) {
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
	tls->allow_tls12 = settings->allow_tls12;
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
		tls_free(tls);
		return r;
	}
	*ret_tls = tls;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	X509_free(tls->certificate);
	sk_X509_pop_free(tls->chain, X509_free);
	EVP_PKEY_free(tls->key);
	X509_STORE_free(tls->trust);
	free(tls);
}

static int tls_on_verify(int good, X509_STORE_CTX *store)
{
	const SSL *ssl = X509_STORE_CTX_get_ex_data(store, SSL_get_ex_data_X509_STORE_CTX_idx());
	struct tls_handshake *handshake = SSL_CTX_get_app_data(SSL_get_SSL_CTX(ssl));
	int error = X509_STORE_CTX_get_error(store);

	if (good)
		return 1;
	if (error == X509_V_ERR_HOSTNAME_MISMATCH || error == X509_V_ERR_IP_ADDRESS_MISMATCH)
		snprintf(handshake->cause, sizeof(handshake->cause),
			 "server name mismatch: the broker's certificate is not for \"%s\"", handshake->server_name);
	else
		snprintf(handshake->cause, sizeof(handshake->cause), "certificate verify failed: %s",
			 X509_verify_cert_error_string(error));
	return 0;
}

/* libmosquitto offers the name it connects to (RFC 6066 section 3), also where that is an address or another name was
 * configured; this runs between that and the ClientHello. The SSL is const by the callback's type alone. */
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

int tls_context(const struct tls *tls, struct tls_handshake *handshake, struct ssl_ctx_st **ret_context)
{
	SSL_CTX *context = SSL_CTX_new(TLS_client_method());
	bool aes = tls_has_aes();

	if (!context)
		return -ENOMEM;
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_app_data(context, handshake);
	SSL_CTX_set_info_callback(context, tls_on_info);
	if (SSL_CTX_set_min_proto_version(context, tls->allow_tls12 ? TLS1_2_VERSION : TLS1_3_VERSION) != 1 ||
	    SSL_CTX_set_ciphersuites(context, aes ? TLS_SUITES_AES : TLS_SUITES_CHACHA) != 1 ||
	    SSL_CTX_set_cipher_list(context, aes ? TLS12_AES : TLS12_CHACHA) != 1 || !tls_set_own(context, tls) ||
	    !tls_set_name(context, handshake->server_name) ||
	    (tls->alpn_size > 0 && SSL_CTX_set_alpn_protos(context, tls->alpn, tls->alpn_size) != 0)) {
		SSL_CTX_free(context);
		return -EINVAL;
	}
	if (tls->trust) {
		SSL_CTX_set1_cert_store(context, tls->trust);
		SSL_CTX_set_verify(context, SSL_VERIFY_PEER, tls_on_verify);
	} else {
		SSL_CTX_set_verify(context, SSL_VERIFY_NONE, NULL);
	}
	*ret_context = context;
	return 0;
}

void tls_describe(const struct ssl_st *ssl, char *ret_text, size_t size)
{
	snprintf(ret_text, size, "%s %s", SSL_get_version(ssl), SSL_get_cipher_name(ssl));
}
