/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_LINKFORMAT_H
#define COAP_CLIENT_LINKFORMAT_H

/*
 * Reads the list of links that a device answers with at /.well-known/core (RFC 6690 section 2). What comes in may be anything. Pure.
 */

#include <stdbool.h>
#include <stddef.h>

/* Borrowed from the list; a quoted value is without its quotes, its backslashes stand as they came. */
struct linkformat_text {
	const char *data;
	size_t size;
};

struct linkformat_link {
	struct linkformat_text target;     /* what stands in <> */
	struct linkformat_text types;      /* rt, words */
	struct linkformat_text interfaces; /* if, words */
	bool observable;                   /* obs */
};

/* Reads the link at `*at` and moves behind it. Returns 1: there was one; 0: the end. Errors: -EBADMSG, what is behind can not be
 * read. */
int linkformat_next(const char **at, const char *end, struct linkformat_link *ret_link);

/* Whether `word` is one of the words. */
bool linkformat_has_word(struct linkformat_text words, const char *word);

#endif
