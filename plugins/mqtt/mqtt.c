/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The mqtt adapter: publishes deliveries to one of several brokers over TLS and confirms them when the broker has.
 * One link (link.c) keeps one session (session.c); publish.c keeps the deliveries of that session.
 * Where routes take something from the endpoint, the inbox (inbox.c) receives it over a connection of its own.
 */

#include <errno.h>
#include <netdb.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/tls.h"
#include "counters.h"
#include "inbox.h"
#include "link.h"
#include "options.h"
#include "publish.h"
#include "status.h"

struct mqtt {
	const struct tg_host *host;
	struct options *options;
	struct link link;
	struct publish publish;
	struct inbox inbox;
	struct status_notices notices;
	bool renewing;      /* finishes what is on its way, then connects anew */
	bool stopping;      /* finishes what is there, then says that it is offline */
	bool said_offline;  /* in this session */
	char *status_topic; /* where it has said that it is online, in this session; NULL: nowhere */
	bool status_retain;
	unsigned running; /* of link and inbox, those that have not stopped */
	uint64_t handle;
	bool told; /* the host knows of the session with this handle */
};

static void mqtt_say(struct mqtt *mqtt, enum status_kind kind)
{
	const struct tg_host *host = mqtt->host;
	char *text;
	int r = -ENOMEM;

	if (!mqtt->status_topic)
		return;
	text = status_text(host, kind, host->now_wall_us(host));
	if (text)
		r = publish_status(&mqtt->publish, mqtt->status_topic, text, mqtt->status_retain);
	if (r < 0)
		host->log(host, TG_LOG_WARNING, NULL, "the status message was not sent (%s)", strerror(-r));
	free(text);
}

static void mqtt_say_online(struct mqtt *mqtt)
{
	const struct options *options = mqtt->options;

	mqtt->said_offline = false;
	free(mqtt->status_topic);
	mqtt->status_topic = options->status_topic ? strdup(options->status_topic) : NULL;
	mqtt->status_retain = options->status_retain;
	mqtt_say(mqtt, STATUS_ONLINE);
}

static void mqtt_say_offline(struct mqtt *mqtt, enum status_kind kind)
{
	if (mqtt->said_offline)
		return;
	mqtt->said_offline = true;
	mqtt_say(mqtt, kind);
}

/* As many as there is room for. */
static void mqtt_tell(struct mqtt *mqtt)
{
	const char *text;
	char *topic = NULL;

	if (!mqtt->publish.session || !mqtt->options->status_topic || !status_notices_first(&mqtt->notices) ||
	    asprintf(&topic, "%s" STATUS_NOTICES_TOPIC, mqtt->options->status_topic) < 0)
		return;
	while ((text = status_notices_first(&mqtt->notices)) != NULL &&
	       publish_status(&mqtt->publish, topic, text, false) >= 0)
		status_notices_drop_first(&mqtt->notices);
	free(topic);
}

static void mqtt_notice(void *state, const char *json)
{
	struct mqtt *mqtt = state;

	if (mqtt->options->status_topic && !mqtt->stopping && status_notices_add(&mqtt->notices, json) >= 0)
		mqtt_tell(mqtt);
}

/* What waits for the end of the messages on their way. */
static void mqtt_settle(struct mqtt *mqtt)
{
	if (!mqtt->publish.session)
		return;
	if (mqtt->renewing && publish_is_quiet(&mqtt->publish)) {
		publish_hold(&mqtt->publish, false);
		mqtt_say_offline(mqtt, STATUS_LEAVING);
		publish_hold(&mqtt->publish, true);
		if (publish_is_quiet(&mqtt->publish))
			link_renew(&mqtt->link);
	}
	if (!mqtt->stopping || !publish_is_idle(&mqtt->publish))
		return;
	mqtt_say_offline(mqtt, STATUS_STOPPED);
	if (publish_is_idle(&mqtt->publish))
		link_stop(&mqtt->link);
}

/* Connects anew, but leaves no message on its way behind, which would then go twice. */
static void mqtt_renew(void *arg)
{
	struct mqtt *mqtt = arg;

	if (!mqtt->publish.session) {
		link_renew(&mqtt->link);
		return;
	}
	mqtt->renewing = true;
	publish_hold(&mqtt->publish, true);
	mqtt_settle(mqtt);
}

