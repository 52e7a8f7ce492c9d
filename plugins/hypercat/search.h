/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_SEARCH_H
#define HYPERCAT_SEARCH_H

/*
 * The searches of HyperCat 3.0 (PAS 212:2016): simple (rel, val, href: equal), prefix (prefix-rel, prefix-val, prefix-href: begins with),
 * lexicographic (lexrange-rel, lexrange-min up to but not lexrange-max) and by place (geobound-minlat, -maxlat, -minlong, -maxlong). Where
 * a relation and a value are given, one pair must have both. Searches of several kinds in one query must all be met; other
 * parameters are left out. Pure.
 */

#include "item.h"

struct search;

/* NULL in *ret_search: the query has none. Ownership: search_free. Errors: -EINVAL: the query is broken; -ENOMEM. */
int search_new(const char *query, struct search **ret_search);
void search_free(struct search *search); /* accepts NULL */

/* Whether the device (where `item` is NULL) or its resource is what is searched. A NULL `search` is met by all. */
bool search_is_met(struct search *search, const struct about *about, const struct view_device *device,
		   const struct view_item *item);

#endif
