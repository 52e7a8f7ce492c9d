/* SPDX-License-Identifier: Apache-2.0 */
#include "connection.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/dial.h"
#include "common/tell.h"
#include "options.h"

/* How many rounds of reading one turn does: a broker's PUBACK is often a record of its own. What fills a record of TLS. What an
 * empty buffer may keep. What may wait for a broker that reads: a message or two, and the answers to all that are on their way. */
enum {
	CONNECTION_READS = 64,
	CONNECTION_RECORD = 16384,
	CONNECTION_KEPT = 262144,
	CONNECTION_OUT_MAX = 8 * 1024 * 1024
};
#define CONNECTION_CLOSE_US INT64_C(1000000)

static int64_t connection_now_us(const struct connection *connection)
{
	return connection->host->now_us(connection->host);
}

void connection_fail(struct connection *connection, const char *cause)
{
	if (connection->state == CONNECTION_LOST)
		return;
	if (connection->stream.handshake.cause[0] && !connection->stream.secure)
		cause = connection->stream.handshake.cause;
	snprintf(connection->cause, sizeof(connection->cause), "%s", cause);
	connection->state = CONNECTION_LOST;
	dial_free(connection->dial); /* it would go on with the connection */
	connection->dial = NULL;
	connection->host->timer_set(connection->idle, 1);
}

static void connection_fail_error(struct connection *connection, int error)
{
	const struct stream *stream = &connection->stream;

	if (error == -EPIPE)
		connection_fail(connection, stream->secure ? "connection closed by the broker"
							   : "connection closed by the broker during the handshake");
	else if (stream->handshake.cause[0])
		connection_fail(connection, stream->handshake.cause);
	else
		connection_fail(connection, error == -EPROTO ? "connection ended in TLS" : strerror(-error));
}

static void connection_watch(struct connection *connection)
{
	uint32_t events = connection->held && connection->state == CONNECTION_UP ? 0 : TG_READABLE;

	if (connection->state == CONNECTION_LOST)
		return;
	if (connection->stream.wants_write || connection->blocked)
		events |= TG_WRITABLE;
	if (events != connection->watched && connection->host->watch_set(connection->watch, events) >= 0)
		connection->watched = events;
}

static void connection_flush(struct connection *connection)
{
	int r;

	if (connection->stream.out.size > 0)
		connection->sent_us = connection_now_us(connection);
	r = stream_flush(&connection->stream);
	connection->blocked = r > 0;
	if (r < 0)
		connection_fail_error(connection, r);
	else if (r == 0 &&
		 (connection->state == CONNECTION_CONNECTING || connection->stream.out.room > CONNECTION_KEPT))
		gather_done(&connection->stream.out); /* CONNECT has the password in it */
}

void connection_put(struct connection *connection)
{
	connection->host->timer_set(connection->idle, 1);
	if (connection->stream.out.size >= CONNECTION_RECORD && !connection->blocked &&
	    connection->state == CONNECTION_UP)
		connection_flush(connection);
	if (connection->stream.out.size > CONNECTION_OUT_MAX)
		connection_fail(connection, "the broker sends, but takes nothing in");
}

void connection_protocol(struct connection *connection, enum codec_reason reason, const char *cause)
{
	if (connection->version5)
		codec_put_disconnect(&connection->stream.out, true, (uint8_t)reason, false);
	stream_flush(&connection->stream);
	connection_fail(connection, cause);
}

static void connection_read(struct connection *connection)
{
	int rounds = 0;

	connection->more = false;
	for (; rounds < CONNECTION_READS && !connection->held; rounds++) {
		size_t size;
		uint8_t *room = connection_room(connection, &size);
		ssize_t n = room ? stream_read(&connection->stream, room, size) : -ENOMEM;

		if (n == -EAGAIN)
			break;
		if (n < 0) {
			connection_fail_error(connection, (int)n);
			return;
		}
		connection->in_size += (size_t)n;
		if (connection->pinged_us != 0) /* the answer may be behind a large message */
			connection->pinged_us = connection_now_us(connection);
		connection_packets(connection);
		if (connection->state == CONNECTION_LOST)
			return;
	}
	/* Brokers send packet by packet, often with Nagle's algorithm on: an acknowledgement of the kernel's held back for 40 ms here would
	 * hold back the next of them. The kernel forgets this option, so it is set each time. */
	setsockopt(connection->stream.fd, IPPROTO_TCP, TCP_QUICKACK, &(int){1}, sizeof(int));
	connection->more = rounds == CONNECTION_READS;
	if (connection->more)
		connection->host->timer_set(connection->idle, 1);
}

