/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_GREY_H
#define COAP_DTLS_GREY_H

/*
 * First ClientHellos in a flood. Up to a number each second everyone is answered. Beyond it only those are that have come before: a peer
 * that means it sends its hello again (RFC 6347 section 4.2.4), a flood from forged addresses sends new ones. To remember a hello
 * costs a fraction of an answer, so the queue does not overflow, and an honest peer waits for one retransmission.
 *
 * What is remembered is one bit of a large field, so some strangers are answered by mistake, which does no harm. The field is there
 * only while there is a flood.
 */

#include <stdbool.h>
#include <stdint.h>

#include "dtls_peer.h"

struct dtls_grey;

/* Hellos that are answered a second without having come before; a few times what the fastest box shakes hands with. */
enum { DTLS_GREY_FREE = 20000 };
/* A hello that comes again is known for so long, at least. */
#define DTLS_GREY_SPAN_US INT64_C(12000000)

int dtls_grey_new(const struct dtls_hash_key *key, struct dtls_grey **ret_grey);
void dtls_grey_free(struct dtls_grey *grey); /* accepts NULL */

/* Whether this hello is to be answered. `random`: DTLS_RANDOM_SIZE bytes. */
bool dtls_grey_pass(struct dtls_grey *grey, int64_t now_us, const struct dtls_peer *peer, const uint8_t *random);

/* Whether there is a field: then dtls_grey_tidy is to be called until it has given that back, which it does when there was no flood for
 * two spans. */
bool dtls_grey_is_open(const struct dtls_grey *grey);
void dtls_grey_tidy(struct dtls_grey *grey, int64_t now_us);

#endif
