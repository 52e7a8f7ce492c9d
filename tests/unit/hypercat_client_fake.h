/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_HYPERCAT_CLIENT_FAKE_H
#define UNIT_HYPERCAT_CLIENT_FAKE_H

/* Transfers and look-ups of the HyperCat client that are a few functions, in place of libcurl and threads: its hours in virtual time. */

#include <stdbool.h>
#include <stdint.h>

enum { FAKE_PAGES = 16 };

/* One page of the server. */
struct page {
	const char *url;
	const char *text; /* NULL: nobody answers */
	long status;
	int64_t retry_after_s;
	const char *etag;
	unsigned asked;
	bool with_token; /* the last time */
	int64_t last_us;
};

extern struct page fake_pages[FAKE_PAGES];
extern int64_t fake_takes_us;          /* an answer */
extern unsigned fake_most_running;     /* at the same time, so far */
extern unsigned fake_names;            /* look-ups, so far */
extern const char *fake_names_problem; /* of each look-up; NULL: none */

/* There is this text from now on, with status 200. */
struct page *page(const char *url, const char *text);

#define CAT(items) "{\"items\":[" items "]}"
#define ITEM(href) "{\"href\":\"" href "\"}"
#define NESTED(href)                                                                                                   \
	"{\"href\":\"" href "\",\"item-metadata\":[{\"rel\":\"urn:X-hypercat:rels:isContentType\",\"val\":"            \
	"\"application/vnd.hypercat.catalogue+json\"}]}"

#endif
