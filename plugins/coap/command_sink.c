/* SPDX-License-Identifier: Apache-2.0 */
#include "command_sink.h"

#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "coap.h"
#include "command_memory.h"

struct command_sink {
	struct coap *coap;
	struct command_table *table;
	struct command_memory *memory;
};

static struct command_session *session_of(struct command_peer *peer)
{
	return (struct command_session *)((char *)peer - offsetof(struct command_session, peer));
}

static void send_datagram(void *arg, struct command_peer *peer, struct tg_bytes datagram)
{
	(void)arg;
	(void)dtls_send(session_of(peer)->dtls, datagram); /* not sent is lost: it is sent again */
}

static uint16_t next_id(void *arg, struct command_peer *peer)
{
	(void)arg;
	return session_of(peer)->exchange->next_id++;
}

/* Jitter and tokens, which are not secret inside of DTLS: where the kernel has nothing, zeros do no harm. */
static void random_bytes(void *arg, void *ret_bytes, size_t size)
{
	(void)arg;
	memset(ret_bytes, 0, size);
	(void)!getrandom(ret_bytes, size, 0);
}

static void count(void *arg, enum command_count what)
{
	const struct command_sink *sink = arg;
	sink->coap->host->count(sink->coap->host, COAP_COMMAND + (unsigned)what, 1);
}

static struct tg_bytes device_of(const struct command_session *session)
{
	const char *device = dtls_device(session->dtls);
	return (struct tg_bytes){.data = device, .size = strlen(device)};
}

/* The newest session of a device in this process. */
static struct dtls_session *find_newest(const struct coap *coap, struct tg_bytes device)
{
	struct dtls_session *newest = NULL;
	for (unsigned i = 0; i < coap->n_listeners; i++) {
		struct dtls_session *session = dtls_newest(coap->listeners[i].dtls, device);
		if (session && (!newest || dtls_established_us(session) > dtls_established_us(newest)))
			newest = session;
	}
	return newest;
}

/* Whichever of its sessions the device uses next tells that it is there. Without memory that one does not. */
static void mark(struct command_sink *sink, struct tg_bytes device, bool is_missed)
{
	for (unsigned i = 0; i < sink->coap->n_listeners; i++) {
		struct dtls_session *dtls = dtls_newest(sink->coap->listeners[i].dtls, device);
		for (; dtls; dtls = dtls_next_older(dtls)) {
			struct command_session *session = server_commands(sink->coap, dtls);
			if (session)
				session->is_missed = is_missed;
		}
	}
}

static void tell_awake(struct command_sink *sink, const struct command_session *session)
{
	const struct tg_host *host = sink->coap->host;
	mark(sink, device_of(session), false);
	host->awake(host, device_of(session));
}

/* Not taken, for whatever reason that is over when the device is heard again. */
static void give_back(struct command_sink *sink, struct tg_bytes device, uint64_t ticket, const char *reason)
{
	const struct tg_host *host = sink->coap->host;
	mark(sink, device, true);
	host->count(host, COAP_COMMANDS_UNANSWERED, 1);
	if (ticket)
		host->delivered(host, ticket, TG_RETRY, reason);
}

/* To whoever has asked; `ticket` in place of the result's own. */
static void tell(struct command_sink *sink, const struct command_result *result, uint64_t ticket)
{
	const struct tg_host *host = sink->coap->host;
	const struct tg_response response = {
		.size = sizeof(response),
		.code = result->code,
		.content_format = result->content_format,
		.payload = result->payload,
	};
	if (ticket && result->end == COMMAND_ANSWERED)
		host->answered(host, ticket, &response);
	else if (ticket)
		host->delivered(host, ticket, TG_REJECTED, result->reason);
}

static void on_ended(void *arg, struct command_peer *peer, const struct command_result *result)
{
	struct command_sink *sink = arg;
	struct command_session *session = session_of(peer);
	const struct tg_host *host = sink->coap->host;
	if (result->end == COMMAND_UNANSWERED) {
		give_back(sink, device_of(session), result->ticket, result->reason);
		return;
	}
	host->count(host, result->end == COMMAND_ANSWERED ? COAP_COMMANDS_ANSWERED : COAP_COMMANDS_REJECTED, 1);
	command_memory_add(sink->memory, result, host->now_us(host));
	tell(sink, result, result->ticket);
}

static const struct command_events events = {
	.send = send_datagram,
	.next_id = next_id,
	.random = random_bytes,
	.ended = on_ended,
	.count = count,
};

int command_sink_new(struct coap *coap, const struct command_limits *limits, struct command_sink **ret_sink)
{
	struct command_sink *sink = calloc(1, sizeof(*sink));
	int r = sink ? command_memory_new(&sink->memory) : -ENOMEM;
	if (r >= 0)
		r = command_table_new(limits, &events, sink, &sink->table);
	if (r < 0) {
		command_sink_free(sink);
		return r;
	}
	sink->coap = coap;
	*ret_sink = sink;
	return 0;
}

