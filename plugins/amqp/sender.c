/* SPDX-License-Identifier: Apache-2.0 */
#include "sender.h"

#include <errno.h>
#include <inttypes.h>
#include <proton/link.h>
#include <proton/session.h>
#include <proton/terminus.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "channel.h"

/* Bytes that may wait in a session; it takes one message more. */
enum { SENDER_PENDING_BYTES = 131072, SENDER_NAME_SIZE = 32 };
/* For the credit to come. */
#define SENDER_FRESH_US INT64_C(1000000)

int senders_init(struct senders *senders, size_t limit)
{
	*senders = (struct senders){.all = calloc(SENDERS_MAX, sizeof(*senders->all)), .limit = limit};
	return senders->all ? 0 : -ENOMEM;
}

void senders_set_limit(struct senders *senders, size_t limit)
{
	senders->limit = limit;
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

static bool sender_is_idle(const struct sender *sender, int64_t now_us)
{
	bool fresh = !sender->carried && now_us - sender->attached_us < SENDER_FRESH_US;

	return sender->attached && sender->in_flight == 0 && !fresh;
}

/* The one not used for longest, of those that are there and that nothing is in flight over. */
static struct sender *senders_idle(struct senders *senders, int64_t now_us)
{
	struct sender *idle = NULL;

	for (size_t i = 0; i < senders->count; i++) {
		struct sender *sender = senders->all[i];

		if (sender_is_idle(sender, now_us) && (!idle || sender->used_us < idle->used_us))
			idle = sender;
	}
	return idle;
}

static int senders_open(struct senders *senders, struct sender *sender, pn_connection_t *connection)
{
	char name[SENDER_NAME_SIZE];
	int r;

	snprintf(name, sizeof(name), "to-%" PRIu64, senders->number + 1);
	r = channel_new(connection, true, name, sender, &sender->link);
	if (r < 0)
		return r;
	senders->number++;
	pn_terminus_set_address(pn_link_target(sender->link), sender->address);
	channel_begin(sender->link);
	return 0;
}

static int senders_new(struct senders *senders, pn_connection_t *connection, struct tg_bytes address, int64_t now_us,
		       struct sender **ret_sender)
{
	struct sender *sender = calloc(1, sizeof(*sender));
	int r = -ENOMEM;

	if (!sender)
		return -ENOMEM;
	sender->opened_us = now_us;
	sender->address = strndup(address.data, address.size);
	if (sender->address)
		r = senders_open(senders, sender, connection);
	if (r < 0) {
		sender_free(sender);
		return r;
	}
	senders->all[senders->count++] = sender;
	*ret_sender = sender;
	return 0;
}

void senders_make_room(struct senders *senders, struct pn_connection_t *connection, int64_t now_us)
{
	struct sender *idle = channel_is_ending(connection) ? NULL : senders_idle(senders, now_us);

	if (idle)
		senders_close(senders, idle);
}

int senders_get(struct senders *senders, struct pn_connection_t *connection, struct tg_bytes address, int64_t now_us,
		struct sender **ret_sender)
{
	struct sender *sender, *idle;
	int r = 0;

	if (address.size == 0 || memchr(address.data, 0, address.size))
		return -EINVAL;
	sender = senders_find(senders, address);
	while (!sender && senders->count >= senders->limit) {
		idle = senders_idle(senders, now_us);
		if (!idle)
			return -EAGAIN;
		senders_close(senders, idle);
	}
	if (!sender)
		r = senders_new(senders, connection, address, now_us, &sender);
	if (r == -EMFILE)
		senders_make_room(senders, connection, now_us);
	if (r < 0)
		return r;
	sender->used_us = now_us;
	*ret_sender = sender;
	return 0;
}

void senders_close(struct senders *senders, struct sender *sender)
{
	for (size_t i = 0; i < senders->count; i++) {
		if (senders->all[i] == sender) {
			senders->all[i] = senders->all[--senders->count];
			break;
		}
	}
	channel_close(sender->link);
	sender_free(sender);
}

bool sender_has_room(const struct sender *sender)
{
	return sender->attached && pn_link_credit(sender->link) > 0 &&
	       pn_session_outgoing_bytes(pn_link_session(sender->link)) < SENDER_PENDING_BYTES;
}
