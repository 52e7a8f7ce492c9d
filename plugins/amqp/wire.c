/* SPDX-License-Identifier: Apache-2.0 */
#include "wire.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <proton/condition.h>
#include <proton/connection.h>
#include <proton/connection_driver.h>
#include <proton/transport.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/dial.h"
#include "common/stream.h"
#include "common/tell.h"
#include "login.h"
#include "options.h"

/* READS: rounds of reading a turn. LOGIN: bytes that a peer has for SASL and OPEN; what it says again stays with the library. */
enum { WIRE_READS = 16, WIRE_LOGIN_MAX = 65536 };
#define WIRE_CLOSE_US INT64_C(1000000)
/* The library's own deadlines are looked after no less often, and no more. */
#define WIRE_BEAT_US       INT64_C(1000000)
#define WIRE_BEAT_SHORT_US INT64_C(100000)

enum wire_state {
	WIRE_DIALING,
	WIRE_HANDSHAKE,
	WIRE_OPENING, /* SASL and OPEN */
	WIRE_UP,
	WIRE_CLOSING, /* CLOSE is sent */
	WIRE_LOST     /* `lost` is due, or was told */
};

struct wire {
	const struct tg_host *host;
	const struct wire_events *events;
	void *arg;
	const struct options *options;
	const struct url *url;
	enum wire_state state;
	bool closing;
	bool has_driver;
	bool stuck;   /* the socket takes no more now */
	size_t heard; /* bytes before the end of OPENING */
	struct dial *dial;
	struct stream stream;
	pn_connection_driver_t driver;
	struct tg_watch *watch;
	uint32_t watched;
	struct tg_timer *idle;
	struct tg_timer *beat;
	int64_t deadline_us; /* of connecting, then of closing */
	char cause[WIRE_CAUSE_SIZE];
	char description[192];
};

static int64_t wire_now_us(const struct wire *wire)
{
	return wire->host->now_us(wire->host);
}

static bool wire_is_live(const struct wire *wire)
{
	return wire->state == WIRE_OPENING || wire->state == WIRE_UP || wire->state == WIRE_CLOSING;
}

void wire_fail(struct wire *wire, const char *cause)
{
	if (wire->state == WIRE_LOST)
		return;
	if (wire->stream.handshake.cause[0] && !wire->stream.secure)
		cause = wire->stream.handshake.cause;
	snprintf(wire->cause, sizeof(wire->cause), "%s", cause);
	wire->state = WIRE_LOST;
	wire->host->timer_set(wire->beat, 0);
	wire->host->timer_set(wire->idle, 1);
}

static void wire_fail_error(struct wire *wire, int error)
{
	if (error == -EPIPE)
		wire_fail(wire, wire->stream.secure ? "connection closed by the peer"
						    : "connection closed by the peer during the handshake");
	else if (wire->stream.handshake.cause[0])
		wire_fail(wire, wire->stream.handshake.cause);
	else
		wire_fail(wire, error == -EPROTO ? "connection ended in TLS" : strerror(-error));
}

static void wire_fail_condition(struct wire *wire, pn_condition_t *condition, const char *what)
{
	const char *name = pn_condition_get_name(condition), *text = pn_condition_get_description(condition);
	char cause[WIRE_CAUSE_SIZE];

	snprintf(cause, sizeof(cause), "%s%s%s%s%s", what, name ? ": " : "", name ? name : "", text ? ", " : "",
		 text ? text : "");
	wire_fail(wire, cause);
}

static void wire_watch(struct wire *wire)
{
	uint32_t events = TG_READABLE;

	if (wire->state == WIRE_LOST)
		return;
	if (wire->stream.wants_write || wire->stuck)
		events |= TG_WRITABLE;
	if (events != wire->watched && wire->host->watch_set(wire->watch, events) >= 0)
		wire->watched = events;
}

static void wire_event(struct wire *wire, pn_event_t *event)
{
	switch (pn_event_type(event)) {
	case PN_CONNECTION_REMOTE_OPEN:
		if (wire->state != WIRE_OPENING)
			break;
		wire->state = WIRE_UP;
		wire->deadline_us = 0;
		login_over(&wire->driver);
		wire->events->up(wire->arg);
		break;
	case PN_CONNECTION_REMOTE_CLOSE:
		wire_fail_condition(wire, pn_connection_remote_condition(wire->driver.connection),
				    "closed by the peer");
		break;
	case PN_TRANSPORT_ERROR:
		wire_fail_condition(wire, pn_transport_condition(wire->driver.transport), "AMQP");
		break;
	case PN_SESSION_REMOTE_OPEN:
	case PN_LINK_REMOTE_OPEN:
		/* The library would keep them, however many, until OPEN comes. */
		if (wire->state == WIRE_OPENING)
			wire_fail(wire, "AMQP: a session before OPEN");
		else if (wire->state == WIRE_UP)
			wire->events->happened(wire->arg, event);
		break;
	case PN_TRANSPORT_CLOSED:
		wire_fail(wire, "connection closed by the peer");
		break;
	default:
		if (wire->state == WIRE_UP)
			wire->events->happened(wire->arg, event);
	}
}

