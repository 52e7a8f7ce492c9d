/* SPDX-License-Identifier: Apache-2.0 */

/* What is sealed in the registry: the data key under the master key, the devices' keys under the data key. */

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/log.h"
#include "core/devices_private.h"
#include "core/trust_seal.h"

_Static_assert(DEVICES_SEALED_MAX == SECRET_MAX + TRUST_SEAL_EXTRA, "room for any sealed key");

#define SEAL_VALUE    "seal"
#define SCRUB_VALUE   "scrub"
#define AUTHORITY_KEY "authority key"
#define AUTHORITY     "authority"
#define SEAL_CONTEXT  "tidegate registry data key"

enum { CONTEXT_MAX = 1024, SEAL_BYTES = TRUST_SEAL_KEY + TRUST_SEAL_EXTRA };

/* Where a key belongs: no two devices, and no two keys of one, have the same. Returns its size. */
static size_t context_of(const struct device *device, uint64_t generation, uint8_t ret_context[CONTEXT_MAX])
{
	static const char purpose[] = "tidegate device key";
	const uint64_t big_generation = htobe64(generation);
	const struct tg_bytes parts[] = {
		bytes_of(purpose, sizeof(purpose)), bytes_of(&big_generation, sizeof(big_generation)),
		bytes_of(device->name, strlen(device->name) + 1), bytes_text(device->endpoint)};
	size_t size = 0;

	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]); i++) {
		if (size + parts[i].size > CONTEXT_MAX)
			return 0;
		memcpy(ret_context + size, parts[i].data, parts[i].size);
		size += parts[i].size;
	}
	return size;
}

int devices_seal(const struct devices *devices, const struct device *device, uint64_t generation,
		 const struct secret *key, uint8_t *ret_sealed, size_t *ret_size)
{
	uint8_t context[CONTEXT_MAX];
	size_t size = context_of(device, generation, context);
	int r;

	if (devices_is_locked(devices))
		return -ENOKEY;
	if (size == 0)
		return -EINVAL;
	r = trust_seal(&devices->data, bytes_of(context, size), secret_bytes(key), ret_sealed);
	if (r >= 0)
		*ret_size = key->size + TRUST_SEAL_EXTRA;
	return r;
}

static int unseal(const struct secret *data, const struct device *device, uint64_t generation, const uint8_t *sealed,
		  size_t sealed_size, struct secret *ret_key)
{
	uint8_t context[CONTEXT_MAX];
	size_t size = context_of(device, generation, context);
	int r;

	if (sealed_size > DEVICES_SEALED_MAX)
		return -EKEYREJECTED;
	r = trust_unseal(data, bytes_of(context, size), bytes_of(sealed, sealed_size), ret_key->data);
	if (r >= 0)
		ret_key->size = (size_t)r;
	return r;
}

bool devices_is_sealed(struct devices *devices)
{
	uint8_t sealed[SEAL_BYTES];

	return devices_file_value(devices->file, SEAL_VALUE, sealed, sizeof(sealed)) != -ENOENT;
}

bool devices_is_locked(const struct devices *devices)
{
	return devices->data.size == 0;
}

static int put_data_key(struct devices *devices, const struct secret *master, const struct secret *data)
{
	uint8_t sealed[SEAL_BYTES];
	int r = trust_seal(master, bytes_text(SEAL_CONTEXT), secret_bytes(data), sealed);

	return r < 0 ? r : devices_file_set_value(devices->file, SEAL_VALUE, bytes_of(sealed, sizeof(sealed)));
}

static int put_authority_key(struct devices *devices, const struct secret *key)
{
	uint8_t sealed[DEVICES_SEALED_MAX];
	int r = trust_seal(&devices->data, bytes_text(AUTHORITY_KEY), secret_bytes(key), sealed);

	return r < 0 ? r
		     : devices_file_set_value(devices->file, AUTHORITY_KEY,
					      bytes_of(sealed, key->size + TRUST_SEAL_EXTRA));
}

