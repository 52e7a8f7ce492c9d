/* SPDX-License-Identifier: Apache-2.0 */
#include "directory_server.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "block.h"

enum { FORMAT_LINK = 40, ETAG_SIZE = 4, SEGMENTS_MAX = 3, UNAVAILABLE_MAX_AGE_S = 60 };

struct directory_server {
	const struct tg_host *host;
	struct directory *directory;
	struct tg_timer *timer;
	unsigned counter;
};

enum place { ELSEWHERE, REGISTER, REGISTRATION, ENDPOINTS, RESOURCES, SIMPLE, NOWHERE };

static void server_settle(struct directory_server *server)
{
	int64_t next_us = directory_next_us(server->directory);
	server->host->timer_set(server->timer, next_us == INT64_MAX ? 0 : next_us);
	server->host->gauge(server->host, server->counter, (int64_t)directory_count(server->directory));
}

static void server_due(void *arg)
{
	struct directory_server *server = arg;
	directory_run(server->directory, server->host->now_us(server->host));
	server_settle(server);
}

int directory_server_new(const struct tg_host *host, const struct directory_limits *limits, unsigned counter,
			 struct directory_server **ret_server)
{
	struct directory_server *server = calloc(1, sizeof(*server));
	if (!server)
		return -ENOMEM;
	server->host = host;
	server->counter = counter;
	int r = directory_new(limits, &server->directory);
	if (r >= 0)
		r = host->timer_new(host, server_due, server, &server->timer);
	if (r < 0) {
		directory_server_free(server);
		return r;
	}
	*ret_server = server;
	return 0;
}

void directory_server_free(struct directory_server *server)
{
	if (!server)
		return;
	server->host->timer_free(server->timer);
	directory_free(server->directory);
	free(server);
}

void directory_server_set_limits(struct directory_server *server, const struct directory_limits *limits)
{
	directory_set_limits(server->directory, limits);
}

void directory_server_links(struct resource_links *links)
{
	static const struct link own[] = {
		{"/rd", {{.name = "rt", .value = "core.rd"}, {.name = "ct", .value = "40", .number = true}}},
		{"/rd-lookup/ep",
		 {{.name = "rt", .value = "core.rd-lookup-ep"}, {.name = "ct", .value = "40", .number = true}}},
		{"/rd-lookup/res",
		 {{.name = "rt", .value = "core.rd-lookup-res"}, {.name = "ct", .value = "40", .number = true}}},
	};
	for (size_t i = 0; i < sizeof(own) / sizeof(own[0]); i++)
		resource_links_add(links, &own[i]);
}

/* Returns how many segments the path has; the first ones are in `ret_segments`. */
static size_t path_split(const struct coap_message *message, struct tg_bytes ret_segments[SEGMENTS_MAX])
{
	struct message_walk walk;
	struct message_option option;
	size_t count = 0;
	message_walk_init(&walk, message);
	while (message_option_next(&walk, &option)) {
		if (option.number != MESSAGE_URI_PATH)
			continue;
		if (count < SEGMENTS_MAX)
			ret_segments[count] = option.value;
		count++;
	}
	return count;
}

static enum place place_of(const struct coap_message *message, uint32_t *ret_number)
{
	struct tg_bytes segments[SEGMENTS_MAX];
	size_t count = path_split(message, segments);
	if (count == 2 && links_is_name(segments[0], ".well-known") && links_is_name(segments[1], "rd"))
		return SIMPLE;
	if (count > 0 && links_is_name(segments[0], "rd")) {
		if (count == 1)
			return REGISTER;
		return count == 2 && directory_number(segments[1], UINT32_MAX, ret_number) ? REGISTRATION : NOWHERE;
	}
	if (count == 0 || !links_is_name(segments[0], "rd-lookup"))
		return ELSEWHERE;
	if (count == 2 && links_is_name(segments[1], "ep"))
		return ENDPOINTS;
	return count == 2 && links_is_name(segments[1], "res") ? RESOURCES : NOWHERE;
}

bool directory_server_takes(const struct coap_message *message)
{
	uint32_t number;
	return place_of(message, &number) != ELSEWHERE;
}

bool directory_server_wants_body(const struct coap_message *message)
{
	char text[RESOURCE_TEXT_MAX];
	uint32_t number;
	return message->code == MESSAGE_POST && place_of(message, &number) == REGISTER &&
	       !resource_check(message, text);
}

