/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_TLS_FRONT_H
#define TESTS_TLS_FRONT_H

/* A TLS server of our own (staple.c) in front of a plain broker: it shows any certificate and staples anything. For tests of adapters
 * that are to believe it or not. */

#include <stdbool.h>
#include <stdint.h>

#include "adapter/dtls_pki.h"

/* How adapters begin to say that they do not. */
#define FAILED "certificate verify failed: "
/* The names of a broker that runs here. */
#define NAMES        "DNS:localhost,IP:127.0.0.1"
#define COUNT(table) (int)(sizeof(table) / sizeof((table)[0]))

extern struct pki root; /* what is trusted, as root.crt */
extern struct pki other;
extern uint16_t front_port;

/* The fixture of each test: two authorities, and a port in front of this one. */
void front_begin(uint16_t to);
void front_end(void);

/* Puts what the descriptor holds into the test's folder. Ownership: takes the descriptor. */
void front_save(const char *name, int from);
/* Shows this certificate from now on, with the second behind it, and staples what is in the file, where there is one. */
void front_start(const struct pki *own, const struct pki *second, const char *response);
void front_stop(void);

/* What every adapter has to judge alike. */
enum { FRONT_CHAINS = 14 };
extern const struct front_chain {
	const char *what;
	struct pki_request middle; /* no name: issued by the anchor itself */
	struct pki_request broker;
	bool sent;         /* the one in between comes along */
	const char *cause; /* why it is not believed; NULL: it is */
} front_chains[FRONT_CHAINS];
/* As front_start. */
void front_show(const struct front_chain *chain);

#endif
