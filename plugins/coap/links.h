/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_LINKS_H
#define COAP_LINKS_H

/* Lists of links (RFC 6690), as /.well-known/core answers with them: written as text, filtered by what the request asks for.
 * Pure. */

#include "message.h"

enum { LINKS_ATTRIBUTES = 4 };

/* `value` has no '"' and no '\\'; NULL: the name alone says it ("obs"). A number stands without quotes. */
struct link_attribute {
	const char *name; /* NULL behind the last */
	const char *value;
	bool number;
};

struct link {
	const char *target; /* "/path" */
	struct link_attribute attributes[LINKS_ATTRIBUTES];
};

/* A query, taken apart. */
struct links_wish {
	struct tg_bytes name;
	struct tg_bytes value;
	bool any;    /* no value: whether there is such an attribute */
	bool prefix; /* the value ended in '*' */
};

struct links_wish links_wish_read(struct tg_bytes query);
bool links_is_name(struct tg_bytes name, const char *wanted);
/* Whether the value of an attribute with the wish's name is what it asks for; `escaped`: '\\' stands before what is meant itself. */
bool links_value_matches(const struct links_wish *wish, struct tg_bytes value, bool escaped);

/*
 * Writes those of `links` that every query of the request matches: `NAME=VALUE`, where `href` is the target, a VALUE that ends in
 * '*' is the beginning of what is looked for, and of rt, if and rel, which hold several words, one has to match. A query without
 * '=' asks for links that have such an attribute. Returns the bytes written, or -ENOSPC.
 * Source: RFC 6690 sections 2 and 4.1.
 */
int links_write(const struct link *links, size_t count, const struct coap_message *request, char *memory, size_t room);
/* The same, with `base` in front of each target as it is written. */
int links_write_at(const char *base, const struct link *links, size_t count, const struct coap_message *request,
		   char *memory, size_t room);

#endif
