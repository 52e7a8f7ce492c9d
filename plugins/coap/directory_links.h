/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DIRECTORY_LINKS_H
#define COAP_DIRECTORY_LINKS_H

/*
 * Link format as devices send it to the directory: RFC 6690 section 2, limited as RFC 9176 appendix C says, so that a reference is a URI or
 * begins with one '/'. Strict: no white space between the parts, UTF-8, no control characters. Checked once as a whole; walked as often as
 * one likes, on the text itself. Pure.
 */

#include "message.h"

struct directory_link {
	struct tg_bytes target;
	struct tg_bytes parameters; /* as they stand, each with its ';' */
};

struct directory_parameter {
	struct tg_bytes whole; /* name=value as it stands, without the ';' */
	struct tg_bytes name;
	struct tg_bytes value; /* without the quotes; NULL data: there is none */
	bool quoted;           /* then '\\' stands before what is meant itself */
};

/* Returns NULL, or what is wrong with the text in words; on success *ret_count links are in it. */
const char *directory_links_check(struct tg_bytes text, size_t *ret_count);

/* Takes the first link, or parameter, off a text that has been checked. Returns false where there is none. */
bool directory_link_next(struct tg_bytes *text, struct directory_link *ret_link);
bool directory_parameter_next(struct tg_bytes *parameters, struct directory_parameter *ret_parameter);

/* UTF-8 without control characters. */
bool directory_is_text(struct tg_bytes text);
/* A name of a link parameter. Source: RFC 5988 section 5, parmname. */
bool directory_is_name(struct tg_bytes name);
/* Characters that a URI has, or '<' and '>' in a link can hold (RFC 6690 section 2: as UTF-8, too). */
bool directory_is_reference(struct tg_bytes reference);
/* Whether it begins with a scheme, and where that ends: at its ':'. */
bool directory_has_scheme(struct tg_bytes reference, size_t *ret_colon);

#endif
