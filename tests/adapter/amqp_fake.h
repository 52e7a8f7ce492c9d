/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_AMQP_FAKE_H
#define TESTS_AMQP_FAKE_H

/*
 * A peer that says what the test says, byte by byte, to the amqp adapter. Without TLS. Everything runs in the test's own thread,
 * between the turns of the mock host's loop.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "amqp_rig.h"

/* Performatives (AMQP 1.0 parts 2, 3 and 5). */
enum fake_code {
	FAKE_OPEN = 0x10,
	FAKE_BEGIN = 0x11,
	FAKE_ATTACH = 0x12,
	FAKE_FLOW = 0x13,
	FAKE_TRANSFER = 0x14,
	FAKE_DISPOSITION = 0x15,
	FAKE_DETACH = 0x16,
	FAKE_END = 0x17,
	FAKE_CLOSE = 0x18,
	FAKE_MECHANISMS = 0x40,
	FAKE_OUTCOME = 0x44
};

/* Fixtures: rig_setup and fake_start, and what ends them. `patient`: the adapter waits longer than any test for what the peer owes it,
 * which says nothing while the test looks. */
void fake_setup(bool patient);
void fake_teardown(void);

/* A setting before the adapter begins: a source and its route. */
void fake_receive(const char *source);
/* On the live connection. */
void fake_set_confirm_timeout(const char *seconds);

/* Listens, and adds itself to the mock's brokers. */
void fake_start(void);
void fake_stop(void);
/* One more broker, the same. */
void fake_add(void);

/* Waits for the next connection; the one before ends. */
void fake_expect_connection(void);
/* Ends it. */
void fake_close(void);

/* What the adapter takes; goes on until all is sent, or the adapter has ended the connection. */
void fake_send(const void *data, size_t size);
#define FAKE_SEND(text) fake_send(text, sizeof(text) - 1)

/*
 * Sends a frame with a performative of these fields: n null, t true, f false, B ubyte, H ushort, I uint, s string, y symbol, S source
 * or T target with an address, A accepted, R released. Behind them, with p, bytes of a payload and their size.
 */
void fake_say(uint16_t channel, enum fake_code code, const char *fields, ...);

/* Waits until these bytes have come, and forgets all up to their end. */
void fake_expect(const void *data, size_t size);
#define FAKE_EXPECT(text) fake_expect(text, sizeof(text) - 1)
/* Waits for this performative; returns the place right behind it, where the fields are. */
const uint8_t *fake_expect_performative(enum fake_code code);
/* Whether these bytes have come by now. */
bool fake_has(const void *data, size_t size);

/* Takes out what has come. Returns how many bytes. */
ssize_t fake_take(void *ret_data, size_t room);

/* Waits until the adapter has ended the connection. */
void fake_expect_end(void);
bool fake_has_ended(void);
size_t fake_received(void); /* Units: bytes, over this connection */

/* SASL and OPEN, up to the adapter's OPEN, and then the peer's with this channel-max. */
void fake_login(void);
void fake_open(uint16_t channel_max);
/* The answer to the next BEGIN and ATTACH, on channel and handle 0; false: the adapter is to send. */
void fake_attach(uint16_t channel, bool adapter_receives);
/* The two by themselves: of several that begin at once all BEGIN come first. */
void fake_begin_session(uint16_t channel);
void fake_attach_link(uint16_t channel, bool adapter_receives);

/* Starts the adapter, up to OPEN and the link's being up. */
void fake_begin(uint16_t channel_max);
/* Credit for ten messages to the link on this channel. */
void fake_give_credit(uint16_t channel);
/* fake_attach to send, and credit; waits for the first message. */
void fake_let_go(uint16_t channel);
/* Accepts the messages on this channel, from the first to this one. */
void fake_accept_up_to(uint16_t channel, unsigned last);
/* The answer to END. */
void fake_end_session(uint16_t channel);

#endif
