/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_readers.h"

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

static char pumps[] = "pump-*", tanks[] = "tank-*";

struct readers readers;

struct device *devices_find(struct devices *all, struct tg_bytes name)
{
	(void)all;
	for (size_t i = 0; i < READERS_DEVICES; i++)
		if (bytes_equal(name, bytes_text(readers.devices[i].name)))
			return &readers.devices[i];
	return NULL;
}

/* In the order of the table. */
int devices_page(struct devices *all, const char *after, size_t most, int (*fn)(void *arg, struct device *device),
		 void *arg)
{
	size_t i = 0;

	(void)all;
	while (after && i < READERS_DEVICES && strcmp(readers.devices[i++].name, after) != 0)
		;
	for (; i < READERS_DEVICES && most > 0; i++, most--) {
		int r = fn(arg, &readers.devices[i]);

		if (r != 0)
			return r;
	}
	return 0;
}

size_t devices_count(const struct devices *all)
{
	(void)all;
	return READERS_DEVICES;
}

const struct profile *core_profile_of(struct core *c, struct device *device)
{
	(void)c;
	return device->use.profile;
}

struct instance *supervisor_find(struct supervisor *supervisor, uint32_t id)
{
	struct instance *instance = id == readers.field.id ? &readers.field : &readers.second;

	(void)supervisor;
	return instance->gone || instance->id != id ? NULL : instance;
}

uint32_t instance_id(const struct instance *instance)
{
	return instance->id;
}

uint32_t instance_generation(const struct instance *instance)
{
	return instance->generation;
}

bool instance_is_behind(const struct instance *instance)
{
	return instance->is_behind || (instance->listed_room && instance->n_listed >= instance->listed_room);
}

static int keep_listed(struct instance *instance, const struct frame_listed *listed)
{
	if (instance->result < 0)
		return instance->result;
	ck_assert_uint_lt(instance->n_listed, READERS_LISTED_MAX);
	snprintf(instance->names[instance->n_listed], sizeof(instance->names[0]), "%.*s %.*s",
		 BYTES_ARG(listed->device), BYTES_ARG(listed->path));
	instance->listed[instance->n_listed++] = *listed;
	return 0;
}

int instance_send(struct instance *instance, const struct frame *frame)
{
	const struct frame_reading *reading = &frame->reading;

	if (frame->type == FRAME_LISTED)
		return keep_listed(instance, &frame->listed);
	ck_assert_int_eq(frame->type, FRAME_READING);
	if (instance->result < 0)
		return instance->result;
	ck_assert_uint_lt(instance->n_sent, READERS_SENT_MAX);
	snprintf(instance->payload[instance->n_sent], sizeof(instance->payload[0]), "%.*s",
		 BYTES_ARG(reading->payload));
	instance->sent[instance->n_sent] = *reading;
	instance->sent[instance->n_sent++].payload = bytes_of(NULL, 0);
	return 0;
}

int64_t loop_now_us(struct loop *loop)
{
	(void)loop;
	return readers.now_us;
}

int64_t core_now_wall_us(const struct core *c)
{
	(void)c;
	return readers.now_us + 1000;
}

void core_tell(struct core *c, const char *what, struct tg_bytes device, struct tg_bytes path,
	       const struct message *message, const char *to, struct tg_bytes address, const char *reason)
{
	(void)c;
	ck_assert_str_eq(what, "refused");
	ck_assert(!message && !to && address.size == 0 && reason);
	snprintf(readers.told, sizeof(readers.told), "%.*s: %.*s", BYTES_ARG(device), BYTES_ARG(path));
}

void readers_setup(void)
{
	struct profile *allowed = &readers.allowed, *nothing = &readers.nothing;
	char problem[PATTERN_PROBLEM_SIZE];

	readers = (struct readers){
		.allowed = {.name = "readers", .reads = readers.reads, .reads_count = 2},
		.nothing = {.name = "nobody"},
		.reads = {{.device = pumps}, {.device = tanks}},
		.devices = {{.name = "reader", .endpoint = "field", .use = {.profile = allowed}},
			    {.name = "stranger", .endpoint = "field", .use = {.profile = nothing}},
			    {.name = "lost", .endpoint = "field"},
			    {.name = "elsewhere", .endpoint = "yard", .use = {.profile = allowed}},
			    {.name = "pump-1", .endpoint = "field", .use = {.profile = nothing}},
			    {.name = "tank-1", .endpoint = "field", .use = {.profile = nothing}}},
		.field = {.id = 1, .generation = 1},
		.second = {.id = 2, .generation = 1},
		.config = {.limits = {.readings = {100, 100000, 50, 8}, .reading_max_age_s = 60}},
		.core = {.config = &readers.config, .profile_epoch = 1},
		.endpoint = {.core = &readers.core, .name = strdup("field")},
		.now_us = 1000 * CLOCK_S_US,
	};
	ck_assert_int_eq(pattern_new_match("temp", false, &readers.reads[0].path, problem), 0);
	ck_assert_int_eq(pattern_new_match("{path}", false, &readers.reads[1].path, problem), 0);
	log_set_level((enum log_level)0);
	ck_assert_int_eq(core_readings_new(&readers.core), 0);
}

void readers_teardown(void)
{
	core_readings_free(&readers.core);
	for (size_t i = 0; i < 2; i++)
		pattern_free(readers.reads[i].path);
	free(readers.endpoint.name);
}

void readers_put(const char *device, const char *path, const char *payload)
{
	static uint8_t number;
	const struct message parts = {.id = {++number},
				      .kind = TG_TELEMETRY,
				      .content_format = 60,
				      .time_wall_us = readers.now_us + 77,
				      .taken_us = ++readers.now_us,
				      .device = bytes_text(device),
				      .path = bytes_text(path),
				      .payload = bytes_text(payload)};
	struct message *message = message_new(&parts);

	core_readings_put(&readers.core, message);
	message_unref(message);
}

int readers_ask(struct instance *instance, uint64_t number, const char *reader, const char *device, const char *path,
		bool observe)
{
	const struct frame_read read = {number, observe, bytes_text(reader), bytes_text(device), bytes_text(path)};

	return core_readings_ask(&readers.endpoint, instance, &read);
}

int readers_list(struct instance *instance, const char *reader, enum tg_list what, uint64_t after, const char *behind)
{
	const struct frame_list list = {7, (uint8_t)what, after, bytes_text(reader), bytes_text(behind)};

	instance->n_listed = 0;
	return core_readings_list(&readers.endpoint, instance, &list);
}
