/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_CLIENT_DEVICE_H
#define TESTS_COAP_CLIENT_DEVICE_H

/*
 * A device without DTLS that does what few real ones do, in a thread of its own, on loopback: rejects messages, validates by ETag, notifies
 * when it is told to, falls silent. It has one resource, whatever the path, whose state is a number; what is fetched (FETCH) of
 * it comes in two blocks of 16 bytes, of 'a' and of 'b'.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct device;

struct device *device_new(void);
void device_free(struct device *device); /* accepts NULL */
uint16_t device_port(const struct device *device);

/* Rejects so many of the next requests with a reset. */
void device_reject(struct device *device, unsigned count);
enum device_mood {
	DEVICE_ANSWERS = 0,
	DEVICE_ACKNOWLEDGES = 1, /* and never answers */
	DEVICE_SILENT = 2
};

void device_feel(struct device *device, enum device_mood mood);
/* The next state, a new ETag. */
void device_change(struct device *device);
/* Tells the last one who asked to observe, confirmably or not. */
void device_notify(struct device *device, bool confirmable);
/* Sends a state that nobody asked for to the last one who asked for anything; its token is of so many zeros, up to 8. */
void device_babble(struct device *device, size_t token_size);

struct device_seen {
	size_t requests;
	size_t with_etag;
	size_t validated; /* 2.03 */
	size_t observes;
	size_t acknowledged; /* notifications */
	size_t rejected;     /* notifications, with a reset */
};

struct device_seen device_seen(struct device *device);

#endif
