/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tls_inside.h"

enum { FILE_MAX = 4 * 1024 * 1024 };

#define TLS_CLOSE __attribute__((cleanup(close_file)))

static void close_file(BIO **file)
{
	BIO_free(*file);
}

int tls_no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static BIO *read_file(int fd, bool secret)
{
	BIO *file = BIO_new(secret ? BIO_s_secmem() : BIO_s_mem());
	uint8_t part[4096];
	size_t all = 0;
	ssize_t n;

	while (file && (n = read(fd, part, sizeof(part))) != 0) {
		all += n > 0 ? (size_t)n : 0;
		if (n < 0 || all > FILE_MAX || BIO_write(file, part, (int)n) != n) {
			BIO_free(file);
			file = NULL;
		}
	}
	OPENSSL_cleanse(part, sizeof(part));
	return file;
}

/* NULL in *ret_file where the setting is empty. */
static int open_file(const struct tg_host *host, const char *name, bool secret, BIO **ret_file)
{
	int fd = host->setting_file(host, name);
	BIO *file;

	if (fd == -ENOENT && host->setting_text(host, name)[0] == '\0') {
		*ret_file = NULL;
		return 0;
	}
	if (fd < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot read the file of '%s' (%s)", name, strerror(-fd));
		return fd;
	}
	file = read_file(fd, secret);
	close(fd);
	if (!file) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot read the file of '%s'", name);
		return -EIO;
	}
	*ret_file = file;
	return 0;
}

static bool add_chain(SSL_CTX *context, BIO *file)
{
	X509 *next;

	while ((next = PEM_read_bio_X509(file, NULL, tls_no_password, NULL)) != NULL)
		if (SSL_CTX_add0_chain_cert(context, next) != 1) {
			X509_free(next);
			return false;
		}
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static const char *load_own(SSL_CTX *context, BIO *certificates, BIO *key_file)
{
	X509 *own = PEM_read_bio_X509(certificates, NULL, tls_no_password, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_file, NULL, tls_no_password, NULL);
	const char *problem = NULL;

	if (!own)
		problem = "certificate: no certificate in PEM form found";
	else if (!key)
		problem = "key: no unencrypted private key in PEM form found";
	else if (SSL_CTX_use_certificate(context, own) != 1)
		problem = "certificate: too weak or of an unknown kind";
	else if (!add_chain(context, certificates))
		problem = "certificate: the chain behind the first certificate is broken or too weak";
	else if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
		problem = "key: does not belong to the certificate";
	X509_free(own);
	EVP_PKEY_free(key);
	return problem;
}

/* The list is const by what OpenSSL does with it, but not by its types. */
static bool set_list(SSL_CTX *context, int what, const char *list)
{
	return SSL_CTX_ctrl(context, what, 0, (void *)(uintptr_t)list) == 1;
}

static bool set_policy(SSL_CTX *context, const struct tg_crypto *crypto)
{
	SSL_CTX_set_options(context, SSL_OP_NO_COMPRESSION | SSL_OP_NO_RENEGOTIATION | SSL_OP_NO_TICKET |
					     SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_PRIORITIZE_CHACHA);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_num_tickets(context, 0);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_security_level(context, (int)crypto->level);
	return SSL_CTX_set_min_proto_version(context, (int)crypto->tls_min) == 1 &&
	       SSL_CTX_set_max_proto_version(context, (int)crypto->tls_max) == 1 &&
	       SSL_CTX_set_ciphersuites(context, crypto->tls13_suites) == 1 &&
	       (crypto->tls_min > TLS1_2_VERSION || SSL_CTX_set_cipher_list(context, crypto->tls12_suites) == 1) &&
	       set_list(context, SSL_CTRL_SET_GROUPS_LIST, crypto->groups) &&
	       set_list(context, SSL_CTRL_SET_SIGALGS_LIST, crypto->signatures);
}

static int load(struct tls *tls)
{
	const struct tg_host *host = tls->host;
	TLS_CLOSE BIO *certificate = NULL, *key = NULL, *trust = NULL, *crl = NULL;
	const char *problem = NULL;
	int r = open_file(host, "certificate", false, &certificate);

	if (r >= 0)
		r = open_file(host, "key", true, &key);
	if (r >= 0)
		r = open_file(host, "trust", false, &trust);
	if (r >= 0)
		r = open_file(host, "crl", false, &crl);
	if (r < 0)
		return r;
	if (!certificate || !key)
		problem = "'certificate' and 'key' must be set";
	else if (!set_policy(tls->context, host->crypto(host)))
		problem = "the policy's versions and suites cannot be set";
	else
		problem = load_own(tls->context, certificate, key);
	if (!problem && trust)
		problem = tls_verify_anchors(tls->context, trust);
	if (!problem && crl)
		problem = trust ? tls_verify_lists(tls->context, crl) : "crl: is of no use without 'trust'";
	if (!problem && !trust && !host->setting_bool(host, "tokens"))
		problem = "nobody could come in: set 'trust', or tokens = true";
	ERR_clear_error();
	if (problem) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot serve (%s)", problem);
		return -EINVAL;
	}
	tls->lists = crl != NULL;
	if (trust)
		tls_verify_set(tls, !host->setting_bool(host, "tokens"),
			       strcmp(host->setting_text(host, "crl_expired"), "accept") == 0);
	return 0;
}

