/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_CHANNEL_H
#define AMQP_CHANNEL_H

/*
 * A link in a session of its own, since RabbitMQ ends the session of a link that it refuses. It is known by what was given as its
 * context until it is closed; what the library has of it stays until the peer has ended it as well, so that an answer that comes late is
 * not taken for a link of the peer's own. For sender.c and source.c.
 */

#include <stdbool.h>
#include <stddef.h>

struct pn_connection_t;
struct pn_event_t;
struct pn_link_t;

/* How many sessions both sides allow. */
size_t channel_most(struct pn_connection_t *connection);

/* Not begun: its address and its modes are set first. Errors: -EMFILE: the peer allows no more sessions; -ENOMEM. */
int channel_new(struct pn_connection_t *connection, bool sends, const char *name, void *context,
		struct pn_link_t **ret_link);
void channel_begin(struct pn_link_t *link);
/* Nothing is told of it any more. */
void channel_close(struct pn_link_t *link);

/* Whether one that was closed still takes up its place: the peer has not ended it yet. */
bool channel_is_ending(struct pn_connection_t *connection);

/* The link that an event is about, by itself, its session or one of its deliveries. NULL: none that is open here. */
struct pn_link_t *channel_of(struct pn_event_t *event);

#endif
