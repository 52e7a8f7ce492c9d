/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "coap.h"
#include "resource.h"
#include "server_inside.h"

/* The largest piece of an answer for peers at coap:// is 2^(2 + 4) bytes: whoever forges a sender's address has it sent hardly more than
 * he sends himself (RFC 7252 section 11.3). */
enum { PLAIN_SZX = 2 };

static struct server_session *session_of(struct exchange_peer *peer)
{
	return (struct server_session *)((char *)peer - offsetof(struct server_session, exchange));
}

static void send_datagram(void *arg, struct exchange_peer *peer, struct tg_bytes datagram)
{
	const struct server_session *session = session_of(peer);
	(void)arg;
	/* Not sent is lost: the peer asks again, or we send again. */
	(void)(session->plain ? plain_send(session->plain, datagram) : dtls_send(session->dtls, datagram));
}

static void count_exchange(void *arg, enum exchange_count what)
{
	struct coap *coap = arg;
	coap->host->count(coap->host, COAP_EXCHANGE + (unsigned)what, 1);
}

const struct exchange_events server_exchange_events = {.send = send_datagram, .count = count_exchange};

static void count_observe(void *arg, enum observe_count what)
{
	struct coap *coap = arg;
	coap->host->count(coap->host, COAP_OBSERVE + (unsigned)what, 1);
}

const struct reader_events server_reader_events = {.send = send_datagram, .count = count_observe};

static struct server_session *session_new(struct coap *coap)
{
	struct server_session *session = calloc(1, sizeof(*session));
	if (!session)
		return NULL;
	session->next = coap->sessions;
	if (session->next)
		session->next->previous = session;
	coap->sessions = session;
	exchange_peer_init(coap->exchanges, &session->exchange);
	session->reader.exchange = &session->exchange;
	session->catalogues.exchange = &session->exchange;
	session->commands.exchange = &session->exchange;
	return session;
}

static struct server_session *session_get(struct coap *coap, struct dtls_session *dtls)
{
	struct server_session *session = dtls_user(dtls);
	if (session)
		return session;
	session = session_new(coap);
	if (!session)
		return NULL;
	session->dtls = dtls;
	session->commands.dtls = dtls;
	dtls_set_user(dtls, session);
	return session;
}

static struct server_session *session_get_plain(struct coap *coap, struct plain_peer *peer)
{
	struct server_session *session = plain_user(peer);
	if (session)
		return session;
	session = session_new(coap);
	if (!session)
		return NULL;
	session->plain = peer;
	plain_set_user(peer, session);
	return session;
}

const char *server_device(const struct coap *coap, const struct server_session *session)
{
	return session->plain ? coap->host->setting_text(coap->host, "insecure_device") : dtls_device(session->dtls);
}

static void session_free(struct coap *coap, struct server_session *session)
{
	reader_peer_done(coap->readers, &session->reader);
	catalogue_server_peer_done(coap->catalogues, &session->catalogues);
	command_sink_done(coap->commands, &session->commands);
	exchange_peer_done(coap->exchanges, &session->exchange);
	block_peer_done(coap->blocks, &session->block);
	*(session->previous ? &session->previous->next : &coap->sessions) = session->next;
	if (session->next)
		session->next->previous = session->previous;
	free(session);
}

struct command_session *server_commands(struct coap *coap, struct dtls_session *dtls)
{
	struct server_session *session = session_get(coap, dtls);
	return session ? &session->commands : NULL;
}

void server_ended(struct coap *coap, struct dtls_session *dtls)
{
	struct server_session *session = dtls_user(dtls);
	if (!session)
		return;
	command_sink_ended(coap->commands, &session->commands);
	dtls_set_user(dtls, NULL);
	session_free(coap, session);
	server_schedule(coap);
}

void server_plain_ended(struct coap *coap, struct plain_peer *peer)
{
	struct server_session *session = plain_user(peer);
	if (session)
		session_free(coap, session);
}

void server_done(struct coap *coap)
{
	while (coap->sessions)
		session_free(coap, coap->sessions);
}

static struct exchange_answer answer_encode(const struct resource_answer *answer, uint8_t memory[RESOURCE_BODY_MAX])
{
	struct exchange_answer encoded = {.code = answer->code, .detail = answer->detail};
	resource_encode(answer, memory, &encoded.body);
	return encoded;
}

void server_reply(struct coap *coap, const struct exchange_request *request, const struct resource_answer *answer)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	const struct exchange_answer encoded = answer_encode(answer, memory);
	exchange_reply(coap->exchanges, request, &encoded, coap->host->now_us(coap->host));
}

