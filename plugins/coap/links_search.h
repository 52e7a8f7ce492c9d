/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_LINKS_SEARCH_H
#define COAP_LINKS_SEARCH_H

/* What a lookup asks for: criteria that must all be met, and perhaps one page of what is found. Pure. Source: RFC 9176 section 6.2. */

#include "links.h"

enum { LINKS_SEARCH_MAX = 16 };

struct links_search { /* zero it */
	struct links_wish wishes[LINKS_SEARCH_MAX];
	size_t wishes_count;
	bool has_page;
	bool has_count;
	uint32_t page;
	uint32_t count;
	uint64_t skip; /* what is found but comes before the page */
	uint64_t left; /* what the page has room for */
};

/* Takes one query of the request in. Returns NULL, or what is wrong. Ownership: borrows from `query`. */
const char *links_search_add(struct links_search *search, struct tg_bytes query);
/* Those were all. */
const char *links_search_begin(struct links_search *search);
/* All queries of a request. */
const char *links_search_read(struct links_search *search, const struct coap_message *request);

/* Whether one more that is found belongs to the page. */
bool links_search_takes(struct links_search *search);

#endif
