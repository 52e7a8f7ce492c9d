/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_DEVICES_H
#define CORE_DEVICES_H

/*
 * The registry: which devices are enrolled, over which endpoint, how each proves who it is, and whether it was revoked. It lives in
 * devices.db in the state folder, apart from the outbox. What is asked for each message is kept in memory; keys are read from the
 * file for each handshake and wiped, so that a core file or a swapped page of an idle gateway holds none.
 */

#include <stdbool.h>

#include "base/secret.h"

struct devices;

enum device_proof { DEVICE_PSK = 1, DEVICE_CERTIFICATE = 2 };

enum { DEVICE_PROFILE_MAX = 64 }; /* bytes */

/* What a device is enrolled with. */
struct device_enrolment {
	const char *name;
	const char *endpoint;
	enum device_proof proof;
	const struct secret *key; /* NULL for DEVICE_CERTIFICATE */
	const char *profile;      /* or "" */
};

struct device {
	const char *name;     /* also its PSK identity, and the name in its certificate */
	const char *endpoint; /* the only one that it may use */
	enum device_proof proof;
	const char *profile; /* "": chosen by the pattern that its name fits */
	bool revoked;
	int64_t created_wall_us;
	int64_t changed_wall_us;
	/* Since the start of the gateway: */
	int64_t seen_wall_us; /* 0: not yet */
	bool changed;         /* revoked, or its key */
	uint64_t accepted;
	uint64_t refused;
	/* Token bucket of its rate. */
	double tokens;
	int64_t tokens_us;
};

/* Opens or makes the file. A damaged one is set aside under a new name, loudly, and the copy that was made at the last change takes
 * its place. Errors: -errno. */
int devices_new(const char *state_dir, struct devices **ret_devices) WARN_UNUSED;
void devices_free(struct devices *devices);

/* NULL: not enrolled. Revoked devices are found too. Lent until the next change. */
struct device *devices_find(struct devices *devices, struct tg_bytes name);
size_t devices_count(const struct devices *devices);
/* In the order of their names; ends at the first non-zero return and gives it back. */
int devices_each(struct devices *devices, int (*fn)(void *arg, struct device *device), void *arg);

/* Enrols a device. On disk when it returns. Errors: -EEXIST (also where it is revoked: rotate it), -EINVAL: the name is empty, too
 * long, not UTF-8 or has control characters; -EDOM: the profile's name is so. */
int devices_add(struct devices *devices, const struct device_enrolment *enrolment, int64_t wall_us) WARN_UNUSED;
/* Errors: -ENOENT; -EDOM. */
int devices_set_profile(struct devices *devices, const char *name, const char *profile, int64_t wall_us) WARN_UNUSED;
/* Errors: -ENOENT. */
int devices_revoke(struct devices *devices, const char *name, int64_t wall_us) WARN_UNUSED;
/* A new key, and a revoked device is let in again. Errors: -ENOENT; -EOPNOTSUPP: it proves itself by a certificate. */
int devices_rotate(struct devices *devices, const char *name, const struct secret *key, int64_t wall_us) WARN_UNUSED;

/* The key of an enrolled device with DEVICE_PSK that is not revoked. Takes the same way through the file whoever is asked
 * for. Errors: -ENOENT. */
int devices_key(struct devices *devices, struct tg_bytes name, struct secret *ret_key) WARN_UNUSED;

#endif
