/* SPDX-License-Identifier: Apache-2.0 */
#include "core/outbox_private.h"

bool outbox_share_allows(const struct outbox *outbox, struct tg_bytes device, unsigned percent, size_t bytes,
			 int64_t cost)
{
	const struct share_held more = {1, (int64_t)bytes, cost};
	const struct share_held whole = {.memory_bytes = (int64_t)outbox->settings.memory_bytes,
					 .cost_bytes = outbox->settings.disk_bytes};
	struct share_held held;

	if (percent == 0 || percent >= 100)
		return true;
	held = share_of(&outbox->shares, device);
	return share_allows(&held, percent, &more, &whole);
}

static int64_t in_memory_alone(const struct outbox_entry *entry)
{
	return entry->save == OUTBOX_SAVED ? 0 : (int64_t)entry->bytes;
}

void outbox_share_accepted(const struct outbox_entry *entry)
{
	share_add(&entry->outbox->shares, entry->row.message->device, in_memory_alone(entry), entry->cost);
}

void outbox_share_saved(const struct outbox_entry *entry)
{
	share_saved(&entry->outbox->shares, entry->row.message->device, (int64_t)entry->bytes);
}

void outbox_share_ended(const struct outbox_entry *entry)
{
	share_drop(&entry->outbox->shares, entry->row.message->device, in_memory_alone(entry), entry->cost);
}

void outbox_share_settle(struct outbox *outbox)
{
	const struct outbox_entry *entry;

	if (!outbox->shares_doubtful || outbox->gap > 0)
		return;
	outbox->shares_doubtful = false;
	shares_done(&outbox->shares);
	DL_FOREACH (outbox->front, entry)
		outbox_share_accepted(entry);
	DL_FOREACH (outbox->tail, entry)
		outbox_share_accepted(entry);
}

struct share_held outbox_held_of(const struct outbox *outbox, struct tg_bytes device)
{
	return share_of(&outbox->shares, device);
}
