/* SPDX-License-Identifier: Apache-2.0 */
#include "core/devices.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#define HASH_NONFATAL_OOM          1
#define uthash_nonfatal_oom(entry) (entry)->lost = true
#include <uthash.h>

#include "base/bytes.h"
#include "base/log.h"
#include "core/database.h"
#include "core/devices_file.h"

struct entry {
	struct device device;
	char *name;
	char *endpoint;
	char *profile;
	bool lost; /* no memory to remember it */
	UT_hash_handle hh;
};

struct devices {
	struct database *database;
	struct database_statement *key; /* for the one question that every handshake asks */
	struct entry *table;
};

static void entry_free(struct entry *entry)
{
	if (!entry)
		return;
	free(entry->name);
	free(entry->endpoint);
	free(entry->profile);
	free(entry);
}

static struct entry *remember(struct devices *devices, struct tg_bytes name, struct tg_bytes endpoint,
			      struct tg_bytes profile)
{
	struct entry *entry = calloc(1, sizeof(*entry));

	if (!entry)
		return NULL;
	entry->name = bytes_to_text(name);
	entry->endpoint = bytes_to_text(endpoint);
	entry->profile = bytes_to_text(profile);
	if (entry->name && entry->endpoint && entry->profile)
		HASH_ADD_KEYPTR(hh, devices->table, entry->name, name.size, entry);
	else
		entry->lost = true;
	if (entry->lost) {
		entry_free(entry);
		return NULL;
	}
	entry->device.name = entry->name;
	entry->device.endpoint = entry->endpoint;
	entry->device.profile = entry->profile;
	return entry;
}

/* Reads all that is asked for often; keys stay where they are. */
static int load(struct devices *devices)
{
	CLEANUP_STATEMENT struct database_statement *rows = NULL;
	int r = database_prepare(devices->database,
				 "SELECT name, endpoint, profile, proof, revoked, created, changed FROM device ORDER "
				 "BY name",
				 &rows);

	if (r < 0)
		return r;
	while ((r = database_step(rows)) > 0) {
		struct entry *entry = remember(devices, database_column_bytes(rows, 0), database_column_bytes(rows, 1),
					       database_column_bytes(rows, 2));

		if (!entry)
			return -ENOMEM;
		entry->device.proof = (enum device_proof)database_column_number(rows, 3);
		entry->device.revoked = database_column_number(rows, 4) != 0;
		entry->device.created_wall_us = database_column_number(rows, 5);
		entry->device.changed_wall_us = database_column_number(rows, 6);
	}
	return r;
}

int devices_new(const char *state_dir, struct devices **ret_devices)
{
	struct devices *devices = calloc(1, sizeof(*devices));
	int r;

	if (!devices)
		return -ENOMEM;
	r = devices_file_open(state_dir, &devices->database);
	if (r >= 0)
		r = load(devices);
	if (r >= 0)
		r = database_prepare(devices->database,
				     "SELECT key FROM device WHERE name = ?1 AND proof = 1 AND revoked = 0",
				     &devices->key);
	if (r < 0) {
		devices_free(devices);
		return r;
	}
	*ret_devices = devices;
	return 0;
}

void devices_free(struct devices *devices)
{
	struct entry *entry, *next;

	if (!devices)
		return;
	HASH_ITER (hh, devices->table, entry, next) {
		HASH_DEL(devices->table, entry);
		entry_free(entry);
	}
	database_finalize(devices->key);
	database_close(devices->database);
	free(devices);
}

static struct entry *find(struct devices *devices, struct tg_bytes name)
{
	struct entry *entry;

	HASH_FIND(hh, devices->table, name.size ? name.data : "", name.size, entry);
	return entry;
}

struct device *devices_find(struct devices *devices, struct tg_bytes name)
{
	struct entry *entry = find(devices, name);

	return entry ? &entry->device : NULL;
}

size_t devices_count(const struct devices *devices)
{
	return HASH_COUNT(devices->table);
}

