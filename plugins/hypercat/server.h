/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_SERVER_H
#define HYPERCAT_SERVER_H

/*
 * The HTTPS server: connections, their limits, and one request at a time on each. It knows HTTP and nothing of catalogues; libevent's
 * evhttp speaks the protocol, OpenSSL what is below it. Nothing else includes a header of libevent, but loop.c.
 *
 * The life of a request: server_events.request; then either server_reply, or server_begin, some server_write and server_end, now or
 * later. A client that goes before its end is told of with server_events.gone, and the request is over. Whoever
 * answers later remembers server_ticket, by which server_find finds the client again, if it is still the same request.
 *
 * No connection is kept for nothing: a client has `request_us` from its connection, or from its last answer, to its next whole
 * request, however slowly it sends; it has to take what is written to it, and everything ends after `lifetime_us`.
 */

#include <tidegate/adapter.h>

struct client;
struct server;
struct ssl_st;

enum server_method { SERVER_GET, SERVER_HEAD, SERVER_POST, SERVER_PUT, SERVER_OTHER };

struct server_limits {
	size_t connections;
	size_t an_address; /* connections of one, by /64 with IPv6 */
	int64_t request_us;
	int64_t lifetime_us;
	size_t headers_bytes;
	size_t body_bytes;
};

struct server_events {
	/* A connection begins its handshake with it. NULL: out of memory. Ownership: the server's. */
	struct ssl_st *(*secure)(void *arg);
	void (*request)(void *arg, struct client *client);
	/* The client has gone before its answer was complete. */
	void (*gone)(void *arg, struct client *client);
	/* All that was written has left. */
	void (*drained)(void *arg, struct client *client);
	/* The connection is over; its `state` goes with it. */
	void (*closed)(void *arg, struct client *client);
	/* A connection was refused by one of the limits, or ended by them. */
	void (*refused)(void *arg);
};

/* Errors: -ENOMEM, those of loop_new. */
int server_new(const struct tg_host *host, const struct server_limits *limits, const struct server_events *events,
	       void *arg, struct server **ret_server);
/* Ends all connections. */
void server_free(struct server *server); /* accepts NULL */

/* Ownership: `fd`, which listens, is the server's, also on failure. */
int server_listen(struct server *server, int fd);
int server_start(struct server *server);
uint16_t server_port(const struct server *server);
/* Takes in no more connections. */
void server_stop(struct server *server);
void server_set_limits(struct server *server, const struct server_limits *limits);
/* What was written to all of them and has not left yet. Units: bytes. */
size_t server_all_unsent(const struct server *server);

/* NULL: that request is over. */
struct client *server_find(const struct server *server, uint64_t ticket);
/* Calls `fn` for each connection that has had a request; `fn` may end it. */
void server_each(struct server *server, void (*fn)(void *arg, struct client *client), void *arg);

/* One for each request. */
uint64_t server_ticket(const struct client *client);
/* One for each connection. */
uint64_t server_number(const struct client *client);
void **server_state(struct client *client); /* the caller's, NULL at first */
void **server_work(struct client *client);  /* the same, NULL at each request */
const struct ssl_st *server_ssl(const struct client *client);
const char *server_peer(const struct client *client); /* "[2001:db8::7]:443" */

/* Of the request. All is lent until its end. */
enum server_method server_method(const struct client *client);
const char *server_target(const struct client *client);                   /* path and query, as they came */
const char *server_header(const struct client *client, const char *name); /* NULL: there is none */
struct tg_bytes server_body(const struct client *client);

/* Adds a field to the answer that is not begun yet. */
void server_set(struct client *client, const char *name, const char *value);
/* The whole answer. `close`: the connection ends with it. */
void server_reply(struct client *client, int code, struct tg_bytes body, bool close);
/* In pieces, of whatever length: what is written has left when server_events.drained comes. */
void server_begin(struct client *client, int code);
void server_write(struct client *client, struct tg_bytes piece);
void server_end(struct client *client);
/* What was written and has not left yet. Units: bytes. */
size_t server_unsent(const struct client *client);
/* Ends the connection at once. Not from within `request`. */
void server_cut(struct client *client);

#endif
