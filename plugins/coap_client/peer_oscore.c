/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "client.h"

enum { MS_US = 1000 };

bool peer_set_protection(struct peer *peer)
{
	const struct client *client = peer->client;
	const struct oscore_section *section = plan_protection(client->plan, &peer->texts);
	struct oscore_context *context = section ? oscore_find(client->oscore, section) : NULL;
	struct oscore_value recipient = context ? section->recipient : (struct oscore_value){.size = 0};
	bool other = context != peer->oscore || recipient.size != peer->recipient.size ||
		     memcmp(recipient.bytes, peer->recipient.bytes, recipient.size) != 0;

	peer->oscore = context;
	peer->recipient = recipient;
	if (other)
		peer->told_problem = false;
	return other;
}

bool peer_can_speak(struct peer *peer)
{
	const struct client *client = peer->client;
	const char *problem = peer->oscore ? oscore_problem(peer->oscore) : NULL;

	if (!peer->oscore)
		return true;
	if (client->plan->no_oscore)
		problem = "this libcoap has no OSCORE";
	if (problem && !peer->told_problem) {
		client->host->log(client->host, TG_LOG_ERROR, peer->texts.name,
				  "\"%s\" is left alone, as its OSCORE context cannot be used: %s", peer->texts.name,
				  problem);
		peer->told_problem = true;
	}
	return !problem && oscore_is_ready(peer->oscore);
}

void peer_refused(struct peer *peer, const char *why)
{
	const struct tg_host *host = peer->client->host;

	host->count(host, COUNT_REFUSED_MESSAGES, 1);
	if (peer->told_refused)
		return;
	peer->told_refused = true;
	host->log(host, TG_LOG_WARNING, peer->texts.name,
		  "refused what came from the address of \"%s\" (%s): it has other keys, or is somebody else",
		  peer->texts.name, why);
}

static void knock_done(void *arg, enum request_end end, const struct stack_message *message)
{
	struct peer *peer = arg;

	(void)message;
	if (end == REQUEST_ANSWERED || end == REQUEST_LARGE || end == REQUEST_BROKEN)
		peer->shaken = true;
	peer_wake(peer);
}

/* Any answer that its keys verify shows that the device is there. */
static int knock(struct peer *peer)
{
	const struct tg_host *host = peer->client->host;
	const struct request_wish wish = {.method = TG_METHOD_GET,
					  .address = {.data = "/.well-known/core", .size = 17},
					  .format = TG_FORMAT_NONE,
					  .observe = -1};
	int64_t until_us = host->now_us(host) + peer->client->plan->limits.handshake_us;

	return requests_begin(&peer->requests, &wish, until_us, knock_done, peer, NULL);
}

int peer_open_protected(struct peer *peer)
{
	struct client *client = peer->client;
	const struct plan_limits *limits = &client->plan->limits;
	const struct oscore_section *section = plan_protection(client->plan, &peer->texts);
	struct stack_protection protection = {.sequence = oscore_sequence(peer->oscore)};
	char conf[OSCORE_CONF_MAX];
	int r;

	if (!section)
		return -ENOENT;
	protection.conf = (struct tg_bytes){.data = conf, .size = oscore_file_conf(section, conf)};
	r = stack_open_protected(client->stack, (const struct sockaddr *)&peer->address, &protection, &limits->timing,
				 peer, &peer->session);
	explicit_bzero(conf, sizeof(conf));
	if (r < 0)
		return r;
	peer->requests.session = peer->session;
	return knock(peer);
}
