/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DIRECTORY_RIG_H
#define TESTS_DIRECTORY_RIG_H

/* A resource directory for its tests: requests written as text, the time in `now_us`, the last result in `last`. */

#include "coap/directory.h"

#define SECOND INT64_C(1000000)

extern struct directory *directory; /* of 8 registrations with 16 links and 2,048 bytes each */
extern int64_t now_us;
extern struct directory_result last;

void directory_rig_setup(void);
void directory_rig_teardown(void);

/* A request with these queries, '&' between them. Lent until the next call of any function here. */
struct coap_message request(const char *queries);
/* At coaps://192.0.2.7:40000. */
struct directory_peer peer_of(const char *device);
/* What is wrong with the queries, or NULL. */
const char *order(const char *queries, struct directory_order *ret_order);

/* These return the code. */
uint8_t add_as(const struct directory_peer *peer, const char *queries, const char *links);
uint8_t update(const char *device, uint32_t number, const char *queries);
uint8_t drop(const char *device, uint32_t number);
/* Has to succeed; returns the number. */
uint32_t add(const char *device, const char *queries, const char *links);

/* What is found, after what has expired is gone; lent until the next call. */
const char *find_as(const struct directory_peer *peer, enum directory_kind kind, const char *queries);
const char *resources(const char *queries);
const char *endpoints(const char *queries);

#endif
