/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_FAKE_H
#define TESTS_MQTT_FAKE_H

/*
 * A broker that does what the test says, byte by byte, on the receiving connection of the adapter (its client identifier ends with
 * "-in"). The other connection is accepted and left alone. Without TLS. Everything runs in the test's own thread, between the
 * turns of the mock host's loop.
 */

#include <stddef.h>
#include <stdint.h>

#include "mqtt_rig.h"

/* Listens, and makes the mock's settings lead here. */
void fake_start(void);
void fake_stop(void);

/* Waits until the other connection stands. */
void fake_expect_link(void);

/* Waits for the receiving connection's CONNECT; then for its one subscription, and grants it with this reason. */
void fake_expect_connect(void);
void fake_accept(const void *connack, size_t size);
void fake_expect_subscribe(uint8_t reason);
/* All three, in MQTT 5, with a new session or an old one. */
void fake_begin(bool resumed);

void fake_send(const void *data, size_t size);
/* Waits until these bytes have come, and nothing but them. */
void fake_expect(const void *data, size_t size);
/* Nothing has come. */
void fake_expect_nothing(void);
/* The adapter closes the connection. */
void fake_expect_end(void);
void fake_close(void);

#define FAKE_SEND(text)   fake_send(text, sizeof(text) - 1)
#define FAKE_EXPECT(text) fake_expect(text, sizeof(text) - 1)

#endif
