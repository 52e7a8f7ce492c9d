/* SPDX-License-Identifier: Apache-2.0 */

/* Changes of the registry: each is on disk before the table knows of it. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "core/devices_private.h"
#include "core/trust_seal.h"

/* SET_US: what the clocks may drift apart before one of them counts as set. */
enum { EXPIRE_MAX = 64, CORRECT_MAX = 16, EXPIRE_AGAIN_US = 5 * 1000 * 1000, SET_US = 60 * 1000 * 1000 };

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

static int check(struct devices *devices, const struct device_enrolment *enrolment)
{
	if (!is_good_name(enrolment->name))
		return -EINVAL;
	if (!is_good_profile(enrolment->profile))
		return -EDOM;
	if (devices_entry(devices, bytes_text(enrolment->name)))
		return -EEXIST;
	return enrolment->key && devices_is_locked(devices) ? -ENOKEY : 0;
}

/* Where the numbers of a device begin: not where they began when it was enrolled before, so that no old ticket fits. */
static int first_generation(uint64_t *ret_generation)
{
	CLEANUP_SECRET struct secret number = {.size = 0};
	uint64_t generation = 0;
	int r = trust_random(&number, 6);

	if (r < 0)
		return r;
	memcpy(&generation, number.data, 6);
	*ret_generation = generation + 1;
	return 0;
}

/* Within a transaction. */
static int add_one(struct devices *devices, const struct device_enrolment *enrolment, int64_t wall_us,
		   struct devices_entry **ret_entry)
{
	struct device device = {.name = enrolment->name,
				.endpoint = enrolment->endpoint,
				.proof = enrolment->proof,
				.profile = enrolment->profile,
				.revoked = enrolment->revoked,
				.created_wall_us = wall_us,
				.changed_wall_us = wall_us};
	struct devices_keys keys = {.size = 0};
	struct devices_entry *entry;
	int r = check(devices, enrolment);

	if (r >= 0)
		r = first_generation(&device.generation);
	if (r >= 0 && enrolment->key)
		r = devices_seal(devices, &device, device.generation, enrolment->key, keys.key, &keys.size);
	if (r < 0)
		return r;
	entry = devices_remember(devices, &device);
	if (!entry)
		return -ENOMEM;
	r = devices_file_put(devices->file, &entry->device, &keys);
	if (r < 0) {
		devices_forget(devices, entry);
		return r;
	}
	*ret_entry = entry;
	return 0;
}

int devices_add(struct devices *devices, const struct device_enrolment *enrolment, int64_t wall_us)
{
	int result, r = devices_add_many(devices, enrolment, 1, false, wall_us, &result);

	return r < 0 ? r : result;
}

/* What is wrong with one device; anything else is wrong with the registry. */
static bool is_about_one(int error)
{
	return error == -EINVAL || error == -EDOM || error == -EEXIST || error == -ENOKEY;
}

int devices_add_many(struct devices *devices, const struct device_enrolment *list, size_t count, bool dry_run,
		     int64_t wall_us, int *ret_results)
{
	CLEANUP_FREE struct devices_entry **added = calloc(count + 1, sizeof(struct devices_entry *));
	int r = !added ? -ENOMEM : dry_run ? 0 : devices_file_begin(devices->file);

	for (size_t i = 0; i < count && r >= 0; i++) {
		ret_results[i] = dry_run ? check(devices, &list[i]) : add_one(devices, &list[i], wall_us, &added[i]);
		if (ret_results[i] < 0 && !is_about_one(ret_results[i]))
			r = ret_results[i];
	}
	if (dry_run || !added)
		return r;
	if (r >= 0)
		r = devices_file_commit(devices->file);
	else
		devices_file_rollback(devices->file);
	for (size_t i = 0; i < count && r < 0; i++)
		if (added[i])
			devices_forget(devices, added[i]);
	return r;
}

/* Writes `changed` in the place of the entry. */
static int put(struct devices *devices, struct devices_entry *entry, const struct device *changed,
	       const struct devices_keys *keys)
{
	int r = devices_file_begin(devices->file);

	if (r < 0)
		return r;
	r = devices_file_put(devices->file, changed, keys);
	if (r < 0) {
		devices_file_rollback(devices->file);
		return r;
	}
	r = devices_file_commit(devices->file);
	if (r < 0)
		return r;
	entry->device = *changed;
	devices_note_overlap(devices, changed);
	return 0;
}