void command_sink_free(struct command_sink *sink)
{
	if (!sink)
		return;
	command_table_free(sink->table);
	command_memory_free(sink->memory);
	free(sink);
}

void command_sink_set_limits(struct command_sink *sink, const struct command_limits *limits)
{
	command_set_limits(sink->table, limits);
}

static void begin(struct command_sink *sink, struct command_session *session, const struct tg_delivery *delivery)
{
	const struct tg_host *host = sink->coap->host;
	struct command_request request = {
		.ticket = delivery->ticket,
		.method = (uint8_t)delivery->method, /* the numbers are the same */
		.content_format = delivery->content_format,
		.address = delivery->address,
		.payload = delivery->payload,
		.datagram_max = dtls_data_max(session->dtls),
	};
	memcpy(request.id, delivery->id, sizeof(request.id));
	int r = command_begin(sink->table, &session->peer, &request, host->now_us(host));
	if (r == -EINVAL)
		host->delivered(host, delivery->ticket, TG_REJECTED, "its address is no path of CoAP");
	else if (r == -E2BIG)
		host->delivered(host, delivery->ticket, TG_REJECTED, "its address is too long");
	else if (r == -EMSGSIZE)
		host->delivered(host, delivery->ticket, TG_REJECTED, "its payload is larger than body_bytes");
	else if (r < 0)
		give_back(sink, delivery->device, delivery->ticket, "no memory for it");
}

/* A session of the device that has this very command, or the newest one. */
static struct command_session *find_session(struct command_sink *sink, const struct tg_delivery *delivery)
{
	struct dtls_session *newest = find_newest(sink->coap, delivery->device);
	for (unsigned i = 0; newest && i < sink->coap->n_listeners; i++) {
		struct dtls_session *dtls = dtls_newest(sink->coap->listeners[i].dtls, delivery->device);
		for (; dtls; dtls = dtls_next_older(dtls)) {
			struct command_session *session = server_commands(sink->coap, dtls);
			if (session && command_presence(&session->peer, delivery->id) == COMMAND_IN_FLIGHT)
				return session;
		}
	}
	return newest ? server_commands(sink->coap, newest) : NULL;
}

void command_sink_deliver(struct command_sink *sink, const struct tg_delivery *delivery)
{
	const struct tg_host *host = sink->coap->host;
	struct command_result known;
	if (delivery->kind != TG_COMMAND || delivery->method < TG_METHOD_GET || delivery->method > TG_METHOD_IPATCH) {
		host->delivered(host, delivery->ticket, TG_REJECTED, "no request to a device");
		return;
	}
	if (command_memory_find(sink->memory, delivery->id, host->now_us(host), &known)) {
		host->count(host, COAP_COMMANDS_REMEMBERED, 1);
		tell(sink, &known, delivery->ticket);
		return;
	}
	struct command_session *session = sink->coap->stopping ? NULL : find_session(sink, delivery);
	if (!session) {
		give_back(sink, delivery->device, delivery->ticket, "no session");
		return;
	}
	switch (command_presence(&session->peer, delivery->id)) {
	case COMMAND_IN_FLIGHT:
	case COMMAND_KEPT:
		command_attach(sink->table, &session->peer, delivery->ticket, host->now_us(host));
		break;
	case COMMAND_OTHER:
		give_back(sink, delivery->device, delivery->ticket, "another command is under way");
		break;
	case COMMAND_NONE:
		begin(sink, session, delivery);
		break;
	}
	server_schedule(sink->coap);
}

bool command_sink_received(struct command_sink *sink, struct command_session *session,
			   const struct coap_message *message)
{
	const struct tg_host *host = sink->coap->host;
	if (!session->dtls)
		return false;
	bool was_missed = session->is_missed;
	bool taken = command_receive(sink->table, &session->peer, message, host->now_us(host));
	if (was_missed && session->is_missed)
		tell_awake(sink, session);
	return taken;
}

void command_sink_ended(struct command_sink *sink, struct command_session *session)
{
	if (session->dtls)
		command_interrupt(sink->table, &session->peer, "the session has ended");
}

void command_sink_done(struct command_sink *sink, struct command_session *session)
{
	command_peer_done(sink->table, &session->peer);
}

void command_sink_joined(struct command_sink *sink)
{
	command_void_tickets(sink->table);
}

void command_sink_stop(struct command_sink *sink)
{
	command_interrupt_all(sink->table, "the gateway stops");
}

void command_sink_run(struct command_sink *sink, int64_t now_us)
{
	command_run(sink->table, now_us);
}

int64_t command_sink_next_us(const struct command_sink *sink)
{
	return command_next_us(sink->table);
}
