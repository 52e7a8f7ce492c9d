/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "address.h"
#include "crypto.h"
#include "fetch_internal.h"

enum { FETCH_HEADERS = 32 * 1024, FETCH_FIRST = 4096, FETCH_LINE = 1024 };

static size_t on_body(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *fetch = arg;

	n *= size;
	if (n > fetch->body_max - fetch->size) {
		fetch->too_large = true;
		return 0;
	}
	if (fetch->size + n > fetch->room) {
		size_t room = fetch->room ? fetch->room * 2 : FETCH_FIRST;
		uint8_t *body;

		room = room < fetch->size + n ? fetch->size + n : room;
		body = realloc(fetch->body, room);
		if (!body)
			return 0;
		fetch->body = body;
		fetch->room = room;
	}
	if (n > 0)
		memcpy(fetch->body + fetch->size, data, n);
	fetch->size += n;
	return n;
}

/* The value, without the space around it; left alone where it is too long or has other characters than visible ones. */
static void take_value(const char *value, size_t size, char *ret_text, size_t room)
{
	while (size > 0 && (*value == ' ' || *value == '\t')) {
		value++;
		size--;
	}
	while (size > 0 && strchr(" \t\r\n", value[size - 1]))
		size--;
	if (size >= room)
		return;
	for (size_t i = 0; i < size; i++)
		if (value[i] < 0x20 || value[i] == 0x7f)
			return;
	memcpy(ret_text, value, size);
	ret_text[size] = '\0';
}

static size_t on_header(char *data, size_t size, size_t n, void *arg)
{
	struct fetch *fetch = arg;

	n *= size;
	fetch->header_bytes += n;
	if (fetch->header_bytes > FETCH_HEADERS) {
		fetch->too_large = true;
		return 0;
	}
	if (n > 5 && memcmp(data, "HTTP/", 5) == 0)
		fetch->etag[0] = fetch->type[0] = '\0'; /* of an informational answer before */
	else if (n > 5 && strncasecmp(data, "ETag:", 5) == 0)
		take_value(data + 5, n - 5, fetch->etag, sizeof(fetch->etag));
	else if (n > 13 && strncasecmp(data, "Content-Type:", 13) == 0)
		take_value(data + 13, n - 13, fetch->type, sizeof(fetch->type));
	return n;
}

/* Behind every look-up, and as close to connect as can be. */
static curl_socket_t on_open(void *arg, curlsocktype purpose, struct curl_sockaddr *address)
{
	struct fetch *fetch = arg;
	const char *objection;
	int fd;

	if (purpose != CURLSOCKTYPE_IPCXN)
		return CURL_SOCKET_BAD;
	objection = plan_address_objection(fetch->fetcher->plan, &address->addr, (socklen_t)address->addrlen);
	if (objection) {
		fetch->objection = objection;
		address_text(&address->addr, fetch->address);
		return CURL_SOCKET_BAD;
	}
	fd = socket(address->family, address->socktype | SOCK_CLOEXEC, address->protocol);
	if (fd >= 0 && !fetcher_opened(fetch->fetcher, fd)) {
		close(fd);
		return CURL_SOCKET_BAD;
	}
	return fd;
}

static int on_close(void *arg, curl_socket_t fd)
{
	fetcher_closed(arg, fd);
	return close(fd);
}

static int on_connected(void *arg, char *peer, char *local, int peer_port, int local_port)
{
	struct fetch *fetch = arg;

	(void)peer;
	(void)local;
	(void)peer_port;
	fetcher_connected(fetch->fetcher, fetch->curl, local_port);
	return CURL_PREREQFUNC_OK;
}

static CURLcode on_context(CURL *curl, void *context, void *arg)
{
	struct fetch *fetch = arg;
	struct fetcher *fetcher = fetch->fetcher;

	(void)curl;
	fetch->name->handshake.cause[0] = '\0';
	fetch->name->handshake.wall_s = fetcher->host->now_wall_us(fetcher->host) / 1000000;
	return tls_fill(fetcher->tls, &fetch->name->handshake, context) < 0 ? CURLE_SSL_CERTPROBLEM : CURLE_OK;
}

