/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "timing.h"

enum { CODE_VALID = 203, CODE_CONTENT = 205, DEFAULT_MAX_AGE_S = 60, SOON_US = 1000000, MAX_AGE_LONGEST_S = 86400 };

static uint32_t max_age(const struct stack_message *message, uint32_t fallback_s)
{
	if (message->max_age_s < 0)
		return fallback_s;
	return message->max_age_s > MAX_AGE_LONGEST_S ? MAX_AGE_LONGEST_S : (uint32_t)message->max_age_s;
}

static int64_t watch_now(const struct watch *watch)
{
	return watch->peer->client->host->now_us(watch->peer->client->host);
}

static void watch_count(const struct watch *watch, enum client_counter counter)
{
	watch->peer->client->host->count(watch->peer->client->host, counter, 1);
}

static void watch_set_observing(struct watch *watch, bool observing)
{
	struct client *client = watch->peer->client;

	if (watch->observing == observing)
		return;
	watch->observing = observing;
	client->n_observing += observing ? 1 : (size_t)-1;
	client->host->gauge(client->host, COUNT_OBSERVATIONS, (int64_t)client->n_observing);
}

/* Once until it works again. */
static void watch_complain(struct watch *watch, const char *what, uint32_t code)
{
	const struct tg_host *host = watch->peer->client->host;

	watch_count(watch, COUNT_FAILED_READINGS);
	if (watch->complained)
		return;
	watch->complained = true;
	if (code > 0)
		host->log(host, TG_LOG_WARNING, watch->peer->texts.name, "'%s' of \"%s\" %s (%u.%02u)", watch->address,
			  watch->peer->texts.name, what, code / 100, code % 100);
	else
		host->log(host, TG_LOG_WARNING, watch->peer->texts.name, "'%s' of \"%s\" %s", watch->address,
			  watch->peer->texts.name, what);
}

/* Polls, also in place of an observation that cannot be. `fresh_s`: what the device said, 0: nothing. */
static void watch_poll_later(struct watch *watch, uint32_t fresh_s)
{
	uint32_t period_s = watch->period_s ? watch->period_s : watch->peer->client->plan->limits.fallback_poll_s;

	watch->due_us = timing_next_poll(watch_now(watch), period_s, fresh_s, stack_random());
}

static void watch_not_observed(struct watch *watch)
{
	watch_set_observing(watch, false);
	watch->token = 0;
}

/* A good answer to a registration or a good notification. */
static void watch_observed(struct watch *watch, const struct stack_message *message)
{
	watch_set_observing(watch, true);
	watch->due_us = timing_stale(watch_now(watch), max_age(message, DEFAULT_MAX_AGE_S), stack_random());
}

static void watch_take_answer(struct watch *watch, const struct stack_message *message)
{
	uint32_t fresh_s = max_age(message, 0);
	bool good = message->code == CODE_CONTENT;

	watch_poll_later(watch, fresh_s);
	if (message->code == CODE_VALID && watch->period_s > 0 && watch->etag_size > 0) {
		watch_count(watch, COUNT_UNCHANGED);
		return;
	}
	if (watch->period_s == 0 && good && message->observe >= 0) {
		watch->order = (struct order){.begun = false};
		/* A protected answer may have no number of its own (RFC 8613 section 4.1.3.5.2). */
		if (!watch->peer->oscore)
			order_take(&watch->order, (uint32_t)message->observe, watch_now(watch));
		watch_observed(watch, message);
	} else if (watch->period_s == 0) {
		watch_not_observed(watch);
	}
	if (!good) {
		watch_complain(watch, "cannot be read", message->code);
		return;
	}
	if (watch->period_s == 0 && !watch->observing)
		watch_complain(watch, "cannot be observed, and is polled", 0);
	else
		watch->complained = false;
	reading_take(watch, message);
}

static void watch_answered(void *arg, enum request_end end, const struct stack_message *message)
{
	struct watch *watch = arg;

	watch->request = NULL;
	if (watch->period_s == 0 && watch->token == 0) { /* a poll from before it was to be observed: that is due */
		if (end == REQUEST_ANSWERED && message->code == CODE_CONTENT)
			reading_take(watch, message);
		return;
	}
	if (end == REQUEST_ANSWERED) {
		watch_take_answer(watch, message);
		return;
	}
	watch_not_observed(watch);
	watch_poll_later(watch, 0);
	if (end == REQUEST_RESET)
		watch_complain(watch, "was answered with a reset", 0);
	else if (end == REQUEST_LATE)
		watch_complain(watch, "was not answered in time", 0);
	else if (end == REQUEST_LARGE)
		watch_complain(watch, "is larger than 'body_bytes'", 0);
	else if (end == REQUEST_BROKEN)
		watch_complain(watch, "came in blocks that do not fit together", 0);
}

static struct request_wish watch_wish(const struct watch *watch)
{
	return (struct request_wish){.method = TG_METHOD_GET,
				     .address = {.data = watch->address, .size = strlen(watch->address)},
				     .format = TG_FORMAT_NONE,
				     .observe = -1};
}

