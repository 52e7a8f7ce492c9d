/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_SENDER_H
#define AMQP_SENDER_H

/*
 * The links to send over, one for each address, as many as the settings allow: when one more is needed, the one not used for
 * longest is closed. So it is where the peer allows fewer. One that is there and has carried nothing yet is left alone for a moment,
 * lest two that want the same place drive each other out for ever. For sink.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

struct pn_connection_t;
struct pn_link_t;

struct sender {
	struct pn_link_t *link;
	char *address;
	bool attached; /* the peer has answered ATTACH, and has the address */
	bool carried;  /* a message, answered or not */
	int64_t opened_us;
	int64_t attached_us;
	int64_t used_us;
	size_t in_flight;
	uint64_t confirmed;
};

struct senders {
	struct sender **all;
	size_t count;
	size_t limit;
	uint64_t number; /* of the last link over this connection */
};

/* The highest limit. */
enum { SENDERS_MAX = 250 };

/* Errors: -ENOMEM. */
int senders_init(struct senders *senders, size_t limit);
/* Where there are more already, they are closed when the next one is needed. */
void senders_set_limit(struct senders *senders, size_t limit);
/* Forgets all: the connection is gone, or goes. */
void senders_done(struct senders *senders);

/* The one for this address, opened where there is none. Errors: -EAGAIN: all are busy; -EMFILE: the peer allows no more sessions,
 * and one makes room if it can; -EINVAL: no address; -ENOMEM. */
int senders_get(struct senders *senders, struct pn_connection_t *connection, struct tg_bytes address, int64_t now_us,
		struct sender **ret_sender);

/* Closes the one not used for longest, where one is idle and no other is about to end: a session is the peer's until it has ended it. */
void senders_make_room(struct senders *senders, struct pn_connection_t *connection, int64_t now_us);

/* Closes it and forgets it; what is in flight over it is the caller's to answer first. */
void senders_close(struct senders *senders, struct sender *sender);

/* Whether it can take a message now: it is attached, has credit, and does not pile up. */
bool sender_has_room(const struct sender *sender);

#endif
