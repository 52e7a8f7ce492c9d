/* SPDX-License-Identifier: Apache-2.0 */

/*
 * An adapter that talks to nobody: what is delivered to it at an address comes back as a submission whose path is
 * that address, and the delivery is confirmed when its submission was accepted. It shows an author how each function of the
 * contract is meant, and gives tests a sink and a source (generator.h) whose every fault can be ordered.
 *
 * Read it from the bottom: the table of functions, the life of the adapter, its source side, its sink side.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/queue.h>
#include <tidegate/adapter.h>

#include "generator.h"

static const char *const counters[] = {"delivered", "confirmed", "generated", "accepted", "refused", NULL};

static const struct tg_setting settings[] = {
	{"submit", TG_BOOL, TG_LIVE, "", "true", 0, 0, NULL, "submit what is delivered; false: only confirm it"},
	{"generate", TG_INT, 0, "", "0", 0, INT32_MAX, NULL, "number of messages to make by itself"},
	{"rate", TG_INT, TG_LIVE, "", "0", 0, 1000000, NULL, "messages to make in a second, 0: no limit"},
	{"window", TG_INT, TG_LIVE, "", "64", 1, 8192, NULL, "most of them that wait for a verdict"},
	{"path", TG_TEXT, TG_LIVE, "", "load", 1, TG_PATH_MAX, NULL, "path of the messages made"},
	{"payload_bytes", TG_INT, TG_LIVE, "bytes", "64", 0, TG_PAYLOAD_MAX, NULL, "size of the messages made"},
	{"reserve", TG_INT, 0, "", "0", 0, 1000000, NULL,
	 "number the messages made so that no number comes twice, this many reserved at a time; 0: from 0 on"},
	{"delay_ms", TG_INT, TG_LIVE, "ms", "0", 0, 3600000, NULL, "for tests: wait before each confirmation"},
	{"retry_every", TG_INT, TG_LIVE, "", "0", 0, INT32_MAX, NULL, "for tests: give back every n-th delivery"},
	{"reject_every", TG_INT, TG_LIVE, "", "0", 0, INT32_MAX, NULL, "for tests: refuse every n-th for good"},
	{"crash_after", TG_INT, TG_LIVE, "", "0", 0, INT32_MAX, NULL, "for tests: abort at the n-th delivery"},
	{"hang_after", TG_INT, TG_LIVE, "", "0", 0, INT32_MAX, NULL, "for tests: hang at the n-th delivery"},
	{"flap_ms", TG_INT, TG_LIVE, "ms", "0", 0, 3600000, NULL, "for tests: link down and up, each this long"},
	{NULL},
};

/* One delivery that was taken and not answered yet. Its address is the token of its submission. */
struct taken {
	TAILQ_ENTRY(taken) link;
	uint64_t ticket;
	int64_t due_us;
};

TAILQ_HEAD(taken_list, taken);

struct loopback {
	const struct tg_host *host;
	bool submit, up, stopping;
	int64_t delay_ms, retry_every, reject_every, crash_after, hang_after, flap_ms;
	int64_t n_deliveries;
	struct taken_list submitted; /* wait for their verdict */
	struct taken_list delayed;   /* wait for delay_ms */
	struct tg_timer *delay, *flap;
	struct generator generator;
};

/* What was begun must be finished before the host is told so. */
static void stop_when_done(struct loopback *lo)
{
	if (lo->stopping && lo->generator.n_waiting == 0 && TAILQ_EMPTY(&lo->submitted) && TAILQ_EMPTY(&lo->delayed))
		lo->host->stopped(lo->host);
}

/* Every ticket is answered exactly once, in any order. */
static void answer(struct loopback *lo, struct taken_list *list, struct taken *taken, enum tg_delivery_result result,
		   const char *reason)
{
	lo->host->delivered(lo->host, taken->ticket, result, reason);
	if (result == TG_CONFIRMED)
		lo->host->count(lo->host, CONFIRMED, 1);
	TAILQ_REMOVE(list, taken, link);
	free(taken);
	stop_when_done(lo);
}

