/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_ADDRESS_H
#define AMQP_ADDRESS_H

/*
 * How the address of a source becomes the path of its messages. AMQP has no wildcards: what is received from stands in the setting
 * `sources`, and a route picks by its pattern. The path is the address without a leading '/', and where a message has a subject,
 * that behind another '/': "/amq/queue/hall" and the subject "pump-7/temp" give "amq/queue/hall/pump-7/temp". A '%' is written
 * %25, as in every path. Pure; for source.c and arrival.c.
 */

#include <stdbool.h>
#include <stddef.h>
#include <tidegate/message.h>

/* The length of the path without its end. */
size_t address_path_size(struct tg_bytes address, struct tg_bytes subject);
/* Writes the path, that many bytes. */
void address_path(struct tg_bytes address, struct tg_bytes subject, char *ret_path);

/* Whether a message from this address, with or without a subject, can match a pattern of tg_host.route. */
bool address_may_match(const char *address, const char *pattern);

#endif
