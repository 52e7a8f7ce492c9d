/* SPDX-License-Identifier: Apache-2.0 */

/* The resources of the device. */

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device.h"

enum { REPEATS = 64, EXECUTIONS_MAX = 1024, SLOW_MS = 500, BIG = 20000 };

struct execution {
	uint64_t of; /* a hash of method, path and payload */
	unsigned count;
};

/* A request that was carried out. */
struct seen {
	coap_mid_t mid;
	size_t token_size;
	uint8_t token[8];
};

static uint8_t *kept; /* what /set holds */
static size_t kept_size;
static int kept_format = -1;
static struct execution executions[EXECUTIONS_MAX];
static struct seen repeats[REPEATS];
static unsigned next_repeat;

void device_print_text(const char *name, const uint8_t *data, size_t size)
{
	printf(", \"%s\": \"", name);
	for (size_t i = 0; i < size; i++)
		if (data[i] < 0x20 || data[i] >= 0x7f || data[i] == '"' || data[i] == '\\')
			printf("\\u%04x", data[i]);
		else
			putchar(data[i]);
	putchar('"');
}

void device_print_event(const char *event)
{
	printf("{\"event\": \"%s\"}\n", event);
}

int device_format(const coap_pdu_t *pdu)
{
	coap_opt_iterator_t walk;
	coap_opt_t *option = coap_check_option(pdu, COAP_OPTION_CONTENT_FORMAT, &walk);

	return option ? (int)coap_decode_var_bytes(coap_opt_value(option), coap_opt_length(option)) : -1;
}

/* The number behind `name` in the query, or `otherwise`. */
static unsigned long query_number(const coap_string_t *query, const char *name, unsigned long otherwise)
{
	char text[64];
	int size = query && query->length < sizeof(text) ? (int)query->length : 0;

	snprintf(text, sizeof(text), "%.*s", size, query ? (const char *)query->s : "");
	return strncmp(text, name, strlen(name)) == 0 ? strtoul(text + strlen(name), NULL, 10) : otherwise;
}