static void watch_ask(struct watch *watch, int64_t now_us)
{
	const struct plan_limits *limits = &watch->peer->client->plan->limits;
	struct request_wish wish = watch_wish(watch);
	int r;

	if (watch->period_s == 0) {
		wish.observe = 0;
		wish.token = watch->token; /* the same again is the same observation (RFC 7641 section 3.3.1) */
	} else if (limits->revalidate) {
		wish.etag_size = watch->etag_size;
		memcpy(wish.etag, watch->etag, watch->etag_size);
	}
	watch->due_us = 0;
	r = requests_begin(&watch->peer->requests, &wish, now_us + limits->answer_us, watch_answered, watch,
			   &watch->request);
	if (r < 0) {
		watch->due_us = now_us + SOON_US;
		return;
	}
	if (watch->period_s == 0)
		watch->token = request_token(watch->request);
	else
		watch_count(watch, COUNT_POLLS);
}

static void watch_rest_arrived(void *arg, enum request_end end, const struct stack_message *message)
{
	struct watch *watch = arg;

	watch->rest = NULL;
	if (end == REQUEST_ANSWERED && message->code == CODE_CONTENT)
		reading_take(watch, message);
	else if (end != REQUEST_LOST && end != REQUEST_SILENT)
		watch_complain(watch, "came in blocks that cannot be put together", 0);
}

/* The blocks of an older state are of no use any more. */
static void watch_fetch_rest(struct watch *watch, const struct stack_message *message)
{
	struct requests *requests = &watch->peer->requests;
	struct request_wish wish = watch_wish(watch);
	int64_t until_us = watch_now(watch) + watch->peer->client->plan->limits.answer_us;

	request_forget(requests, watch->rest);
	watch->rest = NULL;
	if (requests_continue(requests, &wish, message, until_us, watch_rest_arrived, watch, &watch->rest) < 0)
		watch_complain(watch, "came in blocks that cannot be put together", 0);
}

static bool watch_is_newer(struct watch *watch, const struct stack_message *message)
{
	if (watch->peer->oscore)
		return message->has_number && order_take_protected(&watch->order, message->number);
	return order_take(&watch->order, (uint32_t)message->observe, watch_now(watch));
}

void watch_notified(struct watch *watch, const struct stack_message *message)
{
	bool good = message->code == CODE_CONTENT;

	watch_count(watch, COUNT_NOTIFICATIONS);
	if (!good || message->observe < 0) { /* the last one (RFC 7641 section 4.2) */
		watch_not_observed(watch);
		watch_poll_later(watch, max_age(message, 0));
		watch_complain(watch,
			       good ? "is no longer to be observed, and is polled" : "is no longer to be observed",
			       good ? 0 : message->code);
		if (!good)
			return;
	} else if (!watch_is_newer(watch, message)) {
		watch_count(watch, COUNT_NOTIFICATIONS_OLD);
		return;
	} else {
		watch->complained = false;
		watch_observed(watch, message);
	}
	if (message->block2.given && message->block2.more)
		watch_fetch_rest(watch, message);
	else
		reading_take(watch, message);
}

void watch_up(struct watch *watch)
{
	int64_t now_us = watch_now(watch);

	if (watch->period_s == 0)
		watch->due_us = now_us;
	else if (watch->due_us == 0)
		watch->due_us = timing_first_poll(now_us, watch->period_s, stack_random());
}

/* Polls keep their time. */
void watch_down(struct watch *watch)
{
	watch_not_observed(watch);
	if (watch->period_s == 0)
		watch->due_us = 0;
}

int64_t watch_turn(struct watch *watch, int64_t now_us)
{
	int64_t due_us;

	if (watch->again_us != 0 && watch->again_us <= now_us)
		reading_submit(watch);
	if (watch->due_us != 0 && watch->due_us <= now_us && !watch->request) {
		if (watch->observing)
			watch_count(watch, COUNT_REGISTERED_AGAIN);
		watch_ask(watch, now_us);
	}
	due_us = watch->request ? 0 : watch->due_us; /* the end of a request wakes the peer */
	if (watch->again_us == 0 || (due_us != 0 && due_us < watch->again_us))
		return due_us;
	return watch->again_us;
}

void watch_set_period(struct watch *watch, uint32_t period_s)
{
	if (watch->period_s == period_s)
		return;
	watch->period_s = period_s;
	watch_not_observed(watch);
	watch->due_us = 0;
	if (watch->peer->state == PEER_UP)
		watch_up(watch);
}

struct watch *watch_find(const struct peer *peer, const char *address)
{
	for (struct watch *watch = peer->watches; watch; watch = watch->next)
		if (strcmp(watch->address, address) == 0)
			return watch;
	return NULL;
}

int watch_new(struct peer *peer, const char *address, struct watch **ret_watch)
{
	struct watch *watch = calloc(1, sizeof(*watch));
	struct texts_parts parts;
	char path[TEXTS_PATH];

	if (!watch)
		return -ENOMEM;
	if (texts_split(address, strlen(address), &parts) < 0 || texts_submission_path(&parts, path) <= 0) {
		free(watch);
		return -EINVAL;
	}
	*watch = (struct watch){.peer = peer, .address = strdup(address), .path = strdup(path)};
	watch->next = peer->watches;
	peer->watches = watch;
	if (!watch->address || !watch->path) {
		watch_free(watch);
		return -ENOMEM;
	}
	*ret_watch = watch;
	return 0;
}

void watch_free(struct watch *watch)
{
	struct watch **at = &watch->peer->watches;

	watch_not_observed(watch);
	request_forget(&watch->peer->requests, watch->request);
	request_forget(&watch->peer->requests, watch->rest);
	while (*at != watch)
		at = &(*at)->next;
	*at = watch->next;
	free((void *)(uintptr_t)watch->payload.data);
	free(watch->address);
	free(watch->path);
	free(watch);
}
