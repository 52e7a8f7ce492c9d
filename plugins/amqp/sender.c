/* SPDX-License-Identifier: Apache-2.0 */
#include "sender.h"

#include <errno.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Bytes that may wait in a session; it takes one message more. */
enum { SENDER_PENDING_BYTES = 131072, SENDER_NAME_SIZE = 32 };

int senders_init(struct senders *senders, size_t limit)
{
	*senders = (struct senders){.all = calloc(limit, sizeof(*senders->all)), .limit = limit};
	return senders->all ? 0 : -ENOMEM;
}

static void sender_free(struct sender *sender)
{
	free(sender->address);
	free(sender);
}

void senders_done(struct senders *senders)
{
	for (size_t i = 0; i < senders->count; i++)
		sender_free(senders->all[i]);
	free(senders->all);
	*senders = (struct senders){0};
}

static struct sender *senders_find(struct senders *senders, struct tg_bytes address)
{
	for (size_t i = 0; i < senders->count; i++) {
		struct sender *sender = senders->all[i];

		if (strlen(sender->address) == address.size && memcmp(sender->address, address.data, address.size) == 0)
			return sender;
	}
	return NULL;
}

/* The one not used for longest, of those that nothing is in flight over. */
static struct sender *senders_idle(struct senders *senders)
{
	struct sender *idle = NULL;

	for (size_t i = 0; i < senders->count; i++) {
		struct sender *sender = senders->all[i];

		if (sender->in_flight == 0 && (!idle || sender->used_us < idle->used_us))
			idle = sender;
	}
	return idle;
}

static int sender_open(struct sender *sender, pn_connection_t *connection)
{
	pn_session_t *session = pn_session(connection);
	char name[SENDER_NAME_SIZE];

	if (!session)
		return -ENOMEM;
	/* Unique on this connection for as long as it is there. */
	snprintf(name, sizeof(name), "to-%p", (void *)sender);
	sender->link = pn_sender(session, name);
	if (!sender->link) {
		pn_session_free(session);
		return -ENOMEM;
	}
	pn_session_set_context(session, sender->link);
	pn_link_set_context(sender->link, sender);
	pn_terminus_set_address(pn_link_target(sender->link), sender->address);
	pn_link_set_snd_settle_mode(sender->link, PN_SND_UNSETTLED);
	pn_link_set_rcv_settle_mode(sender->link, PN_RCV_FIRST);
	pn_session_open(session);
	pn_link_open(sender->link);
	return 0;
}

static int sender_new(pn_connection_t *connection, struct tg_bytes address, int64_t now_us, struct sender **ret_sender)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	int r = -ENOMEM;

	if (!sender)
		return -ENOMEM;
	sender->opened_us = now_us;
	sender->address = strndup(address.data, address.size);
	if (sender->address)
		r = sender_open(sender, connection);
	if (r < 0) {
		sender_free(sender);
		return r;
	}
	*ret_sender = sender;
	return 0;
}

int senders_get(struct senders *senders, struct pn_connection_t *connection, struct tg_bytes address, int64_t now_us,
		struct sender **ret_sender)
{
	struct sender *sender, *idle;
	int r;

	if (address.size == 0 || memchr(address.data, 0, address.size))
		return -EINVAL;
	sender = senders_find(senders, address);
	if (!sender) {
		idle = senders->count == senders->limit ? senders_idle(senders) : NULL;
		if (senders->count == senders->limit && !idle)
			return -EAGAIN;
		r = sender_new(connection, address, now_us, &sender);
		if (r < 0)
			return r;
		if (idle)
			senders_close(senders, idle);
		senders->all[senders->count++] = sender;
	}
	sender->used_us = now_us;
	*ret_sender = sender;
	return 0;
}

void senders_close(struct senders *senders, struct sender *sender)
{
	pn_session_t *session = pn_link_session(sender->link);

	for (size_t i = 0; i < senders->count; i++) {
		if (senders->all[i] == sender) {
			senders->all[i] = senders->all[--senders->count];
			break;
		}
	}
	/* The library keeps what it still needs of them. */
	pn_link_set_context(sender->link, NULL);
	pn_session_set_context(session, NULL);
	pn_link_close(sender->link);
	pn_session_close(session);
	pn_link_free(sender->link);
	pn_session_free(session);
	sender_free(sender);
}

bool sender_has_room(const struct sender *sender)
{
	return sender->attached && pn_link_credit(sender->link) > 0 &&
	       pn_session_outgoing_bytes(pn_link_session(sender->link)) < SENDER_PENDING_BYTES;
}
