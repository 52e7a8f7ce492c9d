/* SPDX-License-Identifier: Apache-2.0 */

/*
 * Devices that read what others have handed in. An endpoint process asks for a reader that it has authenticated; whether that may read
 * is looked up here, by the reader's profile, before anything else: who may not does not learn whether there is anything. Who observes is
 * a watcher, until the process says that nothing more is wanted, is gone, or the last answer was sent.
 */

#include "core/core_readings.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/random.h"

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>

/* Of a process that does not keep up: what it may ask again after. Units: seconds. */
enum { BEHIND_MAX_AGE_S = 1 };

/* The read as the process calls it. */
struct key {
	uint64_t number;
	uint32_t instance;
	uint32_t generation;
};

struct watcher {
	struct core *core;
	struct key key;
	struct observation *observation; /* NULL: what is missing is the last answer */
	enum tg_verdict end;
	bool behind; /* what was to be sent had no room */
	/* What it was found to be allowed by. */
	const struct profile *profile;
	uint64_t epoch;
	UT_hash_handle hh;
	bool lost;
	size_t reader_size;
	char reader[];
};

static struct key key_of(const struct instance *instance, uint64_t number)
{
	return (struct key){number, instance_id(instance), instance_generation(instance)};
}

static struct watcher *find(const struct core *core, const struct key *key)
{
	struct watcher *watcher;

	HASH_FIND(hh, core->readings->watchers, key, sizeof(*key), watcher);
	return watcher;
}

static void watcher_free(struct watcher *watcher)
{
	HASH_DEL(watcher->core->readings->watchers, watcher);
	readings_unobserve(watcher->observation);
	free(watcher);
}

static struct tg_bytes reader_of(const struct watcher *watcher)
{
	return bytes_of(watcher->reader, watcher->reader_size);
}

uint32_t core_reading_max_age_s(const struct core *core, const struct message *message)
{
	int64_t age_s = (loop_now_us(core->loop) - message->taken_us) / CLOCK_S_US;
	int64_t left_s = (int64_t)core->config->limits.reading_max_age_s - age_s;

	return left_s > 0 ? (uint32_t)left_s : 0;
}

struct device *core_reader_at(struct core *core, struct tg_bytes name, const char *endpoint)
{
	struct device *device = devices_find(core->devices, name);

	return device && !device->revoked && strcmp(device->endpoint, endpoint) == 0 ? device : NULL;
}

bool core_reader_may(struct core *core, struct device *reader, struct tg_bytes device, struct tg_bytes path)
{
	if (bytes_equal(device, bytes_text(reader->name)))
		return true;
	return profile_may_read(core_profile_of(core, reader), device, path);
}

static struct frame answer(uint64_t number, enum tg_verdict verdict)
{
	return (struct frame){
		.type = FRAME_READING,
		.reading = {
			.number = number, .verdict = (uint8_t)verdict, .last = true, .content_format = TG_FORMAT_NONE}};
}

static struct frame answer_with(const struct core *core, uint64_t number, const struct last_reading *reading, bool last)
{
	const struct message *message = reading->message;
	struct frame frame = answer(number, TG_ACCEPTED);

	frame.reading.last = last;
	frame.reading.content_format = message->content_format;
	frame.reading.etag = reading->etag;
	frame.reading.time_wall_us = message->time_wall_us;
	frame.reading.max_age_s = core_reading_max_age_s(core, message);
	frame.reading.payload = message->payload;
	return frame;
}

/* Its process, if that is still the one that asked. */
static struct instance *process_of(const struct watcher *watcher)
{
	struct instance *instance = supervisor_find(watcher->core->supervisor, watcher->key.instance);

	return instance && instance_generation(instance) == watcher->key.generation ? instance : NULL;
}

/* Sends the reading as it is now, or the end. What the process has no room for is sent later, as it is then. May free the watcher. */
static void watcher_send(struct watcher *watcher)
{
	struct core *core = watcher->core;
	struct instance *instance = process_of(watcher);
	struct frame frame = watcher->observation ? answer_with(core, watcher->key.number,
								readings_observed(watcher->observation), false)
						  : answer(watcher->key.number, watcher->end);

	watcher->behind = instance && (instance_is_behind(instance) || instance_send(instance, &frame) == -ENOBUFS);
	if (watcher->behind)
		core->readings->behind = true;
	else if (watcher->observation)
		core->readings->answered++;
	else
		watcher_free(watcher);
}

