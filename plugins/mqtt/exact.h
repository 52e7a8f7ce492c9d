/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_EXACT_H
#define MQTT_EXACT_H

/*
 * The messages of QoS 2 whose PUBREC is on its way or has gone, until the broker releases them with PUBREL: what comes again of them is
 * not handed in again (MQTT 5 section 4.3.3). Kept over connections, and lost with the process. A packet id alone does not tell: a
 * broker that has lost the newest of its memory gives it to another message, which must not be lost. For incoming.c; pure.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct exact_item {
	uint64_t digest;
	uint16_t mid;
};

struct exact {
	struct exact_item *items; /* ring, NULL before the first */
	size_t first;
	size_t used;
};

/* More than any receive_window; of a broker that gives more at once the oldest are forgotten. */
enum { EXACT_MAX = 1024 };

void exact_done(struct exact *exact);

/* It is to be known from now on; whatever had this packet id before is forgotten. Errors: -ENOMEM. */
int exact_add(struct exact *exact, uint16_t mid, uint64_t digest);
bool exact_knows(const struct exact *exact, uint16_t mid, uint64_t digest);
/* It does not come again. Returns whether it was known. */
bool exact_release(struct exact *exact, uint16_t mid);
void exact_forget(struct exact *exact);

#endif