void server_refuse(struct coap *coap, const struct exchange_request *request, uint8_t code, uint32_t detail,
		   const char *diagnostic)
{
	const struct resource_answer answer = resource_answer(request->message, code, detail, diagnostic);
	server_reply(coap, request, &answer);
}

static bool is_read(const struct coap *coap, const struct coap_message *message)
{
	char text[RESOURCE_TEXT_MAX];
	return reader_takes(coap->readers, message) && resource_check(message, text) == 0;
}

static void read_last(struct coap *coap, const struct exchange_request *request, struct server_session *session)
{
	if (coap->stopping) {
		server_refuse(coap, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
		return;
	}
	coap->host->count(coap->host, COAP_READS, 1);
	reader_request(coap->readers, &session->reader, server_device(coap, session), request);
}

bool server_receive_body(struct coap *coap, const struct exchange_request *request, struct server_session *session,
			 struct tg_bytes *ret_body)
{
	uint8_t code = block_receive(coap->blocks, &session->block, request->message, coap->host->now_us(coap->host),
				     ret_body);
	if (code)
		server_refuse(coap, request, code,
			      code == MESSAGE_TOO_LARGE ? (uint32_t)block_limit(coap->blocks) : BUSY_MAX_AGE_S, NULL);
	return code == 0;
}

static const struct resource_links *links_for(const struct coap *coap, const struct server_session *session)
{
	return session->plain ? &coap->plain_links : &coap->links;
}

/* The same answer as before; the sentence beside a refusal is not kept, and what was read is read again. */
static void repeat(struct coap *coap, const struct exchange_request *request, const struct exchange_answer *before)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	struct resource_answer answer = resource_answer(request->message, before->code, before->detail, NULL);
	struct resource_reading reading;
	char text[RESOURCE_TEXT_MAX];
	bool was_read = before->code == MESSAGE_CONTENT || before->code == MESSAGE_VALID;
	if (was_read && server_is_for_catalogue(coap, request->message)) {
		server_take_for_catalogue(coap, request, session_of(request->peer), true);
		return;
	}
	if (was_read && is_read(coap, request->message)) {
		read_last(coap, request, session_of(request->peer));
		return;
	}
	const struct server_session *session = session_of(request->peer);
	if (was_read && server_is_for_directory(coap, request->message))
		answer = server_ask_directory(coap, request, session, (struct tg_bytes){.data = NULL}, text);
	else if (was_read && resource_request(request->message, links_for(coap, session), text, &reading, &answer))
		return;
	const struct exchange_answer encoded = answer_encode(&answer, memory);
	exchange_repeat(coap->exchanges, request, &encoded);
}

static void refuse_error(struct coap *coap, const struct exchange_request *request, int error)
{
	if (error == -EMSGSIZE)
		server_refuse(coap, request, MESSAGE_TOO_LARGE, TG_PAYLOAD_MAX, NULL);
	else if (error == -EDQUOT)
		server_refuse(coap, request, MESSAGE_TOO_MANY_REQUESTS, BUSY_MAX_AGE_S,
			      "too many requests in progress");
	else
		server_refuse(coap, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
}

void server_submit(struct coap *coap, const struct exchange_request *request, const struct server_session *session,
		   const struct resource_reading *reading, struct tg_bytes payload)
{
	const struct tg_host *host = coap->host;
	const char *device = server_device(coap, session);
	uint64_t brief = session->plain ? RESOURCE_BRIEF : 0;
	struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = TG_TELEMETRY,
		.device = {.data = device, .size = strlen(device)},
		.path = {.data = reading->path, .size = reading->path_size},
		.content_format = reading->content_format,
		.payload = payload,
		.method = request->message->code, /* the numbers are the same */
	};
	int r = exchange_open(coap->exchanges, request, resource_context(request->message) | brief, host->now_us(host),
			      &submission.token);
	if (r >= 0) {
		r = host->submit(host, &submission);
		if (r < 0)
			exchange_cancel(coap->exchanges, submission.token);
	}
	if (r < 0)
		refuse_error(coap, request, r);
}

