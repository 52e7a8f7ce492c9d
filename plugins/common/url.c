/* SPDX-License-Identifier: Apache-2.0 */
#include "url.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

bool url_is_address(const char *host)
{
	unsigned char buffer[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, buffer) == 1 || inet_pton(AF_INET6, host, buffer) == 1;
}

static int url_port(const char *text, uint16_t *ret_port)
{
	unsigned long port = 0;

	if (*text == '\0' || strlen(text) > 5)
		return -EINVAL;
	for (const char *p = text; *p; p++) {
		if (*p < '0' || *p > '9')
			return -EINVAL;
		port = port * 10 + (unsigned long)(*p - '0');
	}
	if (port == 0 || port > UINT16_MAX)
		return -EINVAL;
	*ret_port = (uint16_t)port;
	return 0;
}

static bool url_host_valid(const char *host)
{
	static const char letters[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789.-_";

	return *host && host[strspn(host, letters)] == '\0';
}

/* Splits "host:port" or "[address]:port" in place. */
static int url_split(char *authority, char **ret_host, char **ret_port)
{
	char *host = authority, *end;

	if (*authority == '[') {
		host = authority + 1;
		end = strchr(host, ']');
		if (!end || (end[1] != '\0' && end[1] != ':'))
			return -EINVAL;
		*ret_port = end[1] == ':' ? end + 2 : NULL;
		*end = '\0';
		if (!strchr(host, ':') || !url_is_address(host))
			return -EINVAL;
	} else {
		end = strchr(host, ':');
		*ret_port = end ? end + 1 : NULL;
		if (end)
			*end = '\0';
		if (!url_host_valid(host))
			return -EINVAL;
	}
	*ret_host = host;
	return 0;
}

/* Returns what stands behind "scheme://" or "schemes://", or NULL. */
static const char *url_scheme(const char *text, const struct url_scheme *scheme, struct url *url)
{
	size_t size = strlen(scheme->name);

	if (strncmp(text, scheme->name, size) != 0)
		return NULL;
	text += size;
	url->tls = *text == 's';
	url->port = url->tls ? scheme->tls_port : scheme->port;
	text += url->tls;
	return strncmp(text, "://", 3) == 0 ? text + 3 : NULL;
}

int url_parse(const char *text, const struct url_scheme *scheme, struct url *ret_url)
{
	struct url url = {0};
	char copy[URL_HOST_SIZE + 16];
	char *host, *port;
	const char *rest;
	int r;

	rest = url_scheme(text, scheme, &url);
	if (!rest || strlen(rest) >= sizeof(copy))
		return -EINVAL;
	memcpy(copy, rest, strlen(rest) + 1);
	r = url_split(copy, &host, &port);
	if (r >= 0 && port)
		r = url_port(port, &url.port);
	if (r < 0)
		return r;
	if (strlen(host) >= sizeof(url.host))
		return -EINVAL;
	memcpy(url.host, host, strlen(host) + 1);
	url.address = url_is_address(url.host);
	url.text = strdup(text);
	if (!url.text)
		return -ENOMEM;
	*ret_url = url;
	return 0;
}

void url_done(struct url *url)
{
	free(url->text);
	url->text = NULL;
}
