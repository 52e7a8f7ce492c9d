/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "core/outbox_private.h"

/* Whether so much more goes through without the disk, as long as the sink keeps up. */
static bool stays_in_memory(const struct outbox *outbox, size_t count, size_t bytes)
{
	const struct outbox_settings *settings = &outbox->settings;

	return outbox->up && settings->hold_us > 0 && outbox->gap == 0 && !outbox->tail &&
	       outbox->front_count + count < settings->memory_messages / 4 &&
	       outbox->front_bytes + bytes <= settings->memory_bytes - settings->memory_bytes / 4;
}

/* The first one alone, then the last behind all others: who holds nothing may always hold one. */
static bool share_has_room(const struct outbox *outbox, struct tg_bytes device, unsigned percent,
			   const struct share_held *first, const struct share_held *all, const struct share_held *last)
{
	const struct share_held whole = {.memory_bytes = (int64_t)outbox->settings.memory_bytes,
					 .cost_bytes = outbox->settings.disk_bytes};
	struct share_held held;

	if (percent == 0 || percent >= 100)
		return true;
	held = share_of(&outbox->shares, device);
	if (!share_allows(&held, percent, first, &whole))
		return false;
	held.messages += all->messages - 1;
	held.memory_bytes += all->memory_bytes - last->memory_bytes;
	held.cost_bytes += all->cost_bytes - last->cost_bytes;
	return share_allows(&held, percent, last, &whole);
}

int outbox_room(const struct outbox *outbox, const struct message *const *messages, size_t count,
		struct tg_bytes address, const struct outbox_options *options)
{
	const struct outbox_settings *settings = &outbox->settings;
	struct share_held all = {0, 0, 0}, first = {0, 0, 0}, one = {0, 0, 0};

	for (size_t i = 0; i < count; i++) {
		const struct store_row row = {.message = messages[i], .address = address, .route = options->route};

		one = (struct share_held){1,
					  (int64_t)(sizeof(struct outbox_entry) + address.size + options->route.size +
						    message_size(messages[i])),
					  store_row_cost(&row)};
		if (i == 0)
			first = one;
		all.messages++;
		all.memory_bytes += one.memory_bytes;
		all.cost_bytes += one.cost_bytes;
	}
	if (count > settings->memory_messages / 2 || (size_t)all.memory_bytes > settings->memory_bytes / 2)
		return -EFBIG;
	if (outbox->memory_count + count > settings->memory_messages ||
	    outbox->memory_bytes + (size_t)all.memory_bytes > settings->memory_bytes)
		return -ENOSPC;
	if (!stays_in_memory(outbox, count, (size_t)all.memory_bytes) &&
	    (outbox->retry_us || !outbox_disk_has_room(outbox, all.cost_bytes)))
		return -ENOSPC;
	if (!share_has_room(outbox, messages[0]->device, options->share_percent, &first, &all, &one))
		return -EDQUOT;
	return 0;
}
