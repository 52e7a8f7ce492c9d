/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_context.h"

#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/rand.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

enum {
	CONTEXT_FILE_MAX = 256 * 1024,
	CONTEXT_DEPTH = 5,
	CONTEXT_LEVEL = 2, /* of OpenSSL, for certificates: 112 bits, which shuts out RSA below 2048 and SHA-1 */
	CONTEXT_FRAGMENT = 1400,
};

/* The list is narrowed by hand, because security level 0, without which OpenSSL does not offer the CCM_8 suites of RFC 7925,
 * lets everything pass. PSK comes first: a peer that offers it has a key, while one that offers both may have no certificate. */
#define CONTEXT_PSK                                                                                                    \
	"ECDHE-PSK-CHACHA20-POLY1305:PSK-AES128-GCM-SHA256:PSK-AES256-GCM-SHA384:PSK-CHACHA20-POLY1305:"               \
	"PSK-AES128-CCM:PSK-AES256-CCM:PSK-AES128-CCM8:PSK-AES256-CCM8:ECDHE-PSK-AES128-CBC-SHA256"
#define CONTEXT_ECDSA                                                                                                  \
	"ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-ECDSA-CHACHA20-POLY1305:"                   \
	"ECDHE-ECDSA-AES128-CCM:ECDHE-ECDSA-AES256-CCM:ECDHE-ECDSA-AES128-CCM8:ECDHE-ECDSA-AES256-CCM8"
#define CONTEXT_RSA     "ECDHE-RSA-AES128-GCM-SHA256:ECDHE-RSA-AES256-GCM-SHA384:ECDHE-RSA-CHACHA20-POLY1305"
#define CONTEXT_LEVEL_0 ":@SECLEVEL=0"

#define CONTEXT_GROUPS "X25519:P-256:P-384"
#define CONTEXT_SIGNATURES                                                                                             \
	"ECDSA+SHA256:ECDSA+SHA384:ECDSA+SHA512:ed25519:rsa_pss_rsae_sha256:rsa_pss_rsae_sha384:"                      \
	"rsa_pss_rsae_sha512:RSA+SHA256:RSA+SHA384:RSA+SHA512"

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

static const char *context_trust(SSL_CTX *context, int fd)
{
	CONTEXT_CLOSE BIO *file = context_read(fd);
	X509_STORE *store = SSL_CTX_get_cert_store(context);
	unsigned count = 0;
	X509 *anchor;

	if (!file)
		return "trust: cannot be read";
	while ((anchor = PEM_read_bio_X509(file, NULL, context_no_password, NULL))) {
		bool added = X509_STORE_add_cert(store, anchor) == 1;

		X509_free(anchor);
		if (!added)
			return "trust: a certificate cannot be used";
		count++;
	}
	if (ERR_GET_REASON(ERR_peek_last_error()) != PEM_R_NO_START_LINE)
		return "trust: a certificate is broken";
	return count > 0 ? NULL : "trust: no certificate in PEM form found";
}

static const char *context_policy(SSL_CTX *context, const struct dtls_context_calls *calls)
{
	/* With encrypt-then-MAC (RFC 7366) OpenSSL ends a DTLS session for one forged record instead of dropping that. */
	SSL_CTX_set_options(context, SSL_OP_NO_ENCRYPT_THEN_MAC);
	SSL_CTX_set_options(context, SSL_OP_NO_RENEGOTIATION | SSL_OP_CIPHER_SERVER_PREFERENCE | SSL_OP_NO_TICKET |
					     SSL_OP_NO_QUERY_MTU | SSL_OP_NO_COMPRESSION);
	SSL_CTX_set_mode(context, SSL_MODE_RELEASE_BUFFERS);
	SSL_CTX_set_session_cache_mode(context, SSL_SESS_CACHE_OFF);
	SSL_CTX_set_psk_server_callback(context, calls->psk);
	SSL_CTX_set_cookie_generate_cb(context, calls->cookie_make);
	SSL_CTX_set_cookie_verify_cb(context, calls->cookie_check);
	SSL_CTX_set_verify(context, SSL_VERIFY_PEER | SSL_VERIFY_FAIL_IF_NO_PEER_CERT, NULL);
	SSL_CTX_set_verify_depth(context, CONTEXT_DEPTH);
	X509_VERIFY_PARAM_set_auth_level(SSL_CTX_get0_param(context), CONTEXT_LEVEL);
	/* Whatever stands in `trust` is an anchor, also an intermediate authority. */
	X509_VERIFY_PARAM_set_flags(SSL_CTX_get0_param(context), X509_V_FLAG_PARTIAL_CHAIN);
	if (SSL_CTX_set_min_proto_version(context, DTLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_proto_version(context, DTLS1_2_VERSION) != 1 ||
	    SSL_CTX_set_max_send_fragment(context, CONTEXT_FRAGMENT) != 1 ||
	    SSL_CTX_set1_groups_list(context, CONTEXT_GROUPS) != 1 ||
	    SSL_CTX_set1_sigalgs_list(context, CONTEXT_SIGNATURES) != 1 ||
	    SSL_CTX_set1_client_sigalgs_list(context, CONTEXT_SIGNATURES) != 1)
		return "openssl: does not support what is needed";
	return NULL;
}

static const char *context_fill(SSL_CTX *context, const struct dtls_credentials *credentials,
				const struct dtls_context_calls *calls)
{
	bool certificate = credentials->certificate_fd >= 0;
	const char *suites = certificate ? CONTEXT_PSK ":" CONTEXT_ECDSA ":" CONTEXT_RSA CONTEXT_LEVEL_0
					 : CONTEXT_PSK CONTEXT_LEVEL_0;
	const char *problem = context_policy(context, calls);

	SSL_CTX_set_security_level(context, CONTEXT_LEVEL);
	if (!problem && certificate)
		problem = context_own(context, credentials);
	if (!problem && credentials->trust_fd >= 0)
		problem = context_trust(context, credentials->trust_fd);
	if (!problem && (SSL_CTX_set_cipher_list(context, suites) != 1 || SSL_CTX_set_ciphersuites(context, "") != 1))
		problem = "openssl: has none of the cipher suites";
	return problem;
}

int dtls_context_new(const struct dtls_credentials *credentials, const struct dtls_context_calls *calls,
		     SSL_CTX **ret_context, const char **ret_problem)
{
	ERR_clear_error();
	SSL_CTX *context = SSL_CTX_new(DTLS_server_method());
	const char *problem = context ? context_fill(context, credentials, calls) : "openssl: no context";
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
