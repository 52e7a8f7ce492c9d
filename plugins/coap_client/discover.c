/* SPDX-License-Identifier: Apache-2.0 */

/* What a device says of itself at /.well-known/core (RFC 6690): observable resources are observed, the others polled where that is
 * wished. */

#include <string.h>

#include "client.h"
#include "linkformat.h"
#include "timing.h"

enum { CODE_CONTENT = 205, FORMAT_LINKS = 40, SOON_US = 1000000 };

#define DISCOVER_ADDRESS "/.well-known/core"

static bool is_of_list(const struct tg_host *host, const char *list, struct linkformat_text words)
{
	const char *item = host->setting_item(host, list, 0);

	if (!item)
		return true;
	for (size_t i = 0; item; item = host->setting_item(host, list, ++i))
		if (linkformat_has_word(words, item))
			return true;
	return false;
}

/* One of this device, in a form that can be asked for. */
static bool target_take(const struct linkformat_link *link, char ret_address[TEXTS_PATH])
{
	size_t size = link->target.size;

	if (size < 2 || size >= TEXTS_PATH || link->target.data[0] != '/' || link->target.data[1] == '/' ||
	    memchr(link->target.data, '#', size))
		return false;
	memcpy(ret_address, link->target.data, size);
	ret_address[size] = '\0';
	return strcmp(ret_address, DISCOVER_ADDRESS) != 0;
}

static bool take_link(struct peer *peer, const struct linkformat_link *link)
{
	const struct plan_limits *limits = &peer->client->plan->limits;
	const struct tg_host *host = peer->client->host;
	uint32_t period_s = link->observable ? 0 : limits->discover_poll_s;
	char address[TEXTS_PATH];
	struct watch *watch;

	if ((!link->observable && period_s == 0) || !target_take(link, address) ||
	    !is_of_list(host, "discover_rt", link->types) || !is_of_list(host, "discover_if", link->interfaces))
		return false;
	watch = watch_find(peer, address);
	if (watch) {
		watch->wanted = true;
		if (watch->discovered)
			watch_set_period(watch, period_s);
		return watch->discovered;
	}
	if (watch_new(peer, address, &watch) < 0)
		return false;
	watch->discovered = true;
	watch->wanted = true;
	watch->period_s = period_s;
	watch_up(watch);
	return true;
}

static void end_vanished(struct peer *peer)
{
	for (struct watch *watch = peer->watches, *next; watch; watch = next) {
		next = watch->next;
		if (watch->discovered && !watch->wanted)
			watch_free(watch);
	}
}

static void take_links(struct peer *peer, struct tg_bytes text)
{
	const struct tg_host *host = peer->client->host;
	const char *at = text.data, *end = at + text.size;
	uint32_t most = peer->client->plan->limits.discover_most, taken = 0, links = 0;
	struct linkformat_link link;
	int r = 0;

	for (struct watch *watch = peer->watches; watch; watch = watch->next)
		watch->wanted = false;
	while (taken < most && text.size > 0 && (r = linkformat_next(&at, end, &link)) > 0) {
		links++;
		taken += take_link(peer, &link);
	}
	/* A list that breaks off says nothing of what is missing in it. */
	if (r >= 0 && taken < most)
		end_vanished(peer);
	host->count(host, COUNT_DISCOVERIES, 1);
	host->count(host, COUNT_DISCOVERED, taken);
	host->log(host, r < 0 ? TG_LOG_WARNING : TG_LOG_INFO, peer->texts.name,
		  "%u links found at \"%s\", %u of them taken%s", links, peer->texts.name, taken,
		  r < 0           ? "; the rest cannot be read"
		  : taken >= most ? "; no more than 'discover_most'"
				  : "");
}

static void discover_answered(void *arg, enum request_end end, const struct stack_message *message)
{
	struct peer *peer = arg;
	const struct tg_host *host = peer->client->host;

	peer->discovery = NULL;
	peer->discover_us =
		timing_next_poll(host->now_us(host), peer->client->plan->limits.discover_s, 0, stack_random());
	if (end == REQUEST_ANSWERED && message->code == CODE_CONTENT &&
	    (message->format == FORMAT_LINKS || message->format == TG_FORMAT_NONE))
		take_links(peer, message->payload);
	else if (end == REQUEST_ANSWERED)
		host->log(host, TG_LOG_WARNING, peer->texts.name, "no list of the resources of \"%s\" (%u.%02u)",
			  peer->texts.name, message->code / 100, message->code % 100);
	else if (end == REQUEST_LOST || end == REQUEST_SILENT)
		peer->discover_us = 0; /* first thing on the next session */
	else
		host->log(host, TG_LOG_WARNING, peer->texts.name, "no list of the resources of \"%s\"",
			  peer->texts.name);
}

int64_t discover_turn(struct peer *peer, int64_t now_us)
{
	const struct request_wish wish = {.method = TG_METHOD_GET,
					  .address = {.data = DISCOVER_ADDRESS, .size = sizeof(DISCOVER_ADDRESS) - 1},
					  .format = TG_FORMAT_NONE,
					  .observe = -1};

	if (!peer->discovers || peer->discovery)
		return 0;
	if (peer->discover_us > now_us)
		return peer->discover_us;
	if (requests_begin(&peer->requests, &wish, now_us + peer->client->plan->limits.answer_us, discover_answered,
			   peer, &peer->discovery) < 0)
		peer->discover_us = now_us + SOON_US;
	return peer->discover_us > now_us ? peer->discover_us : 0;
}
