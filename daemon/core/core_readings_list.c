/* SPDX-License-Identifier: Apache-2.0 */

/* What a reader may read, in pages: the work for one is bounded, whatever there is. Who may not read something does not learn that it is
 * there. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_readings.h"

/* Of a page: how much is looked at, and how much of it is told. */
enum { LOOKED_AT_MAX = 2048, PAGE_MAX = 256 };

struct page {
	struct core *core;
	struct instance *instance;
	struct device *reader;
	struct frame frame;
	unsigned count;
	unsigned looked_at;           /* devices */
	char last[TG_DEVICE_MAX + 1]; /* device that was looked at */
};

/* Returns whether the page goes on. */
static bool tell(struct page *page)
{
	page->count++;
	return !instance_is_behind(page->instance) && instance_send(page->instance, &page->frame) >= 0;
}

static int on_reading(void *arg, const struct last_reading *reading)
{
	const struct message *message = reading->message;
	struct page *page = arg;

	if (!core_reader_may(page->core, page->reader, message->device, message->path))
		return 0;
	if (page->count >= PAGE_MAX)
		return 1;
	page->frame.listed.device = message->device;
	page->frame.listed.path = message->path;
	page->frame.listed.content_format = message->content_format;
	page->frame.listed.etag = reading->etag;
	page->frame.listed.time_wall_us = message->time_wall_us;
	page->frame.listed.max_age_s = core_reading_max_age_s(page->core, message);
	return tell(page) ? 0 : 1;
}

static bool may_see(struct page *page, const struct device *device)
{
	if (device->revoked)
		return false;
	return device == page->reader ||
	       profile_may_read_of(core_profile_of(page->core, page->reader), bytes_text(device->name));
}

static int on_device(void *arg, struct device *device)
{
	struct page *page = arg;

	if (page->looked_at++ >= LOOKED_AT_MAX)
		return 1;
	if (may_see(page, device)) {
		if (page->count >= PAGE_MAX)
			return 1;
		page->frame.listed.device = bytes_text(device->name);
		if (!tell(page))
			return 1;
	}
	snprintf(page->last, sizeof(page->last), "%s", device->name);
	return 0;
}

/* Whatever goes out of a list, or comes into it without a new reading, counts. Devices are never taken out of the registry. */
static uint64_t generation(const struct core *core)
{
	struct readings_stats stats;

	readings_stats(core->readings->readings, &stats);
	return core->readings->start + core->readings->changes + stats.removed + devices_count(core->devices);
}

static int end(struct page *page, enum tg_verdict verdict)
{
	struct frame_listed *listed = &page->frame.listed;

	listed->end = true;
	listed->verdict = (uint8_t)verdict;
	listed->path = bytes_of(NULL, 0);
	listed->content_format = TG_FORMAT_NONE;
	listed->time_wall_us = 0;
	listed->max_age_s = 0;
	listed->generation = generation(page->core);
	return instance_send(page->instance, &page->frame);
}

static void list_devices(struct page *page, struct tg_bytes behind)
{
	struct frame_listed *listed = &page->frame.listed;
	char name[TG_DEVICE_MAX + 1] = "";

	if (behind.size)
		memcpy(name, behind.data, behind.size);
	memcpy(page->last, name, sizeof(name));
	listed->content_format = TG_FORMAT_NONE;
	listed->more = devices_page(page->core->devices, name[0] ? name : NULL, SIZE_MAX, on_device, page) != 0;
	listed->device = bytes_text(page->last);
}

int core_readings_list(struct endpoint *endpoint, struct instance *instance, const struct frame_list *list)
{
	struct core *core = endpoint->core;
	struct page page = {.core = core,
			    .instance = instance,
			    .frame = {.type = FRAME_LISTED, .listed = {.number = list->number}},
			    .reader = core_reader_at(core, list->reader, endpoint->name)};
	struct frame_listed *listed = &page.frame.listed;

	if ((list->what != TG_LIST_READINGS && list->what != TG_LIST_DEVICES) || !bytes_is_utf8(list->reader) ||
	    !bytes_is_utf8(list->behind))
		return -EBADMSG;
	if (!page.reader)
		return end(&page, TG_NOT_ALLOWED);
	page.reader->seen_wall_us = core_now_wall_us(core);
	if (list->what == TG_LIST_DEVICES) {
		list_devices(&page, list->behind);
		return end(&page, TG_ACCEPTED);
	}
	listed->more =
		readings_list(core->readings->readings, list->after, LOOKED_AT_MAX, on_reading, &page, &listed->etag);
	listed->device = bytes_of(NULL, 0);
	return end(&page, TG_ACCEPTED);
}
