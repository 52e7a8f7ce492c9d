/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_EST_URL_H
#define RENEW_EST_URL_H

/* The address of an EST server, taken apart by libcurl, and its name looked up. */

#include <stddef.h>

#include "base/cleanup.h"

enum { EST_URL_MAX = 1024 };

struct est_url {
	char *host; /* without the brackets of an IPv6 address */
	char *port;
	char base[EST_URL_MAX]; /* what operations are put behind, with '/' */
};

/* Ownership: est_url_done. Errors: -EINVAL: not https, or with user, query or fragment; -ENOMEM. */
int est_url_parse(const char *text, struct est_url *ret_url) WARN_UNUSED;
void est_url_done(struct est_url *url);

/* The line for libcurl (CURLOPT_RESOLVE) that names the addresses; NULL where the host is an address. Ownership: free it. Errors:
 * -EHOSTUNREACH: `ret_cause` says why; -ENOMEM. */
int est_url_resolve(const struct est_url *url, char *ret_cause, size_t size, char **ret_line) WARN_UNUSED;

#endif