/* Keys that an older version has left clear: `from` is NULL. */
static int reseal_one(struct devices *devices, const struct device *device, const struct secret *from,
		      uint64_t generation, uint8_t *key, size_t *size)
{
	CLEANUP_SECRET struct secret clear = {.size = 0};
	int r;

	if (*size == 0)
		return 0;
	r = from ? unseal(from, device, generation, key, *size, &clear) : secret_set(&clear, bytes_of(key, *size));
	if (r < 0)
		return r;
	explicit_bzero(key, *size);
	return devices_seal(devices, device, generation, &clear, key, size);
}

/* Within a transaction: all keys under devices->data, which were under `from`. */
static int reseal_all(struct devices *devices, const struct secret *from)
{
	struct devices_entry *entry, *next;
	int r = 0;

	HASH_ITER (hh, devices->table, entry, next) {
		const struct device *device = &entry->device;
		struct devices_keys keys = {.size = 0};

		if (r >= 0)
			r = devices_file_keys(devices->file, bytes_text(device->name), &keys);
		if (r < 0 || keys.size + keys.next_size == 0)
			continue;
		r = reseal_one(devices, device, from, device->generation, keys.key, &keys.size);
		if (r >= 0)
			r = reseal_one(devices, device, from, device->next_generation, keys.next, &keys.next_size);
		if (r >= 0)
			r = devices_file_put(devices->file, device, &keys);
		explicit_bzero(&keys, sizeof(keys));
	}
	return r;
}

/* What is looked into for identities that nobody has. */
static void make_decoy(struct devices *devices)
{
	static const struct device nobody = {.name = "", .endpoint = "", .generation = 1};
	CLEANUP_SECRET struct secret key = {.size = 0};

	if (trust_random(&key, 16) >= 0)
		(void)!devices_seal(devices, &nobody, 1, &key, devices->decoy.key, &devices->decoy.size);
}

/* What was overwritten goes from the disk as well. On failure, such as a full disk, the next start tries again. */
static void scrub(struct devices *devices)
{
	uint8_t wanted;
	int r = devices_file_value(devices->file, SCRUB_VALUE, &wanted, sizeof(wanted));

	if (r != sizeof(wanted))
		return;
	r = devices_file_scrub(devices->file);
	if (r >= 0)
		r = devices_file_begin(devices->file);
	if (r >= 0)
		r = devices_file_set_value(devices->file, SCRUB_VALUE, bytes_of(NULL, 0));
	if (r >= 0)
		r = devices_file_commit(devices->file);
	else
		devices_file_rollback(devices->file);
	if (r < 0)
		log_warning("old keys may still be readable in the free space of the registry's files (%s)",
			    strerror(-r));
}

/* Within a transaction: the authority's key under devices->data, which was under `from`. */
static int reseal_authority(struct devices *devices, const struct secret *from)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	uint8_t sealed[DEVICES_SEALED_MAX];
	int r = devices_file_value(devices->file, AUTHORITY_KEY, sealed, sizeof(sealed));

	if (r == -ENOENT || !from)
		return 0;
	if (r >= 0)
		r = trust_unseal(from, bytes_text(AUTHORITY_KEY), bytes_of(sealed, (size_t)r), key.data);
	if (r < 0)
		return r;
	key.size = (size_t)r;
	return put_authority_key(devices, &key);
}

/* A new data key under `master`, and every key under that; `from` is the data key until now, NULL: they are clear. */
static int seal_anew(struct devices *devices, const struct secret *master, const struct secret *from)
{
	CLEANUP_SECRET struct secret before = devices->data;
	int r = devices_file_begin(devices->file);

	if (r < 0)
		return r;
	r = trust_random(&devices->data, TRUST_SEAL_KEY);
	if (r >= 0)
		r = put_data_key(devices, master, &devices->data);
	if (r >= 0)
		r = devices_file_set_value(devices->file, SCRUB_VALUE, bytes_of("", 1));
	if (r >= 0)
		r = reseal_all(devices, from);
	if (r >= 0)
		r = reseal_authority(devices, from);
	if (r >= 0)
		r = devices_file_commit(devices->file);
	else
		devices_file_rollback(devices->file);
	if (r < 0) {
		devices->data = before;
		return r;
	}
	make_decoy(devices);
	scrub(devices);
	return 0;
}

