/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CATALOGUE_H
#define COAP_CATALOGUE_H

/*
 * The last readings that one device may read, as links, while they are collected: catalogue_put for each that the core lists, in any order
 * and again when one is renewed meanwhile, then catalogue_end for the whole text, in the order of the addresses, so that the same
 * readings make the same text and pages of it fit together. Pure.
 */

#include "common/reading_link.h"
#include "links_search.h"

struct catalogue;

/* Borrowed for as long as the catalogue lives. */
struct catalogue_order {
	const char *base; /* in front of each address: "/readings/" */
	const struct labels *labels;
	struct links_search search;
	size_t limit_bytes; /* for everything, the text too */
};

/* Errors: -ENOMEM. */
int catalogue_new(const struct catalogue_order *order, struct catalogue **ret_catalogue);
void catalogue_free(struct catalogue *catalogue); /* accepts NULL */

/*
 * Keeps the reading where the search finds it: `NAME=VALUE` is what an attribute of its link has to be, as RFC 6690 section 4.1 says
 * for attributes; of `href` the target, percent-encoded or not, of `ep` the device.
 * Errors: -ENOSPC: the limit; -ENOMEM. Then it is of no use any more.
 */
int catalogue_put(struct catalogue *catalogue, const struct reading_link *link);

/* Ownership: *ret_text is lent until catalogue_free. *ret_etag is another one for another text, in every run, and never 0.
 * Errors: -ENOMEM. */
int catalogue_end(struct catalogue *catalogue, struct tg_bytes *ret_text, uint64_t *ret_etag);

#endif