static void wire_work(struct wire *wire)
{
	pn_event_t *event;

	while (wire_is_live(wire) && (event = pn_connection_driver_next_event(&wire->driver)) != NULL)
		wire_event(wire, event);
	if (wire->state == WIRE_UP)
		wire->events->moved(wire->arg);
}

static void wire_flush(struct wire *wire)
{
	pn_bytes_t bytes = pn_connection_driver_write_buffer(&wire->driver);

	wire->stuck = false;
	while (bytes.size > 0) {
		ssize_t n = stream_write(&wire->stream, bytes.start, bytes.size);

		if (n < 0) {
			wire->stuck = n == -EAGAIN;
			if (n != -EAGAIN)
				wire_fail_error(wire, (int)n);
			return;
		}
		bytes = pn_connection_driver_write_done(&wire->driver, (size_t)n);
	}
}

static void wire_read(struct wire *wire)
{
	for (int i = 0; i < WIRE_READS && wire_is_live(wire); i++) {
		pn_rwbytes_t room = pn_connection_driver_read_buffer_sized(&wire->driver, WIRE_FRAME_MAX);
		ssize_t n = room.size > 0 ? stream_read(&wire->stream, room.start, room.size) : -EPIPE;

		if (n == -EAGAIN)
			return;
		if (n < 0) {
			wire_fail_error(wire, (int)n);
			return;
		}
		pn_connection_driver_read_done(&wire->driver, (size_t)n);
		wire->heard += wire->state == WIRE_OPENING ? (size_t)n : 0;
		wire_work(wire);
		if (wire->state == WIRE_OPENING && wire->heard > WIRE_LOGIN_MAX)
			wire_fail(wire, "AMQP: too much is said before OPEN");
	}
	wire->host->timer_set(wire->idle, 1);
}

/* The library's clock: idle timeouts of both sides (AMQP 1.0 part 2, 2.4.5). */
static void wire_on_beat(void *arg)
{
	struct wire *wire = arg;
	int64_t now_us = wire_now_us(wire), next_us;

	if (!wire_is_live(wire))
		return;
	next_us = pn_transport_tick(wire->driver.transport, now_us / 1000 + 1) * 1000;
	if (next_us == 0 || next_us > now_us + WIRE_BEAT_US)
		next_us = now_us + WIRE_BEAT_US;
	else if (next_us < now_us + WIRE_BEAT_SHORT_US)
		next_us = now_us + WIRE_BEAT_SHORT_US;
	wire->host->timer_set(wire->beat, next_us);
	wire->host->timer_set(wire->idle, 1);
}

static int wire_open(struct wire *wire)
{
	const struct options *options = wire->options;
	SSL *ssl = wire->stream.ssl;
	char tls[128] = "without TLS";

	if (ssl)
		tls_describe(ssl, tls, sizeof(tls));
	snprintf(wire->description, sizeof(wire->description), "AMQP 1.0, %s%s, SASL %s", tls,
		 ssl && SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ? ", peer not verified" : "", options->mechanism);
	if (pn_connection_driver_init(&wire->driver, NULL, NULL) != 0)
		return -ENOMEM;
	wire->has_driver = true;
	login_begin(&wire->driver, options, wire->url->host);
	wire->state = WIRE_OPENING;
	wire_on_beat(wire);
	return 0;
}

static void wire_handshake(struct wire *wire)
{
	int r = stream_handshake(&wire->stream);

	if (r > 0)
		r = wire_open(wire);
	if (r < 0)
		wire_fail_error(wire, r);
}

static void wire_on_ready(void *arg, int fd, uint32_t ready)
{
	struct wire *wire = arg;

	(void)fd;
	if (wire->state == WIRE_HANDSHAKE) {
		wire_handshake(wire);
	} else if (wire_is_live(wire)) {
		if (ready & TG_WRITABLE)
			wire_flush(wire);
		wire_read(wire);
		wire->host->timer_set(wire->idle, 1);
	}
	wire_watch(wire);
}

