/* SPDX-License-Identifier: Apache-2.0 */
#include "channel.h"

#include <errno.h>
#include <proton/connection.h>
#include <proton/event.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/transport.h>

size_t channel_most(pn_connection_t *connection)
{
	pn_transport_t *transport = pn_connection_transport(connection);
	size_t highest = pn_transport_get_channel_max(transport);

	if (pn_transport_remote_channel_max(transport) < highest)
		highest = pn_transport_remote_channel_max(transport);
	return highest + 1;
}

/* Beyond what both sides allow the library gives up the connection. */
static bool channel_has_room(pn_connection_t *connection)
{
	size_t there = 0;

	for (pn_session_t *session = pn_session_head(connection, 0); session; session = pn_session_next(session, 0))
		there++;
	return there < channel_most(connection);
}

int channel_new(pn_connection_t *connection, bool sends, const char *name, void *context, pn_link_t **ret_link)
{
	pn_session_t *session;
	pn_link_t *link;

	if (!channel_has_room(connection))
		return -EMFILE;
	session = pn_session(connection);
	if (!session)
		return -ENOMEM;
	link = sends ? pn_sender(session, name) : pn_receiver(session, name);
	if (!link) {
		pn_session_free(session);
		return -ENOMEM;
	}
	pn_session_set_context(session, link);
	pn_link_set_context(link, context);
	pn_link_set_snd_settle_mode(link, PN_SND_UNSETTLED);
	pn_link_set_rcv_settle_mode(link, PN_RCV_FIRST);
	*ret_link = link;
	return 0;
}

void channel_begin(pn_link_t *link)
{
	pn_session_open(pn_link_session(link));
	pn_link_open(link);
}

/* The library frees the number with END, and takes one for a new session before that where both wait to be written. */
static void channel_free(pn_session_t *session)
{
	pn_session_set_context(session, NULL);
	pn_transport_pending(pn_connection_transport(pn_session_connection(session)));
	pn_session_free(session);
}

static void channel_end(pn_link_t *link)
{
	pn_link_close(link);
	pn_session_close(pn_link_session(link));
}

/* To the library an answer to BEGIN behind our END is a fault of the peer: the answer is waited for. */
void channel_close(pn_link_t *link)
{
	pn_session_t *session = pn_link_session(link);
	pn_state_t state = pn_session_state(session);

	pn_link_set_context(link, NULL);
	if (!(state & PN_REMOTE_UNINIT))
		channel_end(link);
	if (state & PN_REMOTE_CLOSED)
		channel_free(session);
}

bool channel_is_ending(pn_connection_t *connection)
{
	for (pn_session_t *session = pn_session_head(connection, 0); session; session = pn_session_next(session, 0)) {
		pn_link_t *link = pn_session_get_context(session);

		if (link && !pn_link_get_context(link))
			return true;
	}
	return false;
}

pn_link_t *channel_of(pn_event_t *event)
{
	pn_session_t *session = pn_event_session(event);
	pn_link_t *link = pn_event_link(event);

	if (!link && session)
		link = pn_session_get_context(session);
	if (!link || pn_link_get_context(link))
		return link;
	if (pn_event_type(event) == PN_SESSION_REMOTE_OPEN)
		channel_end(link);
	else if (pn_event_type(event) == PN_SESSION_REMOTE_CLOSE)
		channel_free(session);
	return NULL;
}
