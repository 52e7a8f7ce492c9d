/* SPDX-License-Identifier: Apache-2.0 */
#include "link.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "counters.h"
#include "options.h"
#include "status.h"

#define LINK_TICK_US INT64_C(1000000)

static void link_connect(void *arg);

static const struct url *link_url(const struct link *link)
{
	return &link->options->brokers[link->round.broker];
}

static void link_tell(struct link *link, enum tg_link state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void link_tell(struct link *link, enum tg_link state, const char *format, ...)
{
	char detail[SESSION_CAUSE_SIZE + 512];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	link->host->link(link->host, state, detail);
}

static int64_t link_pause(struct link *link)
{
	const struct options *options = link->options;

	return round_pause(&link->round, options->backoff_min_us, options->backoff_max_us,
			   round_random(link->host->now_us(link->host)));
}

static void link_again(struct link *link, int64_t pause_us)
{
	link->host->timer_set(link->retry, link->host->now_us(link->host) + pause_us);
}

/* An attempt has come to nothing: the next broker, at once or after the pause of a round. */
static void link_failed(struct link *link, const char *cause)
{
	const struct options *options = link->options;
	const struct url *url = link_url(link);
	int64_t pause_us;

	link->host->count(link->host, COUNT_CONNECT_FAILURES, 1);
	if (cause != link->cause)
		snprintf(link->cause, sizeof(link->cause), "%s", cause);
	link_tell(link, TG_LINK_DOWN, "%s: %s", url->text, cause);
	pause_us = round_failed(&link->round, options->n_brokers, options->backoff_min_us, options->backoff_max_us,
				round_random(link->host->now_us(link->host)));
	link->host->log(link->host, TG_LOG_WARNING, NULL, "broker \"%s\" cannot be used, trying \"%s\" in %.1f s (%s)",
			url->text, link_url(link)->text, (double)pause_us / 1e6, cause);
	link_again(link, pause_us);
}

static void link_on_up(void *arg, const struct session_limits *limits)
{
	struct link *link = arg;
	const struct tg_host *host = link->host;
	const char *description = session_describe(link->session);

	link->up = true;
	link->given_up = false;
	link->up_us = host->now_us(host);
	link->round.tried = 0;
	link->cause[0] = '\0';
	host->count(host, COUNT_CONNECTS, 1);
	host->log(host, TG_LOG_NOTICE, NULL, "connected to \"%s\" (%s)", link_url(link)->text, description);
	link->events->up(link->arg, link->session, limits);
	link_tell(link, TG_LINK_UP, "%s, %s", link_url(link)->text, description);
}

static void link_on_answered(void *arg, uint16_t mid, uint8_t reason)
{
	struct link *link = arg;

	link->events->answered(link->arg, mid, reason);
}

static void link_on_moved(void *arg)
{
	struct link *link = arg;

	link->events->moved(link->arg);
}

/* A session that was up has ended: by itself, or to begin anew. */
static void link_gone(struct link *link, bool by_itself, bool useful)
{
	const struct tg_host *host = link->host;
	const char *text = link_url(link)->text;

	if (useful)
		link->round.span_us = 0;
	link->round.tried = 0;
	link_tell(link, TG_LINK_DOWN, "%s: %s", text, link->cause);
	if (by_itself) {
		if (link->given_up)
			link->round.broker = (link->round.broker + 1) % link->options->n_brokers;
		host->log(host, TG_LOG_WARNING, NULL, "broker \"%s\" is gone, connecting again (%s)", text,
			  link->cause);
		link_again(link, link_pause(link));
	} else {
		link->round.broker = 0;
		link_again(link, 0);
	}
}

static void link_on_lost(void *arg, const char *cause)
{
	struct link *link = arg;
	bool was_up = link->up, useful = false;

	snprintf(link->cause, sizeof(link->cause), "%s", cause ? cause : "closed to begin anew");
	link->up = false;
	if (was_up)
		useful = link->events->down(link->arg);
	session_free(link->session);
	link->session = NULL;
	if (link->stopping) {
		link_tell(link, TG_LINK_DOWN, "stopped");
		link->events->stopped(link->arg);
	} else if (!was_up && cause) {
		link_failed(link, link->cause);
	} else {
		link_gone(link, cause != NULL, useful);
	}
}

static const struct session_events link_session_events = {
	.up = link_on_up,
	.answered = link_on_answered,
	.moved = link_on_moved,
	.lost = link_on_lost,
};

static int link_new_session(struct link *link)
{
	char *will = NULL;
	int r;

	if (link->options->status_topic) {
		will = status_text(link->host, STATUS_LOST, link->host->now_wall_us(link->host));
		if (!will)
			return -ENOMEM;
	}
	r = session_new(link->host, link->options, link_url(link), will, &link_session_events, link, &link->session);
	free(will);
	return r;
}

static void link_connect(void *arg)
{
	struct link *link = arg;
	int r;

	link->host->timer_set(link->retry, 0);
	if (link->session || link->stopping)
		return;
	if (link->options->problem) { /* only new settings can change that */
		link_tell(link, TG_LINK_DOWN, "%s", link->options->problem);
		return;
	}
	if (link->cause[0])
		link_tell(link, TG_LINK_CONNECTING, "%s, after: %s", link_url(link)->text, link->cause);
	else
		link_tell(link, TG_LINK_CONNECTING, "%s", link_url(link)->text);
	r = link_new_session(link);
	if (r < 0)
		link_failed(link, strerror(-r));
}

static void link_on_tick(void *arg)
{
	struct link *link = arg;
	const struct tg_host *host = link->host;
	int64_t now_us = host->now_us(host);

	host->timer_set(link->tick, now_us + LINK_TICK_US);
	if (link->session)
		session_tick(link->session);
	link->events->tick(link->arg);
	if (link->up && !link->stopping && link->round.broker != 0 && link->options->failback_us > 0 &&
	    now_us - link->up_us >= link->options->failback_us)
		link->events->failback(link->arg);
}

int link_init(struct link *link, const struct tg_host *host, const struct options *options,
	      const struct link_events *events, void *arg)
{
	int r;

	*link = (struct link){.host = host, .options = options, .events = events, .arg = arg};
	r = host->timer_new(host, link_connect, link, &link->retry);
	if (r >= 0)
		r = host->timer_new(host, link_on_tick, link, &link->tick);
	if (r < 0)
		link_done(link);
	return r;
}

void link_done(struct link *link)
{
	session_free(link->session);
	link->session = NULL;
	link->host->timer_free(link->retry);
	link->host->timer_free(link->tick);
	link->retry = link->tick = NULL;
}

void link_start(struct link *link)
{
	link->host->timer_set(link->tick, link->host->now_us(link->host) + LINK_TICK_US);
	link_connect(link);
}

void link_set_options(struct link *link, const struct options *options)
{
	link->options = options;
	if (link->round.broker >= options->n_brokers)
		link->round.broker = 0;
	link->round.tried = 0;
	if (link->session)
		session_set_options(link->session, options, link_url(link));
}

void link_renew(struct link *link)
{
	link->round.span_us = 0;
	if (link->session) {
		session_close(link->session);
	} else {
		link->round.broker = 0;
		link_connect(link);
	}
}

void link_abort(struct link *link, const char *cause)
{
	if (!link->session)
		return;
	link->given_up = true;
	session_fail(link->session, cause);
}

void link_stop(struct link *link)
{
	link->stopping = true;
	link->host->timer_set(link->retry, 0);
	if (link->session) {
		session_close(link->session);
	} else {
		link_tell(link, TG_LINK_DOWN, "stopped");
		link->events->stopped(link->arg);
	}
}