/* One protocol is spoken; who offers others alone is told so. Source: RFC 7301. */
static int on_alpn(SSL *ssl, const unsigned char **out, unsigned char *outlen, const unsigned char *in,
		   unsigned int inlen, void *arg)
{
	static const unsigned char http[] = "\x08http/1.1";
	unsigned char *chosen;

	(void)ssl;
	(void)arg;
	if (SSL_select_next_proto(&chosen, outlen, http, sizeof(http) - 1, in, inlen) != OPENSSL_NPN_NEGOTIATED)
		return SSL_TLSEXT_ERR_ALERT_FATAL;
	*out = chosen;
	return SSL_TLSEXT_ERR_OK;
}

int tls_new(const struct tg_host *host, struct tls **ret_tls)
{
	struct tls *tls = calloc(1, sizeof(*tls));
	SSL *warm;
	int r = -ENOMEM;

	if (!tls)
		return r;
	tls->host = host;
	tls->context = SSL_CTX_new(TLS_server_method());
	if (tls->context)
		r = load(tls);
	if (r < 0) {
		tls_free(tls);
		return r;
	}
	SSL_CTX_set_alpn_select_cb(tls->context, on_alpn, NULL);
	warm = tls_secure(tls); /* what OpenSSL loads on its first use is loaded now */
	SSL_free(warm);
	*ret_tls = tls;
	return 0;
}

void tls_free(struct tls *tls)
{
	if (!tls)
		return;
	SSL_CTX_free(tls->context);
	free(tls);
}

struct ssl_st *tls_secure(const struct tls *tls)
{
	return SSL_new(tls->context);
}

void tls_describe(const struct ssl_st *ssl, struct tls_description *ret_description)
{
	X509 *certificate = SSL_get0_peer_certificate(ssl);
	int size = certificate ? i2d_X509(certificate, NULL) : 0;
	unsigned char *at = ret_description->certificate;
	const SSL_CIPHER *cipher = SSL_get_current_cipher(ssl);
	int group = (int)SSL_get_negotiated_group((SSL *)(uintptr_t)ssl);
	const char *name = group > 0 ? SSL_group_to_name((SSL *)(uintptr_t)ssl, group) : NULL;

	ret_description->version = SSL_get_version(ssl);
	ret_description->cipher = cipher ? SSL_CIPHER_standard_name(cipher) : "";
	snprintf(ret_description->group, sizeof(ret_description->group), "%s", name ? name : "");
	ret_description->certificate_size = 0;
	if (size > 0 && size <= TLS_CERTIFICATE_MAX)
		ret_description->certificate_size = (size_t)i2d_X509(certificate, &at);
	ERR_clear_error();
}

bool tls_is_equal(const void *a, const void *b, size_t size)
{
	return CRYPTO_memcmp(a, b, size) == 0;
}