static void watcher_end(struct watcher *watcher, enum tg_verdict why)
{
	readings_unobserve(watcher->observation);
	watcher->observation = NULL;
	watcher->end = why;
	watcher_send(watcher);
}

static bool is_still_allowed(struct watcher *watcher)
{
	const struct message *message = readings_observed(watcher->observation)->message;
	struct core *core = watcher->core;
	struct device *reader = devices_find(core->devices, reader_of(watcher));
	const struct profile *profile;

	if (!reader || reader->revoked)
		return false;
	profile = core_profile_of(core, reader);
	if (watcher->profile != profile || watcher->epoch != core->profile_epoch) {
		if (!core_reader_may(core, reader, message->device, message->path))
			return false;
		watcher->profile = profile;
		watcher->epoch = core->profile_epoch;
	}
	return true;
}

static void on_changed(void *arg, void *observer, const struct last_reading *reading)
{
	struct watcher *watcher = observer;

	(void)arg;
	(void)reading; /* is sent by what is observed */
	if (is_still_allowed(watcher))
		watcher_send(watcher);
	else
		watcher_end(watcher, TG_NOT_ALLOWED);
}

static void on_lost(void *arg, void *observer, enum readings_loss loss)
{
	struct watcher *watcher = observer;

	(void)arg;
	watcher->observation = NULL;
	watcher_end(watcher, loss == READINGS_FORGOTTEN ? TG_NOT_ALLOWED : TG_UNAVAILABLE);
}

static const struct readings_events events = {on_changed, on_lost};

int core_readings_new(struct core *core)
{
	struct core_readings *all = calloc(1, sizeof(*all));
	uint64_t etag;
	int r;

	if (!all)
		return -ENOMEM;
	random_bytes(&etag, sizeof(etag));
	r = readings_new(&events, core, etag, &all->readings);
	if (r < 0) {
		free(all);
		return r;
	}
	readings_set_limits(all->readings, &core->config->limits.readings);
	random_bytes(&all->start, sizeof(all->start));
	core->readings = all;
	return 0;
}

void core_readings_free(struct core *core)
{
	struct watcher *watcher, *next;

	if (!core->readings)
		return;
	HASH_ITER (hh, core->readings->watchers, watcher, next)
		watcher_free(watcher);
	readings_free(core->readings->readings);
	free(core->readings);
	core->readings = NULL;
}

void core_readings_put(struct core *core, const struct message *message)
{
	readings_put(core->readings->readings, message);
}

static size_t watched_by(const struct core *core, struct tg_bytes reader)
{
	struct watcher *watcher, *next;
	size_t count = 0;

	HASH_ITER (hh, core->readings->watchers, watcher, next)
		count += (size_t)bytes_equal(reader_of(watcher), reader);
	return count;
}

static struct watcher *watcher_new(struct core *core, const struct key *key, struct tg_bytes reader)
{
	struct watcher *watcher = calloc(1, sizeof(*watcher) + reader.size);

	if (!watcher)
		return NULL;
	watcher->core = core;
	watcher->key = *key;
	watcher->reader_size = reader.size;
	memcpy(watcher->reader, reader.data, reader.size);
	HASH_ADD(hh, core->readings->watchers, key, sizeof(watcher->key), watcher);
	if (!watcher->lost)
		return watcher;
	free(watcher);
	return NULL;
}

/* Whether there is one from now on. Where not, the reader gets what it would without asking to observe (RFC 7641 section 4.1). */
static bool watch(struct core *core, const struct key *key, const struct frame_read *read)
{
	const struct readings_limits *limits = &core->config->limits.readings;
	size_t share = limits->observers * limits->share_percent / 100;
	struct watcher *watcher;

	if (HASH_COUNT(core->readings->watchers) >= limits->observers ||
	    (watched_by(core, read->reader) >= (share ? share : 1)))
		return false;
	watcher = watcher_new(core, key, read->reader);
	if (!watcher)
		return false;
	if (readings_observe(core->readings->readings, read->device, read->path, watcher, &watcher->observation) >= 0)
		return true;
	watcher_free(watcher);
	return false;
}

