/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_CLIENT_H
#define CTL_CLIENT_H

/* One connection to the gateway's control socket: a JSON line out, JSON lines back. */

#include <jansson.h>

#include "base/cleanup.h"

struct client {
	int fd;
	char *data; /* what came and was not taken yet */
	size_t size;
	size_t capacity;
};

/* Errors: -errno of connect. Blocks. */
int client_open(struct client *client, const char *path) WARN_UNUSED;
void client_close(struct client *client);

/* Ownership: takes `request`. Blocks. */
int client_send(struct client *client, json_t *request) WARN_UNUSED;
/* The next line, waiting up to `timeout_ms` (-1: for ever). Ownership: the caller's. Errors: NULL with *ret_error -ETIMEDOUT, -EPIPE
 * (the gateway hung up), -EBADMSG. Blocks. */
json_t *client_receive(struct client *client, int timeout_ms, int *ret_error);

#endif
