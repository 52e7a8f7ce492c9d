/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Requests that are protected for somebody else (RFC 8613): the gateway has no key to them, and hands them in whole, at the path of the
 * setting "oscore". What it answers says no more than that it has taken them; whoever they are for is reached one way only.
 */

#include <stdlib.h>
#include <string.h>

#include "coap.h"
#include "server_inside.h"

enum { FORMAT_OCTETS = 42, PAYLOAD_MARKER = 0xff };

static const char *path_of(const struct coap *coap)
{
	const char *path = coap->host->setting_text(coap->host, "oscore");
	return path + strspn(path, "/");
}

void server_judge_oscore(const struct coap *coap, struct coap_message *message)
{
	bool is_request = MESSAGE_CODE_CLASS(message->code) == 0 && message->code != MESSAGE_EMPTY;
	if (message->oscore && message->bad_option == 0 && (!is_request || !*path_of(coap)))
		message->bad_option = MESSAGE_OSCORE;
}

/* The message as it came, without what belongs to this hop alone: type, message id and token. Source: RFC 7252 section 3. */
static uint8_t *pack(const struct coap_message *message, size_t *ret_size)
{
	size_t size = 1 + message->options.size + (message->payload.size ? 1 + message->payload.size : 0);
	uint8_t *data = malloc(size), *p = data;
	if (!data)
		return NULL;
	*p++ = message->code;
	if (message->options.size)
		memcpy(p, message->options.data, message->options.size);
	p += message->options.size;
	if (message->payload.size) {
		*p++ = PAYLOAD_MARKER;
		memcpy(p, message->payload.data, message->payload.size);
	}
	*ret_size = size;
	return data;
}

void server_take_oscore(struct coap *coap, const struct exchange_request *request, struct server_session *session)
{
	const struct coap_message *message = request->message;
	struct resource_reading reading = {.content_format = FORMAT_OCTETS};
	if (message->block1 != MESSAGE_ABSENT) {
		server_refuse(coap, request, MESSAGE_BAD_OPTION, 0,
			      "blocks around a protected message are not put together");
		return;
	}
	size_t size;
	uint8_t *data = pack(message, &size);
	if (!data) {
		server_refuse(coap, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
		return;
	}
	reading.path_size = strlen(path_of(coap));
	memcpy(reading.path, path_of(coap), reading.path_size);
	server_submit(coap, request, session, &reading, (struct tg_bytes){.data = data, .size = size});
	free(data);
}
