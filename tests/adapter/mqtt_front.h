/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_FRONT_H
#define TESTS_MQTT_FRONT_H

/* A broker behind a TLS server of our own (staple.c), which shows any certificate and staples anything, and the mqtt adapter that is to
 * believe it or not. */

#include "adapter/dtls_pki.h"
#include "adapter/mqtt_rig.h"

/* How the adapter begins to say that it does not. */
#define FAILED "certificate verify failed: "
/* The names of a broker that runs here. */
#define NAMES        "DNS:localhost,IP:127.0.0.1"
#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

extern struct pki root; /* what is trusted, as root.crt */
extern struct pki other;

/* The fixture of each test. */
void front_setup(void);
void front_teardown(void);

/* Puts what the descriptor holds into the test's folder. Ownership: takes the descriptor. */
void front_save(const char *name, int from);
/* Shows this certificate from now on, with the second behind it, and staples what is in the file, where there is one. */
void front_start(const struct pki *own, const struct pki *second, const char *response);
void front_stop(void);

/* Starts the adapter: the link comes up, or, with a cause, does not, and the operator is told that cause. */
void front_expect_up(void);
void front_expect(const char *cause);

#endif