static void take(struct coap *coap, const struct exchange_request *request, struct server_session *session)
{
	const struct coap_message *message = request->message;
	struct resource_reading reading;
	struct resource_answer answer;
	struct tg_bytes payload;
	char text[RESOURCE_TEXT_MAX];
	coap->host->count(coap->host, COAP_REQUESTS, 1);
	if (message->oscore && !message->bad_option && !coap->stopping) {
		server_take_oscore(coap, request, session);
		return;
	}
	if (server_is_for_catalogue(coap, message)) {
		server_take_for_catalogue(coap, request, session, false);
		return;
	}
	if (is_read(coap, message)) {
		read_last(coap, request, session);
		return;
	}
	if (server_is_for_directory(coap, message)) {
		server_take_for_directory(coap, request, session);
		return;
	}
	if (!resource_request(message, links_for(coap, session), text, &reading, &answer)) {
		server_reply(coap, request, &answer);
		return;
	}
	if (coap->stopping) {
		server_refuse(coap, request, MESSAGE_UNAVAILABLE, BUSY_MAX_AGE_S, NULL);
		return;
	}
	if (!server_receive_body(coap, request, session, &payload))
		return;
	server_submit(coap, request, session, &reading, payload);
	block_return(coap->blocks, &session->block);
}

/* RFC 7252 section 5.4.1: an option that is not understood is answered where the request is confirmable, else rejected. */
static bool is_rejected(const struct coap_message *message)
{
	return message->bad_option && message->type == MESSAGE_NON;
}

static void session_received(struct coap *coap, struct server_session *session, struct tg_bytes datagram)
{
	struct coap_message message;
	int r = message_parse(datagram, &message);
	if (r >= 0)
		server_judge_oscore(coap, &message);
	if (r >= 0 && command_sink_received(coap->commands, &session->commands, &message)) {
		server_schedule(coap);
		return;
	}
	if (r < 0 || is_rejected(&message)) {
		coap->host->count(coap->host, COAP_MALFORMED, 1);
		if (r == -EBADMSG)
			exchange_reject(coap->exchanges, &session->exchange, &message);
		return;
	}
	if (session->plain) {
		message.block2 = block_at_most(message.block2, PLAIN_SZX);
		message.observe = MESSAGE_ABSENT; /* nobody knows to whom the notifications would go */
	}
	const struct exchange_request request = {
		.peer = &session->exchange,
		.message = &message,
		.hash = exchange_hash(coap->exchanges, datagram),
	};
	struct exchange_answer before;
	if (reader_settle(coap->readers, &session->reader, &message)) {
		server_schedule(coap);
		return;
	}
	switch (exchange_receive(coap->exchanges, &request, coap->host->now_us(coap->host), &before)) {
	case EXCHANGE_NEW:
		take(coap, &request, session);
		break;
	case EXCHANGE_REPEAT:
		repeat(coap, &request, &before);
		break;
	case EXCHANGE_DONE:
		break;
	}
	server_schedule(coap);
}

/* Out of memory is as if the datagram were lost. */
void server_received(void *arg, struct dtls_session *dtls, struct tg_bytes datagram)
{
	const struct coap_listener *listener = arg;
	struct server_session *session = session_get(listener->coap, dtls);
	if (session)
		session_received(listener->coap, session, datagram);
}

void server_plain_received(struct coap *coap, struct plain_peer *peer, struct tg_bytes datagram)
{
	struct server_session *session = session_get_plain(coap, peer);
	coap->host->count(coap->host, COAP_PLAIN, 1);
	if (session)
		session_received(coap, session, datagram);
}

void server_verdict(struct coap *coap, uint64_t token, const struct tg_answer *answer)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	uint64_t context;
	if (exchange_context(coap->exchanges, token, &context) < 0)
		return; /* the session has gone meanwhile */
	const struct resource_answer resource = resource_verdict(answer, context);
	const struct exchange_answer encoded = answer_encode(&resource, memory);
	(void)exchange_finish(coap->exchanges, token, &encoded, coap->host->now_us(coap->host));
	server_schedule(coap);
}

void server_schedule(struct coap *coap)
{
	int64_t exchange_us = exchange_next_us(coap->exchanges);
	int64_t block_us = block_next_us(coap->blocks);
	int64_t reader_us = reader_next_us(coap->readers);
	int64_t next_us = exchange_us < block_us ? exchange_us : block_us;
	int64_t command_us = command_sink_next_us(coap->commands);
	int64_t catalogue_us = catalogue_server_next_us(coap->catalogues);
	next_us = reader_us < next_us ? reader_us : next_us;
	next_us = catalogue_us < next_us ? catalogue_us : next_us;
	next_us = command_us < next_us ? command_us : next_us;
	coap->host->gauge(coap->host, COAP_OBSERVERS, (int64_t)reader_observers(coap->readers));
	if (next_us >= coap->timer_us)
		return; /* fires early enough, and then looks again */
	coap->timer_us = next_us;
	coap->host->timer_set(coap->timer, next_us);
}
