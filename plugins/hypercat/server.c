/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "server_inside.h"

enum { S_US = 1000000, INPUT_MAX = 16384 };

/* A handshake that can come to no good: the connection ends with it. evhttp would serve plain text where it gets no TLS. */
static SSL *dead_end(void)
{
	SSL_CTX *context = SSL_CTX_new(TLS_server_method());
	SSL *ssl = context ? SSL_new(context) : NULL;

	SSL_CTX_free(context);
	return ssl;
}

static void set_listening(struct server *server)
{
	if (!server->listener)
		return;
	if (server->count < server->limits.connections && !server->stopped)
		evconnlistener_enable(server->listener);
	else
		evconnlistener_disable(server->listener);
}

/* The SSL goes, and so its connection has gone. */
static void on_ssl_free(void *parent, void *data, CRYPTO_EX_DATA *all, int place, long argl, void *argp)
{
	struct client *client = data;
	struct server *server = argp;

	(void)parent;
	(void)all;
	(void)place;
	(void)argl;
	if (!client)
		return;
	server->events.closed(server->arg, client);
	if (client->previous)
		client->previous->next = client->next;
	else
		server->clients = client->next;
	if (client->next)
		client->next->previous = client->previous;
	server->count--;
	free(client);
	set_listening(server);
}

/* Reading goes on while an answer is written, to notice a client that goes: what it sends then waits in the kernel. evhttp takes a body,
 * or a chunk of one, from there when it is whole. */
static void set_mark(struct client *client)
{
	const struct server_limits *limits = &client->server->limits;

	bufferevent_setwatermark(client->pipe, EV_READ, 0, limits->headers_bytes + limits->body_bytes + INPUT_MAX);
}

static struct client *client_new(struct server *server, SSL *ssl, struct bufferevent *pipe)
{
	struct client *client = calloc(1, sizeof(*client));

	if (!client)
		return NULL;
	client->server = server;
	client->number = ++server->tickets;
	client->ssl = ssl;
	client->pipe = pipe;
	client->born_us = client->waits_us = client->moved_us = server->host->now_us(server->host);
	if (SSL_set_ex_data(ssl, server->place, client) != 1) {
		free(client);
		return NULL;
	}
	client->next = server->clients;
	if (client->next)
		client->next->previous = client;
	server->clients = client;
	server->count++;
	set_mark(client);
	return client;
}

/* evhttp has a new connection. What cannot be served gets a handshake that fails. */
static struct bufferevent *on_connection(struct event_base *base, void *arg)
{
	struct server *server = arg;
	SSL *ssl = server->events.secure(server->arg);
	struct bufferevent *pipe;

	if (!ssl)
		ssl = dead_end();
	pipe = ssl ? bufferevent_openssl_socket_new(base, -1, ssl, BUFFEREVENT_SSL_ACCEPTING, BEV_OPT_CLOSE_ON_FREE)
		   : NULL;
	if (!pipe) {
		server->host->log(server->host, TG_LOG_ERROR, NULL, "no memory for another connection");
		abort(); /* evhttp would go on without TLS: the process is started again */
	}
	bufferevent_openssl_set_allow_dirty_shutdown(pipe, 1);
	(void)client_new(server, ssl, pipe); /* without it the request is refused */
	server->host->timer_set(server->check, server->host->now_us(server->host) + 1);
	if (server->count >= server->limits.connections)
		set_listening(server);
	return pipe;
}

/* One address, or one network of IPv6, for the limit; and text for people. */
static void address_read(struct client *client)
{
	struct sockaddr_storage from = {.ss_family = AF_UNSPEC};
	const struct sockaddr_in6 *v6 = (const void *)&from;
	const struct sockaddr_in *v4 = (const void *)&from;
	socklen_t size = sizeof(from);
	char text[INET6_ADDRSTRLEN] = "?";

	client->counted = true;
	if (getpeername(bufferevent_getfd(client->pipe), (struct sockaddr *)&from, &size) < 0)
		return;
	if (from.ss_family == AF_INET) {
		memcpy(&client->address, &v4->sin_addr, sizeof(v4->sin_addr));
		inet_ntop(AF_INET, &v4->sin_addr, text, sizeof(text));
		snprintf(client->peer, sizeof(client->peer), "%s:%u", text, ntohs(v4->sin_port));
	} else if (from.ss_family == AF_INET6) {
		bool mapped = IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr);

		memcpy(&client->address, mapped ? v6->sin6_addr.s6_addr + 12 : v6->sin6_addr.s6_addr, mapped ? 4 : 8);
		inet_ntop(AF_INET6, &v6->sin6_addr, text, sizeof(text));
		snprintf(client->peer, sizeof(client->peer), "[%s]:%u", text, ntohs(v6->sin6_port));
	}
}

static size_t of_address(const struct server *server, const struct in6_addr *address)
{
	size_t count = 0;

	for (const struct client *client = server->clients; client; client = client->next)
		count += client->counted && memcmp(&client->address, address, sizeof(*address)) == 0;
	return count;
}

static void look_at_new(struct server *server, struct client *client)
{
	address_read(client);
	if (of_address(server, &client->address) <= server->limits.an_address)
		return;
	server->events.refused(server->arg);
	server_cut(client);
}

