/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_HREF_H
#define HYPERCAT_CLIENT_HREF_H

/*
 * The addresses of catalogues and of what is listed in them: taken apart and put into one form, so that two spellings of the same place
 * are equal, and made into the paths of messages. What comes in may be anything. Pure; libcurl does the parsing.
 */

#include <stddef.h>
#include <stdint.h>

enum { HREF_MAX = 2048, HREF_HOST_MAX = 255 };

struct href {
	char *text;    /* https://host[:port]/path[?query], in one form: lower case, no dot segments, no fragment */
	char *host;    /* lower case, without brackets and without a last dot */
	uint16_t port; /* 443 where none is given */
};

/* `base`: what a relative reference is relative to (RFC 3986 section 5); NULL: `text` has to be a whole address. Ownership: href_done.
 * Errors: -EPROTONOSUPPORT: another scheme than https; -EINVAL: no address, or one with a user, or a host name that is none;
 * -E2BIG: longer than HREF_MAX; -ENOMEM. */
int href_parse(const char *text, const struct href *base, struct href *ret_href);
void href_done(struct href *href);
/* Errors: -ENOMEM. */
int href_copy(const struct href *href, struct href *ret_href);

/* The path of a message as message.h has it, from the path and the query of the address: percent-encoding is undone. `with_host`: the
 * host is its first segment. Returns its length. Errors: -EINVAL: nothing is left, or it is no UTF-8, has control characters, or
 * segments "." and ".."; -ENOBUFS: longer than `room`. Terminated. */
int href_path(const struct href *href, int with_host, char *ret_path, size_t room);

/* Makes a text from outside fit for a line of the log: no more than `room` - 1 bytes, '?' for what is not printable ASCII. Returns
 * `ret_text`. */
const char *href_printable(const char *text, char *ret_text, size_t room);

#endif
