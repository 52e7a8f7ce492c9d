/* SPDX-License-Identifier: Apache-2.0 */
#include "coap.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

/* The last batch of answers leaves at the end of the turn; only then may the process end. */
enum { LAST_TURN_US = 1000 };

static const char *const counters[] = {
	[COAP_SESSIONS] = "sessions",
	[COAP_HALF_OPEN] = "half_open",
	[COAP_HANDSHAKES] = "handshakes",
	[COAP_RESUMED] = "resumed",
	[COAP_FAILED] = "failed_alert",
	[COAP_FAILED + DTLS_END_REPLACED - DTLS_END_ERROR] = "failed_replaced",
	[COAP_FAILED + DTLS_END_TIMEOUT - DTLS_END_ERROR] = "failed_timeout",
	[COAP_FAILED + DTLS_END_UNKNOWN - DTLS_END_ERROR] = "failed_unknown",
	[COAP_FAILED + DTLS_END_WRONG_KEY - DTLS_END_ERROR] = "failed_wrong_key",
	[COAP_FAILED + DTLS_END_BAD_CERTIFICATE - DTLS_END_ERROR] = "failed_certificate",
	[COAP_FAILED + DTLS_END_HANDSHAKE - DTLS_END_ERROR] = "failed_other",
	[COAP_FAILED + DTLS_END_LIMIT - DTLS_END_ERROR] = "failed_limit",
	[COAP_DROPPED] = "dropped_datagrams",
	[COAP_ENDED + DTLS_END_PEER] = "ended_by_peer",
	[COAP_ENDED + DTLS_END_IDLE] = "ended_idle",
	[COAP_ENDED + DTLS_END_LOCAL] = "ended_here",
	[COAP_ENDED + DTLS_END_REVOKED] = "ended_revoked",
	[COAP_ENDED + DTLS_END_ERROR] = "ended_alert",
	[COAP_ENDED + DTLS_END_REPLACED] = "ended_replaced",
	[COAP_REQUESTS] = "requests",
	[COAP_MALFORMED] = "malformed",
	[COAP_READS] = "reads",
	[COAP_OBSERVERS] = "observers",
	[COAP_OBSERVE + OBSERVE_COUNT_SENT] = "notifications",
	[COAP_OBSERVE + OBSERVE_COUNT_SKIPPED] = "notifications_skipped",
	[COAP_OBSERVE + OBSERVE_COUNT_RETRANSMIT] = "notifications_repeated",
	[COAP_OBSERVE + OBSERVE_COUNT_GIVEN_UP] = "observers_given_up",
	[COAP_OBSERVE + OBSERVE_COUNT_RESET] = "observers_reset",
	[COAP_EXCHANGE + EXCHANGE_COUNT_REPEAT] = "repeats",
	[COAP_EXCHANGE + EXCHANGE_COUNT_PING] = "pings",
	[COAP_EXCHANGE + EXCHANGE_COUNT_SEPARATE] = "separate_responses",
	[COAP_EXCHANGE + EXCHANGE_COUNT_RETRANSMIT] = "retransmissions",
	[COAP_EXCHANGE + EXCHANGE_COUNT_GIVEN_UP] = "responses_given_up",
	[COAP_EXCHANGE + EXCHANGE_COUNT_UNWANTED] = "responses_unwanted",
	[COAP_EXCHANGE + EXCHANGE_COUNT_RESPONSES_2] = "responses_2xx",
	[COAP_EXCHANGE + EXCHANGE_COUNT_RESPONSES_4] = "responses_4xx",
	[COAP_EXCHANGE + EXCHANGE_COUNT_RESPONSES_5] = "responses_5xx",
	[COAP_PLAIN] = "plain_datagrams",
	[COAP_PLAIN_PEERS] = "plain_peers",
	[COAP_PLAIN_DROPPED] = "plain_dropped",
	[COAP_COMMAND + COMMAND_COUNT_BEGUN] = "commands",
	[COAP_COMMAND + COMMAND_COUNT_RETRANSMIT] = "commands_retransmissions",
	[COAP_COMMAND + COMMAND_COUNT_SEPARATE] = "commands_separate_responses",
	[COAP_COMMAND + COMMAND_COUNT_BLOCKS] = "commands_blocks",
	[COAP_COMMANDS_ANSWERED] = "commands_answered",
	[COAP_COMMANDS_REJECTED] = "commands_rejected",
	[COAP_COMMANDS_UNANSWERED] = "commands_unanswered",
	[COAP_COMMANDS_REMEMBERED] = "commands_remembered",
	[COAP_REGISTRATIONS] = "registrations",
	[COAP_MULTICAST + MULTICAST_COUNT_REQUESTS] = "multicast_requests",
	[COAP_MULTICAST + MULTICAST_COUNT_ANSWERS] = "multicast_answers",
	[COAP_CATALOGUES] = "catalogues",
	[COAP_COUNTERS] = NULL,
};

void coap_stop_when_done(struct coap *coap)
{
	if (!coap->stopping || exchange_waiting(coap->exchanges) > 0)
		return;
	coap->timer_us = coap->host->now_us(coap->host) + LAST_TURN_US;
	coap->host->timer_set(coap->timer, coap->timer_us);
}

