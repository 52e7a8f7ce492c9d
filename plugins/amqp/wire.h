/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_WIRE_H
#define AMQP_WIRE_H

/*
 * One connection to one peer, from the look-up of its name to its end: TCP and TLS are ours, AMQP is the library's
 * (pn_connection_driver), which sees plain bytes only. Everything runs on the host's loop, but for the look-up (common/dial.h). What
 * is to be sent leaves at the end of the loop's turn. For uplink.c, which makes the next one.
 *
 * What a peer may do is bounded: the size of a frame, the number of sessions, and sessions or links that it opens itself end the
 * connection. How much of a source is taken is source.c's to say.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

enum { WIRE_CAUSE_SIZE = 256, WIRE_FRAME_MAX = 16384 };

struct options;
struct pn_connection_t;
struct pn_event_t;
struct url;
struct wire;

/* `up` comes at most once; `lost` ends the connection and comes once: only there it may be freed. */
struct wire_events {
	/* The peer has answered OPEN. */
	void (*up)(void *arg);
	/* What happens to sessions, links and deliveries; the library's event, valid for the call. */
	void (*happened)(void *arg, struct pn_event_t *event);
	/* Some of that has happened, or the socket has taken something: there may be room for more. */
	void (*moved)(void *arg);
	/* `cause`: NULL after wire_close, else why. */
	void (*lost)(void *arg, const char *cause);
};

/* Begins to connect. `options` and `url` are lent until wire_free. Ownership: wire_free. Errors: -ENOMEM, -EAGAIN, -EMFILE. */
int wire_new(const struct tg_host *host, const struct options *options, const struct url *url,
	     const struct wire_events *events, void *arg, struct wire **ret_wire);

/* Others are lent from now on. */
void wire_set_options(struct wire *wire, const struct options *options, const struct url *url);

/* Ends at once and without a word; no event comes any more. Accepts NULL. */
void wire_free(struct wire *wire);

/* The library's connection, to open sessions on, once it is up. */
struct pn_connection_t *wire_connection(const struct wire *wire);

/* Something was handed to the library: it is sent at the end of the turn. */
void wire_touch(struct wire *wire);

/* Sends what is to be sent and CLOSE, and ends when the peer has closed or a second has passed. */
void wire_close(struct wire *wire);

/* Ends with this cause; `lost` follows from the loop. */
void wire_fail(struct wire *wire, const char *cause);

/* To be called about once a second: deadlines. */
void wire_tick(struct wire *wire);

/* "AMQP 1.0, TLSv1.3 TLS_AES_128_GCM_SHA256, SASL EXTERNAL", once it is up. */
const char *wire_describe(const struct wire *wire);

/* Tells the host of the session, once it is up. Returns whether it was told, and its end is to be told as well. */
bool wire_tell(const struct wire *wire, uint64_t handle);

/* Why a connection that is up could not go on with these options, or NULL. Static storage. */
const char *wire_objection(const struct wire *wire, const struct options *options);

#endif