static void mqtt_on_up(void *arg, struct session *session, const struct session_limits *limits)
{
	struct mqtt *mqtt = arg;
	const struct options *options = mqtt->options;

	if (publish_begin(&mqtt->publish, session, limits, options->version5, options->window) < 0) {
		link_abort(&mqtt->link, strerror(ENOMEM));
		return;
	}
	mqtt->told = session_tell(session, ++mqtt->handle);
	mqtt_say_online(mqtt);
	mqtt_tell(mqtt);
}

static void mqtt_on_answered(void *arg, uint16_t mid, uint8_t reason)
{
	struct mqtt *mqtt = arg;

	publish_answered(&mqtt->publish, mid, reason);
}

static void mqtt_on_moved(void *arg)
{
	struct mqtt *mqtt = arg;

	publish_moved(&mqtt->publish);
	mqtt_tell(mqtt);
	publish_pump(&mqtt->publish);
	if (mqtt->stopping || mqtt->renewing)
		mqtt_settle(mqtt);
}

static bool mqtt_on_down(void *arg)
{
	struct mqtt *mqtt = arg;
	bool useful = mqtt->publish.confirmed > 0;

	mqtt->renewing = false;
	if (mqtt->told)
		mqtt->host->session_ended(mqtt->host, mqtt->handle);
	publish_end(&mqtt->publish);
	if (mqtt->stopping)
		mqtt->link.stopping = true;
	return useful;
}

static void mqtt_on_stopped(void *arg)
{
	struct mqtt *mqtt = arg;

	if (--mqtt->running == 0)
		mqtt->host->stopped(mqtt->host);
}

static bool mqtt_is_publishing(void *arg)
{
	const struct mqtt *mqtt = arg;

	return mqtt->publish.session != NULL;
}

static void mqtt_on_tick(void *arg)
{
	struct mqtt *mqtt = arg;
	int64_t oldest_us = publish_oldest_us(&mqtt->publish);
	char cause[64];

	if (oldest_us == 0 || mqtt->host->now_us(mqtt->host) - oldest_us < mqtt->options->confirm_timeout_us)
		return;
	snprintf(cause, sizeof(cause), "a message stayed unconfirmed for %lld s",
		 (long long)(mqtt->options->confirm_timeout_us / 1000000));
	link_abort(&mqtt->link, cause);
}

static const struct link_events mqtt_link_events = {
	.up = mqtt_on_up,
	.answered = mqtt_on_answered,
	.moved = mqtt_on_moved,
	.down = mqtt_on_down,
	.stopped = mqtt_on_stopped,
	.failback = mqtt_renew,
	.tick = mqtt_on_tick,
};

static const struct inbox_events mqtt_inbox_events = {.publishing = mqtt_is_publishing, .stopped = mqtt_on_stopped};

/* What the C library loads on the first look-up of a name is loaded while files can still be opened. */
static void mqtt_warm_resolver(void)
{
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;

	if (getaddrinfo("localhost", NULL, &hints, &found) == 0)
		freeaddrinfo(found);
}

static int mqtt_open(const struct tg_host *host, void **ret_state)
{
	struct mqtt *mqtt = calloc(1, sizeof(*mqtt));
	int r;

	if (!mqtt)
		return -ENOMEM;
	mqtt->host = host;
	/* OpenSSL writes to sockets whose peer may be gone. */
	signal(SIGPIPE, SIG_IGN);
	mqtt_warm_resolver();
	r = options_read(host, true, &mqtt->options);
	publish_init(&mqtt->publish, host);
	if (r >= 0)
		r = inbox_init(&mqtt->inbox, host, mqtt->options, &mqtt_inbox_events, mqtt);
	if (r >= 0)
		r = link_init(&mqtt->link, host, mqtt->options, &mqtt_link_events, mqtt);
	if (r < 0) {
		inbox_done(&mqtt->inbox);
		publish_done(&mqtt->publish);
		options_free(mqtt->options);
		free(mqtt);
		return r;
	}
	*ret_state = mqtt;
	return 0;
}

/* Once when they are taken over: from then on the watch over certificates tells. */
static void mqtt_say_expired_lists(const struct mqtt *mqtt)
{
	const struct tg_host *host = mqtt->host;

	if (mqtt->options->tls && tls_lists_until_s(mqtt->options->tls) < host->now_wall_us(host) / 1000000)
		host->log(host, TG_LOG_WARNING, NULL, "a revocation list in \"crl\" has expired (crl_expired = \"%s\")",
			  host->setting_text(host, "crl_expired"));
}

static void mqtt_on_sent(void *arg, struct tg_bytes topic, struct tg_bytes payload)
{
	struct mqtt *mqtt = arg;

	inbox_published(&mqtt->inbox, topic, payload);
}

