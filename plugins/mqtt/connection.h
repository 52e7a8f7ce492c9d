/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_CONNECTION_H
#define MQTT_CONNECTION_H

/*
 * One connection to one broker, from the look-up of its name to its end: TCP, TLS, CONNECT, whole packets that come in, keep-alive, and
 * an end in good order. Everything runs on the host's loop, but for the look-up (dial.h). For session.c, which publishes, and
 * receive.c, which receives.
 *
 * What is put into `stream.out` gathers, and leaves at the end of the loop's turn, or as soon as it fills a record of TLS: a broker has
 * a system call or two for each record, and the cipher begins anew with each.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "codec.h"
#include "common/stream.h"

enum { CONNECTION_CAUSE_SIZE = 256 };

struct options;
struct url;

enum connection_state {
	CONNECTION_DIALING,
	CONNECTION_HANDSHAKE,
	CONNECTION_CONNECTING, /* CONNECT is sent */
	CONNECTION_UP,
	CONNECTION_CLOSING, /* DISCONNECT is sent */
	CONNECTION_LOST     /* `lost` is due, or was told */
};

enum connection_order {
	CONNECTION_TAKE, /* the whole of it */
	CONNECTION_WAIT, /* for more bytes of it, or for connection_resume */
	CONNECTION_SKIP  /* to the next one */
};

/* `up` comes at most once; `lost` ends the connection and comes once: only there it may be freed. */
struct connection_events {
	/* CONNECT is wanted; what is borrowed there lives until this returns and the packet is written. */
	void (*connect)(void *arg, struct codec_connect *ret_connect);
	/* The broker has accepted the connection. */
	void (*up)(void *arg, const struct codec_connack *connack);
	/* A packet has begun, and `body` is what is there of it. NULL: all are taken. */
	enum connection_order (*begins)(void *arg, const struct codec_header *header, struct tg_bytes body);
	/* A packet, other than CONNACK, PINGRESP and DISCONNECT. */
	void (*packet)(void *arg, const struct codec_header *header, struct tg_bytes body);
	/* While it is up something has come in or gone out. NULL: nobody wants to know. */
	void (*moved)(void *arg);
	/* `cause`: NULL after connection_close, else why. */
	void (*lost)(void *arg, const char *cause);
};

struct connection {
	const struct tg_host *host;
	const struct connection_events *events;
	void *arg;
	const struct options *options; /* lent */
	const struct url *url;         /* lent */
	size_t packet_max;             /* of the packets that are taken. Units: bytes */
	bool version5;
	enum connection_state state;
	bool held;    /* nothing is read; `begins` may set it */
	bool more;    /* there may be something to read that the socket does not tell of */
	bool blocked; /* the socket takes no more now */
	bool closing;
	bool shut;
	struct dial *dial;
	struct stream stream;
	struct tg_watch *watch;
	uint32_t watched;
	struct tg_timer *idle;
	int64_t deadline_us; /* of connecting, then of closing */
	int64_t keepalive_us;
	int64_t sent_us;
	int64_t pinged_us; /* since when PINGRESP is waited for, or 0 */
	char cause[CONNECTION_CAUSE_SIZE];
	char description[192];

	uint8_t *in;
	size_t in_size;
	size_t in_room;
	size_t skip; /* bytes of a packet that is passed over, still to come */
};

/* Begins to connect. `options` and `url` are lent until connection_done.
 * Ownership: connection_done, also where this fails. Errors: -ENOMEM, -EAGAIN, -EMFILE. */
int connection_init(struct connection *connection, const struct tg_host *host, const struct options *options,
		    const struct url *url, size_t packet_max, const struct connection_events *events, void *arg);

/* Others are lent from now on, which for a connection that is not being closed are the same in what concerns it. */
void connection_set_options(struct connection *connection, const struct options *options, const struct url *url);

/* Ends at once and without a word; no event comes any more. Accepts one that is cleared. */
void connection_done(struct connection *connection);

/* Something was put into `stream.out`. A broker that lets too much wait there loses the connection. */
void connection_put(struct connection *connection);

/* What was held back can be taken. */
void connection_resume(struct connection *connection);

/* Sends what is to be sent and DISCONNECT, and ends when the broker has closed or a second has passed. `forget`: the broker need keep
 * nothing of the session. */
void connection_close(struct connection *connection, bool forget);

/* Ends with this cause; `lost` follows from the loop. */
void connection_fail(struct connection *connection, const char *cause);
/* The same, and tells the broker. */
void connection_protocol(struct connection *connection, enum codec_reason reason, const char *cause);

/* To be called about once a second: keep-alive and deadlines. */
void connection_tick(struct connection *connection);

/* Tells the host of the connection, once it is up: whom with and how. One without TLS, or with a broker that nothing is asked of, is
 * not told of: nobody has proved anything there. Returns whether it was told, and its end is to be told as well. */
bool connection_tell(const struct connection *connection, uint64_t handle);

/* Why a connection that is up could not go on with these options, or NULL. Static storage. */
const char *connection_objection(const struct connection *connection, const struct options *options);

/* connection_packet.c, for connection.c: works off the packets that are there whole, as far as they are taken. */
void connection_packets(struct connection *connection);
/* Room to read into, at least one byte, or NULL without memory. */
uint8_t *connection_room(struct connection *connection, size_t *ret_size);

#endif
