/* SPDX-License-Identifier: Apache-2.0 */
#include "inbox.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "arrival.h"
#include "codec.h"
#include "counters.h"
#include "echo.h"
#include "options.h"

#define INBOX_TICK_US INT64_C(1000000)
/* A connection that held for so long was a good one: the next pauses begin anew. */
#define INBOX_GOOD_US INT64_C(60000000)
/* Apart from those of the connections that publish. */
#define INBOX_HANDLES (UINT64_C(1) << 32)

static void inbox_connect(void *arg);

static const struct url *inbox_url(const struct inbox *inbox)
{
	return &inbox->options->brokers[inbox->round.broker];
}

static void inbox_again(struct inbox *inbox, int64_t pause_us)
{
	inbox->host->timer_set(inbox->retry, inbox->host->now_us(inbox->host) + pause_us);
}

static void inbox_gauges(struct inbox *inbox)
{
	inbox->host->gauge(inbox->host, COUNT_RECEIVING, inbox->up);
	inbox->host->gauge(inbox->host, COUNT_SUBSCRIPTIONS,
			   inbox->up ? (int64_t)subscribe_granted(&inbox->subscribe) : 0);
}

/* Whether the session is the one before, as far as this side knows; from now on it is. */
static bool inbox_same_session(struct inbox *inbox)
{
	char *session = NULL;
	bool same;

	if (asprintf(&session, "%s %s", inbox_url(inbox)->text, inbox->options->receive_client_id) < 0)
		session = NULL;
	same = session && inbox->session && strcmp(session, inbox->session) == 0;
	free(inbox->session);
	inbox->session = session;
	return same;
}

static void inbox_on_up(void *arg, bool resumed)
{
	struct inbox *inbox = arg;
	const struct tg_host *host = inbox->host;
	bool same = inbox_same_session(inbox);

	if (incoming_begin(&inbox->incoming, inbox->receive, inbox->options->receive_window, resumed && same) < 0) {
		receive_fail(inbox->receive, strerror(ENOMEM));
		return;
	}
	inbox->up = true;
	inbox->up_us = host->now_us(host);
	inbox->round.tried = 0;
	inbox->complained = false;
	host->log(host, TG_LOG_NOTICE, NULL, "receiving from \"%s\" (%s, %s)", inbox_url(inbox)->text,
		  receive_describe(inbox->receive), resumed ? "session resumed" : "new session");
	inbox->told = receive_tell(inbox->receive, ++inbox->handle);
	if (!resumed)
		subscribe_forget(&inbox->subscribe);
	subscribe_begin(&inbox->subscribe);
	subscribe_send(&inbox->subscribe, inbox->receive);
	inbox_gauges(inbox);
}

static bool inbox_on_room(void *arg)
{
	const struct inbox *inbox = arg;

	return incoming_has_room(&inbox->incoming);
}

static void inbox_on_arrived(void *arg, const struct codec_publish *publish, bool too_large)
{
	struct inbox *inbox = arg;

	incoming_arrived(&inbox->incoming, publish, too_large);
}

static void inbox_on_released(void *arg, uint16_t mid)
{
	struct inbox *inbox = arg;

	incoming_released(&inbox->incoming, mid);
}

static void inbox_on_subscribed(void *arg, uint16_t mid, uint8_t reason)
{
	struct inbox *inbox = arg;

	subscribe_answered(&inbox->subscribe, mid, reason, inbox->options->subscribe_qos);
	inbox_gauges(inbox);
}

static void inbox_complain(struct inbox *inbox, const char *text, const char *cause)
{
	const struct tg_host *host = inbox->host;
	bool told = inbox->complained || !inbox->events->publishing(inbox->arg);

	host->log(host, told ? TG_LOG_DEBUG : TG_LOG_WARNING, NULL, "%s \"%s\", trying on (%s)", text,
		  inbox_url(inbox)->text, cause);
	inbox->complained |= !told;
}

