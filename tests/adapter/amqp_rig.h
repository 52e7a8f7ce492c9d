/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_AMQP_RIG_H
#define TESTS_AMQP_RIG_H

/*
 * What the tests of the amqp adapter share: the adapter in a mock host, and peers that we did not write: one of Qpid Proton's Python
 * library that does as it is told (amqp_peer.py), and RabbitMQ (amqp_rabbit.py).
 */

#include <check.h>
#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "mock_host.h"
#include "mqtt_broker.h"

enum { RIG_SOON_MS = 40000, RIG_START_MS = 180000 };

/* A program that is told things by lines and says things by lines. */
struct talker {
	struct subscriber out;
	int in;
	size_t read; /* what peer_expect has passed */
};

extern struct mock_host *mock;
extern struct talker peer;
extern uint16_t peer_port;

/* Starts it; the arguments end with NULL. */
void talker_start(struct talker *talker, const char *const *arguments);
/* Ends its standard input, and waits for its end. */
void talker_stop(struct talker *talker);
/* One line to it. */
void talker_tell(struct talker *talker, const char *line);
/* Waits for the next line with this text, behind what was expected before; the mock goes on meanwhile. Ownership: free it. */
char *talker_expect(struct talker *talker, const char *text, int limit_ms);

/* The fixture of each test. */
void rig_setup(void);
void rig_teardown(void);

/* Starts the peer, with TLS or without, and sets the adapter to connect to it. */
void rig_start_peer(bool tls);
/* Settings of a client at this port: certificate, key, trust. */
void rig_set_broker(uint16_t port, bool tls);
/* Starts the adapter and waits until the link is up. */
void rig_begin(void);
/* Starts the adapter, and expects that no link comes about and that the operator is told this. */
void rig_expect_failure(const char *cause);

/* talker_tell and talker_expect, for the peer: a command in JSON, with ' for ", and the word that it was done. */
void rig_tell(const char *command);
/* Waits for the peer's line with this text, and frees it. */
void rig_expect(const char *text);

struct tg_delivery rig_delivery(const char *address, const char *payload);
uint64_t rig_deliver(const char *address, const char *payload);
void rig_expect_result(uint64_t ticket, int result);
void rig_expect_reason(uint64_t ticket, const char *text);
void rig_expect_counter(const char *name, int64_t value);
/* Waits for the n-th submission, counted from 1. */
const struct mock_submission *rig_expect_submission(size_t n, const char *path, const char *payload);

/* The number behind "name": in a line. */
unsigned rig_number(const char *line, const char *name);

/* The test's main function, with RabbitMQ beside it where it is wanted. Ownership: the suite is taken. */
int rig_main(Suite *suite, bool rabbit);
extern struct talker rabbit;
extern unsigned rabbit_port, rabbit_plain;

#endif
