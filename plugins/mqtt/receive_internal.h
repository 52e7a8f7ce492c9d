/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_RECEIVE_INTERNAL_H
#define MQTT_RECEIVE_INTERNAL_H

/* What receive.c (the connection's life) and receive_packet.c (what comes in) share. */

#include "codec.h"
#include "common/stream.h"
#include "receive.h"

enum receive_state {
	RECEIVE_DIALING,
	RECEIVE_HANDSHAKE,
	RECEIVE_CONNECTING, /* CONNECT is sent */
	RECEIVE_UP,
	RECEIVE_CLOSING, /* DISCONNECT is sent */
	RECEIVE_LOST     /* `lost` is due, or was told */
};

struct receive {
	const struct tg_host *host;
	const struct receive_events *events;
	void *arg;
	const struct options *options;
	const struct url *url;
	bool version5;
	enum receive_state state;
	bool held; /* nothing is read */
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
	char cause[RECEIVE_CAUSE_SIZE];
	char description[192];

	uint8_t *in;
	size_t in_size;
	size_t in_room;
	size_t skip; /* bytes of a packet that is too large, still to come */
};

/* Works off the packets that are there whole, as far as there is room for messages. */
void receive_packets(struct receive *receive);
/* Room to read into, at least one byte, or NULL without memory. */
uint8_t *receive_room(struct receive *receive, size_t *ret_size);

#endif