static uint64_t hash_add(uint64_t hash, const void *data, size_t size)
{
	for (size_t i = 0; i < size; i++)
		hash = (hash ^ ((const uint8_t *)data)[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static unsigned execution_count(uint64_t of)
{
	for (size_t i = 0; i < EXECUTIONS_MAX; i++) {
		struct execution *execution = &executions[i];

		if (execution->count > 0 && execution->of != of)
			continue;
		execution->of = of;
		return ++execution->count;
	}
	return 0;
}

/* libcoap does not look for repeats by itself (RFC 7252 section 4.5). */
static bool is_repeat(const coap_pdu_t *request)
{
	coap_mid_t mid = coap_pdu_get_mid(request);
	coap_bin_const_t token = coap_pdu_get_token(request);

	for (size_t i = 0; i < REPEATS; i++) {
		const struct seen *seen = &repeats[i];

		if (seen->mid == mid && seen->token_size == token.length && token.length > 0 &&
		    memcmp(seen->token, token.s, token.length) == 0)
			return true;
	}
	struct seen *seen = &repeats[next_repeat++ % REPEATS];
	*seen = (struct seen){.mid = mid, .token_size = token.length};
	if (token.length > 0 && token.length <= sizeof(seen->token))
		memcpy(seen->token, token.s, token.length);
	return false;
}

/* Says that a request came. Returns whether it is to be carried out. */
static bool note_request(coap_resource_t *resource, const coap_pdu_t *request, const coap_string_t *query)
{
	static const char *const methods[] = {"", "GET", "POST", "PUT", "DELETE", "FETCH", "PATCH", "IPATCH"};
	const coap_str_const_t *path = coap_resource_get_uri_path(resource);
	const char *method = methods[coap_pdu_get_code(request) & 7];
	const uint8_t *data = NULL;
	size_t size = 0, offset = 0, total = 0;
	bool repeat = is_repeat(request);

	(void)coap_get_data_large(request, &size, &data, &offset, &total);
	printf("{\"event\": \"%s\", \"method\": \"%s\", \"path\": \"/%.*s\"", repeat ? "repeat" : "request", method,
	       (int)path->length, (const char *)path->s);
	if (!repeat) {
		uint64_t hash =
			hash_add(hash_add(UINT64_C(0xcbf29ce484222325), method, strlen(method)), path->s, path->length);

		device_print_text("query", query ? query->s : NULL, query ? query->length : 0);
		printf(", \"content_format\": %d, \"size\": %zu", device_format(request), size);
		device_print_text("payload", data, size);
		printf(", \"executions\": %u", execution_count(hash_add(hash, data, size)));
	}
	puts("}");
	return !repeat;
}

void device_release(coap_session_t *session, void *data)
{
	(void)session;
	free(data);
}

/* 2.05 with a copy of these bytes, in blocks where there are many. */
static void respond(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
		    const coap_string_t *query, coap_pdu_t *response, int format, const void *data, size_t size)
{
	uint8_t *copy = malloc(size + 1);

	coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
	if (!copy)
		abort();
	if (size > 0)
		memcpy(copy, data, size);
	coap_add_data_large_response(resource, session, request, response, query,
				     format < 0 ? COAP_MEDIATYPE_TEXT_PLAIN : (uint16_t)format, -1, 0, size, copy,
				     device_release, copy);
}

static void keep(const coap_pdu_t *request)
{
	const uint8_t *data = NULL;
	size_t size = 0, offset = 0, total = 0;

	(void)coap_get_data_large(request, &size, &data, &offset, &total);
	free(kept);
	kept = malloc(size + 1);
	if (!kept)
		abort();
	if (size > 0)
		memcpy(kept, data, size);
	kept_size = size;
	kept_format = device_format(request);
}

static void on_set(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
		   const coap_string_t *query, coap_pdu_t *response)
{
	coap_pdu_code_t method = coap_pdu_get_code(request);
	bool new = note_request(resource, request, query);
	const uint8_t *data = NULL;
	size_t size = 0, offset = 0, total = 0;

	if (method == COAP_REQUEST_CODE_GET) {
		respond(resource, session, request, query, response, kept_format, kept, kept_size);
		return;
	}
	if (method == COAP_REQUEST_CODE_FETCH) {
		(void)coap_get_data_large(request, &size, &data, &offset, &total);
		respond(resource, session, request, query, response, device_format(request), data, size);
		return;
	}
	if (method == COAP_REQUEST_CODE_DELETE)
		kept_size = new ? 0 : kept_size;
	else if (new)
		keep(request);
	coap_pdu_set_code(response,
			  method == COAP_REQUEST_CODE_DELETE ? COAP_RESPONSE_CODE_DELETED : COAP_RESPONSE_CODE_CHANGED);
}

static void on_slow(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
		    const coap_string_t *query, coap_pdu_t *response)
{
	coap_async_t *async = coap_find_async(session, coap_pdu_get_token(request));

	if (async) {
		coap_pdu_set_code(response, COAP_RESPONSE_CODE_CONTENT);
		coap_add_data(response, 4, (const uint8_t *)"done");
		return;
	}
	if (note_request(resource, request, query))
		coap_register_async(session, request,
				    query_number(query, "ms=", SLOW_MS) * COAP_TICKS_PER_SECOND / 1000);
}

static void on_big(coap_resource_t *resource, coap_session_t *session, const coap_pdu_t *request,
		   const coap_string_t *query, coap_pdu_t *response)
{
	size_t size = query_number(query, "size=", BIG);
	char *text = malloc(size + 16);

	if (!text)
		abort();
	note_request(resource, request, query);
	for (size_t at = 0; at < size; at += 8)
		snprintf(text + at, 16, "%07zu\n", at / 8 % 10000000);
	respond(resource, session, request, query, response, -1, text, size);
	free(text);
}

static void add_resource(coap_context_t *context, const char *path, coap_method_handler_t handler)
{
	coap_resource_t *resource = coap_resource_init(coap_make_str_const(path), 0);

	for (int method = COAP_REQUEST_GET; method <= COAP_REQUEST_IPATCH; method++)
		coap_register_request_handler(resource, (coap_request_t)method, handler);
	coap_add_resource(context, resource);
}

void device_serve(coap_context_t *context, const char *more)
{
	add_resource(context, "set", on_set);
	if (more)
		add_resource(context, more, on_set);
	add_resource(context, "slow", on_slow);
	add_resource(context, "big", on_big);
}

void device_forget(coap_session_t *session)
{
	for (size_t i = 0; i < REPEATS; i++) {
		coap_bin_const_t token = {repeats[i].token_size, repeats[i].token};
		coap_async_t *async = token.length > 0 ? coap_find_async(session, token) : NULL;

		if (async)
			coap_free_async(session, async); /* it would keep the session */
	}
	memset(repeats, 0, sizeof(repeats));
}