static void connection_connect(struct connection *connection)
{
	const char *version = connection->version5 ? "MQTT 5" : "MQTT 3.1.1";
	struct codec_connect connect = {.version5 = connection->version5};
	SSL *ssl = connection->stream.ssl;
	char tls[128] = "without TLS";

	if (ssl)
		tls_describe(ssl, tls, sizeof(tls));
	snprintf(connection->description, sizeof(connection->description), "%s, %s%s", version, tls,
		 ssl && SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ? ", broker not verified" : "");
	connection->events->connect(connection->arg, &connect);
	codec_put_connect(&connection->stream.out, &connect);
	connection->state = CONNECTION_CONNECTING;
	connection_put(connection);
}

/* What is left to send goes out, then the broker's end is waited for, since a close with unread input would throw it away. */
static void connection_linger(struct connection *connection, uint32_t ready)
{
	char waste[4096];
	ssize_t n = 1;
	int r = stream_flush(&connection->stream);

	connection->blocked = r > 0;
	if (r == 0 && !connection->shut) {
		stream_shut(&connection->stream);
		connection->shut = true;
	}
	while (n > 0 && (ready & (TG_READABLE | TG_BROKEN)))
		n = recv(connection->stream.fd, waste, sizeof(waste), MSG_DONTWAIT);
	if (r < 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		connection_fail(connection, "");
}

static void connection_on_ready(void *arg, int fd, uint32_t ready)
{
	struct connection *connection = arg;
	int r;

	(void)fd;
	if (connection->state == CONNECTION_CLOSING) {
		connection_linger(connection, ready);
	} else if (connection->state == CONNECTION_HANDSHAKE) {
		r = stream_handshake(&connection->stream);
		if (r < 0)
			connection_fail_error(connection, r);
		else if (r > 0)
			connection_connect(connection);
	} else if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_UP) {
		if (ready & TG_WRITABLE)
			connection_flush(connection);
		if (connection->held && ready & TG_BROKEN)
			connection_fail(connection, "connection closed by the broker");
		else if (connection->state != CONNECTION_LOST && !connection->held)
			connection_read(connection);
	}
	if (connection->state == CONNECTION_UP && connection->events->moved)
		connection->events->moved(connection->arg);
	connection_watch(connection);
}

/* The end of a turn. */
static void connection_on_idle(void *arg)
{
	struct connection *connection = arg;

	if (connection->state == CONNECTION_CONNECTING || connection->state == CONNECTION_UP) {
		if (connection->more && !connection->held)
			connection_read(connection);
		if (connection->state != CONNECTION_LOST)
			connection_flush(connection);
		if (connection->state == CONNECTION_UP && connection->events->moved)
			connection->events->moved(connection->arg);
	} else if (connection->state == CONNECTION_CLOSING) {
		connection_linger(connection, 0);
	} else if (connection->state == CONNECTION_LOST) {
		connection->events->lost(connection->arg, connection->closing ? NULL : connection->cause);
		return;
	}
	connection_watch(connection);
}

static void connection_on_dialed(void *arg, int fd, const char *cause)
{
	struct connection *connection = arg;
	const struct options *options = connection->options;
	const struct url *url = connection->url;
	int r;

	dial_free(connection->dial);
	connection->dial = NULL;
	if (fd < 0) {
		connection_fail(connection, cause);
		return;
	}
	r = stream_init(&connection->stream, connection->host, url->tls ? options->tls : NULL,
			options->server_name ? options->server_name : url->host, fd);
	if (r >= 0)
		r = connection->host->watch(connection->host, fd, TG_READABLE, connection_on_ready, connection,
					    &connection->watch);
	if (r < 0) {
		connection_fail(connection, strerror(-r));
		return;
	}
	connection->watched = TG_READABLE;
	connection->state = CONNECTION_HANDSHAKE;
	connection_on_ready(connection, fd, 0);
}

