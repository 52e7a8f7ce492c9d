/* SPDX-License-Identifier: Apache-2.0 */
/* Without these uthash ends the process when there is no memory. */
#define HASH_NONFATAL_OOM            1
#define uthash_nonfatal_oom(element) (failed = true)

#include "dtls_devices.h"

#include <errno.h>
#include <stdbool.h>
#include <string.h>

static bool make_newest(struct dtls_devices *devices, struct dtls_devices_entry *entry)
{
	bool failed = false;

	HASH_ADD_KEYPTR(by_device, devices->newest, entry->device, strlen(entry->device), entry);
	return !failed;
}

int dtls_devices_add(struct dtls_devices *devices, struct dtls_devices_entry *entry, const char *device)
{
	struct dtls_devices_entry *older = dtls_devices_find(devices, (struct tg_bytes){device, strlen(device)});

	if (older)
		HASH_DELETE(by_device, devices->newest, older);
	entry->device = device;
	if (make_newest(devices, entry)) {
		entry->next = older;
		return 0;
	}
	entry->device = NULL;
	for (; older && !make_newest(devices, older); older = older->next)
		older->device = NULL; /* cannot be reached any more */
	return -ENOMEM;
}

void dtls_devices_remove(struct dtls_devices *devices, struct dtls_devices_entry *entry)
{
	struct dtls_devices_entry *newer;

	if (!entry->device)
		return;
	newer = dtls_devices_find(devices, (struct tg_bytes){entry->device, strlen(entry->device)});
	if (newer == entry) {
		HASH_DELETE(by_device, devices->newest, entry);
		for (newer = entry->next; newer && !make_newest(devices, newer); newer = newer->next)
			newer->device = NULL;
	} else {
		while (newer && newer->next != entry)
			newer = newer->next;
		if (newer)
			newer->next = entry->next;
	}
	entry->device = NULL;
	entry->next = NULL;
}

struct dtls_devices_entry *dtls_devices_find(const struct dtls_devices *devices, struct tg_bytes device)
{
	struct dtls_devices_entry *entry = NULL;

	HASH_FIND(by_device, devices->newest, device.data, device.size, entry);
	return entry;
}
