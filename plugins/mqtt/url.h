/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_URL_H
#define MQTT_URL_H

/* The address of a broker as the configuration names it: "mqtts://host[:port]" or "mqtt://host[:port]", an IPv6 address
 * in brackets. Pure; for options.c. */

#include <stdbool.h>
#include <stdint.h>

enum { URL_HOST_SIZE = 254 };

struct url {
	char host[URL_HOST_SIZE]; /* without brackets */
	uint16_t port;            /* 8883 or 1883 where the text names none */
	bool tls;
	bool address; /* an IP address, not a name */
	char *text;   /* as it was written */
};

/* Ownership: url_done. Errors: -EINVAL: not of this form; -ENOMEM. */
int url_parse(const char *text, struct url *ret_url);
void url_done(struct url *url);

/* Whether the text is an IPv4 or IPv6 address. */
bool url_is_address(const char *host);

#endif
