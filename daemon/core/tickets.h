/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TICKETS_H
#define CORE_TICKETS_H

/*
 * The keys that one endpoint's session tickets are made with. Tickets are made with the newest; it is used for half of a ticket's
 * lifetime, and is kept for one more lifetime after that, so that every ticket is good for as long as it is meant to be, and a
 * key that was stolen opens recorded sessions of no more than a day and a half (with the default). Knows no clock and no file.
 *
 * Source: RFC 5077 section 5.5; RFC 9325 section 3.4.
 */

#include <stddef.h>
#include <tidegate/adapter.h>

#include "base/cleanup.h"

enum { TICKETS_MAX = 4 };

struct tickets {
	size_t count; /* the newest first */
	int64_t made_wall_us[TICKETS_MAX];
	struct tg_ticket_key keys[TICKETS_MAX];
};

enum { TICKETS_PACKED_MAX = TICKETS_MAX * (8 + sizeof(struct tg_ticket_key)) };

void tickets_wipe(struct tickets *tickets);

/* Makes a new key where it is time for one, and throws away those that no ticket needs any more; all of them with lifetime 0. Returns
 * whether anything has changed. Errors: -EIO: no random numbers; then the old keys stay in use. */
int tickets_turn(struct tickets *tickets, int64_t lifetime_us, int64_t wall_us) WARN_UNUSED;

/* Returns the size. */
size_t tickets_pack(const struct tickets *tickets, uint8_t ret_bytes[TICKETS_PACKED_MAX]);
/* Errors: -EBADMSG. */
int tickets_unpack(struct tg_bytes bytes, struct tickets *ret_tickets) WARN_UNUSED;

#endif