static void on_timer(void *arg)
{
	struct coap *coap = arg;
	int64_t now_us = coap->host->now_us(coap->host);
	coap->timer_us = INT64_MAX;
	exchange_run(coap->exchanges, now_us);
	block_run(coap->blocks, now_us);
	reader_run(coap->readers, now_us);
	catalogue_server_run(coap->catalogues, now_us);
	command_sink_run(coap->commands, now_us);
	server_schedule(coap);
	if (!coap->stopping || coap->stopped || exchange_waiting(coap->exchanges) > 0)
		return;
	coap->stopped = true;
	coap->host->stopped(coap->host);
}

static void coap_close(void *state)
{
	struct coap *coap = state;
	for (unsigned i = 0; i < coap->n_listeners; i++)
		dtls_free(coap->listeners[i].dtls);
	plain_listeners_free(coap);
	multicast_free(coap->multicast);
	server_done(coap);
	coap->host->timer_free(coap->timer);
	reader_table_free(coap->readers);
	catalogue_server_free(coap->catalogues);
	command_sink_free(coap->commands);
	directory_server_free(coap->directory);
	exchange_table_free(coap->exchanges);
	block_table_free(coap->blocks);
	free(coap);
}

/* What /.well-known/core lists. */
static void list_links(struct coap *coap)
{
	resource_links_init(&coap->plain_links);
	reader_links(coap->readers, &coap->plain_links);
	resource_links_init(&coap->links);
	catalogue_server_links(coap->catalogues, &coap->links);
	if (coap->directory)
		directory_server_links(&coap->links);
}

static int catalogues_open(struct coap *coap, const struct settings *settings)
{
	struct labels labels;
	int r = labels_read(coap->host, &labels);
	if (r < 0)
		return r;
	r = catalogue_server_new(coap->host, coap->exchanges, &settings->catalogue, &labels, COAP_CATALOGUES,
				 &coap->catalogues);
	if (r < 0)
		labels_done(&labels);
	return r;
}

static int coap_open(const struct tg_host *host, void **ret_state)
{
	struct settings settings;
	uint64_t random = 0;
	struct coap *coap = calloc(1, sizeof(*coap));
	int r = coap ? 0 : -ENOMEM;
	if (r < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot begin (%s)", strerror(-r));
		return r;
	}
	coap->host = host;
	coap->timer_us = INT64_MAX;
	settings_read(host, &settings);
	if (getrandom(&random, sizeof(random), 0) != sizeof(random))
		r = -EIO;
	if (r >= 0)
		r = exchange_table_new(&settings.exchange, random, &server_exchange_events, coap, &coap->exchanges);
	if (r >= 0)
		r = block_table_new(&settings.block, ~random, &coap->blocks);
	if (r >= 0)
		r = reader_table_new(host, coap->exchanges, settings.readings, &settings.reader, random + 1,
				     &server_reader_events, coap, &coap->readers);
	if (r >= 0)
		r = catalogues_open(coap, &settings);
	if (r >= 0 && settings.has_directory)
		r = directory_server_new(host, &settings.directory, COAP_REGISTRATIONS, &coap->directory);
	if (r >= 0)
		r = command_sink_new(coap, &settings.command, &coap->commands);
	if (r >= 0)
		r = host->timer_new(host, on_timer, coap, &coap->timer);
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "cannot begin (%s)", strerror(-r));
	else
		list_links(coap);
	if (r >= 0)
		r = settings_check(host);
	if (r >= 0)
		r = listeners_open(coap, &settings);
	if (r >= 0)
		r = listeners_join(coap);
	if (r < 0) {
		coap_close(coap);
		return r;
	}
	*ret_state = coap;
	return 0;
}

static void say_listening(const struct coap *coap)
{
	const struct tg_host *host = coap->host;
	char text[512] = "listens at";

	for (size_t i = 0; host->setting_item(host, "listen", i); i++) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used, " %s", host->setting_item(host, "listen", i));
	}
	if (coap->n_plains > 0) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used, ", INSECURE at coap://: anybody is device '%s'",
			 host->setting_text(host, "insecure_device"));
	}
	if (coap->keys_alone) {
		size_t used = strlen(text);
		snprintf(text + used, sizeof(text) - used,
			 ", for devices with a key alone: its certificate cannot be used");
		host->log(host, TG_LOG_WARNING, NULL,
			  "devices with certificates cannot connect: put 'certificate', 'key', 'trust' and 'crl' in "
			  "order");
	}
	host->link(host, TG_LINK_UP, text);
}

/* Once when they are taken over: from then on the watch over certificates tells. */
static void say_expired_lists(const struct coap *coap)
{
	const struct tg_host *host = coap->host;
	bool accepted = strcmp(host->setting_text(host, "crl_expired"), "accept") == 0;

	if (coap->n_listeners == 0 || dtls_lists_until_s(coap->listeners[0].dtls) >= host->now_wall_us(host) / 1000000)
		return;
	host->log(host, TG_LOG_WARNING, NULL,
		  accepted ? "a revocation list in 'crl' has expired: devices that it does not name are let in still, "
			     "put a new one there"
			   : "a revocation list in 'crl' has expired: devices with certificates of its authority are "
			     "refused, put a new one there");
}

