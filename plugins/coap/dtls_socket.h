/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_SOCKET_H
#define COAP_DTLS_SOCKET_H

/*
 * The UDP socket: datagrams in and out by batches. What is sent in one turn of the loop leaves together at its end. Where
 * the kernel takes no more, up to a bound is kept until it does, and beyond that dropped, as a network may.
 */

#include <stddef.h>
#include <tidegate/adapter.h>

#include "dtls_bind.h"
#include "dtls_peer.h"

struct dtls_socket;

enum {
	DTLS_SOCKET_IN_MAX = 2048,  /* longer datagrams are not taken */
	DTLS_SOCKET_OUT_MAX = 1500, /* nor sent */
};

/* The own address that a peer's datagram was sent to; answers leave from it. */
struct dtls_local {
	uint8_t address[16]; /* of the socket's family */
	uint32_t interface;  /* for link-local addresses, else 0 */
	bool known;          /* no: the socket is bound to one address anyway */
};

struct dtls_datagram {
	struct tg_bytes bytes; /* NULL where it was longer than DTLS_SOCKET_IN_MAX */
	struct dtls_peer peer;
	struct dtls_local local;
};

/* The datagram is borrowed. The socket must not be freed from within. */
typedef void dtls_socket_fn(void *arg, const struct dtls_datagram *datagram);

/* Opens the place; nothing is read before dtls_socket_start. Errors: as dtls_group_open. */
int dtls_socket_new(const struct tg_host *host, const struct dtls_bind *place, dtls_socket_fn *receive, void *arg,
		    struct dtls_socket **ret_socket);
int dtls_socket_start(struct dtls_socket *socket);
/* Sends what waits, as far as the kernel takes it. Accepts NULL. */
void dtls_socket_free(struct dtls_socket *socket);

/* Whether dtls_socket_send would say -ENOBUFS. */
bool dtls_socket_is_full(const struct dtls_socket *socket);
sa_family_t dtls_socket_family(const struct dtls_socket *socket);
/* Whether ClientHellos come by queues of their own. */
bool dtls_socket_is_sorted(const struct dtls_socket *socket);
/* The port that it is bound to, network order. */
uint16_t dtls_socket_port(const struct dtls_socket *socket);

/* Copies one datagram into the batch. Errors: -EMSGSIZE; -ENOBUFS: too much waits already. */
int dtls_socket_send(struct dtls_socket *socket, const struct dtls_peer *peer, const struct dtls_local *local,
		     struct tg_bytes bytes);

#endif