static int by_name(struct entry *a, struct entry *b)
{
	return strcmp(a->name, b->name);
}

int devices_each(struct devices *devices, int (*fn)(void *arg, struct device *device), void *arg)
{
	int r = 0;

	HASH_SORT(devices->table, by_name);
	for (struct entry *entry = devices->table; entry && r == 0; entry = entry->hh.next)
		r = fn(arg, &entry->device);
	return r;
}

/* UTF-8 without control characters; C1 controls are two bytes there. */
static bool is_plain(const char *text)
{
	if (!bytes_is_utf8(bytes_text(text)))
		return false;
	for (const char *p = text; *p; p++) {
		if ((unsigned char)*p < 0x20 || *p == 0x7f || (*p == '\xc2' && (unsigned char)p[1] < 0xa0))
			return false;
	}
	return true;
}

static bool is_good_name(const char *name)
{
	size_t length = strlen(name);

	return length > 0 && length <= TG_DEVICE_MAX && is_plain(name);
}

static bool is_good_profile(const char *profile)
{
	return strlen(profile) <= DEVICE_PROFILE_MAX && is_plain(profile);
}

int devices_add(struct devices *devices, const struct device_enrolment *enrolment, int64_t wall_us)
{
	struct tg_bytes name = bytes_text(enrolment->name);
	struct entry *entry;
	int r;

	if (!is_good_name(enrolment->name))
		return -EINVAL;
	if (!is_good_profile(enrolment->profile))
		return -EDOM;
	if (find(devices, name))
		return -EEXIST;
	entry = remember(devices, name, bytes_text(enrolment->endpoint), bytes_text(enrolment->profile));
	if (!entry)
		return -ENOMEM;
	entry->device.proof = enrolment->proof;
	entry->device.created_wall_us = entry->device.changed_wall_us = wall_us;
	r = devices_file_put(devices->database, &entry->device, enrolment->key);
	if (r < 0) {
		HASH_DEL(devices->table, entry);
		entry_free(entry);
	}
	return r;
}

int devices_set_profile(struct devices *devices, const char *name, const char *profile, int64_t wall_us)
{
	struct entry *entry = find(devices, bytes_text(name));
	struct device changed;
	char *copy;
	int r;

	if (!entry)
		return -ENOENT;
	if (!is_good_profile(profile))
		return -EDOM;
	copy = strdup(profile);
	if (!copy)
		return -ENOMEM;
	changed = entry->device;
	changed.profile = copy;
	changed.changed_wall_us = wall_us;
	r = devices_file_put(devices->database, &changed, NULL);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(entry->profile);
	entry->profile = copy;
	entry->device = changed;
	return 0;
}

static int change(struct devices *devices, const char *name, bool revoked, const struct secret *key, int64_t wall_us)
{
	struct entry *entry = find(devices, bytes_text(name));
	struct device changed;
	int r;

	if (!entry)
		return -ENOENT;
	if (key && entry->device.proof != DEVICE_PSK)
		return -EOPNOTSUPP;
	changed = entry->device;
	changed.revoked = revoked;
	changed.changed_wall_us = wall_us;
	changed.changed = true;
	r = devices_file_put(devices->database, &changed, key);
	if (r >= 0)
		entry->device = changed;
	return r;
}

int devices_revoke(struct devices *devices, const char *name, int64_t wall_us)
{
	return change(devices, name, true, NULL, wall_us);
}

int devices_rotate(struct devices *devices, const char *name, const struct secret *key, int64_t wall_us)
{
	return change(devices, name, false, key, wall_us);
}

int devices_key(struct devices *devices, struct tg_bytes name, struct secret *ret_key)
{
	int r;

	database_bind_text(devices->key, 1, name);
	r = database_step(devices->key);
	if (r > 0)
		r = secret_set(ret_key, database_column_bytes(devices->key, 0));
	else if (r == 0)
		r = -ENOENT;
	database_reset(devices->key);
	if (r >= 0 && ret_key->size == 0)
		return -ENOENT;
	return r;
}