int connection_init(struct connection *connection, const struct tg_host *host, const struct options *options,
		    const struct url *url, size_t packet_max, const struct connection_events *events, void *arg)
{
	int r;

	*connection = (struct connection){.host = host,
					  .events = events,
					  .arg = arg,
					  .options = options,
					  .url = url,
					  .packet_max = packet_max,
					  .version5 = options->version5,
					  .deadline_us = host->now_us(host) + options->connect_timeout_us,
					  .keepalive_us = options->keepalive_s * INT64_C(1000000),
					  .stream = {.fd = -1}};
	r = host->idle_new(host, connection_on_idle, connection, &connection->idle);
	if (r >= 0)
		r = dial_new(host, url->host, url->port, options->connect_timeout_us, connection_on_dialed, connection,
			     &connection->dial);
	return r;
}

void connection_set_options(struct connection *connection, const struct options *options, const struct url *url)
{
	connection->options = options;
	connection->url = url;
}

void connection_done(struct connection *connection)
{
	if (!connection->host)
		return;
	connection->host->unwatch(connection->watch);
	connection->host->timer_free(connection->idle);
	dial_free(connection->dial);
	stream_done(&connection->stream);
	free(connection->in);
	*connection = (struct connection){0};
}

/* What is there already at once, the socket from the loop. */
void connection_resume(struct connection *connection)
{
	if (!connection->held || connection->state != CONNECTION_UP)
		return;
	connection_packets(connection);
	connection->more = true;
	connection->host->timer_set(connection->idle, 1);
}

void connection_close(struct connection *connection, bool forget)
{
	if (connection->state == CONNECTION_LOST || connection->state == CONNECTION_CLOSING)
		return;
	connection->closing = true;
	if (connection->state != CONNECTION_UP) {
		connection_fail(connection, "");
		return;
	}
	codec_put_disconnect(&connection->stream.out, connection->version5, CODEC_SUCCESS, forget);
	connection->state = CONNECTION_CLOSING;
	connection->deadline_us = connection_now_us(connection) + CONNECTION_CLOSE_US;
	connection_put(connection);
}

/* PINGREQ also where only the other direction was silent, and where the answer to one is late behind a large message: the broker hears
 * nothing else. While nothing is read no answer can be expected. */
static void connection_keep_alive(struct connection *connection, int64_t now_us)
{
	if (connection->keepalive_us == 0)
		return;
	if (connection->held)
		connection->pinged_us = 0;
	if (connection->pinged_us != 0 && now_us - connection->pinged_us >= connection->keepalive_us) {
		connection_fail(connection, "no answer to PING");
	} else if (now_us - connection->sent_us >= connection->keepalive_us) {
		codec_put_pingreq(&connection->stream.out);
		if (connection->pinged_us == 0)
			connection->pinged_us = now_us;
		connection_put(connection);
	}
}

void connection_tick(struct connection *connection)
{
	int64_t now_us = connection_now_us(connection);
	bool late = connection->deadline_us && now_us >= connection->deadline_us;

	if (late && connection->state == CONNECTION_CLOSING)
		connection_fail(connection, "");
	else if (late && connection->state != CONNECTION_UP && connection->state != CONNECTION_DIALING)
		connection_fail(connection, "no answer from the broker in time");
	else if (connection->state == CONNECTION_UP)
		connection_keep_alive(connection, now_us);
}

bool connection_tell(const struct connection *connection, uint64_t handle)
{
	return connection->state == CONNECTION_UP &&
	       tell_session(connection->host, connection->stream.fd, connection->stream.ssl, handle);
}

const char *connection_objection(const struct connection *connection, const struct options *options)
{
	const SSL *ssl = connection->state == CONNECTION_UP ? connection->stream.ssl : NULL;

	return ssl && options->tls ? tls_objection(options->tls, ssl) : NULL;
}
