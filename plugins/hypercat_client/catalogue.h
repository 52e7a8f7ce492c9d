/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_CATALOGUE_H
#define HYPERCAT_CLIENT_CATALOGUE_H

/*
 * Reads a catalogue: PAS 212:2016 (HyperCat 3.0) section 4, and the names that earlier releases had for the same. What comes in may be
 * anything. Pure; the one door to jansson in this adapter.
 *
 * jansson would take 2,048 levels and some forty times the size of a text in memory, so a text is looked over first: no more than 32 levels,
 * and no more arrays and objects, or values in them, than a text of that size can hold items.
 */

#include <stdbool.h>
#include <stddef.h>
#include <tidegate/message.h>

enum { CATALOGUE_PAIRS_MAX = 128 };

struct catalogue_pair {
	const char *rel;
	const char *val;
};

/* Borrowed for the call. */
struct catalogue_item {
	const char *href;
	const char *content_type; /* the first isContentType; NULL: none */
	bool is_catalogue;
	const struct catalogue_pair *pairs; /* of several hundred the first ones */
	size_t n_pairs;
};

struct catalogue_report {
	size_t items;     /* that were handed on */
	size_t malformed; /* that were left out: no object, no href, types that are others */
	char problem[160];
};

typedef void catalogue_item_fn(void *arg, const struct catalogue_item *item);

/* Calls `fn` for each item. Errors: -EBADMSG: no catalogue, `ret_report->problem` says why, and `fn` was not called. */
int catalogue_read(struct tg_bytes text, catalogue_item_fn *fn, void *arg, struct catalogue_report *ret_report);

#endif
