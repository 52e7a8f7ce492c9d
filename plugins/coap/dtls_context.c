/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_context.h"
#include "dtls_ticket.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

#include "dtls_verify.h"

enum { CONTEXT_FILE_MAX = 4 * 1024 * 1024, CONTEXT_FRAGMENT = 1400, CONTEXT_SUITES = 2048 };

#define CONTEXT_CLOSE __attribute__((cleanup(context_close)))

static void context_close(BIO **file)
{
	BIO_free(*file);
}

/* The whole file in memory that is wiped when it is freed. */
static BIO *context_read(int fd)
{
	uint8_t part[4096];
	off_t at = 0;
	ssize_t n;
	BIO *file = BIO_new(BIO_s_secmem());

	if (!file)
		return NULL;
	while ((n = pread(fd, part, sizeof(part), at)) > 0 && at < CONTEXT_FILE_MAX) {
		BIO_write(file, part, (int)n);
		at += n;
	}
	OPENSSL_cleanse(part, sizeof(part));
	if (n != 0) {
		BIO_free(file);
		return NULL;
	}
	return file;
}

/* Instead of asking on a terminal. */
static int context_no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

static bool context_add_chain(SSL_CTX *context, BIO *file)
{
	X509 *next;

	while ((next = PEM_read_bio_X509(file, NULL, context_no_password, NULL)))
		if (SSL_CTX_add0_chain_cert(context, next) != 1) {
			X509_free(next);
			return false;
		}
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE;
}

static const char *context_own(SSL_CTX *context, const struct dtls_credentials *credentials)
{
	CONTEXT_CLOSE BIO *certificates = context_read(credentials->certificate_fd);
	CONTEXT_CLOSE BIO *key_file = context_read(credentials->key_fd);
	const char *problem = NULL;

	if (!certificates)
		return "certificate: cannot be read";
	if (!key_file)
		return "key: cannot be read";
	X509 *own = PEM_read_bio_X509(certificates, NULL, context_no_password, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_file, NULL, context_no_password, NULL);
	if (!own)
		problem = "certificate: no certificate in PEM form found";
	else if (!key)
		problem = "key: no unencrypted private key in PEM form found";
	else if (SSL_CTX_use_certificate(context, own) != 1)
		problem = "certificate: too weak or of an unknown kind";
	else if (!context_add_chain(context, certificates))
		problem = "certificate: the chain behind the first certificate is broken or too weak";
	else if (SSL_CTX_use_PrivateKey(context, key) != 1 || SSL_CTX_check_private_key(context) != 1)
		problem = "key: does not belong to the certificate";
	X509_free(own);
	EVP_PKEY_free(key);
	return problem;
}

/* The lists may be large, and no secret: not in the memory of keys. */
static BIO *context_read_public(int fd)
{
	uint8_t part[4096];
	off_t at = 0;
	ssize_t n;
	BIO *file = BIO_new(BIO_s_mem());

	while (file && (n = pread(fd, part, sizeof(part), at)) != 0) {
		at += n;
		if (n < 0 || at > CONTEXT_FILE_MAX || BIO_write(file, part, (int)n) != n) {
			BIO_free(file);
			return NULL;
		}
	}
	return file;
}

static const char *context_trust(SSL_CTX *context, const struct dtls_credentials *credentials)
{
	CONTEXT_CLOSE BIO *anchors = credentials->trust_fd >= 0 ? context_read_public(credentials->trust_fd) : NULL;
	CONTEXT_CLOSE BIO *lists = credentials->crl_fd >= 0 ? context_read_public(credentials->crl_fd) : NULL;
	const char *problem = NULL;

	if (credentials->trust_fd >= 0)
		problem = anchors ? dtls_verify_anchors(context, anchors) : "trust: cannot be read";
	else if (credentials->crl_fd >= 0)
		problem = "crl: is of no use without 'trust'";
	if (!problem && credentials->crl_fd >= 0)
		problem = lists ? dtls_verify_lists(context, lists) : "crl: cannot be read";
	return problem;
}

