/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_CLIENT_RIG_H
#define TESTS_COAP_CLIENT_RIG_H

/* What the tests of the coap_client adapter share: a mock host, one device "meter-3" that is a server, and the frame of a suite. */

#include <check.h>

#include "coap_server.h"
#include "mock_host.h"

enum { RIG_SOON_MS = 40000 };

extern const char *const rig_programs[2];
extern struct mock_host *mock;
extern struct coap_server server;

/* The registry knows the device and its key. */
void rig_enroll(void);
/* Begins with the device, and with this entry in a list of the settings (NULL: none). */
void rig_begin(const char *list, const char *entry);
size_t rig_readings_of(const char *path);
/* Ends the test where there is none. */
const struct mock_submission *rig_last_of(const char *path);

int rig_main(const char *name, void (*add_tests)(TCase *cases));

#endif
