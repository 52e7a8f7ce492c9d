/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DIRECTORY_SERVER_H
#define COAP_DIRECTORY_SERVER_H

/* The resources of the directory: /rd, /rd/NUMBER, /rd-lookup/ep, /rd-lookup/res, and the timer that lets registrations expire. */

#include "directory.h"
#include "resource.h"

struct directory_server;

/* Errors: -ENOMEM. */
int directory_server_new(const struct tg_host *host, const struct directory_limits *limits, unsigned counter,
			 struct directory_server **ret_server);
void directory_server_free(struct directory_server *server); /* accepts NULL */
void directory_server_set_limits(struct directory_server *server, const struct directory_limits *limits);

/* Adds the resources to what /.well-known/core lists. */
void directory_server_links(struct resource_links *links);

/* Whether the request's path belongs to the directory. */
bool directory_server_takes(const struct coap_message *message);
/* Whether it comes with a body that has to be whole first. */
bool directory_server_wants_body(const struct coap_message *message);
/* The answer to a request that it takes. Ownership: the answer borrows from `text` and is lent until the next call. */
struct resource_answer directory_server_answer(struct directory_server *server, const struct directory_peer *peer,
					       const struct coap_message *message, struct tg_bytes body,
					       char text[RESOURCE_TEXT_MAX]);

void directory_server_forget(struct directory_server *server, struct tg_bytes device);

#endif
