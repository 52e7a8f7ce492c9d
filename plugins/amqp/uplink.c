/* SPDX-License-Identifier: Apache-2.0 */
#include "uplink.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "counters.h"
#include "options.h"

#define UPLINK_TICK_US INT64_C(1000000)

static void uplink_connect(void *arg);

static const struct url *uplink_url(const struct uplink *uplink)
{
	return &uplink->options->brokers[uplink->round.broker];
}

static void uplink_tell(struct uplink *uplink, enum tg_link state, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void uplink_tell(struct uplink *uplink, enum tg_link state, const char *format, ...)
{
	char detail[WIRE_CAUSE_SIZE + 512];
	va_list args;

	va_start(args, format);
	vsnprintf(detail, sizeof(detail), format, args);
	va_end(args);
	uplink->host->link(uplink->host, state, detail);
}

static void uplink_again(struct uplink *uplink, int64_t pause_us)
{
	uplink->host->timer_set(uplink->retry, uplink->host->now_us(uplink->host) + pause_us);
}

/* An attempt has come to nothing: the next broker, at once or after the pause of a round. */
static void uplink_failed(struct uplink *uplink, const char *cause)
{
	const struct options *options = uplink->options;
	const struct url *url = uplink_url(uplink);
	int64_t pause_us;

	uplink->host->count(uplink->host, COUNT_CONNECT_FAILURES, 1);
	if (cause != uplink->cause)
		snprintf(uplink->cause, sizeof(uplink->cause), "%s", cause);
	uplink_tell(uplink, TG_LINK_DOWN, "%s: %s", url->text, cause);
	pause_us = round_failed(&uplink->round, options->n_brokers, options->backoff_min_us, options->backoff_max_us,
				round_random(uplink->host->now_us(uplink->host)));
	uplink->host->log(uplink->host, TG_LOG_WARNING, NULL,
			  "broker \"%s\" cannot be used, trying \"%s\" in %.1f s (%s)", url->text,
			  uplink_url(uplink)->text, (double)pause_us / 1e6, cause);
	uplink_again(uplink, pause_us);
}

static void uplink_on_up(void *arg)
{
	struct uplink *uplink = arg;
	const struct tg_host *host = uplink->host;

	uplink->up = true;
	uplink->up_us = host->now_us(host);
	host->log(host, TG_LOG_NOTICE, NULL, "connected to \"%s\" (%s)", uplink_url(uplink)->text,
		  wire_describe(uplink->wire));
	uplink->events->up(uplink->arg, uplink->wire);
}

void uplink_ready(struct uplink *uplink)
{
	if (!uplink->up || uplink->ready)
		return;
	uplink->ready = true;
	uplink->cause[0] = '\0';
	uplink->host->count(uplink->host, COUNT_CONNECTS, 1);
	uplink_tell(uplink, TG_LINK_UP, "%s, %s", uplink_url(uplink)->text, wire_describe(uplink->wire));
}

static void uplink_on_happened(void *arg, struct pn_event_t *event)
{
	struct uplink *uplink = arg;

	uplink->events->happened(uplink->arg, event);
}

static void uplink_on_moved(void *arg)
{
	struct uplink *uplink = arg;

	uplink->events->moved(uplink->arg);
}

/* A connection that was up has ended: by itself, or to begin anew. */
static void uplink_gone(struct uplink *uplink, bool by_itself, bool useful)
{
	const struct tg_host *host = uplink->host;
	const struct options *options = uplink->options;
	const char *text = uplink_url(uplink)->text;

	if (useful)
		uplink->round.span_us = 0;
	uplink->round.tried = 0;
	uplink_tell(uplink, TG_LINK_DOWN, "%s: %s", text, uplink->cause);
	if (by_itself) {
		host->log(host, TG_LOG_WARNING, NULL, "broker \"%s\" is gone, connecting again (%s)", text,
			  uplink->cause);
		uplink_again(uplink, round_pause(&uplink->round, options->backoff_min_us, options->backoff_max_us,
						 round_random(host->now_us(host))));
	} else {
		uplink->round.broker = 0;
		uplink_again(uplink, 0);
	}
}

static void uplink_on_lost(void *arg, const char *cause)
{
	struct uplink *uplink = arg;
	bool was_ready = uplink->ready, useful = false, lasted;

	snprintf(uplink->cause, sizeof(uplink->cause), "%s", cause ? cause : "closed to begin anew");
	if (uplink->up)
		useful = uplink->events->down(uplink->arg);
	lasted = uplink->up && uplink->host->now_us(uplink->host) - uplink->up_us >= uplink->options->backoff_max_us;
	uplink->up = uplink->ready = false;
	wire_free(uplink->wire);
	uplink->wire = NULL;
	if (uplink->stopping) {
		uplink_tell(uplink, TG_LINK_DOWN, "stopped");
		uplink->events->stopped(uplink->arg);
	} else if (cause && (!was_ready || (!useful && !lasted))) {
		/* One that lets in and throws out at once is of no more use than one that does not let in. */
		uplink_failed(uplink, uplink->cause);
	} else {
		uplink_gone(uplink, cause != NULL, useful);
	}
}

static const struct wire_events uplink_wire_events = {
	.up = uplink_on_up,
	.happened = uplink_on_happened,
	.moved = uplink_on_moved,
	.lost = uplink_on_lost,
};

static void uplink_connect(void *arg)
{
	struct uplink *uplink = arg;
	int r;

	uplink->host->timer_set(uplink->retry, 0);
	if (uplink->wire || uplink->stopping)
		return;
	if (uplink->options->problem) { /* only new settings can change that */
		uplink_tell(uplink, TG_LINK_DOWN, "%s", uplink->options->problem);
		return;
	}
	uplink_tell(uplink, TG_LINK_CONNECTING, "%s%s%s", uplink_url(uplink)->text, uplink->cause[0] ? ", after: " : "",
		    uplink->cause);
	r = wire_new(uplink->host, uplink->options, uplink_url(uplink), &uplink_wire_events, uplink, &uplink->wire);
	if (r < 0)
		uplink_failed(uplink, strerror(-r));
}

static void uplink_on_tick(void *arg)
{
	struct uplink *uplink = arg;
	const struct tg_host *host = uplink->host;
	int64_t now_us = host->now_us(host);

	host->timer_set(uplink->tick, now_us + UPLINK_TICK_US);
	if (uplink->wire)
		wire_tick(uplink->wire);
	uplink->events->tick(uplink->arg);
	if (uplink->ready && !uplink->stopping && uplink->round.broker != 0 && uplink->options->failback_us > 0 &&
	    now_us - uplink->up_us >= uplink->options->failback_us)
		uplink->events->failback(uplink->arg);
}

int uplink_init(struct uplink *uplink, const struct tg_host *host, const struct options *options,
		const struct uplink_events *events, void *arg)
{
	int r;

	*uplink = (struct uplink){.host = host, .options = options, .events = events, .arg = arg};
	r = host->timer_new(host, uplink_connect, uplink, &uplink->retry);
	if (r >= 0)
		r = host->timer_new(host, uplink_on_tick, uplink, &uplink->tick);
	if (r < 0)
		uplink_done(uplink);
	return r;
}

void uplink_done(struct uplink *uplink)
{
	if (!uplink->host)
		return;
	wire_free(uplink->wire);
	uplink->host->timer_free(uplink->retry);
	uplink->host->timer_free(uplink->tick);
	*uplink = (struct uplink){0};
}

void uplink_start(struct uplink *uplink)
{
	uplink->host->timer_set(uplink->tick, uplink->host->now_us(uplink->host) + UPLINK_TICK_US);
	uplink_connect(uplink);
}

void uplink_set_options(struct uplink *uplink, const struct options *options)
{
	uplink->options = options;
	if (uplink->round.broker >= options->n_brokers)
		uplink->round.broker = 0;
	uplink->round.tried = 0;
	if (uplink->wire)
		wire_set_options(uplink->wire, options, uplink_url(uplink));
}

void uplink_renew(struct uplink *uplink)
{
	uplink->round.span_us = 0;
	if (uplink->wire) {
		wire_close(uplink->wire);
	} else {
		uplink->round.broker = 0;
		uplink_connect(uplink);
	}
}

void uplink_abort(struct uplink *uplink, const char *cause)
{
	if (uplink->wire)
		wire_fail(uplink->wire, cause);
}

void uplink_stop(struct uplink *uplink)
{
	uplink->stopping = true;
	uplink->host->timer_set(uplink->retry, 0);
	if (uplink->wire) {
		wire_close(uplink->wire);
	} else {
		uplink_tell(uplink, TG_LINK_DOWN, "stopped");
		uplink->events->stopped(uplink->arg);
	}
}
