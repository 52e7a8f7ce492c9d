/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_TABLE_H
#define COAP_DTLS_TABLE_H

/*
 * Who is there: sessions by peer address and by handle, and how many are half-open from each network. One peer address can have
 * an established session and a half-open one beside it (RFC 6347 section 4.2.8), never two of one kind. The cost of each
 * function does not depend on how many there are.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <uthash.h>

#include "dtls_peer.h"

enum dtls_place { DTLS_PLACE_NONE, DTLS_PLACE_HALF_OPEN, DTLS_PLACE_ESTABLISHED, DTLS_PLACES };

/* Is a member of the session. */
struct dtls_entry {
	struct dtls_peer peer;
	uint64_t handle;
	enum dtls_place place;
	UT_hash_handle by_peer;
	UT_hash_handle by_handle;
	struct dtls_entry *prev; /* in its place */
	struct dtls_entry *next;
};

struct dtls_table;

int dtls_table_new(const struct dtls_hash_key *key, struct dtls_table **ret_table);
/* The entries must be out of it. Accepts NULL. */
void dtls_table_free(struct dtls_table *table);

struct dtls_entry *dtls_table_find(struct dtls_table *table, enum dtls_place place, const struct dtls_peer *peer);
struct dtls_entry *dtls_table_by_handle(struct dtls_table *table, uint64_t handle);

/* Moves the entry; to DTLS_PLACE_NONE it cannot fail. `peer` and `handle` must not change while it is in a place.
 * Errors: -EEXIST: the peer has an entry in that place; -ENOMEM. Then it is in no place. */
int dtls_table_put(struct dtls_table *table, struct dtls_entry *entry, enum dtls_place place);

/* The entry was heard: it becomes the last in its place. */
void dtls_table_touch(struct dtls_table *table, struct dtls_entry *entry);
/* The entry in this place that was not heard for the longest time, or NULL. */
struct dtls_entry *dtls_table_stale(const struct dtls_table *table, enum dtls_place place);

size_t dtls_table_count(const struct dtls_table *table, enum dtls_place place);
/* Half-open ones from the network that the peer is of. */
size_t dtls_table_half_open(struct dtls_table *table, const struct dtls_peer *peer);

/* All of them, for the rare things that concern all. The entry given may be taken out before the next is asked for, but no other.
 * NULL begins. */
struct dtls_entry *dtls_table_next(struct dtls_table *table, const struct dtls_entry *entry);

#endif
