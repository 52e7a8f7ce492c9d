/* SPDX-License-Identifier: Apache-2.0 */
#include "core/devices.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "core/devices_private.h"

enum { CATCH_UP_US = 10 * 1000 * 1000 };

static void entry_free(struct devices_entry *entry)
{
	free(entry->name);
	free(entry->endpoint);
	free(entry->profile);
	free(entry);
}

struct devices_entry *devices_remember(struct devices *devices, const struct device *device)
{
	struct devices_entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->name = strdup(device->name);
	entry->endpoint = strdup(device->endpoint);
	entry->profile = strdup(device->profile);
	if (entry->name && entry->endpoint && entry->profile)
		HASH_ADD_KEYPTR(hh, devices->table, entry->name, strlen(entry->name), entry);
	else
		entry->lost = true;
	if (entry->lost) {
		entry_free(entry);
		return NULL;
	}
	entry->device = *device;
	entry->device.name = entry->name;
	entry->device.endpoint = entry->endpoint;
	entry->device.profile = entry->profile;
	devices->sorted = false;
	devices_note_overlap(devices, &entry->device);
	return entry;
}

void devices_forget(struct devices *devices, struct devices_entry *entry)
{
	HASH_DEL(devices->table, entry);
	entry_free(entry);
}

void devices_note_overlap(struct devices *devices, const struct device *device)
{
	if (device->overlap_until_wall_us == 0)
		return;
	devices->overlaps = true;
	devices->expire_us = 0;
}

static int load_one(void *arg, const struct device *device)
{
	return devices_remember(arg, device) ? 0 : -ENOMEM;
}

int devices_new(const char *state_dir, struct devices **ret_devices)
{
	struct devices *devices = calloc(1, sizeof(*devices));
	int r;

	if (!devices)
		return -ENOMEM;
	r = devices_file_open(state_dir, &devices->file);
	if (r >= 0)
		r = devices_file_each(devices->file, load_one, devices);
	if (r < 0) {
		devices_free(devices);
		return r;
	}
	*ret_devices = devices;
	return 0;
}

void devices_free(struct devices *devices)
{
	struct devices_entry *entry, *next;

	if (!devices)
		return;
	HASH_ITER (hh, devices->table, entry, next)
		devices_forget(devices, entry);
	devices_file_close(devices->file);
	secret_wipe(&devices->data);
	free(devices);
}

struct devices_entry *devices_entry(struct devices *devices, struct tg_bytes name)
{
	struct devices_entry *entry;

	HASH_FIND(hh, devices->table, name.size ? name.data : "", name.size, entry);
	return entry;
}

struct device *devices_find(struct devices *devices, struct tg_bytes name)
{
	struct devices_entry *entry = devices_entry(devices, name);

	return entry ? &entry->device : NULL;
}

size_t devices_count(const struct devices *devices)
{
	return HASH_COUNT(devices->table);
}

static int by_name(struct devices_entry *a, struct devices_entry *b)
{
	return strcmp(a->name, b->name);
}

int devices_page(struct devices *devices, const char *after, size_t most, int (*fn)(void *arg, struct device *device),
		 void *arg)
{
	struct devices_entry *entry, *known = after ? devices_entry(devices, bytes_text(after)) : NULL;
	int r = 0;

	if (!devices->sorted)
		HASH_SORT(devices->table, by_name);
	devices->sorted = true;
	entry = known ? known->hh.next : devices->table;
	while (after && !known && entry && strcmp(entry->name, after) <= 0)
		entry = entry->hh.next;
	for (; entry && most > 0 && r == 0; entry = entry->hh.next, most--)
		r = fn(arg, &entry->device);
	return r;
}

int devices_each(struct devices *devices, int (*fn)(void *arg, struct device *device), void *arg)
{
	return devices_page(devices, NULL, SIZE_MAX, fn, arg);
}

bool devices_is_behind(const struct devices *devices)
{
	return devices->file->behind;
}

void devices_catch_up(struct devices *devices, int64_t now_us)
{
	if (!devices->file->behind || now_us < devices->catch_up_us)
		return;
	devices->catch_up_us = now_us + CATCH_UP_US;
	(void)!devices_mirror_copy(devices->file);
}