int devices_set_profile(struct devices *devices, const char *name, const char *profile, int64_t wall_us)
{
	struct devices_entry *entry = devices_entry(devices, bytes_text(name));
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
	r = put(devices, entry, &changed, NULL);
	if (r < 0) {
		free(copy);
		return r;
	}
	free(entry->profile);
	entry->profile = copy;
	return 0;
}

int devices_revoke(struct devices *devices, const char *name, int64_t wall_us)
{
	struct devices_entry *entry = devices_entry(devices, bytes_text(name));
	const struct devices_keys none = {.size = 0};
	struct device changed;

	if (!entry)
		return -ENOENT;
	changed = entry->device;
	changed.revoked = changed.changed = true;
	changed.changed_wall_us = wall_us;
	changed.generation = (changed.next_generation ? changed.next_generation : changed.generation) + 1;
	changed.next_generation = 0;
	changed.overlap_until_wall_us = 0;
	return put(devices, entry, &changed, &none);
}

int devices_rotate(struct devices *devices, const char *name, const struct secret *key, int64_t overlap_us,
		   int64_t now_us, int64_t wall_us)
{
	struct devices_entry *entry = devices_entry(devices, bytes_text(name));
	struct devices_keys keys = {.size = 0};
	uint64_t generation;
	struct device changed;
	bool both;
	int r = 0;

	if (!entry)
		return -ENOENT;
	if (entry->device.proof != DEVICE_PSK)
		return -EOPNOTSUPP;
	changed = entry->device;
	changed.changed_wall_us = wall_us;
	generation = (changed.next_generation ? changed.next_generation : changed.generation) + 1;
	both = overlap_us > 0 && !changed.revoked;
	if (both)
		r = devices_file_keys(devices->file, bytes_text(name), &keys);
	if (r < 0)
		return r;
	changed.revoked = false;
	changed.changed |= !both;
	changed.overlap_until_wall_us = both ? wall_us + overlap_us : 0;
	changed.next_generation = both ? generation : 0;
	changed.generation = both ? changed.generation : generation;
	r = both ? devices_seal(devices, &changed, generation, key, keys.next, &keys.next_size)
		 : devices_seal(devices, &changed, generation, key, keys.key, &keys.size);
	if (r >= 0)
		r = put(devices, entry, &changed, &keys);
	if (r < 0)
		return r;
	entry->next_turn = false;
	entry->ends_us = both ? now_us + overlap_us : 0;
	return 0;
}

/* The new key is the only one; to be written within a transaction. */
static int promote_in_file(struct devices *devices, const struct devices_entry *entry, int64_t overlap_until_wall_us,
			   struct device *ret_changed)
{
	struct devices_keys keys = {.size = 0};
	struct device changed = entry->device;
	int r = 0;

	changed.overlap_until_wall_us = overlap_until_wall_us;
	if (changed.next_generation) {
		r = devices_file_keys(devices->file, bytes_text(entry->name), &keys);
		if (r < 0)
			return r;
		memcpy(keys.key, keys.next, sizeof(keys.key));
		keys.size = keys.next_size;
		keys.next_size = 0;
		changed.generation = changed.next_generation;
		changed.next_generation = 0;
		r = devices_file_put(devices->file, &changed, &keys);
	} else {
		r = devices_file_put(devices->file, &changed, NULL);
	}
	if (r >= 0)
		*ret_changed = changed;
	return r;
}

/* All of them, or none. */
static int promote(struct devices *devices, struct devices_entry *const *entries, size_t count, int64_t until_wall_us)
{
	struct device changed[EXPIRE_MAX];
	int r = devices_file_begin(devices->file);

	if (r < 0)
		return r;
	for (size_t i = 0; i < count && r >= 0; i++)
		r = promote_in_file(devices, entries[i], until_wall_us, &changed[i]);
	if (r >= 0)
		r = devices_file_commit(devices->file);
	else
		devices_file_rollback(devices->file);
	for (size_t i = 0; i < count && r >= 0; i++)
		entries[i]->device = changed[i];
	return r;
}