static bool set_limits(const struct fetch *fetch)
{
	CURL *curl = fetch->curl;
	int64_t timeout_ms = fetch->fetcher->plan->limits.timeout_us / 1000;

	return curl_easy_setopt(curl, CURLOPT_PROTOCOLS_STR, "https") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_FOLLOWLOCATION, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PROXY, "") == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_NOSIGNAL, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_QUICK_EXIT, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTP_VERSION, (long)CURL_HTTP_VERSION_1_1) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HTTP09_ALLOWED, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CONNECTTIMEOUT_MS, (long)timeout_ms) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_MAXFILESIZE_LARGE, (curl_off_t)fetch->body_max) == CURLE_OK;
}

/* No file of the system is trusted: what counts is put in by on_context. libcurl compares the name a second time. */
static bool set_tls(struct fetch *fetch)
{
	CURL *curl = fetch->curl;

	return curl_easy_setopt(curl, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYPEER, 1L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_VERIFYHOST, 2L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_SESSIONID_CACHE, 0L) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAINFO, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CAPATH, NULL) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_CTX_FUNCTION, on_context) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_SSL_CTX_DATA, fetch) == CURLE_OK;
}

static bool set_token(const struct fetch *fetch)
{
	const struct fetcher *fetcher = fetch->fetcher;
	CURL *curl = fetch->curl;

	if (fetcher->bearer)
		return curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BEARER) == CURLE_OK &&
		       curl_easy_setopt(curl, CURLOPT_XOAUTH2_BEARER, fetcher->token) == CURLE_OK;
	if (curl_easy_setopt(curl, CURLOPT_HTTPAUTH, (long)CURLAUTH_BASIC) != CURLE_OK)
		return false;
	if (strchr(fetcher->token, ':'))
		return curl_easy_setopt(curl, CURLOPT_USERPWD, fetcher->token) == CURLE_OK;
	return curl_easy_setopt(curl, CURLOPT_USERNAME, fetcher->token) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PASSWORD, "") == CURLE_OK;
}

static bool set_calls(struct fetch *fetch)
{
	CURL *curl = fetch->curl;

	return curl_easy_setopt(curl, CURLOPT_PRIVATE, fetch) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_ERRORBUFFER, fetch->detail) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEFUNCTION, on_body) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_WRITEDATA, fetch) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERFUNCTION, on_header) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_HEADERDATA, fetch) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_OPENSOCKETFUNCTION, on_open) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_OPENSOCKETDATA, fetch) == CURLE_OK &&
	       /* A connection outlives the transfer that it was made for. */
	       curl_easy_setopt(curl, CURLOPT_CLOSESOCKETFUNCTION, on_close) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_CLOSESOCKETDATA, fetch->fetcher) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PREREQFUNCTION, on_connected) == CURLE_OK &&
	       curl_easy_setopt(curl, CURLOPT_PREREQDATA, fetch) == CURLE_OK;
}

static bool add_line(struct curl_slist **list, const char *name, const char *value)
{
	char line[FETCH_LINE];
	struct curl_slist *longer;

	if (snprintf(line, sizeof(line), "%s%s", name, value) >= (int)sizeof(line))
		return false;
	longer = curl_slist_append(*list, line);
	*list = longer ? longer : *list;
	return longer != NULL;
}

static bool set_request(struct fetch *fetch, const struct fetch_wish *wish)
{
	CURL *curl = fetch->curl;
	char place[HREF_HOST_MAX + 16];

	snprintf(place, sizeof(place), "%s:%u:", wish->href->host, wish->href->port);
	return add_line(&fetch->headers, "Accept: ", wish->accept) &&
	       add_line(&fetch->headers, "User-Agent: ", "tidegate") &&
	       (!wish->etag || add_line(&fetch->headers, "If-None-Match: ", wish->etag)) &&
	       (!wish->addresses || add_line(&fetch->resolve, place, wish->addresses)) &&
	       curl_easy_setopt(curl, CURLOPT_HTTPHEADER, fetch->headers) == CURLE_OK &&
	       (!fetch->resolve || curl_easy_setopt(curl, CURLOPT_RESOLVE, fetch->resolve) == CURLE_OK) &&
	       (!wish->with_token || !fetch->fetcher->token || set_token(fetch)) &&
	       curl_easy_setopt(curl, CURLOPT_URL, wish->href->text) == CURLE_OK;
}