int devices_unlock(struct devices *devices, const struct secret *master)
{
	CLEANUP_SECRET struct secret data = {.size = 0};
	uint8_t sealed[SEAL_BYTES];
	int r = devices_file_value(devices->file, SEAL_VALUE, sealed, sizeof(sealed));

	if (r == -ENOENT)
		return seal_anew(devices, master, NULL);
	if (r >= 0)
		r = trust_unseal(master, bytes_text(SEAL_CONTEXT), bytes_of(sealed, (size_t)r), data.data);
	if (r >= 0 && r != TRUST_SEAL_KEY)
		r = -EKEYREJECTED;
	if (r < 0)
		return r;
	data.size = TRUST_SEAL_KEY;
	devices->data = data;
	make_decoy(devices);
	scrub(devices);
	return 0;
}

int devices_rekey(struct devices *devices, const struct secret *master)
{
	CLEANUP_SECRET struct secret from = devices->data;

	return devices_is_locked(devices) ? -ENOKEY : seal_anew(devices, master, &from);
}

int devices_key(struct devices *devices, struct tg_bytes name, struct secret *ret_key, uint64_t *ret_generation)
{
	static const struct device nobody = {.name = "", .endpoint = "", .generation = 1};
	struct devices_entry *entry = devices_entry(devices, name);
	const struct device *device = entry ? &entry->device : &nobody;
	struct devices_keys keys = {.size = 0};
	CLEANUP_SECRET struct secret key = {.size = 0};
	bool good = entry && device->proof == DEVICE_PSK && !device->revoked, next;
	int r = devices_file_keys(devices->file, name, &keys);

	if (r < 0 && r != -ENOENT)
		return r;
	if (devices_is_locked(devices))
		return -ENOKEY;
	if (!good) {
		keys = devices->decoy;
		device = &nobody;
	}
	next = good && device->next_generation && entry->next_turn;
	r = next ? unseal(&devices->data, device, device->next_generation, keys.next, keys.next_size, &key)
		 : unseal(&devices->data, device, device->generation, keys.key, keys.size, &key);
	if (!good)
		return -ENOENT;
	entry->next_turn = device->next_generation && !next;
	if (r < 0)
		return r;
	*ret_key = key;
	*ret_generation = next ? device->next_generation : device->generation;
	return 0;
}

int devices_authority(struct devices *devices, struct secret *ret_key, uint8_t *ret_certificate, size_t room)
{
	uint8_t sealed[DEVICES_SEALED_MAX];
	int size = devices_file_value(devices->file, AUTHORITY, ret_certificate, room), r;

	if (size < 0 || !ret_key)
		return size;
	if (devices_is_locked(devices))
		return -ENOKEY;
	r = devices_file_value(devices->file, AUTHORITY_KEY, sealed, sizeof(sealed));
	if (r >= 0)
		r = trust_unseal(&devices->data, bytes_text(AUTHORITY_KEY), bytes_of(sealed, (size_t)r), ret_key->data);
	if (r < 0)
		return r == -ENOENT ? -EKEYREJECTED : r;
	ret_key->size = (size_t)r;
	return size;
}

int devices_set_authority(struct devices *devices, const struct secret *key, struct tg_bytes certificate)
{
	int r = devices_is_locked(devices) ? -ENOKEY : devices_file_begin(devices->file);

	if (r < 0)
		return r;
	r = put_authority_key(devices, key);
	if (r >= 0)
		r = devices_file_set_value(devices->file, AUTHORITY, certificate);
	if (r >= 0)
		return devices_file_commit(devices->file);
	devices_file_rollback(devices->file);
	return r;
}
