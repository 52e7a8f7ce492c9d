/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509v3.h>
#include <string.h>
#include <unistd.h>

#include "tls_internal.h"

enum { FILES_MAX = 4 * 1024 * 1024, FILES_DEPTH = 5 };

#define FILES_CLOSE __attribute__((cleanup(files_close)))

static void files_close(BIO **file)
{
	BIO_free(*file);
}

/* Never asks at a terminal. */
static int files_no_password(char *ret_password, int size, int writing, void *arg)
{
	(void)ret_password;
	(void)size;
	(void)writing;
	(void)arg;
	return -1;
}

/* The whole file of a setting; in memory that is wiped where it is a secret. Returns 1; 0: nothing is set. */
static int files_read(const struct tg_host *host, const char *name, bool secret, BIO **ret_file)
{
	int fd = host->setting_file(host, name);
	BIO *file = BIO_new(secret ? BIO_s_secmem() : BIO_s_mem());
	uint8_t part[4096];
	ssize_t n = 0;
	off_t at = 0;

	if (fd < 0 || !file) {
		BIO_free(file);
		if (fd >= 0)
			close(fd);
		return fd == -ENOENT && host->setting_text(host, name)[0] == '\0' ? 0 : -EIO;
	}
	while (at <= FILES_MAX && (n = pread(fd, part, sizeof(part), at)) > 0 && BIO_write(file, part, (int)n) == n)
		at += n;
	OPENSSL_cleanse(part, sizeof(part));
	close(fd);
	if (n != 0) {
		BIO_free(file);
		return -EIO;
	}
	*ret_file = file;
	return 1;
}

static const char *files_chain(SSL_CTX *context, BIO *file)
{
	X509 *next;

	SSL_CTX_clear_chain_certs(context);
	while ((next = PEM_read_bio_X509(file, NULL, files_no_password, NULL)))
		if (SSL_CTX_add0_chain_cert(context, next) != 1) {
			X509_free(next);
			return "certificate: the chain behind the first certificate is broken or too weak";
		}
	return ERR_GET_REASON(ERR_peek_last_error()) == PEM_R_NO_START_LINE
		       ? NULL
		       : "certificate: the chain behind the first certificate is broken";
}

static const char *files_own(SSL_CTX *context, BIO *certificates, BIO *key_file)
{
	X509 *own = PEM_read_bio_X509(certificates, NULL, files_no_password, NULL);
	EVP_PKEY *key = PEM_read_bio_PrivateKey(key_file, NULL, files_no_password, NULL);
	const char *problem = NULL;

	if (!own)
		problem = "certificate: no certificate in PEM form found";
	else if (!key)
		problem = "key: no unencrypted private key in PEM form found";
	else if (X509_check_private_key(own, key) != 1)
		problem = "key: does not belong to the certificate";
	else if (SSL_CTX_use_certificate(context, own) != 1)
		problem = "certificate: too weak or of an unknown kind";
	else if (SSL_CTX_use_PrivateKey(context, key) != 1)
		problem = "key: cannot be used";
	else
		problem = files_chain(context, certificates);
	X509_free(own);
	EVP_PKEY_free(key);
	return problem;
}

/* `lists` or certificates; the other kind has to lie in the other file. */
static const char *files_store(X509_STORE *store, BIO *file, bool lists)
{
	STACK_OF(X509_INFO) *infos = PEM_X509_INFO_read_bio(file, NULL, files_no_password, NULL);
	const char *problem = infos   ? NULL
			      : lists ? "crl: a revocation list is broken"
				      : "trust: a certificate is broken";
	unsigned count = 0;

	for (int i = 0; !problem && i < sk_X509_INFO_num(infos); i++) {
		const X509_INFO *info = sk_X509_INFO_value(infos, i);

		if (lists && info->crl && X509_STORE_add_crl(store, info->crl) != 1)
			problem = "crl: a revocation list cannot be used";
		else if (!lists && info->crl)
			problem = "trust: holds a revocation list, which belongs into 'crl'";
		else if (!lists && info->x509 && X509_STORE_add_cert(store, info->x509) != 1)
			problem = "trust: a certificate cannot be used";
		count += lists ? info->crl != NULL : info->x509 != NULL;
	}
	if (!problem && count == 0)
		problem =
			lists ? "crl: no revocation list in PEM form found" : "trust: no certificate in PEM form found";
	sk_X509_INFO_pop_free(infos, X509_INFO_free);
	return problem;
}

static const char *files_trust(struct tls *tls, BIO *anchors, BIO *lists, X509_STORE **ret_store)
{
	X509_STORE *store = X509_STORE_new();
	const char *problem = store ? files_store(store, anchors, false) : "openssl: no memory";

	if (!problem && lists)
		problem = files_store(store, lists, true);
	if (problem) {
		X509_STORE_free(store);
		return problem;
	}
	tls->lists = lists != NULL;
	tls->expired_lists = strcmp(tls->host->setting_text(tls->host, "crl_expired"), "accept") == 0;
	*ret_store = store;
	return NULL;
}

const char *tls_files_load(struct tls *tls, X509_STORE **ret_store)
{
	FILES_CLOSE BIO *certificate = NULL, *key = NULL, *anchors = NULL, *lists = NULL;
	const struct tg_host *host = tls->host;
	X509_VERIFY_PARAM *param = SSL_CTX_get0_param(tls->context);

	if (files_read(host, "certificate", false, &certificate) < 0)
		return "certificate: cannot be read";
	if (files_read(host, "key", true, &key) < 0)
		return "key: cannot be read";
	if (files_read(host, "trust", false, &anchors) < 0)
		return "trust: cannot be read";
	if (files_read(host, "crl", false, &lists) < 0)
		return "crl: cannot be read";
	if (!certificate != !key)
		return "'certificate' and 'key' belong together";
	if (lists && !anchors)
		return "crl: is of no use without 'trust'";
	SSL_CTX_set_verify_depth(tls->context, FILES_DEPTH);
	/* Whatever stands in `trust` is an anchor, also an intermediate authority. */
	X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_PARTIAL_CHAIN | X509_V_FLAG_TRUSTED_FIRST);
	X509_VERIFY_PARAM_clear_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	if (lists)
		X509_VERIFY_PARAM_set_flags(param, X509_V_FLAG_CRL_CHECK | X509_V_FLAG_CRL_CHECK_ALL);
	const char *problem = anchors ? files_trust(tls, anchors, lists, ret_store) : NULL;
	if (!problem && certificate)
		problem = files_own(tls->context, certificate, key);
	if (problem && *ret_store) {
		X509_STORE_free(*ret_store);
		*ret_store = NULL;
	}
	return problem;
}