static void fetch_free(struct fetch *fetch)
{
	struct fetch **at = &fetch->fetcher->fetches;

	while (*at && *at != fetch)
		at = &(*at)->next;
	if (*at)
		*at = fetch->next;
	if (fetch->curl) {
		curl_multi_remove_handle(fetch->fetcher->multi, fetch->curl);
		curl_easy_cleanup(fetch->curl);
		crypto_forget_errors();
	}
	curl_slist_free_all(fetch->headers);
	curl_slist_free_all(fetch->resolve);
	free(fetch->body);
	free(fetch);
}

int fetch_begin(struct fetcher *fetcher, const struct fetch_wish *wish, fetch_done_fn *done, void *arg,
		struct fetch **ret_fetch)
{
	struct fetch *fetch = calloc(1, sizeof(*fetch));

	if (!fetch)
		return -ENOMEM;
	*fetch = (struct fetch){.fetcher = fetcher, .done = done, .arg = arg, .body_max = wish->body_max};
	fetch->name = fetcher_name(fetcher, wish->href->host);
	fetch->curl = curl_easy_init();
	if (!fetch->name || !fetch->curl || !set_limits(fetch) || !set_tls(fetch) || !set_calls(fetch) ||
	    !set_request(fetch, wish) || curl_multi_add_handle(fetcher->multi, fetch->curl) != CURLM_OK) {
		fetch_free(fetch);
		return -ENOMEM;
	}
	fetch->next = fetcher->fetches;
	fetcher->fetches = fetch;
	*ret_fetch = fetch;
	return 0;
}

void fetch_forget(struct fetch *fetch)
{
	if (fetch)
		fetch_free(fetch);
}

static enum fetch_end tell_why(struct fetch *fetch, CURLcode code, char cause[FETCH_CAUSE])
{
	char plain[FETCH_CAUSE];
	const char *why = fetch->detail[0] ? fetch->detail : curl_easy_strerror(code);

	if (fetch->too_large || code == CURLE_FILESIZE_EXCEEDED) {
		snprintf(cause, FETCH_CAUSE, "the answer is larger than %zu bytes", fetch->body_max);
		return FETCH_TOO_LARGE;
	}
	if (fetch->objection && code == CURLE_COULDNT_CONNECT) {
		snprintf(cause, FETCH_CAUSE, "its address %s is %s, and 'hosts' does not name it", fetch->address,
			 fetch->objection);
		return FETCH_FORBIDDEN;
	}
	if (fetch->name->handshake.cause[0])
		why = fetch->name->handshake.cause;
	else if (code == CURLE_OPERATION_TIMEDOUT)
		why = "no whole answer in time";
	snprintf(cause, FETCH_CAUSE, "%s", href_printable(why, plain, sizeof(plain)));
	return FETCH_FAILED;
}

void fetch_end(struct fetch *fetch, CURLcode code)
{
	char cause[FETCH_CAUSE] = "";
	struct fetch_answer answer = {.end = FETCH_ANSWERED, .content_type = fetch->type, .cause = cause};
	fetch_done_fn *done = fetch->done;
	void *arg = fetch->arg;
	curl_off_t retry_s = 0;

	if (code == CURLE_OK) {
		curl_easy_getinfo(fetch->curl, CURLINFO_RESPONSE_CODE, &answer.status);
		if (curl_easy_getinfo(fetch->curl, CURLINFO_RETRY_AFTER, &retry_s) == CURLE_OK && retry_s > 0)
			answer.retry_after_s = retry_s;
	} else {
		answer.end = tell_why(fetch, code, cause);
	}
	if (fetch->etag[0])
		answer.etag = fetch->etag;
	answer.body = (struct tg_bytes){.data = fetch->body, .size = fetch->size};
	done(arg, &answer);
	fetch_free(fetch);
}
