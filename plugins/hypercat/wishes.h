/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_WISHES_H
#define HYPERCAT_WISHES_H

/* Fields of a request that say which answer it wants, and fields of answers. Pure. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { WISHES_DATE_SIZE = 80, WISHES_TAG_SIZE = 64 };

/* How much a field Accept wants this media type (NULL: that nobody has told): the weight of the range that fits it best, in thousandths; 0:
 * not at all. NULL as the field wants all. A range with parameters fits where they say charset=utf-8 of a text. What is broken in the
 * field counts for nothing. Source: RFC 9110 sections 12.4.2, 12.5.1. */
unsigned wishes_accept(const char *accept, const char *type);

/* Whether a field If-None-Match names this entity tag, which stands in quotes. NULL: it does not. Source: RFC 9110 section 13.1.2. */
bool wishes_has(const char *if_none_match, const char *tag);

/* "Sun, 06 Nov 1994 08:49:37 GMT". Source: RFC 9110 section 5.6.7. */
void wishes_date(int64_t wall_us, char ret_text[WISHES_DATE_SIZE]);

/* An entity tag or the id of an event: a generation, and the newest ETag in it. */
void wishes_tag(uint64_t generation, uint64_t etag, char ret_text[WISHES_TAG_SIZE]);
bool wishes_tag_read(const char *text, uint64_t *ret_generation, uint64_t *ret_etag);

#endif
