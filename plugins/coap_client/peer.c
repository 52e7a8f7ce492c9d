/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "timing.h"

enum { CORE_WAIT_US = 10 * 1000000, NAMES_WAIT_US = 60 * 1000000, S_US = 1000000 };

struct peer *peer_find(const struct client *client, struct tg_bytes name)
{
	for (struct peer *peer = client->peers; peer; peer = peer->next)
		if (strlen(peer->texts.name) == name.size && memcmp(peer->texts.name, name.data, name.size) == 0)
			return peer;
	return NULL;
}

void peer_wake(struct peer *peer)
{
	peer->client->host->timer_set(peer->timer, peer->client->host->now_us(peer->client->host));
}

void peer_tell_link(const struct client *client)
{
	char detail[64];

	snprintf(detail, sizeof(detail), "%zu of %zu devices", client->n_up, client->n_peers);
	client->host->link(client->host, TG_LINK_UP, detail);
	client->host->gauge(client->host, COUNT_SESSIONS, (int64_t)client->n_up);
}

void peer_end(struct peer *peer, const char *cause, int64_t retry_us)
{
	struct client *client = peer->client;
	const struct tg_host *host = client->host;
	bool was_up = peer->state == PEER_UP;

	if (cause)
		host->log(host, TG_LOG_WARNING, peer->texts.name,
			  was_up ? "session with \"%s\" lost (%s), trying again in %lld s"
				 : "no session with \"%s\" (%s), trying again in %lld s",
			  peer->texts.name, cause, (long long)((retry_us - host->now_us(host) + S_US - 1) / S_US));
	peer->state = PEER_RESTING;
	peer->due_us = retry_us;
	peer->lost = NULL;
	peer->shaken = peer->told_refused = false;
	peer->question = 0;
	peer->requests.session = NULL;
	requests_end(&peer->requests, REQUEST_LOST);
	for (struct watch *watch = peer->watches; watch; watch = watch->next)
		watch_down(watch);
	names_forget(peer->names);
	peer->names = NULL;
	if (peer->handle)
		host->session_ended(host, peer->handle);
	peer->handle = 0;
	stack_close(peer->session);
	peer->session = NULL;
	tls_wipe(&peer->tls);
	if (!was_up)
		return;
	client->n_up--;
	peer_tell_link(client);
}

static void peer_fail(struct peer *peer, const char *cause)
{
	struct client *client = peer->client;
	const struct plan_limits *limits = &client->plan->limits;
	int64_t now_us = client->host->now_us(client->host);

	peer->failures++;
	if (peer->state == PEER_SHAKING) {
		peer->turn++;
		client->host->count(client->host, COUNT_HANDSHAKE_FAILURES, 1);
	}
	if (peer->state == PEER_UP)
		client->host->count(client->host, COUNT_SESSIONS_LOST, 1);
	/* A device that stays away is told of ever more rarely. */
	if ((peer->failures & (peer->failures - 1)) != 0)
		cause = NULL;
	peer_end(peer, cause,
		 timing_retry(now_us, peer->failures, limits->backoff_min_us, limits->backoff_max_us, stack_random()));
}

static void peer_set_state(struct peer *peer, enum peer_state state, int64_t wait_us)
{
	peer->state = state;
	peer->due_us = peer->client->host->now_us(peer->client->host) + wait_us;
}

static void peer_ask(struct peer *peer, enum tg_proof proof)
{
	struct client *client = peer->client;
	struct tg_bytes name = {.data = peer->texts.name, .size = strlen(peer->texts.name)};

	peer->proof = proof;
	peer->question = ++client->numbers;
	peer_set_state(peer, PEER_ASKING, CORE_WAIT_US);
	if (client->host->lookup(client->host, proof, name, peer->question) < 0)
		peer_fail(peer, "the core cannot be asked about it");
}

static void peer_connect(struct peer *peer)
{
	peer_set_state(peer, PEER_SHAKING, peer->client->plan->limits.handshake_us);
	if (peer_open(peer) < 0)
		peer_fail(peer, "its address cannot be reached");
}

static void peer_resolved(void *arg, const struct sockaddr *address, const char *problem)
{
	struct peer *peer = arg;

	peer->names = NULL;
	if (!address) {
		peer_fail(peer, problem);
	} else {
		memcpy(&peer->address, address,
		       address->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in));
		peer_connect(peer);
	}
	peer_wake(peer);
}

static void peer_resolve(struct peer *peer)
{
	if (names_digits(peer->texts.host, peer->texts.port, &peer->address)) {
		peer_connect(peer);
		return;
	}
	peer_set_state(peer, PEER_RESOLVING, NAMES_WAIT_US);
	if (names_ask(peer->client->host, peer->texts.host, peer->texts.port, peer->turn, peer_resolved, peer,
		      &peer->names) < 0)
		peer_fail(peer, "no thread for the look-up of its host name");
}

