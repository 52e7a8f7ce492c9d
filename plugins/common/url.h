/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_URL_H
#define COMMON_URL_H

/* The address of a broker as the configuration names it: "mqtts://host[:port]" or "mqtt://host[:port]", or with another scheme, an
 * IPv6 address in brackets. Pure; for adapters that connect to brokers. */

#include <stdbool.h>
#include <stdint.h>

enum { URL_HOST_SIZE = 254 };

struct url_scheme {
	const char *name; /* without TLS; with it an 's' follows */
	uint16_t port;
	uint16_t tls_port;
};

struct url {
	char host[URL_HOST_SIZE]; /* without brackets */
	uint16_t port;            /* the scheme's where the text names none */
	bool tls;
	bool address; /* an IP address, not a name */
	char *text;   /* as it was written */
};

/* Ownership: url_done. Errors: -EINVAL: not of this form; -ENOMEM. */
int url_parse(const char *text, const struct url_scheme *scheme, struct url *ret_url);
void url_done(struct url *url);

/* Whether the text is an IPv4 or IPv6 address. */
bool url_is_address(const char *host);

#endif