/* An attempt has come to nothing. */
static void inbox_failed(struct inbox *inbox, const char *cause)
{
	const struct options *options = inbox->options;
	int64_t pause_us;

	inbox_complain(inbox, "nothing can be received from", cause);
	pause_us = round_failed(&inbox->round, options->n_brokers, options->backoff_min_us, options->backoff_max_us,
				round_random(inbox->host->now_us(inbox->host)));
	inbox_again(inbox, pause_us);
}

/* A connection that was up has ended: by itself, or to begin anew. */
static void inbox_gone(struct inbox *inbox, const char *cause)
{
	const struct options *options = inbox->options;
	int64_t now_us = inbox->host->now_us(inbox->host);

	if (!cause) {
		inbox->round = (struct round){0};
		inbox_again(inbox, 0);
		return;
	}
	inbox_complain(inbox, "nothing is received any more from", cause);
	inbox_again(inbox,
		    round_pause(&inbox->round, options->backoff_min_us, options->backoff_max_us, round_random(now_us)));
}

static void inbox_on_lost(void *arg, const char *cause)
{
	struct inbox *inbox = arg;
	const struct tg_host *host = inbox->host;
	bool was_up = inbox->up;
	char text[RECEIVE_CAUSE_SIZE];

	snprintf(text, sizeof(text), "%s", cause ? cause : "");
	inbox->up = false;
	if (was_up) {
		if (inbox->incoming.settled > 0 || host->now_us(host) - inbox->up_us >= INBOX_GOOD_US)
			inbox->round.span_us = 0;
		if (inbox->told)
			host->session_ended(host, inbox->handle);
		incoming_end(&inbox->incoming);
	}
	receive_free(inbox->receive);
	inbox->receive = NULL;
	inbox_gauges(inbox);
	if (inbox->stopping)
		inbox->events->stopped(inbox->arg);
	else if (!inbox_is_wanted(inbox))
		subscribe_forget(&inbox->subscribe);
	else if (was_up || !cause)
		inbox_gone(inbox, cause ? text : NULL);
	else
		inbox_failed(inbox, text);
}

static const struct receive_events inbox_receive_events = {
	.up = inbox_on_up,
	.has_room = inbox_on_room,
	.arrived = inbox_on_arrived,
	.released = inbox_on_released,
	.subscribed = inbox_on_subscribed,
	.lost = inbox_on_lost,
};

static void inbox_connect(void *arg)
{
	struct inbox *inbox = arg;
	int r;

	inbox->host->timer_set(inbox->retry, 0);
	if (inbox->receive || inbox->stopping || inbox->options->problem || !inbox_is_wanted(inbox))
		return;
	r = receive_new(inbox->host, inbox->options, inbox_url(inbox), &inbox_receive_events, inbox, &inbox->receive);
	if (r < 0)
		inbox_failed(inbox, strerror(-r));
}

static void inbox_on_tick(void *arg)
{
	struct inbox *inbox = arg;
	const struct tg_host *host = inbox->host;
	int64_t now_us = host->now_us(host);

	host->timer_set(inbox->tick, now_us + INBOX_TICK_US);
	if (inbox->receive)
		receive_tick(inbox->receive);
	if (!inbox->up || inbox->stopping)
		return;
	subscribe_send(&inbox->subscribe, inbox->receive);
	/* What is not acknowledged would stay behind with this broker. */
	if (inbox->round.broker != 0 && inbox->options->failback_us > 0 && inbox->incoming.gate.used == 0 &&
	    now_us - inbox->up_us >= inbox->options->failback_us)
		receive_close(inbox->receive, false);
}

int inbox_init(struct inbox *inbox, const struct tg_host *host, const struct options *options,
	       const struct inbox_events *events, void *arg)
{
	int r;

	*inbox = (struct inbox){.host = host,
				.options = options,
				.events = events,
				.arg = arg,
				.handle = INBOX_HANDLES,
				.subscribe = {.host = host}};
	inbox->echo = calloc(1, sizeof(*inbox->echo));
	r = inbox->echo ? incoming_init(&inbox->incoming, host) : -ENOMEM;
	if (r >= 0)
		r = host->timer_new(host, inbox_connect, inbox, &inbox->retry);
	if (r >= 0)
		r = host->timer_new(host, inbox_on_tick, inbox, &inbox->tick);
	if (r < 0)
		inbox_done(inbox);
	return r;
}

