/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "client.h"

/* From within libcoap: it is only noted down. */

static void peer_lost(struct peer *peer, const char *cause)
{
	if (!peer->lost)
		peer->lost = cause;
	peer_wake(peer);
}

static void session_up(void *arg)
{
	struct peer *peer = arg;

	peer->shaken = true;
	peer_wake(peer);
}

static void session_down(void *arg)
{
	struct peer *peer = arg;

	peer_lost(peer, peer->state == PEER_UP ? "the device ended it, or is not there" : "the device is not there");
}

/* A device that the core waits for has been heard. */
static void peer_heard(struct peer *peer)
{
	peer->failures = 0;
	command_awake(peer);
}

static bool session_response(void *arg, const struct stack_message *message)
{
	struct peer *peer = arg;

	if (peer->state != PEER_UP && !(peer->oscore && peer->state == PEER_SHAKING))
		return false;
	peer_heard(peer);
	peer_wake(peer);
	if (requests_response(&peer->requests, message))
		return true;
	for (struct watch *watch = peer->watches; watch; watch = watch->next) {
		if (message->token != 0 && watch->token == message->token) {
			watch_notified(watch, message);
			return true;
		}
	}
	return false;
}

static void session_failed(void *arg, uint64_t token, enum stack_failure failure)
{
	struct peer *peer = arg;

	requests_failed(&peer->requests, token, failure);
	if (failure == STACK_TIMEOUT)
		peer_lost(peer, "the device does not answer");
	else
		peer_heard(peer);
	peer_wake(peer);
}

static bool session_expects(void *arg, uint64_t token)
{
	const struct peer *peer = arg;

	for (const struct watch *watch = peer->watches; watch; watch = watch->next)
		if (token != 0 && watch->token == token)
			return true;
	return false;
}

static void session_refused(void *arg, const char *why)
{
	peer_refused(arg, why);
}

static void session_used(void *arg)
{
	const struct peer *peer = arg;

	if (peer->oscore)
		oscore_used(peer->oscore);
}

const struct stack_calls peer_stack_calls = {
	.up = session_up,
	.down = session_down,
	.response = session_response,
	.failed = session_failed,
	.expects = session_expects,
	.refused = session_refused,
	.used = session_used,
};

int peer_open(struct peer *peer)
{
	struct client *client = peer->client;
	const struct plan_limits *limits = &client->plan->limits;
	int r;

	peer->tls.identity = client->plan->psk_identity;
	peer->tls.problem[0] = '\0';
	peer->lost = NULL;
	if (peer->oscore)
		return peer_open_protected(peer);
	r = stack_open(client->stack, (const struct sockaddr *)&peer->address, peer->texts.secure ? &peer->tls : NULL,
		       &limits->timing, peer, &peer->session);
	if (r >= 0 && !peer->texts.secure)
		peer->shaken = true;
	return r;
}

void peer_tell_session(const struct peer *peer)
{
	const struct tg_host *host = peer->client->host;
	uint8_t certificate[TLS_CERTIFICATE_MAX];
	char address[STACK_PEER_TEXT];
	struct tg_session session;

	if (!peer->handle)
		return;
	stack_describe(peer->session, certificate, address, &session);
	session.proof = peer->oscore ? TG_PROOF_PSK : peer->proof;
	if (peer->oscore) {
		session.version = "OSCORE";
		session.cipher = "AES-CCM-16-64-128";
	}
	session.generation = peer->generation;
	session.device = (struct tg_bytes){.data = peer->texts.name, .size = strlen(peer->texts.name)};
	host->session_begun(host, peer->handle, &session);
}

/* Without DTLS nobody has proved anything, nor been heard: there is no session to tell of, only a device that can be asked. */
void peer_begun(struct peer *peer)
{
	struct client *client = peer->client;
	const struct tg_host *host = client->host;

	peer->state = PEER_UP;
	peer->due_us = 0;
	tls_wipe(&peer->tls);
	client->n_up++;
	peer_tell_link(client);
	peer->requests.session = peer->session;
	peer->requests.body_bytes = client->plan->limits.body_bytes;
	if (peer->texts.secure || peer->oscore) {
		host->count(host, COUNT_HANDSHAKES, 1);
		peer->handle = ++client->numbers;
		peer->owes_awake = false;
		peer_tell_session(peer);
		host->log(host, TG_LOG_INFO, peer->texts.name, "session with \"%s\" begun", peer->texts.name);
	} else {
		command_awake(peer);
	}
	for (struct watch *watch = peer->watches; watch; watch = watch->next)
		watch_up(watch);
}
