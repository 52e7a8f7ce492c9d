/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HYPERCAT_GUEST_H
#define TESTS_HYPERCAT_GUEST_H

/* A client of the hypercat adapter in the test's own process, which says what the test says, byte by byte; nothing of it waits. It has
 * the certificate of reader-1. */

#include <openssl/ssl.h>
#include <stdbool.h>
#include <stddef.h>

enum { GUEST_ANSWER = 65536 };

struct guest {
	int fd;
	SSL *ssl;
	bool over; /* the server has ended it */
	char answer[GUEST_ANSWER];
	size_t size;
};

/* The rig, with one reading, and what all guests share; then rig_begin. */
void guests_begin(void);
void guests_finish(void);

void guest_connect(struct guest *guest);
/* Goes on with the handshake; returns whether it is over. */
bool guest_shakes_hands(struct guest *guest);
void guest_tls(struct guest *guest); /* before the handshake */
/* All three. */
void guest_secure(struct guest *guest);

/* Takes what has come. Returns whether the server has ended the connection. */
bool guest_reads(struct guest *guest);
/* What the server does not want it does not read: it is enough that some of it was written. */
void guest_writes(struct guest *guest, const char *text, size_t size);
void guest_says(struct guest *guest, const char *text);
bool guest_has(struct guest *guest, const char *text);
void guest_leave(struct guest *guest);

#endif
