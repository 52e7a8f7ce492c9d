/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_FRONT_H
#define TESTS_MQTT_FRONT_H

/* A broker behind TLS of our own (tls_front.h), and the mqtt adapter that is to believe it or not. */

#include "adapter/mqtt_rig.h"
#include "adapter/tls_front.h"

/* The fixture of each test. */
void front_setup(void);
void front_teardown(void);

/* Where the adapter finds it, once front_begin has been called. */
const char *front_url(void);

/* Starts the adapter: the link comes up, or, with a cause, does not, and the operator is told that cause. */
void front_expect_up(void);
void front_expect(const char *cause);

#endif
