/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_TEXTS_H
#define COAP_CLIENT_TEXTS_H

/*
 * The words of the settings: devices, what is observed, polled and discovered, each entry of a list one line of words; and the
 * addresses of resources, "/path/more?query", taken apart into what CoAP options hold. Pure; what comes in may be anything.
 *
 * Errors: the readers return NULL, or what is wrong with the entry, as static text.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { TEXTS_NAME = 256, TEXTS_HOST = 256, TEXTS_PATH = 1025, TEXTS_PARTS = 64, TEXTS_PARTS_SIZE = 2048 };

struct texts_device { /* "NAME URI" */
	char name[TEXTS_NAME];
	char host[TEXTS_HOST]; /* an address in digits or a name, without brackets */
	uint16_t port;
	bool secure; /* coaps:// */
};

struct texts_resource { /* "NAME PATH", "NAME PATH SECONDS" */
	char name[TEXTS_NAME];
	char path[TEXTS_PATH]; /* "/temperature?unit=C" */
	uint32_t period_s;     /* 0 where none was asked for */
};

const char *texts_device(const char *entry, struct texts_device *ret_device);
/* `timed`: a period has to stand behind the path. */
const char *texts_resource(const char *entry, bool timed, struct texts_resource *ret_resource);
/* "NAME FILE"-like pairs and single names: the first word of an entry. */
const char *texts_name(const char *entry, char ret_name[TEXTS_NAME]);

/* One segment of a path, or one piece of a query; percent-encoding is undone. */
struct texts_part {
	const uint8_t *data;
	size_t size;
	bool query;
};

struct texts_parts {
	struct texts_part parts[TEXTS_PARTS];
	size_t count;
	uint8_t memory[TEXTS_PARTS_SIZE];
};

/* Takes an address apart. An empty path and "/" have no segments; a final '/' makes an empty last one (RFC 7252 section 6.4).
 * Errors: -EINVAL: broken percent-encoding, or a part longer than an option's 255 bytes; -E2BIG: too many or too much. */
int texts_split(const char *address, size_t size, struct texts_parts *ret_parts);

/* The path alone, as a submission's path: without the leading '/', with '%' and '/' in a segment encoded.
 * Errors: -E2BIG. */
int texts_submission_path(const struct texts_parts *parts, char ret_path[TEXTS_PATH]);

#endif
