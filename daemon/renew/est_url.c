/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/est_url.h"

#include <arpa/inet.h>
#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

enum { ADDRESSES_MAX = 8, RESOLVE_LINE = 1024 };

void est_url_done(struct est_url *url)
{
	free(url->host);
	free(url->port);
	url->host = url->port = NULL;
}

/* A copy of one part, "" where there is none; NULL: out of memory. */
static char *part(CURLU *handle, CURLUPart what, unsigned flags)
{
	char *text = NULL, *copy;

	if (curl_url_get(handle, what, &text, flags) != CURLUE_OK)
		return strdup("");
	copy = strdup(text);
	curl_free(text);
	return copy;
}

static int take_parts(CURLU *handle, struct est_url *url)
{
	CLEANUP_FREE char *scheme = part(handle, CURLUPART_SCHEME, 0), *user = part(handle, CURLUPART_USER, 0);
	CLEANUP_FREE char *query = part(handle, CURLUPART_QUERY, 0), *fragment = part(handle, CURLUPART_FRAGMENT, 0);
	CLEANUP_FREE char *path = part(handle, CURLUPART_PATH, 0), *host = part(handle, CURLUPART_HOST, 0);
	size_t length;

	url->port = part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT);
	if (!scheme || !user || !query || !fragment || !path || !host || !url->port)
		return -ENOMEM;
	if (strcmp(scheme, "https") != 0 || *user || *query || *fragment || !*host)
		return -EINVAL;
	length = strlen(path);
	while (length > 0 && path[length - 1] == '/')
		path[--length] = 0;
	if (snprintf(url->base, sizeof(url->base), "https://%s:%s%s", host, url->port,
		     length ? path : "/.well-known/est") >= (int)sizeof(url->base))
		return -EINVAL;
	length = strlen(host);
	url->host = host[0] == '[' ? strndup(host + 1, length > 2 ? length - 2 : 0) : strdup(host);
	return url->host ? 0 : -ENOMEM;
}

int est_url_parse(const char *text, struct est_url *ret_url)
{
	struct est_url url = {.host = NULL};
	CURLU *handle = curl_url();
	int r = handle ? 0 : -ENOMEM;

	if (r >= 0 && curl_url_set(handle, CURLUPART_URL, text, 0) != CURLUE_OK)
		r = -EINVAL;
	if (r >= 0)
		r = take_parts(handle, &url);
	curl_url_cleanup(handle);
	if (r < 0) {
		est_url_done(&url);
		return r;
	}
	*ret_url = url;
	return 0;
}

static bool is_address(const char *host)
{
	unsigned char address[sizeof(struct in6_addr)];

	return inet_pton(AF_INET, host, address) == 1 || inet_pton(AF_INET6, host, address) == 1;
}

static void add_addresses(const struct addrinfo *list, char line[RESOLVE_LINE])
{
	char address[INET6_ADDRSTRLEN];
	size_t used = strlen(line);
	unsigned n = 0;

	for (; list && n < ADDRESSES_MAX; list = list->ai_next) {
		bool is_v6 = list->ai_family == AF_INET6;

		if (getnameinfo(list->ai_addr, list->ai_addrlen, address, sizeof(address), NULL, 0, NI_NUMERICHOST) !=
		    0)
			continue;
		used += (size_t)snprintf(line + used, RESOLVE_LINE - used, "%s%s%s%s", n ? "," : "", is_v6 ? "[" : "",
					 address, is_v6 ? "]" : "");
		n++;
	}
}

int est_url_resolve(const struct est_url *url, char *ret_cause, size_t size, char **ret_line)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *list = NULL;
	char line[RESOLVE_LINE];
	int r;

	if (is_address(url->host)) {
		*ret_line = NULL;
		return 0;
	}
	r = getaddrinfo(url->host, url->port, &hints, &list);
	if (r != 0) {
		snprintf(ret_cause, size, "the name \"%s\" cannot be looked up (%s)", url->host, gai_strerror(r));
		return -EHOSTUNREACH;
	}
	snprintf(line, sizeof(line) - ADDRESSES_MAX * 50, "%s:%s:", url->host, url->port);
	add_addresses(list, line);
	freeaddrinfo(list);
	*ret_line = strdup(line);
	return *ret_line ? 0 : -ENOMEM;
}
