/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_TRANSPORT_H
#define MQTT_TRANSPORT_H

/*
 * What stands between TLS and the socket of an established link.
 *
 * libmosquitto writes each packet on its own and reads its answers in pieces of one byte; on a plain socket BIO each of
 * them costs a system call. Here records gather until transport_flush sends them as one, and one receive brings
 * as many records as there are. Both buffers are bounded. It works on a descriptor that is the caller's; errors of the
 * socket are kept for transport_error. For session.c.
 */

#include <stdbool.h>
#include <stddef.h>

struct ssl_st;
struct transport;

/* Puts itself below an SSL whose handshake is over and whose buffers are empty. Ownership: transport_free, after the
 * SSL's end; `fd` stays the caller's. Errors: -ENOMEM. */
int transport_attach(struct ssl_st *ssl, int fd, struct transport **ret_transport);
void transport_free(struct transport *transport);

/* The socket is readable: what TLS reads next may receive once. */
void transport_readable(struct transport *transport);

/* Whether a whole record has been received and waits for TLS. */
bool transport_has_record(const struct transport *transport);

/* Sends what has gathered. Returns 0: all of it; 1: the socket takes no more now. Errors: those of send(2). */
int transport_flush(struct transport *transport);

/* Bytes that wait to be sent. */
size_t transport_pending(const struct transport *transport);

/* Why the socket failed: a positive errno, -1: the peer closed it, 0: it did not. */
int transport_error(const struct transport *transport);

#endif
