/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/readings_private.h"

/* A device, a NUL, which no name has in it, and a path. */
enum { KEY_MAX = TG_DEVICE_MAX + 1 + TG_PATH_MAX };

int readings_new(const struct readings_events *events, void *arg, uint64_t etag, struct readings **ret_readings)
{
	struct readings *readings = calloc(1, sizeof(*readings));

	if (!readings)
		return -ENOMEM;
	readings->events = events;
	readings->arg = arg;
	readings->etag = etag;
	*ret_readings = readings;
	return 0;
}

/* Returns the key's size, 0: no reading has such names. */
static size_t make_key(struct tg_bytes device, struct tg_bytes path, char key[KEY_MAX])
{
	if (device.size == 0 || device.size > TG_DEVICE_MAX || path.size > TG_PATH_MAX)
		return 0;
	memcpy(key, device.data, device.size);
	key[device.size] = '\0';
	if (path.size)
		memcpy(key + device.size + 1, path.data, path.size);
	return device.size + 1 + path.size;
}

static struct entry *find(const struct readings *readings, const char *key, size_t size)
{
	struct entry *entry;

	HASH_FIND(hh, readings->table, key, size, entry);
	return entry;
}

static struct shelf *find_shelf(const struct readings *readings, struct tg_bytes device)
{
	struct shelf *shelf;

	HASH_FIND(hh, readings->shelves, device.data, device.size, shelf);
	return shelf;
}

static struct shelf *open_shelf(struct readings *readings, struct tg_bytes device)
{
	struct shelf *shelf = find_shelf(readings, device);

	if (shelf)
		return shelf;
	shelf = calloc(1, sizeof(*shelf) + device.size);
	if (!shelf)
		return NULL;
	memcpy(shelf->device, device.data, device.size);
	HASH_ADD_KEYPTR(hh, readings->shelves, shelf->device, device.size, shelf);
	if (!shelf->lost)
		return shelf;
	free(shelf);
	return NULL;
}

static void close_shelf(struct readings *readings, struct shelf *shelf)
{
	if (shelf->count > 0)
		return;
	HASH_DEL(readings->shelves, shelf);
	free(shelf);
}

static void account(struct entry *entry, size_t bytes)
{
	entry->shelf->bytes += bytes - entry->bytes;
	entry->readings->stats.bytes += bytes - entry->bytes;
	entry->bytes = bytes;
}

static void end_observation(struct observation *observation)
{
	struct entry *entry = observation->entry;

	DL_DELETE(entry->observations, observation);
	entry->observers--;
	entry->readings->stats.observers--;
	free(observation);
}

static void drop(struct entry *entry)
{
	struct readings *readings = entry->readings;
	struct shelf *shelf = entry->shelf;

	while (entry->observations)
		end_observation(entry->observations);
	account(entry, 0);
	readings_leave(entry);
	readings->stats.removed++;
	HASH_DEL(readings->table, entry);
	DL_DELETE(readings->entries, entry);
	DL_DELETE2(shelf->entries, entry, shelf_prev, shelf_next);
	readings->stats.count--;
	shelf->count--;
	close_shelf(readings, shelf);
	message_unref(entry->reading.message);
	free(entry);
}

void readings_free(struct readings *readings)
{
	if (!readings)
		return;
	while (readings->entries)
		drop(readings->entries);
	free(readings);
}

void readings_lose(struct entry *entry, enum readings_loss loss)
{
	struct readings *readings = entry->readings;

	while (entry->observations) {
		void *observer = entry->observations->observer;

		end_observation(entry->observations);
		readings->events->lost(readings->arg, observer, loss);
	}
	drop(entry);
}

static struct entry *add(struct readings *readings, struct tg_bytes device, const char *key, size_t size)
{
	struct shelf *shelf = open_shelf(readings, device);
	struct entry *entry = shelf ? malloc(sizeof(*entry) + size) : NULL;

	if (!entry) {
		if (shelf)
			close_shelf(readings, shelf);
		return NULL;
	}
	*entry = (struct entry){.readings = readings, .shelf = shelf};
	memcpy(entry->key, key, size);
	HASH_ADD_KEYPTR(hh, readings->table, entry->key, size, entry);
	if (entry->lost) {
		free(entry);
		close_shelf(readings, shelf);
		return NULL;
	}
	DL_APPEND(readings->entries, entry);
	DL_APPEND2(shelf->entries, entry, shelf_prev, shelf_next);
	shelf->count++;
	readings->stats.count++;
	return entry;
}

