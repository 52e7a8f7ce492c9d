/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DEVICES_H
#define CORE_DEVICES_H

/*
 * The registry: which devices are enrolled, over which endpoint, how each proves who it is, and whether it was revoked. It lives in
 * devices.db in the state folder, apart from the outbox. What is asked for each message is kept in memory; keys are read from the
 * file for each handshake and wiped, so that a core file or a swapped page of an idle gateway holds none.
 *
 * Keys lie sealed in the file (trust_seal.h), each bound to its device, endpoint and generation, under a data key that lies there too,
 * sealed under the master key. Until devices_unlock was given that, the registry is locked: no key can be read or made,
 * everything else goes on.
 *
 * A device whose key is rotated has two for a while. A PSK server has to choose one before it can verify it, so
 * devices_key hands out first the one that worked last, and at each further look-up the other one, until devices_worked says that a
 * session was established: with the new key, and the old one is over at once; with the old one, and that is tried first again. Which
 * of the two it was shows in the generation that both are told by. Tickets carry it too: those of the old key are good until it ends.
 */

#include <stdbool.h>

#include "base/secret.h"
#include "core/profile.h"

struct devices;

enum { DEVICES_KEPT_MAX = 512 };

enum device_proof { DEVICE_PSK = 1, DEVICE_CERTIFICATE = 2 };

enum { DEVICE_PROFILE_MAX = 64 }; /* bytes */

/* What a device is enrolled with. */
struct device_enrolment {
	const char *name;
	const char *endpoint;
	enum device_proof proof;
	const struct secret *key; /* NULL for DEVICE_CERTIFICATE */
	const char *profile;      /* or "" */
	bool revoked;             /* to remember that it is not to be let in; without a key then */
};

struct device {
	const char *name;     /* also its PSK identity, and the name in its certificate */
	const char *endpoint; /* the only one that it may use */
	enum device_proof proof;
	const char *profile; /* "": chosen by the pattern that its name fits */
	bool revoked;
	uint64_t generation;      /* another one with each key, and when it is revoked; never 0 */
	uint64_t next_generation; /* of the new key, while the old one is still good; 0: none */
	int64_t overlap_until_wall_us; /* when the old key ends; what was established with it ends then, too. 0: nothing does */
	int64_t created_wall_us;
	int64_t changed_wall_us;
	/* Since the start of the gateway: */
	int64_t seen_wall_us; /* 0: not yet */
	bool changed;         /* revoked, or its key */
	uint64_t accepted;
	uint64_t refused;
	struct profile_use use; /* its profile, and the token bucket of its rate */
};

/* Opens or makes the file. A damaged one is set aside under a new name, loudly, and the copy that was made at the last change takes
 * its place. Errors: -errno. */
int devices_new(const char *state_dir, struct devices **ret_devices) WARN_UNUSED;
void devices_free(struct devices *devices);

/* Whether its keys are sealed under some master key already. */
bool devices_is_sealed(struct devices *devices);
bool devices_is_locked(const struct devices *devices);
/* Opens the keys. The first master key that it is given becomes its own: keys that an older version has left clear are sealed. Errors:
 * -EKEYREJECTED: another master key is its own; those of the file. It stays as locked or open as it was. */
int devices_unlock(struct devices *devices, const struct secret *master) WARN_UNUSED;
/* Seals every key anew, under a new data key and this master key, in one transaction. Errors: -ENOKEY: locked; -EKEYREJECTED: a key is
 * damaged, nothing was changed; those of the file. */
int devices_rekey(struct devices *devices, const struct secret *master) WARN_UNUSED;

/* Keeps another secret of the gateway in the registry's file, sealed like its keys, under a name that says what it is for; the
 * caller does it again after devices_rekey. Errors: -ENOKEY: locked; -EINVAL: too long; those of the file. */
int devices_keep(struct devices *devices, const char *name, struct tg_bytes clear) WARN_UNUSED;
/* Returns its size. Errors: -ENOENT; -ENOKEY: locked; -EKEYREJECTED: it was sealed under another key, or damaged. */
int devices_kept(struct devices *devices, const char *name, uint8_t ret_clear[DEVICES_KEPT_MAX]) WARN_UNUSED;
/* The authority that the gateway signs devices' certificates with (trust_ca.h): its private number, sealed as a key is (NULL: it is not
 * wanted), and its certificate (DER). Returns the size of that. Errors: -ENOENT: none was made yet; -ENOKEY; -EKEYREJECTED. */
