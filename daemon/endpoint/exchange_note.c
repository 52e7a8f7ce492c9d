/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "endpoint/host_internal.h"

int exchange_keep(const struct tg_host *services, struct tg_bytes name, struct tg_bytes value, uint64_t token)
{
	struct host *host = host_of(services);
	struct frame frame = {.type = FRAME_KEEP, .keep = {.name = name, .value = value}};
	int r;

	if (!host->joined)
		return -ENOTCONN;
	if (name.size == 0 || name.size > TG_NOTE_NAME_MAX || value.size > TG_NOTE_VALUE_MAX)
		return -EMSGSIZE;
	if (slots_put(&host->keeps, token, &frame.keep.number) < 0)
		return -ENOBUFS;
	r = host->sink.send(host->sink.arg, &frame);
	if (r < 0)
		(void)!slots_take(&host->keeps, frame.keep.number, &token);
	return r < 0 ? r : 0;
}

void exchange_on_kept(struct host *host, const struct frame_kept *kept)
{
	uint64_t token;

	if (slots_take(&host->keeps, kept->number, &token) >= 0 && host->adapter->kept)
		host->adapter->kept(host->state, token, kept->result);
}

void exchange_on_note(struct host *host, const struct frame_note *note)
{
	if (host->adapter->note)
		host->adapter->note(host->state, note->name, note->value);
}

void exchange_on_noted(struct host *host, const struct frame_noted *noted)
{
	if (host->adapter->noted)
		host->adapter->noted(host->state, noted->loss);
}

void exchange_forget_keeps(struct host *host)
{
	uint64_t token;
	size_t place = 0;

	while (slots_take_next(&host->keeps, &place, &token) >= 0) {
		if (host->adapter->kept)
			host->adapter->kept(host->state, token, -ENOTCONN);
	}
}
