/* SPDX-License-Identifier: Apache-2.0 */
#include "href.h"

#include <ctype.h>
#include <curl/curl.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "common/utf8.h"

#define HREF_FREE  __attribute__((cleanup(href_free_text)))
#define HREF_CLEAN __attribute__((cleanup(href_clean)))

static void href_free_text(char **text)
{
	curl_free(*text);
}

static void href_clean(CURLU **handle)
{
	curl_url_cleanup(*handle);
}

void href_done(struct href *href)
{
	free(href->text);
	free(href->host);
	*href = (struct href){.text = NULL};
}

int href_copy(const struct href *href, struct href *ret_href)
{
	struct href copy = {.text = strdup(href->text), .host = strdup(href->host), .port = href->port};

	if (!copy.text || !copy.host) {
		href_done(&copy);
		return -ENOMEM;
	}
	*ret_href = copy;
	return 0;
}

/* Names and addresses in digits; no zones, no names in other letters than those of DNS. */
static bool href_is_host(const char *host, size_t length)
{
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)host[i]) && !strchr("-._:", host[i]))
			return false;
	for (size_t i = 0; i + 1 < length; i++)
		if (host[i] == '.' && host[i + 1] == '.')
			return false;
	return length > 0 && length <= HREF_HOST_MAX && host[0] != '.' && host[length - 1] != '.';
}

/* Without brackets and without a last dot, in lower case. */
static char *href_host(const char *text)
{
	size_t length = strlen(text);
	char *host;

	if (text[0] == '[' && length > 2) {
		text++;
		length -= 2;
	} else if (length > 1 && text[length - 1] == '.') {
		length--;
	}
	if (!href_is_host(text, length))
		return NULL;
	host = strndup(text, length);
	for (char *at = host; at && *at; at++)
		*at = (char)tolower((unsigned char)*at);
	return host;
}

/* The two digits behind a '%' in upper case (RFC 3986 section 6.2.2.1). */
static void href_same_case(char *text)
{
	for (; *text; text++)
		if (*text == '%' && isxdigit((unsigned char)text[1]) && isxdigit((unsigned char)text[2])) {
			text[1] = (char)toupper((unsigned char)text[1]);
			text[2] = (char)toupper((unsigned char)text[2]);
			text += 2;
		}
}

static int href_put_together(CURLU *handle, struct href *href)
{
	HREF_FREE char *host = NULL, *port = NULL, *path = NULL, *query = NULL;
	bool v6;
	int length;

	if (curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK ||
	    curl_url_get(handle, CURLUPART_PORT, &port, CURLU_DEFAULT_PORT) != CURLUE_OK ||
	    curl_url_get(handle, CURLUPART_PATH, &path, 0) != CURLUE_OK)
		return -EINVAL;
	curl_url_get(handle, CURLUPART_QUERY, &query, 0);
	href->host = href_host(host);
	href->port = (uint16_t)strtoul(port, NULL, 10);
	href->text = malloc(HREF_MAX + 1);
	if (!href->text)
		return -ENOMEM;
	if (!href->host || href->port == 0)
		return -EINVAL;
	href_same_case(path);
	if (query)
		href_same_case(query);
	v6 = strchr(href->host, ':') != NULL;
	length = snprintf(href->text, HREF_MAX + 1, "https://%s%s%s", v6 ? "[" : "", href->host, v6 ? "]" : "");
	if (href->port != 443)
		length += snprintf(href->text + length, (size_t)(HREF_MAX + 1 - length), ":%u", href->port);
	length += snprintf(href->text + length, (size_t)(HREF_MAX + 1 - length), "%s%s%s", path, query ? "?" : "",
			   query ? query : "");
	if (length > HREF_MAX)
		return -E2BIG;
	char *shorter = realloc(href->text, (size_t)length + 1);
	href->text = shorter ? shorter : href->text;
	return 0;
}

/* Whether it begins with a scheme (RFC 3986 section 3.1) that is not https; libcurl looks for "://" only. */
static bool href_is_foreign(const char *text)
{
	size_t size = 0;

	while (isalnum((unsigned char)text[size]) || (text[size] && strchr("+-.", text[size])))
		size++;
	return text[size] == ':' && isalpha((unsigned char)text[0]) &&
	       !(size == 5 && strncasecmp(text, "https", 5) == 0);
}

static bool href_has(CURLU *handle, CURLUPart part)
{
	HREF_FREE char *text = NULL;

	return curl_url_get(handle, part, &text, 0) == CURLUE_OK;
}

/* A host that libcurl reads in another way the second time, such as digits behind percent-encoding, is none. */
static bool href_is_settled(CURLU *handle, const struct href *href)
{
	HREF_FREE char *host = NULL;
	size_t size = strlen(href->host);

	if (curl_url_set(handle, CURLUPART_URL, href->text, 0) != CURLUE_OK ||
	    curl_url_get(handle, CURLUPART_HOST, &host, 0) != CURLUE_OK)
		return false;
	return host[0] == '[' ? strncmp(host + 1, href->host, size) == 0 : strcmp(host, href->host) == 0;
}