static void on_delay(void *arg)
{
	struct loopback *lo = arg;
	struct taken *first;

	while ((first = TAILQ_FIRST(&lo->delayed)) && first->due_us <= lo->host->now_us(lo->host))
		answer(lo, &lo->delayed, first, TG_CONFIRMED, NULL);
	if (first)
		lo->host->timer_set(lo->delay, first->due_us);
}

static void confirm(struct loopback *lo, struct taken *taken)
{
	if (lo->delay_ms == 0) {
		answer(lo, &lo->submitted, taken, TG_CONFIRMED, NULL);
		return;
	}
	TAILQ_REMOVE(&lo->submitted, taken, link);
	taken->due_us = lo->host->now_us(lo->host) + lo->delay_ms * 1000;
	if (TAILQ_EMPTY(&lo->delayed))
		lo->host->timer_set(lo->delay, taken->due_us);
	TAILQ_INSERT_TAIL(&lo->delayed, taken, link);
}

/* The message goes on at once; kept is what the answer needs: the ticket. */
static int take(struct loopback *lo, const struct tg_delivery *delivery)
{
	const char *address = delivery->address.data;
	size_t slash = delivery->address.size > 0 && address[0] == '/'; /* a path has no leading one */
	struct taken *taken = calloc(1, sizeof(*taken));
	struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = delivery->kind,
		.token = (uintptr_t)taken,
		.path = {address + slash, delivery->address.size - slash},
		.content_format = delivery->content_format,
		.payload = delivery->payload,
	};
	int r;

	if (!taken)
		return -EAGAIN;
	taken->ticket = delivery->ticket;
	TAILQ_INSERT_TAIL(&lo->submitted, taken, link);
	r = lo->submit ? lo->host->submit(lo->host, &submission) : 0;
	if (r == -EMSGSIZE) {
		answer(lo, &lo->submitted, taken, TG_REJECTED, "the address is too long for a path");
	} else if (r < 0) {
		TAILQ_REMOVE(&lo->submitted, taken, link);
		free(taken);
		return -EAGAIN; /* no room: the core gives it again */
	} else if (!lo->submit) {
		confirm(lo, taken);
	}
	return 0;
}

static int loopback_deliver(void *state, const struct tg_delivery *delivery)
{
	struct loopback *lo = state;
	int64_t n = ++lo->n_deliveries;

	if (!lo->up || lo->stopping)
		return -EAGAIN;
	lo->host->count(lo->host, DELIVERED, 1);
	if (n == lo->crash_after)
		abort();
	while (n == *(volatile int64_t *)&lo->hang_after)
		;
	if (lo->retry_every && n % lo->retry_every == 0)
		lo->host->delivered(lo->host, delivery->ticket, TG_RETRY, NULL);
	else if (lo->reject_every && n % lo->reject_every == 0)
		lo->host->delivered(lo->host, delivery->ticket, TG_REJECTED, "refused as ordered");
	else
		return take(lo, delivery);
	return 0;
}

/* A refusal that may end by itself gives the delivery back; one that is for good refuses it. */
static void loopback_verdict(void *state, uint64_t token, const struct tg_answer *verdict)
{
	struct loopback *lo = state;
	char reason[256];

	lo->host->count(lo->host, verdict->verdict == TG_ACCEPTED ? ACCEPTED : REFUSED, 1);
	if (generator_is_token(token)) {
		generator_verdict(&lo->generator);
		stop_when_done(lo);
		return;
	}
	switch (verdict->verdict) {
	case TG_ACCEPTED:
		confirm(lo, (struct taken *)(uintptr_t)token);
		return;
	case TG_TOO_FAST:
	case TG_FULL:
	case TG_UNAVAILABLE:
		answer(lo, &lo->submitted, (struct taken *)(uintptr_t)token, TG_RETRY, NULL);
		return;
	default:
		snprintf(reason, sizeof(reason), "%.*s", (int)verdict->reason.size,
			 verdict->reason.size ? (const char *)verdict->reason.data : "");
		answer(lo, &lo->submitted, (struct taken *)(uintptr_t)token, TG_REJECTED, reason);
		return;
	}
}