static int coap_start(void *state)
{
	struct coap *coap = state;
	for (unsigned i = 0; i < coap->n_listeners; i++) {
		int r = dtls_start(coap->listeners[i].dtls);
		if (r < 0) {
			coap->host->log(coap->host, TG_LOG_ERROR, NULL, "cannot read from the socket (%s)",
					strerror(-r));
			return r;
		}
	}
	int r = plain_listeners_start(coap);
	if (r >= 0 && coap->multicast)
		r = multicast_start(coap->multicast);
	if (r < 0)
		return r;
	say_listening(coap);
	say_expired_lists(coap);
	return 0;
}

static int coap_deliver(void *state, const struct tg_delivery *delivery)
{
	struct coap *coap = state;
	command_sink_deliver(coap->commands, delivery);
	return 0;
}

static void coap_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	struct coap *coap = state;
	server_verdict(coap, token, answer);
	coap_stop_when_done(coap);
}

static void coap_reading(void *state, uint64_t token, const struct tg_reading *reading)
{
	struct coap *coap = state;
	reader_told(coap->readers, token, reading);
	server_schedule(coap);
	coap_stop_when_done(coap);
}

static void coap_listed(void *state, uint64_t token, const struct tg_listed *listed)
{
	struct coap *coap = state;
	catalogue_server_listed(coap->catalogues, token, listed);
	server_schedule(coap);
	coap_stop_when_done(coap);
}

static void coap_identity(void *state, uint64_t token, const struct tg_identity *identity)
{
	struct coap *coap = state;
	unsigned index = (unsigned)(token % SETTINGS_LISTEN_MAX);
	if (index < coap->n_listeners)
		dtls_resolve(coap->listeners[index].dtls, token / SETTINGS_LISTEN_MAX, identity);
}

static void coap_device_changed(void *state, struct tg_bytes device)
{
	struct coap *coap = state;
	for (unsigned i = 0; i < coap->n_listeners; i++)
		dtls_close_device(coap->listeners[i].dtls, device);
	if (coap->directory)
		directory_server_forget(coap->directory, device);
}

static void coap_tickets(void *state, const struct tg_ticket_key *keys, size_t count)
{
	struct coap *coap = state;
	for (unsigned i = 0; i < coap->n_listeners; i++)
		dtls_set_tickets(coap->listeners[i].dtls, keys, count);
}

static void coap_joined(void *state)
{
	struct coap *coap = state;
	command_sink_joined(coap->commands);
	live_tell_all(coap);
	reader_joined(coap->readers);
	server_schedule(coap);
}

static int coap_reload(void *state)
{
	struct coap *coap = state;
	struct settings settings;
	struct labels labels;
	int r = labels_read(coap->host, &labels);
	if (r < 0)
		return r;
	r = listeners_reload(coap);
	if (r < 0) {
		labels_done(&labels);
		return r;
	}
	if (coap->keys_alone) {
		coap->keys_alone = false;
		coap->host->log(coap->host, TG_LOG_NOTICE, NULL, "devices with certificates can connect again");
		say_listening(coap);
	}
	say_expired_lists(coap);
	settings_read(coap->host, &settings);
	for (unsigned i = 0; i < coap->n_listeners; i++)
		dtls_set_limits(coap->listeners[i].dtls, &settings.dtls);
	plain_listeners_reload(coap, &settings);
	exchange_set_limits(coap->exchanges, &settings.exchange);
	block_set_limits(coap->blocks, &settings.block);
	if (coap->directory)
		directory_server_set_limits(coap->directory, &settings.directory);
	reader_set(coap->readers, settings.readings, &settings.reader);
	catalogue_server_set(coap->catalogues, &settings.catalogue, &labels);
	list_links(coap);
	command_sink_set_limits(coap->commands, &settings.command);
	server_schedule(coap);
	return 0;
}

static void coap_stop(void *state)
{
	struct coap *coap = state;
	coap->stopping = true;
	command_sink_stop(coap->commands);
	for (unsigned i = 0; i < coap->n_listeners; i++)
		dtls_stop_accepting(coap->listeners[i].dtls);
	coap_stop_when_done(coap);
}

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(tidegate_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.needs = TG_NEED_LISTEN,
	.flags = TG_DEVICES | TG_WORKERS | TG_MAILBOX,
	.name = "coap",
	.version = "1",
	.summary = "devices that speak CoAP over DTLS: readings from them, commands to them",
	.reserved = "?#&",
	.settings = settings_rows,
	.counters = counters,
	.open = coap_open,
	.start = coap_start,
	.deliver = coap_deliver,
	.verdict = coap_verdict,
	.identity = coap_identity,
	.reading = coap_reading,
	.device_changed = coap_device_changed,
	.reload = coap_reload,
	.joined = coap_joined,
	.tickets = coap_tickets,
	.stop = coap_stop,
	.close = coap_close,
	.listed = coap_listed,
};
