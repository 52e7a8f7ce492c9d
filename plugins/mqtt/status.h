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

enum status_kind { STATUS_ONLINE, STATUS_STOPPED, STATUS_LOST };

/* Ownership: free it. Errors: NULL: out of memory. */
char *status_text(const struct tg_host *host, enum status_kind kind, int64_t wall_us);

#endif
