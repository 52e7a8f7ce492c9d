/* SPDX-License-Identifier: Apache-2.0 */

/* The listening sockets and their credentials. */

#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "coap.h"

int listener_sockets_get(const struct tg_host *host, const struct settings_address *address, unsigned place,
			 struct listener_sockets *ret_sockets)
{
	int fd = -ENOENT;
	*ret_sockets = (struct listener_sockets){.place = {.address = (const struct sockaddr *)&address->address,
							   .length = address->length,
							   .shared = settings_shared(host),
							   .given = ret_sockets->given}};
	while (ret_sockets->place.n_given < DTLS_BIND_GIVEN_MAX &&
	       (fd = host->listen_socket(host, "listen", place, ret_sockets->place.n_given)) >= 0)
		ret_sockets->given[ret_sockets->place.n_given++] = fd;
	ret_sockets->n_taken = ret_sockets->place.n_given;
	return fd == -ENOENT || fd >= 0 ? 0 : fd;
}

void listener_sockets_close(struct listener_sockets *sockets)
{
	while (sockets->place.n_given > 0)
		close(sockets->given[--sockets->place.n_given]);
}

/* A certificate, key or trust anchor that cannot be used keeps nobody out who has a key: it is taken in as soon as it is good. */
static int listener_new(struct coap_listener *listener, const struct settings *settings, const struct dtls_bind *place,
			const char **ret_problem)
{
	const struct tg_host *host = listener->coap->host;
	const struct dtls_credentials none = {.certificate_fd = -1, .key_fd = -1, .trust_fd = -1, .crl_fd = -1};
	struct dtls_credentials credentials = none;
	int r = settings_credentials_open(host, &credentials);
	if (r < 0) {
		listener->coap->keys_alone = true;
	} else {
		r = dtls_new(host, place, &settings->dtls, &credentials, &sessions_events, listener, &listener->dtls,
			     ret_problem);
		settings_credentials_close(&credentials);
		if (r != -EKEYREJECTED)
			return r;
		host->log(host, TG_LOG_ERROR, NULL, "%s", *ret_problem);
		listener->coap->keys_alone = true;
	}
	return dtls_new(host, place, &settings->dtls, &none, &sessions_events, listener, &listener->dtls, ret_problem);
}

static void listener_tell_given(const struct coap_listener *listener, unsigned place, size_t n_given)
{
	const struct tg_host *host = listener->coap->host;
	host->log(host, TG_LOG_INFO, NULL, "'%s': takes %zu socket(s) of the service manager",
		  host->setting_item(host, "listen", place), n_given);
	if (!settings_shared(host) && !dtls_is_sorted(listener->dtls))
		host->log(host, TG_LOG_WARNING, NULL,
			  "'%s': a flood of handshakes can push out what devices send (the service manager has %zu "
			  "socket(s) "
			  "for it, and not 3)",
			  host->setting_item(host, "listen", place), n_given);
}

/* The kernel chooses among sockets by their order, which changes when one of them is closed and bound anew. */
static void listener_tell_shared(const struct coap_listener *listener, unsigned place)
{
	const struct tg_host *host = listener->coap->host;
	host->log(
		host, TG_LOG_NOTICE, NULL,
		"'%s': if one of the workers fails, sessions of the others are lost with it (have the service manager "
		"bind the address, or use one worker)",
		host->setting_item(host, "listen", place));
}

static int listener_open(struct coap *coap, const struct settings *settings, const struct settings_address *address,
			 unsigned place)
{
	const struct tg_host *host = coap->host;
	struct coap_listener *listener = &coap->listeners[coap->n_listeners];
	const char *problem = "";
	*listener = (struct coap_listener){.coap = coap, .index = coap->n_listeners};
	struct listener_sockets sockets;
	int r = listener_sockets_get(host, address, place, &sockets);
	if (r >= 0)
		r = listener_new(listener, settings, &sockets.place, &problem);
	listener_sockets_close(&sockets);
	if (r >= 0 && sockets.n_taken > 0)
		listener_tell_given(listener, place, sockets.n_taken);
	else if (r >= 0 && settings_shared(host))
		listener_tell_shared(listener, place);
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "cannot listen on '%s' (%s)",
			  host->setting_item(host, "listen", place), r == -EKEYREJECTED ? problem : strerror(-r));
	else
		coap->n_listeners++;
	return r;
}

int listeners_open(struct coap *coap, const struct settings *settings)
{
	struct settings_address address;
	int r = 0;
	for (unsigned i = 0; r >= 0 && i < SETTINGS_LISTEN_MAX; i++) {
		r = settings_address(coap->host, i, &address);
		if (r == -ENOENT && i > 0)
			return 0;
		if (r >= 0)
			r = address.secure ? listener_open(coap, settings, &address, i)
					   : plain_listener_open(coap, settings, &address, i);
	}
	return r;
}

static int listener_reload(const struct coap_listener *listener)
{
	const struct tg_host *host = listener->coap->host;
	struct dtls_credentials credentials;
	const char *problem = "";
	int r = settings_credentials_open(host, &credentials);
	if (r < 0)
		return r;
	r = dtls_set_credentials(listener->dtls, &credentials, &problem);
	settings_credentials_close(&credentials);
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "credentials not taken over (%s)",
			  r == -EKEYREJECTED ? problem : strerror(-r));
	return r;
}

/* They take the same files, so that what the first one takes the others take too. */
int listeners_reload(struct coap *coap)
{
	for (unsigned i = 0; i < coap->n_listeners; i++) {
		int r = listener_reload(&coap->listeners[i]);
		if (r < 0)
			return r;
	}
	return 0;
}

int listeners_join(struct coap *coap)
{
	const struct tg_host *host = coap->host;
	struct settings_address address;
	struct multicast_setup setup = {.host = host,
					.listener = (const struct sockaddr *)&address.address,
					.links = &coap->links,
					.directory = coap->directory != NULL,
					.counter = COAP_MULTICAST};
	if (!host->setting_item(host, "multicast", 0))
		return 0;
	for (unsigned i = 0; i < SETTINGS_LISTEN_MAX; i++) {
		int r = settings_address(host, i, &address);
		if (r < 0)
			break;
		if (address.secure)
			return multicast_new(&setup, &coap->multicast);
	}
	host->log(host, TG_LOG_ERROR, NULL, "'multicast' needs a listener at coaps:// to tell others of");
	return -EINVAL;
}