/* Security level 0, without which OpenSSL does not offer the CCM_8 suites of RFC 7925, lets everything pass: the lists of the
 * policy alone say what may be. PSK comes first: a peer that offers it has a key, while one that offers both may have no
 * certificate. */
static bool context_suites(SSL_CTX *context, const struct tg_crypto *crypto, bool certificate)
{
	char suites[CONTEXT_SUITES];
	int size = snprintf(suites, sizeof(suites), "%s%s%s:@SECLEVEL=0", crypto->dtls_psk_suites,
			    certificate ? ":" : "", certificate ? crypto->dtls_certificate_suites : "");

	return size < CONTEXT_SUITES && SSL_CTX_set_cipher_list(context, suites) == 1 &&
	       SSL_CTX_set_ciphersuites(context, "") == 1;
}

/* The list is const by what OpenSSL does with it, but not by its types. */
static bool context_list(SSL_CTX *context, int what, const char *list)
{
	return SSL_CTX_ctrl(context, what, 0, (void *)(uintptr_t)list) == 1;
}

static const char *context_policy(SSL_CTX *context, const struct tg_crypto *crypto,
				  const struct dtls_context_calls *calls)
{
	/* With encrypt-then-MAC (RFC 7366) OpenSSL ends a DTLS session for one forged record instead of dropping that. */
	SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC);
	/* A device without AES instructions puts ChaCha20 first, and gets it. */
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE |
					     SSL_OP_PRIORITIZE_CHACHA | SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_psk_server_callback(context, calls->psk);
	SSL_CTX_set_cookie_generate_cb(context, calls->cookie_make);
	SSL_CTX_set_cookie_verify_cb(context, calls->cookie_check);
	if (!dtls_ticket_set(context) || SSL_CTX_set_min_proto_version(context, (int)crypto->dtls_min) != 1 ||
	    SSL_CTX_set_max_proto_version(context, (int)crypto->dtls_max) != 1 ||
	    SSL_CTX_set_max_send_fragment(context, CONTEXT_FRAGMENT) != 1 ||
	    !context_list(context, SSL_CTRL_SET_GROUPS_LIST, crypto->groups) ||
	    !context_list(context, SSL_CTRL_SET_SIGALGS_LIST, crypto->signatures) ||
	    !context_list(context, SSL_CTRL_SET_CLIENT_SIGALGS_LIST, crypto->signatures))
		return "openssl: does not support what is needed";
	return NULL;
}

static const char *context_fill(SSL_CTX *context, const struct tg_host *host,
				const struct dtls_credentials *credentials, const struct dtls_context_calls *calls)
{
	const struct tg_crypto *crypto = host->crypto(host);
	bool certificate = credentials->certificate_fd >= 0;
	const char *problem = context_policy(context, crypto, calls);

	SSL_CTX_set_security_level(context, (int)crypto->level);
	dtls_verify_set(context, host, credentials->crl_fd >= 0, credentials->expired_crl);
	if (!problem && certificate)
		problem = context_own(context, credentials);
	if (!problem)
		problem = context_trust(context, credentials);
	if (!problem && !context_suites(context, crypto, certificate))
		problem = "openssl: has none of the cipher suites";
	return problem;
}

int dtls_context_new(const struct tg_host *host, const struct dtls_credentials *credentials,
		     const struct dtls_context_calls *calls, SSL_CTX **ret_context, const char **ret_problem)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
	const char *problem = context ? context_fill(context, host, credentials, calls) : "openssl: no context";
	uint8_t seed;

	/* The source of randomness is opened now, and the time zone, which every look at a validity time wants, is read:
	 * behind the sandbox neither can be. */
	tzset();
	if (!problem && RAND_bytes(&seed, 1) != 1)
		problem = "openssl: no randomness";
	ERR_clear_error();
	if (problem) {
		SSL_CTX_free(context);
		*ret_problem = problem;
		return -EKEYREJECTED;
	}
	*ret_context = context;
	return 0;
}
