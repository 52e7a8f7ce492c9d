/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_COMMAND_SINK_H
#define COAP_COMMAND_SINK_H

/*
 * Deliveries to devices: a command from the core goes out over the newest live session of its device, and what the device says goes
 * back (tg_adapter.deliver, tg_host.answered). Holds the commands in flight, and the memory of those that have ended.
 *
 * A device that did not answer is asked for again when it is heard: its sessions are marked, and the first message tells the core.
 */

#include <tidegate/adapter.h>

#include "command.h"
#include "dtls.h"
#include "exchange.h"

struct coap;
struct command_sink;

/* The part of a session that this is about. Zero it, then set `dtls` and `exchange`. It must not move. */
struct command_session {
	struct command_peer peer;
	struct dtls_session *dtls; /* NULL: nothing is ever sent to it */
	struct exchange_peer *exchange;
	bool is_missed; /* the core waits to hear of its device */
};

int command_sink_new(struct coap *coap, const struct command_limits *limits, struct command_sink **ret_sink);
void command_sink_free(struct command_sink *sink); /* accepts NULL; the sessions are gone before */
void command_sink_set_limits(struct command_sink *sink, const struct command_limits *limits);

void command_sink_deliver(struct command_sink *sink, const struct tg_delivery *delivery);
/* Takes any message that message_parse has accepted. Returns false where it is none of a command's. */
bool command_sink_received(struct command_sink *sink, struct command_session *session,
			   const struct coap_message *message);

/* The session has ended: the core may look for another one. */
void command_sink_ended(struct command_sink *sink, struct command_session *session);
/* Forgets what is kept for this session. */
void command_sink_done(struct command_sink *sink, struct command_session *session);
/* A core is there, which knows none of the tickets. */
void command_sink_joined(struct command_sink *sink);
/* Hands everything in flight back. */
void command_sink_stop(struct command_sink *sink);

void command_sink_run(struct command_sink *sink, int64_t now_us);
int64_t command_sink_next_us(const struct command_sink *sink);

#endif
