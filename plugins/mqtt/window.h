/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_WINDOW_H
#define MQTT_WINDOW_H

/*
 * The publishes that wait for the broker's answer, in the order in which they were sent. Brokers answer in that order
 * (MQTT 5 section 4.6), so the entry asked for is nearly always the first; any other order works too. Packet
 * ids repeat after 65,535: a window is never larger than that. For publish.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/message.h>

struct window_entry {
	uint8_t id[TG_ID_SIZE]; /* of the message; zero for one of the adapter's own */
	uint64_t ticket;
	int64_t sent_us;
	uint64_t end; /* session_put behind it */
	uint16_t mid;
	bool own;  /* the adapter's own status message, not a delivery */
	bool done; /* answered; waits for earlier ones to leave */
};

struct window {
	struct window_entry *entries; /* ring */
	size_t capacity;              /* a power of two */
	size_t first;
	size_t used;    /* from first, answered ones among them */
	size_t waiting; /* not answered */
	size_t limit;   /* of waiting */
};

/* `limit`: at most 32,768. Errors: -ENOMEM. */
int window_init(struct window *window, size_t limit);
void window_done(struct window *window);

/* Whether one more may be sent. */
bool window_has_room(const struct window *window);
/* There must be room. */
void window_add(struct window *window, const struct window_entry *entry);
/* Finds and removes the one that waits with this packet id. */
bool window_take(struct window *window, uint16_t mid, struct window_entry *ret_entry);
/* Removes the one that has waited longest, where it ends within the first `sent` bytes. */
bool window_take_sent(struct window *window, uint64_t sent, struct window_entry *ret_entry);
/* When the one that has waited longest was sent, or 0. */
int64_t window_oldest_us(const struct window *window);

#endif
