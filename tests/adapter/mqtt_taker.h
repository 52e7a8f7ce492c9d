/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_TAKER_H
#define TESTS_MQTT_TAKER_H

/*
 * Brokers that do what the test says, byte by byte, on the publishing connection of the adapter. There is no other one: routes take
 * nothing from the endpoint. Without TLS. Everything runs in the test's own thread, between the turns of the mock host's loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "adapter/mqtt_rig.h"

struct taker {
	uint16_t port;
	int listener;
	int fd; /* of the connection, -1: none */
	uint8_t *in;
	size_t in_size;
	size_t in_room;
	size_t taken; /* of `in`, by the packet that was given out last */
	bool version5;
	bool greeted; /* CONNECT has come */
	bool ended;   /* by the adapter */
};

/* Listens. Little is read ahead of the test by the kernel. */
void taker_open(struct taker *taker);
void taker_close(struct taker *taker);
/* "mqtt://127.0.0.1:PORT"; valid until the next call. The adapter is allowed to use it. */
const char *taker_url(const struct taker *taker);

/* Whether a connection has come. */
bool taker_is_asked(struct taker *taker);
/* Waits for one and its CONNECT, and drops the one before. */
void taker_expect_connect(struct taker *taker);
/* The same, answers with CONNACK in MQTT 5, or in 3.1.1, and waits until the link is up. */
void taker_accept(struct taker *taker, bool version5);

/* The adapter's end of the connection, whose socket takes little at once from now on, as over a slow line. */
void taker_narrow(struct taker *taker);

void taker_send(struct taker *taker, const void *data, size_t size);
/* The same, until the link is down. */
void taker_flood(struct taker *taker, const void *data, size_t size);
/* Waits for a packet of this type, and nothing before it; PINGREQ is answered and passed over. Returns its body, valid until the
 * next call. */
struct tg_bytes taker_expect(struct taker *taker, uint8_t type);
/* Of QoS 0 or 1 in MQTT 5. Returns the packet id. */
uint16_t taker_expect_publish(struct taker *taker, const char *topic);
/* PUBACK with this reason, which MQTT 3.1.1 cannot tell. */
void taker_answer(struct taker *taker, uint16_t mid, uint8_t reason);
/* Waits until the adapter has closed the connection, with nothing sent before. */
void taker_expect_end(struct taker *taker);
void taker_hang_up(struct taker *taker);

#define TAKER_SEND(taker, text) taker_send((taker), text, sizeof(text) - 1)

#endif