int href_parse(const char *text, const struct href *base, struct href *ret_href)
{
	HREF_CLEAN CURLU *handle = curl_url();
	HREF_FREE char *scheme = NULL;
	struct href href = {.text = NULL};
	int r;

	if (!handle)
		return -ENOMEM;
	if (strlen(text) > HREF_MAX)
		return -E2BIG;
	if (href_is_foreign(text))
		return -EPROTONOSUPPORT;
	if (base && curl_url_set(handle, CURLUPART_URL, base->text, 0) != CURLUE_OK)
		return -EINVAL;
	if (curl_url_set(handle, CURLUPART_URL, text, CURLU_URLENCODE | CURLU_ALLOW_SPACE) != CURLUE_OK ||
	    curl_url_get(handle, CURLUPART_SCHEME, &scheme, 0) != CURLUE_OK)
		return -EINVAL;
	if (strcasecmp(scheme, "https") != 0)
		return -EPROTONOSUPPORT;
	if (href_has(handle, CURLUPART_USER) || href_has(handle, CURLUPART_PASSWORD) ||
	    href_has(handle, CURLUPART_ZONEID))
		return -EINVAL;
	r = href_put_together(handle, &href);
	if (r >= 0 && !href_is_settled(handle, &href))
		r = -EINVAL;
	if (r < 0) {
		href_done(&href);
		return r;
	}
	*ret_href = href;
	return 0;
}

/* One byte of the text, with its percent-encoding undone. */
static unsigned char href_take(const char **at)
{
	unsigned value;
	char digits[3];

	if (**at == '%' && isxdigit((unsigned char)(*at)[1]) && isxdigit((unsigned char)(*at)[2])) {
		memcpy(digits, *at + 1, 2);
		digits[2] = '\0';
		value = (unsigned)strtoul(digits, NULL, 16);
		*at += 3;
		return (unsigned char)value;
	}
	return (unsigned char)*(*at)++;
}

struct href_out {
	char *text;
	size_t room;
	size_t size; /* also beyond the room */
};

static void href_put(struct href_out *out, const char *text, size_t size)
{
	if (out->size + size < out->room)
		memcpy(out->text + out->size, text, size);
	out->size += size;
}

/* No control characters, those of Latin-1 (C2 80 to C2 9F) among them. */
static bool href_is_text(const char *text, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		unsigned char byte = (unsigned char)text[i];

		if (byte < 0x20 || byte == 0x7f || (byte == 0xc2 && i + 1 < size && (unsigned char)text[i + 1] < 0xa0))
			return false;
	}
	return utf8_is_good((struct tg_bytes){.data = text, .size = size});
}

/* Copies one segment up to a '/' of the address, or its end; slashes in a query belong to the segment. */
static bool href_segment(const char **at, bool *query, struct href_out *out)
{
	size_t begin = out->size;

	while (**at && (**at != '/' || *query)) {
		char byte;

		*query |= **at == '?';
		byte = (char)href_take(at);
		if (byte == '%')
			href_put(out, "%25", 3);
		else if (byte == '/')
			href_put(out, "%2F", 3);
		else
			href_put(out, &byte, 1);
	}
	if (out->size >= out->room)
		return true;
	return !(out->size - begin == 1 && out->text[begin] == '.') &&
	       !(out->size - begin == 2 && memcmp(out->text + begin, "..", 2) == 0);
}

int href_path(const struct href *href, int with_host, char *ret_path, size_t room)
{
	const char *at = strchr(href->text + strlen("https://"), '/');
	struct href_out out = {.text = ret_path, .room = room};
	bool query = false;

	if (with_host)
		href_put(&out, href->host, strlen(href->host));
	while (at && *at) {
		bool empty;

		if (*at == '/')
			at++;
		/* Empty ones, as behind a last slash, are left out. */
		empty = *at == '/' || *at == '\0';
		if (!empty && out.size > 0)
			href_put(&out, "/", 1);
		if (!empty && !href_segment(&at, &query, &out))
			return -EINVAL;
	}
	if (out.size >= room)
		return -ENOBUFS;
	if (out.size == 0 || !href_is_text(ret_path, out.size))
		return -EINVAL;
	ret_path[out.size] = '\0';
	return (int)out.size;
}

const char *href_printable(const char *text, char *ret_text, size_t room)
{
	size_t i = 0;

	for (; text[i] && i + 1 < room; i++)
		ret_text[i] = text[i] > 0x20 && text[i] < 0x7f ? text[i] : text[i] == ' ' ? ' ' : '?';
	ret_text[i] = '\0';
	return ret_text;
}