int devices_authority(struct devices *devices, struct secret *ret_key, uint8_t *ret_certificate,
		      size_t room) WARN_UNUSED;
/* Errors: -ENOKEY; those of the file. */
int devices_set_authority(struct devices *devices, const struct secret *key, struct tg_bytes certificate) WARN_UNUSED;

/* Whether the mirror of the registry lacks what could not be written to it. */
bool devices_is_behind(const struct devices *devices);
/* Tries again to give it that, each few seconds; cheap while there is nothing to do. */
void devices_catch_up(struct devices *devices, int64_t now_us);

/* NULL: not enrolled. Revoked devices are found too. Lent until the next change. */
struct device *devices_find(struct devices *devices, struct tg_bytes name);
size_t devices_count(const struct devices *devices);
/* In the order of their names; ends at the first non-zero return and gives it back. */
int devices_each(struct devices *devices, int (*fn)(void *arg, struct device *device), void *arg);
/* As devices_each, of at most `most` devices that come behind the name `after` (NULL: from the first one on). */
int devices_page(struct devices *devices, const char *after, size_t most, int (*fn)(void *arg, struct device *device),
		 void *arg);

/* Enrols a device. On disk when it returns. Errors: -EEXIST (also where it is revoked: rotate it), -EINVAL: the name is empty, too
 * long, not UTF-8 or has control characters; -EDOM: the profile's name is so; -ENOKEY: locked, and it has a key. */
int devices_add(struct devices *devices, const struct device_enrolment *enrolment, int64_t wall_us) WARN_UNUSED;
/* Enrols many at once: each that is good, unless `dry_run`, which only looks. What became of each stands in `ret_results` as devices_add
 * would return it. Errors: -errno: nothing was taken. */
int devices_add_many(struct devices *devices, const struct device_enrolment *list, size_t count, bool dry_run,
		     int64_t wall_us, int *ret_results) WARN_UNUSED;
/* Errors: -ENOENT; -EDOM. */
int devices_set_profile(struct devices *devices, const char *name, const char *profile, int64_t wall_us) WARN_UNUSED;
/* Its keys are forgotten. Errors: -ENOENT. */
int devices_revoke(struct devices *devices, const char *name, int64_t wall_us) WARN_UNUSED;
/* A new key; the old one is good for `overlap_us` more, and a revoked device is let in again. A new key that was never used before the
 * next one is made is over. Errors: -ENOENT; -EOPNOTSUPP: it proves itself by a certificate; -ENOKEY. */
int devices_rotate(struct devices *devices, const char *name, const struct secret *key, int64_t overlap_us,
		   int64_t now_us, int64_t wall_us) WARN_UNUSED;
/* The old key and all that was established with it is over now. Errors: -ENOENT: no such device; -EALREADY: it has one key. */
int devices_finish(struct devices *devices, const char *name, int64_t wall_us) WARN_UNUSED;
/* The same for those whose time has come, whatever became of the clock in between: what was rotated in this run is measured by the
 * monotonic one, and an end that the clock that was set since would move is written anew. Some at a time; `fn` is told of each behind
 * that, `unused`: its new key was never seen. Cheap while there is nothing to do. Errors: those of the file; it is tried again in some seconds. */
typedef void devices_expired_fn(void *arg, const struct device *device, bool unused);
int devices_expire(struct devices *devices, int64_t now_us, int64_t wall_us, devices_expired_fn *fn,
		   void *arg) WARN_UNUSED;

/* The key of an enrolled device with DEVICE_PSK that is not revoked, and its generation. Takes the same way through the file whoever
 * is asked for. Errors: -ENOENT; -ENOKEY: locked; -EKEYREJECTED: its row was tampered with. */
int devices_key(struct devices *devices, struct tg_bytes name, struct secret *ret_key,
		uint64_t *ret_generation) WARN_UNUSED;
/* A session was established with the key of this generation. Returns whether that was a new key for the first time. Errors: those of
 * the file; both keys stay. */
int devices_worked(struct devices *devices, struct tg_bytes name, uint64_t generation) WARN_UNUSED;

#endif
