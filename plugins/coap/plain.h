/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_PLAIN_H
#define COAP_PLAIN_H

/*
 * CoAP without DTLS on one UDP socket, for listeners that the settings call insecure; knows no CoAP. Whoever sends has no identity and
 * no session: what is kept for an address is what recognises its repeats, for as long as RFC 7252 wants that, in a table of bounded
 * size. Where it is full, the address that was heard least lately makes room. Datagrams come and go by the batches of dtls_socket.
 */

#include <stddef.h>
#include <sys/socket.h>
#include <tidegate/adapter.h>

#include "dtls_bind.h"

struct plain;
struct plain_peer;

/* An address is forgotten when nothing came from it for EXCHANGE_LIFETIME (RFC 7252 section 4.8.2). */
enum { PLAIN_LIFETIME_S = 247 };

struct plain_events {
	/* One datagram. Borrowed. */
	void (*received)(void *arg, struct plain_peer *peer, struct tg_bytes datagram);
	/* It is freed when this returns. */
	void (*ended)(void *arg, struct plain_peer *peer);
	/* A datagram that is too long, has no port to answer to, or finds no memory. */
	void (*dropped)(void *arg);
};

/* Binds `place` as dtls_new does. The listener must stay where it is until plain_free. Errors: -errno of socket or bind; -ENOMEM. */
int plain_new(const struct tg_host *host, const struct dtls_bind *place, size_t peers,
	      const struct plain_events *events, void *arg, struct plain **ret_plain);
/* Begins to read. */
int plain_start(struct plain *plain);
/* Without calling `ended`. Accepts NULL. */
void plain_free(struct plain *plain);

/* The most addresses that are kept; it holds for those that come from now on. */
void plain_set_limit(struct plain *plain, size_t peers);
size_t plain_peers(const struct plain *plain);

/* One datagram, at the end of this turn. Errors: -EMSGSIZE; -ENOBUFS. */
int plain_send(struct plain_peer *peer, struct tg_bytes datagram);

/* Something of the owner's. */
void plain_set_user(struct plain_peer *peer, void *user);
void *plain_user(const struct plain_peer *peer);

#endif