void inbox_done(struct inbox *inbox)
{
	if (!inbox->host)
		return;
	receive_free(inbox->receive);
	incoming_done(&inbox->incoming);
	subscribe_done(&inbox->subscribe);
	inbox->host->timer_free(inbox->retry);
	inbox->host->timer_free(inbox->tick);
	free(inbox->session);
	free(inbox->echo);
	*inbox = (struct inbox){0};
}

/* How what comes back is known. Of a shared subscription nobody knows to whom it comes. */
static void inbox_mark(struct inbox *inbox)
{
	bool version5 = inbox->options->version5;

	inbox->incoming.via = inbox->options->client_id;
	inbox->incoming.echo = version5 || inbox->options->share_group ? NULL : inbox->echo;
}

void inbox_published(struct inbox *inbox, struct tg_bytes topic, struct tg_bytes payload)
{
	const struct codec_publish publish = {.topic = topic, .payload = payload};
	char *text = inbox->incoming.echo ? strndup(topic.data, topic.size) : NULL;

	if (text && subscribe_takes(&inbox->subscribe, text))
		echo_note(inbox->incoming.echo, arrival_digest(&publish), inbox->host->now_us(inbox->host));
	free(text);
}

int inbox_start(struct inbox *inbox)
{
	int r = subscribe_read_routes(&inbox->subscribe, inbox->options->share_group);

	if (r < 0)
		return r;
	inbox->host->timer_set(inbox->tick, inbox->host->now_us(inbox->host) + INBOX_TICK_US);
	inbox_mark(inbox);
	inbox_connect(inbox);
	return 0;
}

bool inbox_is_wanted(const struct inbox *inbox)
{
	return subscribe_is_wanted(&inbox->subscribe);
}

void inbox_set_options(struct inbox *inbox, const struct options *options, bool same)
{
	const char *objection = NULL;

	inbox->options = options;
	inbox_mark(inbox);
	if (inbox->round.broker >= options->n_brokers)
		inbox->round.broker = 0;
	if (subscribe_read_routes(&inbox->subscribe, options->share_group) < 0)
		inbox->host->log(inbox->host, TG_LOG_ERROR, NULL, "subscriptions stay as they were (%s)",
				 strerror(ENOMEM));
	if (inbox->receive) {
		receive_set_options(inbox->receive, options, inbox_url(inbox));
		objection = receive_objection(inbox->receive, options);
	}
	if (inbox->stopping)
		return;
	if (objection)
		receive_fail(inbox->receive, objection);
	else if (inbox->receive && (!same || !inbox_is_wanted(inbox)))
		receive_close(inbox->receive, !inbox_is_wanted(inbox));
	else if (inbox->up)
		subscribe_send(&inbox->subscribe, inbox->receive);
	else if (!inbox->receive)
		inbox_connect(inbox);
	inbox_gauges(inbox);
}

static void inbox_settle(struct inbox *inbox)
{
	if (inbox->stopping && inbox->receive && (!inbox->up || incoming_is_quiet(&inbox->incoming)))
		receive_close(inbox->receive, false);
}

void inbox_verdict(struct inbox *inbox, uint64_t token, const struct tg_answer *answer)
{
	incoming_verdict(&inbox->incoming, token, answer);
	inbox_settle(inbox);
}

void inbox_joined(struct inbox *inbox)
{
	if (inbox->up)
		inbox->told = receive_tell(inbox->receive, inbox->handle);
}

void inbox_stop(struct inbox *inbox)
{
	inbox->stopping = true;
	incoming_stop(&inbox->incoming);
	inbox->host->timer_set(inbox->retry, 0);
	if (inbox->receive)
		inbox_settle(inbox);
	else
		inbox->events->stopped(inbox->arg);
}