static void note_refused(struct core *core, const struct frame_read *read)
{
	char path[TG_DEVICE_MAX + 1 + TG_PATH_MAX + 1];
	int size = snprintf(path, sizeof(path), "%.*s/%.*s", BYTES_ARG(read->device), BYTES_ARG(read->path));
	unsigned left_out;

	core->readings->refused++;
	core_tell(core, "refused", read->reader, bytes_of(path, size > 0 ? strlen(path) : 0), NULL, NULL,
		  bytes_of(NULL, 0), "the reader's profile does not let it read this");
	if (log_limit_pass(&core->refused_log, loop_now_us(core->loop), &left_out))
		log_info("did not let \"%.*s\" read what another device has handed in (%u more refused before it)",
			 BYTES_ARG(read->reader), left_out);
}

int core_readings_ask(struct endpoint *endpoint, struct instance *instance, const struct frame_read *read)
{
	struct core *core = endpoint->core;
	const struct key key = key_of(instance, read->number);
	struct frame frame = answer(read->number, TG_NO_ROUTE);
	const struct last_reading *reading;
	struct device *reader;

	if (read->observe > 1 || !bytes_is_utf8(read->reader) || find(core, &key))
		return -EBADMSG;
	reader = core_reader_at(core, read->reader, endpoint->name);
	if (!reader || !core_reader_may(core, reader, read->device, read->path)) {
		note_refused(core, read);
		frame.reading.verdict = TG_NOT_ALLOWED;
		return instance_send(instance, &frame);
	}
	reader->seen_wall_us = core_now_wall_us(core);
	reading = readings_find(core->readings->readings, read->device, read->path);
	if (reading && instance_is_behind(instance)) {
		frame = answer(read->number, TG_UNAVAILABLE);
		frame.reading.max_age_s = BEHIND_MAX_AGE_S;
	} else if (reading) {
		core->readings->answered++;
		frame = answer_with(core, read->number, reading, !read->observe || !watch(core, &key, read));
	}
	return instance_send(instance, &frame);
}

void core_readings_end(struct core *core, const struct instance *instance, uint64_t number)
{
	const struct key key = key_of(instance, number);
	struct watcher *watcher = find(core, &key);

	if (watcher)
		watcher_free(watcher);
}

void core_readings_process_gone(struct core *core, const struct instance *instance)
{
	struct watcher *watcher, *next;

	HASH_ITER (hh, core->readings->watchers, watcher, next) {
		if (watcher->key.instance == instance_id(instance))
			watcher_free(watcher);
	}
}

static void check_all(struct core *core)
{
	struct watcher *watcher, *next;

	HASH_ITER (hh, core->readings->watchers, watcher, next) {
		if (watcher->observation && !is_still_allowed(watcher))
			watcher_end(watcher, TG_NOT_ALLOWED);
	}
}

void core_readings_apply(struct core *core)
{
	readings_set_limits(core->readings->readings, &core->config->limits.readings);
	core->readings->changes++;
	check_all(core);
}

void core_readings_revoked(struct core *core, const char *device)
{
	readings_forget(core->readings->readings, bytes_text(device));
	core->readings->changes++;
	check_all(core);
}

void core_readings_tick(struct core *core)
{
	struct watcher *watcher, *next;

	if (!core->readings->behind)
		return;
	core->readings->behind = false;
	HASH_ITER (hh, core->readings->watchers, watcher, next) {
		if (watcher->behind)
			watcher_send(watcher);
	}
}

json_t *core_readings_status(const struct core *core)
{
	const struct readings_limits *limits = &core->config->limits.readings;
	struct readings_stats stats;

	readings_stats(core->readings->readings, &stats);
	return json_pack("{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "count", (json_int_t)stats.count, "limit",
			 (json_int_t)limits->count, "bytes", (json_int_t)stats.bytes, "limit_bytes",
			 (json_int_t)limits->bytes, "evicted", (json_int_t)stats.evicted, "observers",
			 (json_int_t)stats.observers, "answered", (json_int_t)core->readings->answered, "refused",
			 (json_int_t)core->readings->refused);
}
