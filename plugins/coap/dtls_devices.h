/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_DEVICES_H
#define COAP_DTLS_DEVICES_H

/* Established sessions by their device, the newest first: who is to be reached is found without a look at all the others. */

#include <stddef.h>
#include <tidegate/message.h>
#include <uthash.h>

/* Is a member of the session. */
struct dtls_devices_entry {
	const char *device;              /* terminated; the session's own. NULL: it is not in here */
	struct dtls_devices_entry *next; /* the next older one of this device */
	UT_hash_handle by_device;        /* in use for the newest of a device */
};

/* Zero it to make it empty. */
struct dtls_devices {
	struct dtls_devices_entry *newest;
};

/* `device` must stay where it is until the entry is out. Errors: -ENOMEM. */
int dtls_devices_add(struct dtls_devices *devices, struct dtls_devices_entry *entry, const char *device);
/* One that is not in there is none's trouble. */
void dtls_devices_remove(struct dtls_devices *devices, struct dtls_devices_entry *entry);
/* The newest of this device, or NULL. */
struct dtls_devices_entry *dtls_devices_find(const struct dtls_devices *devices, struct tg_bytes device);

#endif
