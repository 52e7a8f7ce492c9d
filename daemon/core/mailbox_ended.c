/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/mailbox_private.h"

/* A broker gives a command again when the link breaks before our acknowledgement gets there: soon, or when the link is back. */
#define MEMORY_US (600 * CLOCK_S_US)

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
		return true;
	return message->repeated && known->method == message->method &&
	       known->content_format == message->content_format && bytes_equal(known->payload, message->payload) &&
	       bytes_equal(known->reply_to, message->reply_to) && bytes_equal(known->correlation, message->correlation);
}

static void forget(struct mailbox_known *known)
{
	if (!known)
		return;
	message_unref(known->message);
	free(known);
}

void mailbox_ended_done(struct mailbox_ended *ended)
{
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		forget(ended->table[i]);
		ended->table[i] = NULL;
	}
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
	forget(ended->table[ended->next]);
	ended->table[ended->next] = known;
	ended->next = (ended->next + 1) % KNOWN_MAX;
}

bool mailbox_ended_has(const struct mailbox_ended *ended, const struct message *message, struct tg_bytes address,
		       int64_t now_us)
{
	for (size_t i = 0; i < KNOWN_MAX; i++) {
		const struct mailbox_known *known = ended->table[i];

		if (known && now_us - known->ended_us < MEMORY_US &&
		    mailbox_is_same(known->message, known->address, message, address))
			return true;
	}
	return false;
}