static struct resource_answer answer_of(const struct coap_message *message, const struct directory_result *result)
{
	return resource_answer(message, result->code, result->detail, result->problem);
}

static struct resource_answer change_answer(struct directory_server *server, const struct directory_peer *peer,
					    const struct coap_message *message, uint32_t number)
{
	int64_t now_us = server->host->now_us(server->host);
	struct directory_order order;
	struct directory_result result;
	if (message->code == MESSAGE_DELETE) {
		result = directory_remove(server->directory, peer, number);
		return answer_of(message, &result);
	}
	const char *problem = directory_order_read(message, &order);
	if (!problem && message->payload.size > 0)
		problem = "an update has no payload";
	if (problem)
		return resource_answer(message, MESSAGE_BAD_REQUEST, 0, problem);
	result = directory_update(server->directory, peer, number, &order, now_us);
	return answer_of(message, &result);
}

static struct resource_answer register_answer(struct directory_server *server, const struct directory_peer *peer,
					      const struct coap_message *message, struct tg_bytes body)
{
	struct directory_order order;
	if (message->content_format != FORMAT_LINK && !(message->content_format == MESSAGE_ABSENT && body.size == 0))
		return resource_answer(message, MESSAGE_UNSUPPORTED_FORMAT, 0, "links come as format 40");
	const char *problem = directory_order_read(message, &order);
	if (problem)
		return resource_answer(message, MESSAGE_BAD_REQUEST, 0, problem);
	struct directory_result result =
		directory_register(server->directory, peer, &order, body, server->host->now_us(server->host));
	return answer_of(message, &result);
}

static struct resource_answer lookup_answer(struct directory_server *server, const struct directory_peer *peer,
					    const struct coap_message *message, enum directory_kind kind)
{
	struct tg_bytes whole;
	uint32_t etag;
	const char *problem;
	if (message->accept != MESSAGE_ABSENT && message->accept != FORMAT_LINK)
		return resource_answer(message, MESSAGE_NOT_ACCEPTABLE, 0, NULL);
	uint8_t code = directory_lookup(server->directory, kind, peer, message, &whole, &etag, &problem);
	if (code)
		return resource_answer(message, code, UNAVAILABLE_MAX_AGE_S, problem);
	if (message->if_match && !resource_names_etag(message, MESSAGE_IF_MATCH, etag, ETAG_SIZE))
		return resource_answer(message, MESSAGE_PRECONDITION_FAILED, 0, NULL);
	return resource_list(message, whole, etag, ETAG_SIZE);
}

static bool has_method(enum place place, uint8_t method)
{
	switch (place) {
	case REGISTER:
		return method == MESSAGE_POST;
	case REGISTRATION:
		return method == MESSAGE_POST || method == MESSAGE_DELETE;
	case ENDPOINTS:
	case RESOURCES:
		return method == MESSAGE_GET;
	default:
		return false;
	}
}

struct resource_answer directory_server_answer(struct directory_server *server, const struct directory_peer *peer,
					       const struct coap_message *message, struct tg_bytes body,
					       char text[RESOURCE_TEXT_MAX])
{
	uint32_t number = 0;
	enum place place = place_of(message, &number);
	uint8_t code = resource_check(message, text);
	if (code)
		return resource_answer(message, code, 0, text);
	if (place == NOWHERE)
		return resource_answer(message, MESSAGE_NOT_FOUND, 0, NULL);
	if (!has_method(place, message->code))
		return resource_answer(message, MESSAGE_METHOD_NOT_ALLOWED, 0, NULL);
	/* All of them exist, and what is not a lookup has no tag. */
	bool tagged = place == ENDPOINTS || place == RESOURCES;
	if (message->if_none_match ||
	    (message->if_match && !tagged && !resource_names_etag(message, MESSAGE_IF_MATCH, 0, 0)))
		return resource_answer(message, MESSAGE_PRECONDITION_FAILED, 0, NULL);
	if (tagged)
		return lookup_answer(server, peer, message,
				     place == ENDPOINTS ? DIRECTORY_ENDPOINTS : DIRECTORY_RESOURCES);
	struct resource_answer answer = place == REGISTER ? register_answer(server, peer, message, body)
							  : change_answer(server, peer, message, number);
	server_settle(server);
	return answer;
}

void directory_server_forget(struct directory_server *server, struct tg_bytes device)
{
	directory_forget(server->directory, device);
	server_settle(server);
}
