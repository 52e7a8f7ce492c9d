/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_ECHO_H
#define MQTT_ECHO_H

/*
 * What this endpoint has just published at topics that it takes messages from, so that it is known when it comes back: in MQTT 3.1.1 a
 * message carries no mark. Each comes back once, so one arrival with the same topic and payload is passed over for each, within a
 * minute; which of two that are equal it was makes no difference. Pure; for publish.c, which notes, and incoming.c, which takes.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { ECHO_MAX = 1024 };
#define ECHO_LIFE_US INT64_C(60000000)

struct echo {
	uint64_t digests[ECHO_MAX]; /* ring; 0: taken */
	int64_t at_us[ECHO_MAX];
	size_t first;
	size_t used;
};

/* The oldest is forgotten where there are too many. */
void echo_note(struct echo *echo, uint64_t digest, int64_t now_us);
/* Whether it was noted, and not taken already. */
bool echo_take(struct echo *echo, uint64_t digest, int64_t now_us);

#endif