/* Verdicts may come in another order than the messages did. */
static bool is_newer(const struct message *message, const struct message *last)
{
	if (message->taken_us != last->taken_us)
		return message->taken_us > last->taken_us;
	return memcmp(message->id, last->id, sizeof(message->id)) > 0;
}

static void to_the_end(struct entry *entry)
{
	struct readings *readings = entry->readings;

	readings_leave(entry);
	if (entry->next) {
		DL_DELETE(readings->entries, entry);
		DL_APPEND(readings->entries, entry);
	}
	if (entry->shelf_next) {
		DL_DELETE2(entry->shelf->entries, entry, shelf_prev, shelf_next);
		DL_APPEND2(entry->shelf->entries, entry, shelf_prev, shelf_next);
	}
}

static void renew(struct entry *entry, const struct message *message)
{
	struct readings *readings = entry->readings;

	readings->etag += readings->etag == UINT64_MAX ? 2 : 1;
	message_unref(entry->reading.message);
	entry->reading = (struct last_reading){message_ref(message), readings->etag};
	account(entry, sizeof(*entry) + entry->hh.keylen + message_size(message));
}

void readings_put(struct readings *readings, const struct message *message)
{
	char key[KEY_MAX];
	size_t size = make_key(message->device, message->path, key);
	struct observation *observation, *next;
	struct entry *entry;

	if (readings->limits.count == 0 || size == 0)
		return;
	entry = find(readings, key, size);
	if (entry && !is_newer(message, entry->reading.message))
		return;
	if (entry)
		to_the_end(entry);
	else
		entry = add(readings, message->device, key, size);
	if (!entry)
		return;
	renew(entry, message);
	if (!readings_make_room(readings, entry))
		return;
	DL_FOREACH_SAFE (entry->observations, observation, next)
		readings->events->changed(readings->arg, observation->observer, &entry->reading);
}

void readings_forget(struct readings *readings, struct tg_bytes device)
{
	struct shelf *shelf;

	while ((shelf = find_shelf(readings, device)))
		readings_lose(shelf->entries, READINGS_FORGOTTEN);
}

static struct entry *look_up(const struct readings *readings, struct tg_bytes device, struct tg_bytes path)
{
	char key[KEY_MAX];
	size_t size = make_key(device, path, key);

	if (size && memchr(key, '\0', size) != key + device.size)
		return NULL;
	return size ? find(readings, key, size) : NULL;
}

const struct last_reading *readings_find(const struct readings *readings, struct tg_bytes device, struct tg_bytes path)
{
	const struct entry *entry = look_up(readings, device, path);

	return entry ? &entry->reading : NULL;
}

int readings_observe(struct readings *readings, struct tg_bytes device, struct tg_bytes path, void *observer,
		     struct observation **ret_observation)
{
	struct entry *entry = look_up(readings, device, path);
	struct observation *observation;

	if (!entry)
		return -ENOENT;
	if (readings->stats.observers >= readings->limits.observers)
		return -ENOBUFS;
	observation = malloc(sizeof(*observation));
	if (!observation)
		return -ENOMEM;
	*observation = (struct observation){.entry = entry, .observer = observer};
	DL_APPEND(entry->observations, observation);
	entry->observers++;
	readings->stats.observers++;
	*ret_observation = observation;
	return 0;
}

void readings_unobserve(struct observation *observation)
{
	if (observation)
		end_observation(observation);
}

const struct last_reading *readings_observed(const struct observation *observation)
{
	return &observation->entry->reading;
}

int readings_each(const struct readings *readings, const struct tg_bytes *device,
		  int (*fn)(void *arg, const struct last_reading *reading, size_t observers), void *arg)
{
	const struct shelf *shelf = device ? find_shelf(readings, *device) : NULL;
	const struct entry *first = device ? (shelf ? shelf->entries : NULL) : readings->entries;
	const struct entry *entry = first;
	int r;

	while (entry) {
		entry = device ? entry->shelf_prev : entry->prev; /* the first one's is the last one */
		r = fn(arg, &entry->reading, entry->observers);
		if (r != 0)
			return r;
		if (entry == first)
			break;
	}
	return 0;
}

void readings_stats(const struct readings *readings, struct readings_stats *ret_stats)
{
	*ret_stats = readings->stats;
}