/* What comes back to a gateway that receives as well is known by its mark; others need none. */
static void mqtt_set_publish(struct mqtt *mqtt)
{
	bool wanted = inbox_is_wanted(&mqtt->inbox);

	mqtt->publish.release_limit = mqtt->options->release_limit;
	mqtt->publish.via = wanted ? mqtt->options->client_id : NULL;
	mqtt->publish.sent = wanted && !mqtt->options->version5 ? mqtt_on_sent : NULL;
	mqtt->publish.sent_arg = mqtt;
}

static int mqtt_start(void *state)
{
	struct mqtt *mqtt = state;
	int r;

	if (mqtt->options->insecure)
		mqtt->host->log(mqtt->host, TG_LOG_WARNING, NULL,
				"insecure = true: anybody on the way can read and be the broker");
	if (mqtt->options->problem)
		mqtt->host->log(mqtt->host, TG_LOG_ERROR, NULL,
				"no broker is connected to before that file is in order; messages are kept meanwhile");
	mqtt_say_expired_lists(mqtt);
	link_start(&mqtt->link);
	r = inbox_start(&mqtt->inbox);
	mqtt_set_publish(mqtt);
	return r;
}

static int mqtt_deliver(void *state, const struct tg_delivery *delivery)
{
	struct mqtt *mqtt = state;

	return mqtt->stopping ? -EAGAIN : publish_deliver(&mqtt->publish, delivery);
}

static int mqtt_reload(void *state)
{
	struct mqtt *mqtt = state;
	struct options *options;
	const char *objection;
	bool same, receives_same;
	int r = options_read(mqtt->host, mqtt->options->problem != NULL, &options);

	if (r < 0)
		return r;
	same = !mqtt->options->problem &&
	       memcmp(options->fingerprint, mqtt->options->fingerprint, sizeof(options->fingerprint)) == 0;
	receives_same =
		!mqtt->options->problem && memcmp(options->receive_fingerprint, mqtt->options->receive_fingerprint,
						  sizeof(options->receive_fingerprint)) == 0;
	link_set_options(&mqtt->link, options);
	inbox_set_options(&mqtt->inbox, options, receives_same);
	options_free(mqtt->options);
	mqtt->options = options;
	mqtt_set_publish(mqtt);
	mqtt_say_expired_lists(mqtt);
	objection = mqtt->publish.session ? session_objection(mqtt->publish.session, options) : NULL;
	if (objection) /* nobody may rely on it any more: not even what is on its way waits */
		link_abort(&mqtt->link, objection);
	else if (!same && !mqtt->stopping)
		mqtt_renew(mqtt);
	return 0;
}

static void mqtt_joined(void *state)
{
	struct mqtt *mqtt = state;

	if (mqtt->publish.session)
		mqtt->told = session_tell(mqtt->publish.session, mqtt->handle);
	inbox_joined(&mqtt->inbox);
}

static void mqtt_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	struct mqtt *mqtt = state;

	inbox_verdict(&mqtt->inbox, token, answer);
}

static void mqtt_stop(void *state)
{
	struct mqtt *mqtt = state;

	mqtt->stopping = true;
	mqtt->renewing = false;
	mqtt->running = 2;
	inbox_stop(&mqtt->inbox);
	if (!mqtt->publish.session) {
		link_stop(&mqtt->link);
		return;
	}
	publish_hold(&mqtt->publish, false);
	publish_pump(&mqtt->publish);
	mqtt_settle(mqtt);
}

static void mqtt_close(void *state)
{
	struct mqtt *mqtt = state;

	inbox_done(&mqtt->inbox);
	publish_done(&mqtt->publish);
	status_notices_done(&mqtt->notices);
	link_done(&mqtt->link);
	options_free(mqtt->options);
	free(mqtt->status_topic);
	free(mqtt);
}

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.flags = TG_PUBLISHERS,
	.needs = TG_NEED_CONNECT | TG_NEED_RESOLVE | TG_NEED_THREADS,
	.name = "mqtt",
	.version = "1",
	.summary = "publishes to MQTT brokers, and receives from them",
	.reserved = "+#$",
	.settings = options_rows,
	.counters = counters_names,
	.open = mqtt_open,
	.start = mqtt_start,
	.deliver = mqtt_deliver,
	.verdict = mqtt_verdict,
	.reload = mqtt_reload,
	.joined = mqtt_joined,
	.notice = mqtt_notice,
	.stop = mqtt_stop,
	.close = mqtt_close,
};
