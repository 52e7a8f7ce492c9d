/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_RIG_H
#define TESTS_COAP_RIG_H

/*
 * The coap adapter on a mock host, and sensors that talk to it: DTLS clients on OpenSSL with a socket each on the loopback
 * interface, in the same thread. Messages are written and read by the adapter's own codec, which has tests of its own.
 */

#include "coap/message.h"
#include "mock_host.h"

struct sensor;

extern struct mock_host *rig;

/* The adapter with its settings, not open yet: "sensor-1" with the key RIG_KEY is enrolled as "device-1", and so on to 3. */
#define RIG_KEY "a key of 16 byte"
void rig_setup(void);
void rig_teardown(void);
/* Opens and starts it on a free port of 127.0.0.1. */
void rig_begin(void);
/* The port of its listener at `index`. */
uint16_t rig_port(unsigned index);
/* Sensors made from now on talk to this listener; 0 at first. */
void rig_use(unsigned index);

/* The handshake is done when this returns, or has failed: NULL. `key` is terminated. */
struct sensor *sensor_psk(const char *identity, const char *key);
/* The files of `name` in `folder`: name.crt and name.key. `trust`: what the gateway must stand under. */
struct sensor *sensor_certificate(const char *folder, const char *name);
/* Without DTLS: for a listener at coap://. */
struct sensor *sensor_plain(void);
/* Whether the handshake gets no answer behind the cookie. */
bool sensor_is_left_alone(const char *identity, const char *key);
/* Without a word. Accepts NULL. */
void sensor_free(struct sensor *sensor);
/* With close_notify. */
void sensor_shut(struct sensor *sensor);
/* Whether the gateway has ended the session. Lets the adapter work. */
bool sensor_is_ended(struct sensor *sensor);

/* One datagram. */
void sensor_send(struct sensor *sensor, struct tg_bytes datagram);
/* A request with a token of 2 bytes that follows from the id. `payload` is terminated or NULL. */
void sensor_request(struct sensor *sensor, enum message_type type, uint8_t code, uint16_t id, const char *path,
		    const char *payload);
/* The same, with Block1 and Size1 (-1: none). */
void sensor_block(struct sensor *sensor, uint16_t id, const char *path, uint32_t block1, int64_t size1,
		  struct tg_bytes payload);
void sensor_empty(struct sensor *sensor, enum message_type type, uint16_t id);

/* Whether a datagram has come from the gateway; its bytes are lent until the next call. */
bool sensor_poll(struct sensor *sensor, struct tg_bytes *ret_datagram);
/* The next message from the gateway; its bytes are lent until the next call. The test fails where none comes. */
const struct coap_message *sensor_receive(struct sensor *sensor);
/* The same as bytes, for tests that read them themselves. */
struct tg_bytes sensor_receive_raw(struct sensor *sensor);
/* The same, and that it is this. */
const struct coap_message *sensor_expect(struct sensor *sensor, enum message_type type, uint8_t code, uint16_t id);
/* Lets the adapter work, and makes sure that nothing has come. */
void sensor_expect_nothing(struct sensor *sensor);
/* The number in an option, -1 where it is not there. */
int64_t sensor_option(const struct coap_message *message, uint16_t number);

#endif
