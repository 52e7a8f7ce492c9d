/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_SERVER_INSIDE_H
#define HYPERCAT_SERVER_INSIDE_H

/* What server.c, which has the connections, and server_request.c, which has what passes over one, share. */

#include <arpa/inet.h>
#include <event2/buffer.h>
#include <event2/bufferevent_ssl.h>
#include <event2/http.h>
#include <event2/http_struct.h>
#include <event2/listener.h>
#include <openssl/ssl.h>

#include "loop.h"
#include "server.h"

enum { SERVER_PEER_SIZE = INET6_ADDRSTRLEN + 9 };

struct client {
	struct server *server;
	struct client *previous, *next;
	uint64_t number;
	uint64_t ticket;
	SSL *ssl;                             /* lives longer than this */
	struct bufferevent *pipe;             /* the same */
	struct evhttp_connection *connection; /* NULL before the first request, and at the end */
	struct evhttp_request *request;       /* NULL: none is to be answered */
	void *state;
	void *work;
	int64_t born_us;
	int64_t waits_us; /* since when for a request, 0: it is being answered */
	uint64_t sent;    /* bytes, when it was looked at last */
	int64_t moved_us; /* when that was something else */
	bool counted;     /* its address is known */
	bool drained;     /* what was written has left, to be told */
	struct in6_addr address;
	char peer[SERVER_PEER_SIZE];
};

struct server {
	const struct tg_host *host;
	struct server_events events;
	void *arg;
	struct server_limits limits;
	struct loop *loop;
	struct evhttp *http;
	struct evconnlistener *listener;
	struct tg_timer *timer; /* looks after those that wait too long, once a second */
	struct tg_timer *check; /* behind everything else: looks at those that are new, or want more to write */
	struct client *clients;
	size_t count;
	uint64_t tickets;
	int place; /* of a client at its SSL */
	bool stopped;
};

/* evhttp's callback for each request. */
void server_on_request(struct evhttp_request *request, void *arg);

#endif