static void set_up(struct loopback *lo, bool up)
{
	lo->up = up;
	lo->host->link(lo->host, up ? TG_LINK_UP : TG_LINK_DOWN, up ? "loopback" : "down as ordered");
	lo->host->timer_set(lo->flap, lo->flap_ms ? lo->host->now_us(lo->host) + lo->flap_ms * 1000 : 0);
}

static void on_flap(void *arg)
{
	struct loopback *lo = arg;

	set_up(lo, !lo->up);
}

static void read_settings(struct loopback *lo)
{
	const struct tg_host *host = lo->host;

	lo->submit = host->setting_bool(host, "submit");
	lo->delay_ms = host->setting_int(host, "delay_ms");
	lo->retry_every = host->setting_int(host, "retry_every");
	lo->reject_every = host->setting_int(host, "reject_every");
	lo->crash_after = host->setting_int(host, "crash_after");
	lo->hang_after = host->setting_int(host, "hang_after");
	lo->flap_ms = host->setting_int(host, "flap_ms");
}

static void loopback_close(void *state)
{
	struct loopback *lo = state;
	struct taken *taken;

	TAILQ_CONCAT(&lo->submitted, &lo->delayed, link);
	while ((taken = TAILQ_FIRST(&lo->submitted))) {
		TAILQ_REMOVE(&lo->submitted, taken, link);
		free(taken);
	}
	lo->host->timer_free(lo->delay);
	lo->host->timer_free(lo->flap);
	generator_done(&lo->generator);
	free(lo);
}

static int loopback_open(const struct tg_host *host, void **ret_state)
{
	struct loopback *lo = calloc(1, sizeof(*lo));
	int r;

	if (!lo)
		return -ENOMEM;
	lo->host = host;
	TAILQ_INIT(&lo->submitted);
	TAILQ_INIT(&lo->delayed);
	read_settings(lo);
	r = generator_init(&lo->generator, host);
	if (r >= 0)
		r = host->timer_new(host, on_delay, lo, &lo->delay);
	if (r >= 0)
		r = host->timer_new(host, on_flap, lo, &lo->flap);
	if (r < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "no memory");
		loopback_close(lo);
		return r;
	}
	*ret_state = lo;
	return 0;
}

static int loopback_start(void *state)
{
	struct loopback *lo = state;

	set_up(lo, true);
	generator_start(&lo->generator);
	return 0;
}

/* What can fail comes first, so that a failure leaves all the old values in use. */
static int loopback_reload(void *state)
{
	struct loopback *lo = state;
	int r = generator_reload(&lo->generator);

	if (r < 0)
		return r;
	read_settings(lo);
	set_up(lo, lo->up || lo->flap_ms == 0);
	return 0;
}

static void loopback_note(void *state, struct tg_bytes name, struct tg_bytes value)
{
	struct loopback *lo = state;

	numbers_note(&lo->generator.numbers, name, value);
}

static void loopback_noted(void *state, uint64_t loss)
{
	struct loopback *lo = state;

	(void)loss; /* numbers from before would come again: nobody builds on these */
	numbers_noted(&lo->generator.numbers);
}

static void loopback_kept(void *state, uint64_t token, int result)
{
	struct loopback *lo = state;

	(void)token;
	numbers_kept(&lo->generator.numbers, result);
}

static void loopback_stop(void *state)
{
	struct loopback *lo = state;

	lo->stopping = true;
	generator_stop(&lo->generator);
	stop_when_done(lo);
}

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(tidegate_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.name = "loopback",
	.version = "1",
	.summary = "gives back what it gets; for tests, and as a template for authors",
	.settings = settings,
	.counters = counters,
	.open = loopback_open,
	.start = loopback_start,
	.deliver = loopback_deliver,
	.verdict = loopback_verdict,
	.reload = loopback_reload,
	.stop = loopback_stop,
	.close = loopback_close,
	.kept = loopback_kept,
	.note = loopback_note,
	.noted = loopback_noted,
};
