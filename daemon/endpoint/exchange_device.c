/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stddef.h>

#include "endpoint/host_internal.h"

void exchange_answered(const struct tg_host *services, uint64_t ticket, const struct tg_response *response)
{
	struct host *host = host_of(services);
	struct frame frame = {.type = FRAME_ANSWERED,
			      .answered = {.code = response->code,
					   .content_format = response->content_format,
					   .payload = response->payload}};

	if (frame.answered.payload.size > TG_PAYLOAD_MAX)
		frame.answered.payload.size = 0;
	if (slots_take(&host->tickets, ticket, &frame.answered.ticket) >= 0 && host->joined)
		(void)host->sink.send(host->sink.arg,
				      &frame); /* on failure the link ends, and the core takes it back */
}

void exchange_awake(const struct tg_host *services, struct tg_bytes device)
{
	struct host *host = host_of(services);
	const struct frame frame = {.type = FRAME_AWAKE, .device = {.device = device}};

	if (host->joined && device.size <= TG_DEVICE_MAX)
		(void)host->sink.send(host->sink.arg, &frame);
}

int exchange_read(const struct tg_host *services, struct tg_bytes reader, struct tg_bytes device, struct tg_bytes path,
		  bool observe, uint64_t token, uint64_t *ret_number)
{
	struct host *host = host_of(services);
	struct frame frame = {.type = FRAME_READ,
			      .read = {.observe = observe, .reader = reader, .device = device, .path = path}};
	int r;

	if (!host->joined)
		return -ENOTCONN;
	if (reader.size > TG_DEVICE_MAX || device.size > TG_DEVICE_MAX || path.size > TG_PATH_MAX)
		return -EMSGSIZE;
	if (slots_put(&host->reads, token, &frame.read.number) < 0)
		return -ENOBUFS;
	r = host->sink.send(host->sink.arg, &frame);
	if (r < 0) {
		(void)!slots_take(&host->reads, frame.read.number, &token);
		return r;
	}
	*ret_number = frame.read.number;
	return 0;
}

void exchange_read_end(const struct tg_host *services, uint64_t number)
{
	struct host *host = host_of(services);
	const struct frame frame = {.type = FRAME_READ_END, .read_end = {.number = number}};
	uint64_t token;

	if (slots_take(&host->reads, number, &token) >= 0 && host->joined)
		(void)host->sink.send(host->sink.arg, &frame); /* on failure the link ends, and so do all of them */
}

int exchange_on_reading(struct host *host, const struct frame_reading *frame)
{
	const struct tg_reading reading = {.size = sizeof(reading),
					   .verdict = frame->verdict,
					   .last = frame->last,
					   .content_format = frame->content_format,
					   .payload = frame->payload,
					   .etag = frame->etag,
					   .time_wall_us = frame->time_wall_us,
					   .max_age_s = frame->max_age_s};
	uint64_t token;

	if (!host->adapter->reading)
		return -EPROTO;
	if ((frame->last ? slots_take(&host->reads, frame->number, &token)
			 : slots_get(&host->reads, frame->number, &token)) >= 0)
		host->adapter->reading(host->state, token, &reading);
	return 0;
}

int exchange_list(const struct tg_host *services, struct tg_bytes reader, enum tg_list what, uint64_t after,
		  struct tg_bytes behind, uint64_t token)
{
	struct host *host = host_of(services);
	struct frame frame = {.type = FRAME_LIST,
			      .list = {.what = (uint8_t)what, .after = after, .reader = reader, .behind = behind}};
	int r;

	if (!host->joined)
		return -ENOTCONN;
	if (reader.size > TG_DEVICE_MAX || behind.size > TG_DEVICE_MAX)
		return -EMSGSIZE;
	if (slots_put(&host->lists, token, &frame.list.number) < 0)
		return -ENOBUFS;
	r = host->sink.send(host->sink.arg, &frame);
	if (r < 0)
		(void)!slots_take(&host->lists, frame.list.number, &token);
	return r < 0 ? r : 0;
}

int exchange_on_listed(struct host *host, const struct frame_listed *frame)
{
	const struct tg_listed listed = {.size = sizeof(listed),
					 .end = frame->end,
					 .device = frame->device,
					 .path = frame->path,
					 .content_format = frame->content_format,
					 .etag = frame->etag,
					 .time_wall_us = frame->time_wall_us,
					 .max_age_s = frame->max_age_s,
					 .verdict = frame->verdict,
					 .more = frame->more,
					 .generation = frame->generation};
	uint64_t token;

	if (!host->adapter->listed)
		return -EPROTO;
	if ((frame->end ? slots_take(&host->lists, frame->number, &token)
			: slots_get(&host->lists, frame->number, &token)) >= 0)
		host->adapter->listed(host->state, token, &listed);
	return 0;
}

static void forget_lists(struct host *host)
{
	const struct tg_listed gone = {
		.size = sizeof(gone), .end = true, .verdict = TG_UNAVAILABLE, .content_format = TG_FORMAT_NONE};
	uint64_t token;
	size_t place = 0;

	while (slots_take_next(&host->lists, &place, &token) >= 0)
		host->adapter->listed(host->state, token, &gone);
}

void exchange_forget_reads(struct host *host)
{
	const struct tg_reading gone = {
		.size = sizeof(gone), .verdict = TG_UNAVAILABLE, .last = true, .content_format = TG_FORMAT_NONE};
	uint64_t token;
	size_t place = 0;

	while (slots_take_next(&host->reads, &place, &token) >= 0)
		host->adapter->reading(host->state, token, &gone);
	forget_lists(host);
}
