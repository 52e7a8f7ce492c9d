/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_RIG_H
#define TESTS_MQTT_RIG_H

/* What the tests of the mqtt adapter share: the adapter in a mock host, a broker, a subscriber, and what is expected of them. */

#include <check.h>
#include <tidegate/adapter.h>

#include "mock_host.h"
#include "mqtt_broker.h"

enum { RIG_SOON_MS = 40000 };

extern struct mock_host *mock;
extern struct broker broker; /* not started yet */
extern struct subscriber subscriber;

/* The fixture of each test. */
void rig_setup(void);
void rig_teardown(void);

/* The settings that connect to the broker; rig_setup has set them. */
void rig_set_defaults(void);

/* Starts the broker, a subscriber of everything and the adapter, and waits until the link is up. */
void rig_connect_and_subscribe(void);

/* Starts the adapter, and expects that no link comes about and that the operator is told this. */
void rig_expect_failure(const char *cause);

/* Waits until the subscriber has got a message with this text. Ownership: free it. */
char *rig_wait_line(const char *text);
void rig_expect_in(const char *line, const char *text);

/* Waits for the answer to a delivery. */
void rig_expect_result(uint64_t ticket, int result);

/* From "pump-7", without a content format. */
struct tg_delivery rig_delivery(const char *address, const char *payload, uint8_t qos);

/* Starts the adapter at a broker that runs already, without the status message, and waits until the link is up. */
void rig_begin(void);
/* The same with a route that takes this pattern, until it is subscribed to. */
void rig_receive(const char *pattern);
/* Waits. */
void rig_expect_subscriptions(int64_t n);
void rig_expect_counter(const char *name, int64_t value);
/* Waits for the n-th submission, counted from 1. */
const struct mock_submission *rig_expect_submission(size_t n, const char *path, const char *payload);

/* The test's main function. Ownership: the suite is taken. */
int rig_main(Suite *suite);

#endif
