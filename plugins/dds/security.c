/* SPDX-License-Identifier: Apache-2.0 */
#include "security.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { FILE_MOST = 256 * 1024 };

static const char prefix[] = "data:,";

static const struct {
	const char *setting, *property;
} files[SECURITY_FILES] = {
	{"trust", "dds.sec.auth.identity_ca"},       {"certificate", "dds.sec.auth.identity_certificate"},
	{"key", "dds.sec.auth.private_key"},         {"permissions_trust", "dds.sec.access.permissions_ca"},
	{"governance", "dds.sec.access.governance"}, {"permissions", "dds.sec.access.permissions"},
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