void peer_identity(struct peer *peer, const struct tg_identity *identity)
{
	bool certificates = tls_has_trust(stack_tls(peer->client->stack)) || !peer->texts.secure;
	bool psk = peer->proof == TG_PROOF_PSK;
	bool usable = identity->known && (!psk || (identity->key.size > 0 && identity->key.size <= TLS_KEY_MAX));

	peer->question = 0;
	peer->generation = identity->generation;
	if (usable && psk) {
		memcpy(peer->tls.key, identity->key.data, identity->key.size);
		peer->tls.key_size = identity->key.size;
	}
	if (usable)
		peer_resolve(peer);
	else if (psk && certificates)
		peer_ask(peer, TG_PROOF_CERTIFICATE);
	else
		peer_fail(peer, certificates
					? "the registry does not know it at this endpoint"
					: "the registry has no key of it at this endpoint, and there is no 'trust'");
	peer_wake(peer);
}

static bool peer_has_work(struct peer *peer)
{
	return !peer->client->stopping && (peer->watches || peer->discovers || peer->owes_awake) &&
	       peer_can_speak(peer);
}

static int64_t earlier(int64_t a, int64_t b)
{
	return a == 0 || (b != 0 && b < a) ? b : a;
}

/* What is due on a live session. Returns when the next thing is. */
static int64_t peer_work(struct peer *peer, int64_t now_us)
{
	int64_t next_us = requests_expire(&peer->requests, now_us);

	next_us = earlier(next_us, discover_turn(peer, now_us));
	for (struct watch *watch = peer->watches; watch; watch = watch->next)
		next_us = earlier(next_us, watch_turn(watch, now_us));
	next_us = earlier(next_us, command_turn(peer, now_us));
	return earlier(next_us, requests_expire(&peer->requests, now_us));
}

static void peer_turn_state(struct peer *peer, int64_t now_us)
{
	bool due = peer->due_us <= now_us;

	if (peer->state == PEER_IDLE && peer_has_work(peer))
		peer_ask(peer, TG_PROOF_PSK);
	else if (peer->state == PEER_RESTING && due && peer_has_work(peer))
		peer_ask(peer, TG_PROOF_PSK);
	else if (peer->state == PEER_ASKING && due)
		peer_fail(peer, "the core does not say whether it is known");
	else if (peer->state == PEER_RESOLVING && due)
		peer_fail(peer, "no name server answers");
	else if (peer->state == PEER_SHAKING && peer->shaken)
		peer_begun(peer);
	else if (peer->state == PEER_SHAKING && due)
		peer_fail(peer, peer->tls.problem[0] ? peer->tls.problem
				: peer->oscore       ? "no answer that its keys verify"
						     : "the handshake took too long");
}

/* When the next thing is due; 0: nothing. */
static int64_t peer_next(struct peer *peer, int64_t now_us)
{
	switch (peer->state) {
	case PEER_UP:
		return peer_work(peer, now_us);
	case PEER_RESTING:
		return peer_has_work(peer) ? peer->due_us : 0;
	case PEER_IDLE:
		return 0;
	case PEER_SHAKING:
		return earlier(peer->due_us, requests_expire(&peer->requests, now_us));
	case PEER_ASKING:
	case PEER_RESOLVING:
		break;
	}
	return peer->due_us;
}

static void peer_turn(void *arg)
{
	struct peer *peer = arg;
	struct client *client = peer->client;
	const struct tg_host *host = client->host;
	int64_t now_us = host->now_us(host);

	if (peer->lost && (peer->state == PEER_SHAKING || peer->state == PEER_UP))
		peer_fail(peer, peer->state == PEER_SHAKING && peer->tls.problem[0] ? peer->tls.problem : peer->lost);
	peer_turn_state(peer, now_us);
	host->timer_set(peer->timer, peer_next(peer, now_us));
	/* Behind it: what comes in wakes the peer again. */
	stack_turn(client->stack);
}

int peer_new(struct client *client, const struct texts_device *texts, struct peer **ret_peer)
{
	struct peer *peer = calloc(1, sizeof(*peer));
	int r;

	if (!peer)
		return -ENOMEM;
	*peer = (struct peer){.client = client, .texts = *texts, .state = PEER_IDLE};
	peer->tls = (struct tls_peer){.name = peer->texts.name};
	r = client->host->timer_new(client->host, peer_turn, peer, &peer->timer);
	if (r < 0) {
		free(peer);
		return r;
	}
	requests_init(&peer->requests, client->host);
	peer->next = client->peers;
	client->peers = peer;
	client->n_peers++;
	*ret_peer = peer;
	return 0;
}

void peer_free(struct peer *peer)
{
	struct client *client = peer->client;
	struct peer **at = &client->peers;

	peer_end(peer, NULL, 0);
	if (!client->stopping)
		command_awake(peer); /* whoever comes in its place is asked, or nobody is */
	while (peer->watches)
		watch_free(peer->watches);
	while (*at != peer)
		at = &(*at)->next;
	*at = peer->next;
	client->n_peers--;
	client->host->timer_free(peer->timer);
	free(peer);
}
