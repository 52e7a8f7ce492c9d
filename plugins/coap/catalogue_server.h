/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CATALOGUE_SERVER_H
#define COAP_CATALOGUE_SERVER_H

/*
 * The catalogue of the last readings for CoAP clients: GET of the path below which they are, "/readings" as it comes.
 *
 * The life of a request: it opens an exchange and waits its turn. The core is asked page by page for what the device may read
 * (tg_host.list) and the pages are collected (catalogue.h): one catalogue at a time, so that no number of readers takes the core from
 * the others, or memory for more than one. The whole is the answer, or, where it does not fit a block, kept for the session
 * as large readings are (reader_snapshot.h), so that its pieces belong together whatever happens meanwhile. Nothing is kept beyond that:
 * each request is a new look, and the ETag, which follows from the text alone, says whether anything is new.
 *
 * Where something goes out of the list, or the reader's rights change, while it is listed, it is listed anew.
 */

#include <tidegate/adapter.h>

#include "common/labels.h"
#include "reader_answer.h"

struct catalogue_server;
struct exchange_peer;
struct exchange_request;
struct exchange_table;

/* Its side of a session. Zero it but for `exchange`, which outlives it. It must not move. */
struct catalogue_peer {
	struct exchange_peer *exchange;
	struct reader_snapshot_peer snapshots;
	unsigned waiting;
};

/* Requests of one session that wait at once. */
enum { CATALOGUE_WAITING_MAX = 4 };

struct catalogue_settings {
	const char *prefix; /* as in reader.h; copied */
	size_t limit_bytes; /* for what is fetched in pieces, and as much again for what is put together */
};

/* `counter` counts catalogues. Ownership: labels are taken on success. Errors: -ENOMEM. */
int catalogue_server_new(const struct tg_host *host, struct exchange_table *exchanges,
			 const struct catalogue_settings *settings, struct labels *labels, unsigned counter,
			 struct catalogue_server **ret_server);
void catalogue_server_free(struct catalogue_server *server); /* accepts NULL; the peers are gone before */
/* What is being put together begins anew. Ownership: labels are taken. */
void catalogue_server_set(struct catalogue_server *server, const struct catalogue_settings *settings,
			  struct labels *labels);

/* Adds the resource to what /.well-known/core lists. It does as the resource lookup of a directory does, but is not called core.rd-lookup-res:
 * who asks all nodes for core.rd* looks for a directory. The text is lent until catalogue_server_set. */
void catalogue_server_links(const struct catalogue_server *server, struct resource_links *links);

/* Whether a request is one for catalogue_server_request. */
bool catalogue_server_takes(const struct catalogue_server *server, const struct coap_message *message);
/* Answers a request of `device`, or opens it. `again`: it was answered before, and is answered the same way if that is still known. */
void catalogue_server_request(struct catalogue_server *server, struct catalogue_peer *peer, const char *device,
			      const struct exchange_request *request, bool again);
void catalogue_server_peer_done(struct catalogue_server *server, struct catalogue_peer *peer);

/* tg_adapter.listed */
void catalogue_server_listed(struct catalogue_server *server, uint64_t token, const struct tg_listed *listed);

void catalogue_server_run(struct catalogue_server *server, int64_t now_us);
int64_t catalogue_server_next_us(const struct catalogue_server *server);

#endif