static void on_check(void *arg)
{
	struct server *server = arg;

	for (struct client *client = server->clients, *next; client; client = next) {
		next = client->next;
		if (!client->counted)
			look_at_new(server, client);
		if (!client->drained)
			continue;
		client->drained = false;
		if (client->request)
			server->events.drained(server->arg, client);
	}
}

/* Does not take what is written to it. */
static bool is_stuck(struct client *client, int64_t now_us)
{
	BIO *socket = SSL_get_wbio(client->ssl);
	uint64_t sent = socket ? BIO_number_written(socket) : 0;

	if (server_unsent(client) == 0 || sent != client->sent) {
		client->sent = sent;
		client->moved_us = now_us;
	}
	return now_us - client->moved_us >= client->server->limits.request_us;
}

static void on_timer(void *arg)
{
	struct server *server = arg;
	int64_t now_us = server->host->now_us(server->host);

	for (struct client *client = server->clients, *next; client; client = next) {
		next = client->next;
		if ((client->waits_us && now_us - client->waits_us >= server->limits.request_us) ||
		    is_stuck(client, now_us) || now_us - client->born_us >= server->limits.lifetime_us) {
			server->events.refused(server->arg);
			server_cut(client);
		}
	}
	server->host->timer_set(server->timer, now_us + S_US);
}

static int http_new(struct server *server)
{
	server->http = evhttp_new(loop_base(server->loop));
	if (!server->http)
		return -ENOMEM;
	evhttp_set_bevcb(server->http, on_connection, server);
	evhttp_set_gencb(server->http, server_on_request, server);
	evhttp_set_default_content_type(server->http, NULL);
	/* What is known but not wanted is answered by us. */
	evhttp_set_allowed_methods(server->http, EVHTTP_REQ_GET | EVHTTP_REQ_HEAD | EVHTTP_REQ_POST | EVHTTP_REQ_PUT |
							 EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH);
	return 0;
}

int server_new(const struct tg_host *host, const struct server_limits *limits, const struct server_events *events,
	       void *arg, struct server **ret_server)
{
	struct server *server = calloc(1, sizeof(*server));
	int r;

	if (!server)
		return -ENOMEM;
	server->host = host;
	server->events = *events;
	server->arg = arg;
	server->place = SSL_get_ex_new_index(0, server, NULL, NULL, on_ssl_free);
	r = server->place < 0 ? -ENOMEM : loop_new(host, &server->loop);
	if (r >= 0)
		r = http_new(server);
	if (r >= 0)
		r = host->timer_new(host, on_timer, server, &server->timer);
	if (r >= 0)
		r = host->idle_new(host, on_check, server, &server->check);
	if (r < 0) {
		server_free(server);
		return r;
	}
	server_set_limits(server, limits);
	*ret_server = server;
	return 0;
}

void server_free(struct server *server)
{
	if (!server)
		return;
	server->listener = NULL;
	if (server->http)
		evhttp_free(server->http); /* with the listener and the connections */
	loop_free(server->loop);
	if (server->place > 0)
		CRYPTO_free_ex_index(CRYPTO_EX_INDEX_SSL, server->place);
	server->host->timer_free(server->timer);
	server->host->timer_free(server->check);
	free(server);
}

int server_listen(struct server *server, int fd)
{
	struct evhttp_bound_socket *bound = evhttp_accept_socket_with_handle(server->http, fd);

	if (!bound) {
		close(fd);
		return -ENOMEM;
	}
	server->listener = evhttp_bound_socket_get_listener(bound);
	evconnlistener_disable(server->listener);
	return 0;
}

int server_start(struct server *server)
{
	set_listening(server);
	on_timer(server);
	return loop_start(server->loop);
}

uint16_t server_port(const struct server *server)
{
	struct sockaddr_storage at = {.ss_family = AF_UNSPEC};
	const struct sockaddr_in *v4 = (const void *)&at; /* the port of IPv6 is at the same place */
	socklen_t size = sizeof(at);

	(void)getsockname(evconnlistener_get_fd(server->listener), (struct sockaddr *)&at, &size);
	return ntohs(v4->sin_port);
}

void server_stop(struct server *server)
{
	server->stopped = true;
	set_listening(server);
}

void server_set_limits(struct server *server, const struct server_limits *limits)
{
	server->limits = *limits;
	evhttp_set_max_headers_size(server->http, (ev_ssize_t)limits->headers_bytes);
	evhttp_set_max_body_size(server->http, (ev_ssize_t)limits->body_bytes);
	for (struct client *client = server->clients; client; client = client->next) {
		set_mark(client);
		if (client->connection)
			evhttp_connection_set_max_body_size(client->connection, (ev_ssize_t)limits->body_bytes);
	}
	set_listening(server);
}

size_t server_all_unsent(const struct server *server)
{
	size_t bytes = 0;

	for (const struct client *client = server->clients; client; client = client->next)
		bytes += server_unsent(client);
	return bytes;
}

struct client *server_find(const struct server *server, uint64_t ticket)
{
	for (struct client *client = server->clients; client; client = client->next)
		if (client->request && client->ticket == ticket)
			return client;
	return NULL;
}

void server_each(struct server *server, void (*fn)(void *arg, struct client *client), void *arg)
{
	for (struct client *client = server->clients, *next; client; client = next) {
		next = client->next;
		if (client->connection)
			fn(arg, client);
	}
}
