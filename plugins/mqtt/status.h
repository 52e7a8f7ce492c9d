/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_STATUS_H
#define MQTT_STATUS_H

/*
 * The status message: {"state":"online","site":"plant-7","gateway":"hall-3","endpoint":"cloud","time":"2026-05-04T03:02:01.123456Z"}.
 * "offline" comes with a "reason": "stopped" with the time of the stop, or, as the last will, "lost" with the time at
 * which the lost connection was begun in "since": the broker sends a will unchanged. For mqtt.c.
 */

#include <stdint.h>
#include <tidegate/adapter.h>

enum status_kind {
	STATUS_ONLINE,
	STATUS_STOPPED,
	STATUS_LEAVING, /* to connect anew, perhaps with another broker */
	STATUS_LOST
};

/*
 * Notices wait here while there is no link, at most STATUS_NOTICES of them: then the oldest goes. They are published to the topic of
 * the status message with "/notices" behind it, QoS 1, not retained.
 */
enum { STATUS_NOTICES = 32 };
#define STATUS_NOTICES_TOPIC "/notices"

struct status_notices {
	char *text[STATUS_NOTICES];
	unsigned first;
	unsigned count;
};

/* Errors: -ENOMEM. */
int status_notices_add(struct status_notices *notices, const char *json);
const char *status_notices_first(const struct status_notices *notices); /* NULL: there is none */
void status_notices_drop_first(struct status_notices *notices);
void status_notices_done(struct status_notices *notices);

/* Ownership: free it. Errors: NULL: out of memory. */
char *status_text(const struct tg_host *host, enum status_kind kind, int64_t wall_us);

#endif
