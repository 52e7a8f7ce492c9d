/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DIRECTORY_H
#define COAP_DIRECTORY_H

/*
 * A resource directory (RFC 9176): devices register links to what they offer, others look them up. Registrations live in memory for as long as
 * their lifetime says, and are lost with the process: devices register anew then, as they do when a refresh fails. Pure: the time
 * is handed in, requests come taken apart (directory_order.h), answers leave as code and text.
 *
 * A device registers under its own name alone (RFC 9176 section 7.1): it has proved that name in its DTLS session, so that who looks something
 * up can rely on it. Registrations of one device differ by their sector.
 */

#include <stddef.h>

#include "directory_order.h"
#include "message.h"

struct directory;

/* Registrations that one device may have, each in a sector of its own. */
enum { DIRECTORY_SECTORS_MAX = 4 };

struct directory_limits {
	size_t registrations; /* of all devices */
	size_t bytes;         /* of one: base, attributes and links */
	size_t links;         /* of one */
};

/* Who asks. */
struct directory_peer {
	const char *device;
	const char *base; /* "coaps://192.0.2.7:40000", where it sends from; without a zone */
	uint32_t scope;   /* the interface that its link-local address belongs to, else 0 */
};

enum directory_kind { DIRECTORY_ENDPOINTS, DIRECTORY_RESOURCES };

/* What came of it. */
struct directory_result {
	uint8_t code;
	uint32_t detail;     /* 2.01: the number of the registration; 4.13: Size1; 5.03: Max-Age in seconds */
	const char *problem; /* in words, or NULL; static */
};

/* Errors: -ENOMEM. */
int directory_new(const struct directory_limits *limits, struct directory **ret_directory);
void directory_free(struct directory *directory); /* accepts NULL */
/* They hold for what comes from now on. */
void directory_set_limits(struct directory *directory, const struct directory_limits *limits);

/* 2.01, or why not. Who registers again in the same sector replaces what was there, and keeps the number. `links` is link format.
 * Source: RFC 9176 section 5. */
struct directory_result directory_register(struct directory *directory, const struct directory_peer *peer,
					   const struct directory_order *order, struct tg_bytes links, int64_t now_us);
/* 2.04, 4.04, or why not. Source: RFC 9176 section 5.3.1. */
struct directory_result directory_update(struct directory *directory, const struct directory_peer *peer,
					 uint32_t number, const struct directory_order *order, int64_t now_us);
/* 2.02, 4.04, 4.03. Source: RFC 9176 section 5.3.2. */
struct directory_result directory_remove(struct directory *directory, const struct directory_peer *peer,
					 uint32_t number);

/* All links that match the queries of the request, in link format; perhaps none. Returns 0, or a code and *ret_problem.
 * Ownership: the text is lent until the next call of any function here. Source: RFC 9176 sections 6.1 to 6.4. */
uint8_t directory_lookup(struct directory *directory, enum directory_kind kind, const struct directory_peer *peer,
			 const struct coap_message *request, struct tg_bytes *ret_text, uint32_t *ret_etag,
			 const char **ret_problem);

/* Drops what this device has registered. */
void directory_forget(struct directory *directory, struct tg_bytes device);

size_t directory_count(const struct directory *directory);
/* Drops what has expired. Call it no later than directory_next_us, INT64_MAX: never. */
void directory_run(struct directory *directory, int64_t now_us);
int64_t directory_next_us(const struct directory *directory);

#endif
