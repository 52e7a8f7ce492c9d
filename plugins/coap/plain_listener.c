/* SPDX-License-Identifier: Apache-2.0 */

/* Listeners at coap://, which the settings call insecure. */

#include <string.h>

#include "coap.h"

static void plain_gauge(const struct coap *coap)
{
	size_t peers = 0;

	for (unsigned i = 0; i < coap->n_plains; i++)
		peers += plain_peers(coap->plains[i].plain);
	coap->host->gauge(coap->host, COAP_PLAIN_PEERS, (int64_t)peers);
}

static void on_received(void *arg, struct plain_peer *peer, struct tg_bytes datagram)
{
	const struct coap_listener *listener = arg;

	plain_gauge(listener->coap);
	server_plain_received(listener->coap, peer, datagram);
}

static void on_ended(void *arg, struct plain_peer *peer)
{
	const struct coap_listener *listener = arg;

	server_plain_ended(listener->coap, peer);
	plain_gauge(listener->coap);
}

static void on_dropped(void *arg)
{
	const struct coap_listener *listener = arg;

	listener->coap->host->count(listener->coap->host, COAP_PLAIN_DROPPED, 1);
}

static const struct plain_events plain_events = {.received = on_received, .ended = on_ended, .dropped = on_dropped};

int plain_listener_open(struct coap *coap, const struct settings *settings, const struct settings_address *address,
			unsigned place)
{
	const struct tg_host *host = coap->host;
	struct coap_listener *listener = &coap->plains[coap->n_plains];

	*listener = (struct coap_listener){.coap = coap, .index = coap->n_plains};
	struct listener_sockets sockets;
	int r = listener_sockets_get(host, address, place, &sockets);
	if (r >= 0)
		r = plain_new(host, &sockets.place, settings->plain_peers, &plain_events, listener, &listener->plain);
	listener_sockets_close(&sockets);
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "cannot listen on '%s' (%s)",
			  host->setting_item(host, "listen", place), strerror(-r));
	else
		coap->n_plains++;
	return r;
}

int plain_listeners_start(struct coap *coap)
{
	const struct tg_host *host = coap->host;

	for (unsigned i = 0; i < coap->n_plains; i++) {
		int r = plain_start(coap->plains[i].plain);

		if (r < 0) {
			host->log(host, TG_LOG_ERROR, NULL, "cannot read from the socket (%s)", strerror(-r));
			return r;
		}
	}
	if (coap->n_plains > 0)
		host->log(host, TG_LOG_WARNING, NULL,
			  "insecure = true: anybody on the network of coap:// can read, forge and drop what comes "
			  "there, and counts as device '%s'",
			  host->setting_text(host, "insecure_device"));
	return 0;
}

void plain_listeners_reload(struct coap *coap, const struct settings *settings)
{
	for (unsigned i = 0; i < coap->n_plains; i++)
		plain_set_limit(coap->plains[i].plain, settings->plain_peers);
}

void plain_listeners_free(struct coap *coap)
{
	for (unsigned i = 0; i < coap->n_plains; i++)
		plain_free(coap->plains[i].plain);
}
