/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_CLIENT_RELAY_H
#define TESTS_COAP_CLIENT_RELAY_H

/*
 * Stands on the way between the adapter and a device, on loopback, in a thread of its own: writes down the Partial IV of each protected
 * request (it is not encrypted), and can say what the device did not.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct relay;

/* What it does to what the device says, from now on. */
enum relay_trick {
	RELAY_HONEST = 0,
	RELAY_PLAIN,  /* an answer of its own without OSCORE, with the right token, in place of the device's */
	RELAY_FORGED, /* the device's answer with one bit of its ciphertext changed */
	RELAY_TWICE,  /* each answer again, a message later; a notification as if it were new */
	RELAY_DEAF,   /* nothing of it comes through */
	RELAY_RESET   /* every confirmable request is answered with a reset */
};

struct relay *relay_new(uint16_t device_port);
void relay_free(struct relay *relay); /* accepts NULL */

uint16_t relay_port(const struct relay *relay);
void relay_set(struct relay *relay, enum relay_trick trick);

struct relay_seen {
	size_t requests;  /* datagrams with a Partial IV to the device */
	size_t numbers;   /* different ones of them */
	size_t twice;     /* numbers that came with two different datagrams */
	size_t unguarded; /* messages to the device that are neither protected nor empty */
	uint64_t highest;
	size_t resets; /* to the device */
};

struct relay_seen relay_seen(struct relay *relay);

#endif
