/* SPDX-License-Identifier: Apache-2.0 */
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "server_inside.h"

/* The connection goes. A request that evhttp has let go of is ours to free. */
static void on_close(struct evhttp_connection *connection, void *arg)
{
	struct client *client = arg;
	struct evhttp_request *request = client->request;

	(void)connection;
	client->connection = NULL;
	client->request = NULL;
	client->waits_us = 0;
	if (!request)
		return;
	client->server->events.gone(client->server->arg, client);
	if (!evhttp_request_get_connection(request))
		evhttp_request_free(request);
}

static void on_complete(struct evhttp_request *request, void *arg)
{
	struct client *client = arg;

	(void)request;
	client->waits_us = client->server->host->now_us(client->server->host);
}

void server_on_request(struct evhttp_request *request, void *arg)
{
	struct server *server = arg;
	struct evhttp_connection *connection = evhttp_request_get_connection(request);
	struct bufferevent *pipe = evhttp_connection_get_bufferevent(connection);
	struct client *client = SSL_get_ex_data(bufferevent_openssl_get_ssl(pipe), server->place);

	if (!client || server->stopped) {
		evhttp_add_header(evhttp_request_get_output_headers(request), "Connection", "close");
		evhttp_send_reply(request, HTTP_SERVUNAVAIL, NULL, NULL);
		return;
	}
	if (!client->connection)
		evhttp_connection_set_closecb(connection, on_close, client);
	evhttp_request_set_on_complete_cb(request, on_complete, client);
	client->connection = connection;
	client->request = request;
	client->ticket = ++server->tickets;
	client->waits_us = 0;
	client->work = NULL;
	client->drained = false;
	server->events.request(server->arg, client);
}

uint64_t server_ticket(const struct client *client)
{
	return client->ticket;
}

uint64_t server_number(const struct client *client)
{
	return client->number;
}

void **server_state(struct client *client)
{
	return &client->state;
}

void **server_work(struct client *client)
{
	return &client->work;
}

const struct ssl_st *server_ssl(const struct client *client)
{
	return client->ssl;
}

const char *server_peer(const struct client *client)
{
	return client->peer;
}

enum server_method server_method(const struct client *client)
{
	switch (evhttp_request_get_command(client->request)) {
	case EVHTTP_REQ_GET:
		return SERVER_GET;
	case EVHTTP_REQ_HEAD:
		return SERVER_HEAD;
	case EVHTTP_REQ_POST:
		return SERVER_POST;
	case EVHTTP_REQ_PUT:
		return SERVER_PUT;
	default:
		return SERVER_OTHER;
	}
}

const char *server_target(const struct client *client)
{
	return evhttp_request_get_uri(client->request);
}

const char *server_header(const struct client *client, const char *name)
{
	return evhttp_find_header(evhttp_request_get_input_headers(client->request), name);
}

struct tg_bytes server_body(const struct client *client)
{
	struct evbuffer *body = evhttp_request_get_input_buffer(client->request);
	size_t size = evbuffer_get_length(body);

	return (struct tg_bytes){.data = size ? evbuffer_pullup(body, -1) : NULL, .size = size};
}

void server_set(struct client *client, const char *name, const char *value)
{
	evhttp_add_header(evhttp_request_get_output_headers(client->request), name, value);
}

static const char *words(int code)
{
	static const struct {
		int code;
		const char *words;
	} all[] = {{406, "Not Acceptable"},
		   {415, "Unsupported Media Type"},
		   {429, "Too Many Requests"},
		   {401, "Unauthorized"},
		   {403, "Forbidden"},
		   {405, "Method Not Allowed"},
		   {507, "Insufficient Storage"},
		   {0, NULL}};

	for (size_t i = 0; all[i].words; i++)
		if (all[i].code == code)
			return all[i].words;
	return NULL; /* evhttp has one */
}

/* The request is the caller's no more. */
static struct evhttp_request *let_go(struct client *client)
{
	struct evhttp_request *request = client->request;

	client->request = NULL;
	loop_touch(client->server->loop);
	return request;
}

void server_reply(struct client *client, int code, struct tg_bytes body, bool close)
{
	bool is_head = server_method(client) == SERVER_HEAD;
	struct evbuffer *buffer = evbuffer_new();
	char length[32];

	if (close)
		server_set(client, "Connection", "close");
	if (is_head && code == HTTP_OK) {
		evutil_snprintf(length, sizeof(length), "%zu", body.size);
		server_set(client, "Content-Length", length);
	} else if (buffer && body.size) {
		evbuffer_add(buffer, body.data, body.size);
	}
	evhttp_send_reply(let_go(client), code, words(code), is_head ? NULL : buffer);
	if (buffer)
		evbuffer_free(buffer);
}

void server_begin(struct client *client, int code)
{
	evhttp_send_reply_start(client->request, code, words(code));
	loop_touch(client->server->loop);
}

/* More is written when the others had their turn: a fast client would be served to its end otherwise. */
static void on_drained(struct evhttp_connection *connection, void *arg)
{
	struct client *client = arg;
	struct server *server = client->server;

	(void)connection;
	client->drained = true;
	server->host->timer_set(server->check, server->host->now_us(server->host) + 1);
}

void server_write(struct client *client, struct tg_bytes piece)
{
	struct evbuffer *buffer = evbuffer_new();

	if (buffer && evbuffer_add(buffer, piece.data, piece.size) == 0)
		evhttp_send_reply_chunk_with_cb(client->request, buffer, on_drained, client);
	if (buffer)
		evbuffer_free(buffer);
	loop_touch(client->server->loop);
}

void server_end(struct client *client)
{
	evhttp_send_reply_end(let_go(client));
}

size_t server_unsent(const struct client *client)
{
	return evbuffer_get_length(bufferevent_get_output(client->pipe));
}

void server_cut(struct client *client)
{
	loop_touch(client->server->loop);
	client->waits_us = 0;
	/* Before the first request evhttp alone knows the connection, and hears of its end. */
	if (client->connection)
		evhttp_connection_free(client->connection);
	else
		shutdown(bufferevent_getfd(client->pipe), SHUT_RDWR);
}