int devices_worked(struct devices *devices, struct tg_bytes name, uint64_t generation)
{
	struct devices_entry *entry = devices_entry(devices, name);
	int r;

	if (!entry || !entry->device.next_generation)
		return 0;
	if (generation == entry->device.generation)
		entry->next_turn = false;
	if (generation != entry->device.next_generation)
		return 0;
	r = promote(devices, &entry, 1, entry->device.overlap_until_wall_us);
	return r < 0 ? r : 1;
}

int devices_finish(struct devices *devices, const char *name, int64_t wall_us)
{
	struct devices_entry *entry = devices_entry(devices, bytes_text(name));
	int r;

	if (!entry)
		return -ENOENT;
	if (!entry->device.overlap_until_wall_us)
		return -EALREADY;
	r = promote(devices, &entry, 1, 0);
	if (r < 0)
		return r;
	entry->device.changed = true;
	entry->device.changed_wall_us = wall_us;
	return 0;
}

/* When the overlap ends by the clock of now. One that was set back since the rotation must not lengthen what is left. */
static int64_t right_until(const struct devices_entry *entry, int64_t now_us, int64_t wall_us)
{
	const struct device *device = &entry->device;

	if (entry->ends_us)
		return wall_us + (entry->ends_us - now_us);
	if (wall_us < device->changed_wall_us - SET_US && device->overlap_until_wall_us > device->changed_wall_us)
		return wall_us + (device->overlap_until_wall_us - device->changed_wall_us);
	return device->overlap_until_wall_us;
}

/* The clock was set since: what stands in the file is put right for the next run, too. */
static int set_until(struct devices *devices, struct devices_entry *entry, int64_t until_wall_us, int64_t wall_us)
{
	struct device changed = entry->device;

	changed.overlap_until_wall_us = until_wall_us;
	if (changed.changed_wall_us > wall_us)
		changed.changed_wall_us = wall_us;
	return put(devices, entry, &changed, NULL);
}

/* Those whose time has come, as many as there is room for. */
static int find_expired(struct devices *devices, int64_t now_us, int64_t wall_us,
			struct devices_entry *ret_found[EXPIRE_MAX], size_t *ret_count)
{
	struct devices_entry *entry, *next;
	int64_t expire_us = INT64_MAX;
	size_t count = 0, corrected = 0;
	bool overlaps = false;
	int r = 0;

	HASH_ITER (hh, devices->table, entry, next) {
		int64_t until = right_until(entry, now_us, wall_us), is = entry->device.overlap_until_wall_us, left;

		if (is == 0)
			continue;
		overlaps = true;
		left = until - wall_us;
		if (left <= 0 && count < EXPIRE_MAX) {
			ret_found[count++] = entry;
			continue;
		}
		if (r >= 0 && (until - is > SET_US || is - until > SET_US)) {
			if (corrected++ < CORRECT_MAX)
				r = set_until(devices, entry, until, wall_us);
			else
				left = 0;
		}
		if (now_us + left < expire_us)
			expire_us = now_us + left;
	}
	devices->overlaps = overlaps;
	devices->expire_us = count ? 0 : expire_us;
	devices->shift_us = wall_us - now_us;
	*ret_count = count;
	return r;
}

/* Whether nothing can have ended yet; the clock may have been set since that was found out. */
static bool is_early(const struct devices *devices, int64_t now_us, int64_t wall_us)
{
	int64_t set_us = wall_us - now_us - devices->shift_us;

	return !devices->overlaps || (now_us < devices->expire_us && set_us < SET_US && -set_us < SET_US);
}

int devices_expire(struct devices *devices, int64_t now_us, int64_t wall_us, devices_expired_fn *fn, void *arg)
{
	struct devices_entry *found[EXPIRE_MAX];
	bool unused[EXPIRE_MAX];
	size_t count;
	int r, corrected;

	if (is_early(devices, now_us, wall_us))
		return 0;
	corrected = find_expired(devices, now_us, wall_us, found, &count);
	for (size_t i = 0; i < count; i++)
		unused[i] = found[i]->device.next_generation != 0;
	r = count > 0 ? promote(devices, found, count, 0) : 0;
	if (r < 0) {
		devices->expire_us = now_us + EXPIRE_AGAIN_US;
		return r;
	}
	for (size_t i = 0; i < count; i++) {
		found[i]->ends_us = 0;
		found[i]->device.changed = true;
		fn(arg, &found[i]->device, unused[i]);
	}
	if (corrected < 0)
		devices->expire_us = now_us + EXPIRE_AGAIN_US;
	return corrected;
}
