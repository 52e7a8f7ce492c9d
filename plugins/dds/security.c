/* SPDX-License-Identifier: Apache-2.0 */
#include "security.h"

#include <dlfcn.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 256 * 1024 };
enum { FILE_CERTIFICATE, FILE_KEY, FILE_TRUST, FILE_PERMISSIONS_TRUST, FILE_GOVERNANCE, FILE_PERMISSIONS };

static const char prefix[] = "data:,";

static const struct {
	const char *setting, *property;
} files[SECURITY_FILES] = {
	[FILE_CERTIFICATE] = {"certificate", "dds.sec.auth.identity_certificate"},
	[FILE_KEY] = {"key", "dds.sec.auth.private_key"},
	[FILE_TRUST] = {"trust", "dds.sec.auth.identity_ca"},
	[FILE_PERMISSIONS_TRUST] = {"permissions_trust", "dds.sec.access.permissions_ca"},
	[FILE_GOVERNANCE] = {"governance", "dds.sec.access.governance"},
	[FILE_PERMISSIONS] = {"permissions", "dds.sec.access.permissions"},
};

static const struct {
	const char *kind, *functions, *path;
} plugins[SECURITY_PLUGINS] = {
	{"auth", "authentication", TG_DDS_SECURITY "/libdds_security_auth.so"},
	{"crypto", "crypto", TG_DDS_SECURITY "/libdds_security_crypto.so"},
	{"access", "access_control", TG_DDS_SECURITY "/libdds_security_ac.so"},
};

/* A text without zero bytes, behind the prefix. */
static int read_text(int fd, char **ret_text)
{
	size_t size = sizeof(prefix) - 1;
	char *text = malloc(size + FILE_MOST + 1);
	ssize_t n = 1;
	int r = 0;

	if (!text)
		return -ENOMEM;
	memcpy(text, prefix, size);
	while (n > 0 && size < sizeof(prefix) - 1 + FILE_MOST) {
		n = read(fd, text + size, sizeof(prefix) - 1 + FILE_MOST - size);
		if (n < 0)
			r = -errno;
		else
			size += (size_t)n;
	}
	if (r >= 0 && n > 0)
		r = -EFBIG;
	if (r >= 0 && (size == sizeof(prefix) - 1 || memchr(text, 0, size)))
		r = -EBADMSG;
	if (r < 0) {
		explicit_bzero(text, size);
		free(text);
		return r;
	}
	text[size] = 0;
	*ret_text = text;
	return 0;
}

static int read_setting(const struct tg_host *host, const char *setting, char **ret_text)
{
	int fd = host->setting_file(host, setting);
	int r = fd < 0 ? fd : read_text(fd, ret_text);

	if (fd >= 0)
		close(fd);
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "cannot use the file of '%s' (%s)", setting, strerror(-r));
	return r;
}

void security_forget(struct security *security)
{
	for (size_t i = 0; i < SECURITY_FILES; i++) {
		if (security->texts[i])
			explicit_bzero(security->texts[i], strlen(security->texts[i]));
		free(security->texts[i]);
		security->texts[i] = NULL;
	}
}

/* The library would begin with any pair, and then nobody would speak to it. */
static int check_pair(const struct tg_host *host, const struct security *security)
{
	const char *certificate_text = security->texts[FILE_CERTIFICATE] + sizeof(prefix) - 1;
	const char *key_text = security->texts[FILE_KEY] + sizeof(prefix) - 1;
	BIO *certificate_bio = BIO_new_mem_buf(certificate_text, -1), *key_bio = BIO_new_mem_buf(key_text, -1);
	X509 *certificate = certificate_bio ? PEM_read_bio_X509(certificate_bio, NULL, NULL, NULL) : NULL;
	char no_password[] = "";
	EVP_PKEY *key = key_bio ? PEM_read_bio_PrivateKey(key_bio, NULL, NULL, no_password) : NULL;
	bool good = certificate && key && X509_check_private_key(certificate, key) == 1;

	EVP_PKEY_free(key);
	X509_free(certificate);
	BIO_free(key_bio);
	BIO_free(certificate_bio);
	ERR_clear_error();
	if (!good)
		host->log(host, TG_LOG_ERROR, NULL, "'key' is not the key of 'certificate', or one of them is no PEM");
	return good ? 0 : -EBADMSG;
}

/* They stay loaded: the library closes its own handle alone. */
static int load_plugins(const struct tg_host *host, struct security *security)
{
	for (size_t i = 0; i < SECURITY_PLUGINS; i++) {
		security->plugins[i] = dlopen(plugins[i].path, RTLD_NOW | RTLD_GLOBAL | RTLD_NODELETE);
		if (security->plugins[i])
			continue;
		host->log(host, TG_LOG_ERROR, NULL, "cannot load DDS Security (%s)", dlerror());
		return -ENOENT;
	}
	return 0;
}

int security_open(const struct tg_host *host, bool insecure, struct security *ret_security)
{
	struct security security = {.used = !insecure};
	int r = 0;

	if (insecure) {
		*ret_security = security;
		return 0;
	}
	for (size_t i = 0; i < SECURITY_FILES && r >= 0; i++)
		r = read_setting(host, files[i].setting, &security.texts[i]);
	if (r >= 0)
		r = check_pair(host, &security);
	if (r >= 0)
		r = load_plugins(host, &security);
	if (r < 0) {
		security_forget(&security);
		return r;
	}
	*ret_security = security;
	return 0;
}

static void set(dds_qos_t *qos, const char *kind, const char *what, const char *value)
{
	char name[64];

	snprintf(name, sizeof(name), "dds.sec.%s.library.%s", kind, what);
	dds_qset_prop(qos, name, value);
}

void security_apply(const struct security *security, dds_qos_t *qos)
{
	char function[64];

	if (!security->used)
		return;
	for (size_t i = 0; i < SECURITY_FILES; i++)
		dds_qset_prop(qos, files[i].property, security->texts[i]);
	for (size_t i = 0; i < SECURITY_PLUGINS; i++) {
		set(qos, plugins[i].kind, "path", plugins[i].path);
		snprintf(function, sizeof(function), "init_%s", plugins[i].functions);
		set(qos, plugins[i].kind, "init", function);
		snprintf(function, sizeof(function), "finalize_%s", plugins[i].functions);
		set(qos, plugins[i].kind, "finalize", function);
	}
}