/* The end of a turn. */
static void wire_on_idle(void *arg)
{
	struct wire *wire = arg;

	if (wire_is_live(wire)) {
		wire_read(wire);
		if (wire_is_live(wire))
			wire_work(wire);
		if (wire_is_live(wire) && !wire->stuck)
			wire_flush(wire);
	} else if (wire->state == WIRE_LOST) {
		wire->events->lost(wire->arg, wire->closing ? NULL : wire->cause);
		return;
	}
	wire_watch(wire);
}

static void wire_on_dialed(void *arg, int fd, const char *cause)
{
	struct wire *wire = arg;
	const struct options *options = wire->options;
	int r;

	dial_free(wire->dial);
	wire->dial = NULL;
	if (fd < 0) {
		wire_fail(wire, cause);
		return;
	}
	r = stream_init(&wire->stream, wire->host, wire->url->tls ? options->tls : NULL,
			options->server_name ? options->server_name : wire->url->host, fd);
	if (r >= 0)
		r = wire->host->watch(wire->host, fd, TG_READABLE, wire_on_ready, wire, &wire->watch);
	if (r < 0) {
		wire_fail(wire, strerror(-r));
		return;
	}
	wire->watched = TG_READABLE;
	wire->state = WIRE_HANDSHAKE;
	wire_on_ready(wire, fd, 0);
}

int wire_new(const struct tg_host *host, const struct options *options, const struct url *url,
	     const struct wire_events *events, void *arg, struct wire **ret_wire)
{
	struct wire *wire = calloc(1, sizeof(*wire));
	int r;

	if (!wire)
		return -ENOMEM;
	wire->host = host;
	wire->events = events;
	wire->arg = arg;
	wire->stream.fd = -1;
	wire_set_options(wire, options, url);
	wire->deadline_us = host->now_us(host) + options->connect_timeout_us;
	r = host->idle_new(host, wire_on_idle, wire, &wire->idle);
	if (r >= 0)
		r = host->timer_new(host, wire_on_beat, wire, &wire->beat);
	if (r >= 0)
		r = dial_new(host, url->host, url->port, options->connect_timeout_us, wire_on_dialed, wire,
			     &wire->dial);
	if (r < 0) {
		wire_free(wire);
		return r;
	}
	*ret_wire = wire;
	return 0;
}

void wire_set_options(struct wire *wire, const struct options *options, const struct url *url)
{
	wire->options = options;
	wire->url = url;
}

void wire_free(struct wire *wire)
{
	if (!wire)
		return;
	wire->host->unwatch(wire->watch);
	wire->host->timer_free(wire->idle);
	wire->host->timer_free(wire->beat);
	dial_free(wire->dial);
	if (wire->has_driver)
		pn_connection_driver_destroy(&wire->driver);
	stream_done(&wire->stream);
	free(wire);
}

struct pn_connection_t *wire_connection(const struct wire *wire)
{
	return wire->driver.connection;
}

void wire_touch(struct wire *wire)
{
	wire->host->timer_set(wire->idle, 1);
}

void wire_close(struct wire *wire)
{
	if (wire->state == WIRE_LOST || wire->state == WIRE_CLOSING)
		return;
	wire->closing = true;
	if (wire->state != WIRE_UP) {
		wire_fail(wire, "");
		return;
	}
	pn_connection_close(wire->driver.connection);
	wire->state = WIRE_CLOSING;
	wire->deadline_us = wire_now_us(wire) + WIRE_CLOSE_US;
	wire_touch(wire);
}

void wire_tick(struct wire *wire)
{
	bool late = wire->deadline_us && wire_now_us(wire) >= wire->deadline_us;

	if (late && wire->state == WIRE_CLOSING)
		wire_fail(wire, "");
	else if (late && (wire->state == WIRE_HANDSHAKE || wire->state == WIRE_OPENING))
		wire_fail(wire, "no answer from the peer in time");
}

const char *wire_describe(const struct wire *wire)
{
	return wire->description;
}

bool wire_tell(const struct wire *wire, uint64_t handle)
{
	return wire->state == WIRE_UP && tell_session(wire->host, wire->stream.fd, wire->stream.ssl, handle);
}

const char *wire_objection(const struct wire *wire, const struct options *options)
{
	const SSL *ssl = wire->state == WIRE_UP ? wire->stream.ssl : NULL;

	return ssl && options->tls ? tls_objection(options->tls, ssl) : NULL;
}
