/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/mailbox_private.h"

/* A broker gives a command again when the link breaks before our acknowledgement gets there: soon, or when the link is back. */
#define MEMORY_US (600 * CLOCK_S_US)

/* Payloads and all. */
enum { MEMORY_BYTES = 4 * 1024 * 1024 };

struct mailbox_known {
	const struct message *message;
	int64_t ended_us;
	struct tg_bytes address; /* behind the struct */
};

enum { KNOWN_MAX = sizeof(((struct mailbox_ended *)NULL)->table) / sizeof(struct mailbox_known *) };

bool mailbox_is_same(const struct message *known, struct tg_bytes known_address, const struct message *message,
		     struct tg_bytes address)
{
	if (!bytes_equal(known->device, message->device) || !bytes_equal(known_address, address))
		return false;
	if (memcmp(known->id, message->id, sizeof(known->id)) == 0)
		return known->method == message->method; /* another route may make two commands of one message */
	/* Without correlation data an equal command may be a new one, whose first sending was lost: twice is better than never. */
	return message->repeated && message->correlation.size > 0 && known->method == message->method &&
	       known->content_format == message->content_format && bytes_equal(known->payload, message->payload) &&
	       bytes_equal(known->reply_to, message->reply_to) && bytes_equal(known->correlation, message->correlation);
}

static size_t bytes_of_known(const struct mailbox_known *known)
{
	return sizeof(*known) + known->address.size + message_size(known->message);
}

static void forget_oldest(struct mailbox_ended *ended)
{
	struct mailbox_known *known = ended->table[ended->first];

	ended->bytes -= bytes_of_known(known);
	ended->table[ended->first] = NULL;
	ended->first = (ended->first + 1) % KNOWN_MAX;
	ended->count--;
	message_unref(known->message);
	free(known);
}

void mailbox_ended_done(struct mailbox_ended *ended)
{
	while (ended->count > 0)
		forget_oldest(ended);
}

static void forget_old(struct mailbox_ended *ended, int64_t now_us)
{
	while (ended->count > 0 && now_us - ended->table[ended->first]->ended_us >= MEMORY_US)
		forget_oldest(ended);
}

void mailbox_ended_add(struct mailbox_ended *ended, const struct store_row *row, int64_t now_us)
{
	struct mailbox_known *known = malloc(sizeof(*known) + row->address.size);
	uint8_t *address;

	if (!known)
		return; /* it would only be recognised */
	address = (uint8_t *)(known + 1);
	if (row->address.size)
		memcpy(address, row->address.data, row->address.size);
	*known = (struct mailbox_known){message_ref(row->message), now_us, bytes_of(address, row->address.size)};
	forget_old(ended, now_us);
	while (ended->count > 0 && (ended->count == KNOWN_MAX || ended->bytes + bytes_of_known(known) > MEMORY_BYTES))
		forget_oldest(ended);
	ended->table[(ended->first + ended->count++) % KNOWN_MAX] = known;
	ended->bytes += bytes_of_known(known);
}

bool mailbox_ended_has(struct mailbox_ended *ended, const struct message *message, struct tg_bytes address,
		       int64_t now_us)
{
	forget_old(ended, now_us);
	for (size_t i = 0; i < ended->count; i++) {
		const struct mailbox_known *known = ended->table[(ended->first + i) % KNOWN_MAX];

		if (mailbox_is_same(known->message, known->address, message, address))
			return true;
	}
	return false;
}
