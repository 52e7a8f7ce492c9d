/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "common/tell.h"
#include "options.h"
#include "session_internal.h"

/* How many bytes may wait for the socket before publishing has to wait, and how many rounds of reading one turn does. */
enum { SESSION_PENDING_BYTES = 131072, SESSION_READS = 64 };
#define SESSION_CLOSE_US INT64_C(1000000)

void session_fail(struct session *session, const char *cause)
{
	if (session->state == SESSION_LOST)
		return;
	if (session->cause[0] == '\0' && !session->running && session->handshake.cause[0])
		snprintf(session->cause, sizeof(session->cause), "%s", session->handshake.cause);
	if (session->cause[0] == '\0')
		snprintf(session->cause, sizeof(session->cause), "%s", cause);
	session->state = SESSION_LOST;
	session->host->timer_set(session->idle, 1);
}

static void session_fail_library(struct session *session, int rc)
{
	int error = session->transport ? transport_error(session->transport) : rc == MOSQ_ERR_ERRNO ? errno : 0;

	if (error == -1 || (error == 0 && rc == MOSQ_ERR_CONN_LOST))
		session_fail(session, "connection closed by the broker");
	else if (error > 0 && error != EPROTO)
		session_fail(session, strerror(error));
	else
		session_fail(session, error == EPROTO ? "connection ended in TLS" : mosquitto_strerror(rc));
}

/* The library's handle may be used; the events may change that. */
static bool session_is_live(const struct session *session)
{
	return session->state == SESSION_HANDSHAKE || session->state == SESSION_UP;
}

/* After every call into the library that may have ended the connection. */
static bool session_check(struct session *session, int rc)
{
	if (rc != MOSQ_ERR_SUCCESS || mosquitto_socket(session->mosq) < 0)
		session_fail_library(session, rc);
	return session_is_live(session);
}

static bool session_wants_write(struct session *session)
{
	const SSL *ssl;

	if (session->transport)
		return transport_pending(session->transport) > 0;
	if (session->state == SESSION_CLOSING)
		return false;
	ssl = mosquitto_ssl_get(session->mosq);
	return ssl ? SSL_want_write(ssl) : mosquitto_want_write(session->mosq);
}

static void session_watch(struct session *session)
{
	uint32_t events = TG_READABLE;

	if (session_wants_write(session))
		events |= TG_WRITABLE;
	if (events != session->watched && session->host->watch_set(session->watch, events) >= 0)
		session->watched = events;
}

/* The handshake ended without a word: what libmosquitto 2.0.11 does not tell. */
static void session_peek(struct session *session)
{
	char byte;
	ssize_t n = recv(session->fd, &byte, 1, MSG_PEEK | MSG_DONTWAIT);

	if (n == 0)
		session_fail(session, "connection closed by the broker during the handshake");
	else if (n < 0 && errno != EAGAIN && errno != EINTR)
		session_fail(session, strerror(errno));
}

static void session_flush(struct session *session)
{
	int r = session->transport ? transport_flush(session->transport) : 0;

	if (r < 0) {
		session_fail(session, strerror(-r));
		return;
	}
	if (r == 0 && session->state == SESSION_UP && !mosquitto_want_write(session->mosq))
		session->events->written(session->arg);
}

static void session_write(struct session *session)
{
	session_flush(session);
	if (session_is_live(session) && mosquitto_want_write(session->mosq))
		session_check(session, mosquitto_loop_write(session->mosq, 1));
}

static bool session_has_input(struct session *session)
{
	const SSL *ssl = mosquitto_ssl_get(session->mosq);

	return (ssl && SSL_pending(ssl) > 0) || (session->transport && transport_has_record(session->transport));
}

static void session_read(struct session *session)
{
	int rounds = 0;

	if (session->transport)
		transport_readable(session->transport);
	do {
		if (!session_check(session, mosquitto_loop_read(session->mosq, 1)))
			return;
	} while (session_has_input(session) && ++rounds < SESSION_READS);
	if (rounds == SESSION_READS)
		session->host->timer_set(session->idle, 1);
	if (session->state == SESSION_HANDSHAKE)
		session_peek(session);
}

/* CONNACK has come: from now on records gather. */
static void session_begin(struct session *session)
{
	SSL *ssl = mosquitto_ssl_get(session->mosq);
	const char *version = session->version5 ? "MQTT 5" : "MQTT 3.1.1";
	char tls[128] = "without TLS";

	/* With it every message would be formatted as a line. */
	mosquitto_log_callback_set(session->mosq, NULL);
	if (ssl) {
		tls_describe(ssl, tls, sizeof(tls));
		if (transport_attach(ssl, session->fd, &session->transport) < 0) {
			session_fail(session, strerror(ENOMEM));
			return;
		}
	}
	snprintf(session->description, sizeof(session->description), "%s, %s%s", version, tls,
		 ssl && SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ? ", broker not verified" : "");
	session->state = SESSION_UP;
	session->events->up(session->arg, &session->limits);
}

/* The library has closed its socket; ours carries what is left, DISCONNECT and TLS's close, and waits for the broker's end,
 * since a close with unread input would throw them away. */
static void session_linger(struct session *session, uint32_t ready)
{
	char waste[4096];
	ssize_t n = 1;
	int r = session->transport ? transport_flush(session->transport) : 0;

	if (r == 0 && !session->shut) {
		shutdown(session->fd, SHUT_WR);
		session->shut = true;
	}
	while (n > 0 && (ready & (TG_READABLE | TG_BROKEN)))
		n = recv(session->fd, waste, sizeof(waste), MSG_DONTWAIT);
	if (r < 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		session_fail(session, "");
}

void session_on_ready(void *arg, int fd, uint32_t ready)
{
	struct session *session = arg;

	(void)fd;
	if (session->state == SESSION_CLOSING) {
		session_linger(session, ready);
	} else if (session_is_live(session)) {
		if (ready & TG_WRITABLE)
			session_write(session);
		if (session_is_live(session) &&
		    (ready & (TG_READABLE | TG_BROKEN) || session->state == SESSION_HANDSHAKE))
			session_read(session);
		if (session_is_live(session) && !session->transport && mosquitto_want_write(session->mosq))
			session_write(session);
		if (session->state == SESSION_HANDSHAKE && session->accepted)
			session_begin(session);
		if (session->state == SESSION_UP)
			session->events->moved(session->arg);
	}
	ERR_clear_error();
	if (session->state == SESSION_UP && (!session->transport || transport_pending(session->transport) > 0))
		session->host->timer_set(session->idle, 1);
	if (session->state != SESSION_LOST)
		session_watch(session);
}

/* The end of a turn. */
void session_on_idle(void *arg)
{
	struct session *session = arg;

	if (session->state == SESSION_UP) {
		if (session_has_input(session)) {
			session_on_ready(session, session->fd, TG_READABLE);
			if (session->state == SESSION_LOST)
				return;
		}
		session_flush(session);
		if (session->state != SESSION_LOST)
			session_watch(session);
		return;
	}
	if (session->state == SESSION_CLOSING) {
		session_linger(session, 0);
		if (session->state != SESSION_LOST)
			session_watch(session);
	} else if (session->state == SESSION_LOST) {
		session->events->lost(session->arg, session->closing ? NULL : session->cause);
	}
}

void session_close(struct session *session)
{
	if (session->state == SESSION_LOST || session->state == SESSION_CLOSING)
		return;
	session->closing = true;
	if (session->state != SESSION_UP) {
		session_fail(session, "");
		return;
	}
	mosquitto_disconnect_v5(session->mosq, MQTT_RC_NORMAL_DISCONNECTION, NULL);
	ERR_clear_error();
	session->state = SESSION_CLOSING;
	session->deadline_us = session->host->now_us(session->host) + SESSION_CLOSE_US;
	session->host->timer_set(session->idle, 1);
}

void session_tick(struct session *session)
{
	bool late = session->deadline_us && session->host->now_us(session->host) >= session->deadline_us;

	if (late && session->state == SESSION_CLOSING) {
		session_fail(session, "");
	} else if (late && session->state != SESSION_UP) {
		session_fail(session, session->state == SESSION_CONNECTING ? "no answer from the network in time"
									   : "no answer from the broker in time");
	} else if (session->state == SESSION_UP) {
		if (session_check(session, mosquitto_loop_misc(session->mosq)))
			session->host->timer_set(session->idle, 1);
		ERR_clear_error();
	}
}

bool session_has_room(const struct session *session)
{
	return session->state == SESSION_UP &&
	       (session->transport ? transport_pending(session->transport) < SESSION_PENDING_BYTES
				   : !mosquitto_want_write(session->mosq));
}

int session_publish(struct session *session, const char *topic, struct tg_bytes payload, uint8_t qos, bool retain,
		    const struct mqtt5__property *properties, uint16_t *ret_mid)
{
	int mid = 0, rc;

	if (session->state != SESSION_UP)
		return -ENOTCONN;
	if (payload.size > INT32_MAX)
		return -EMSGSIZE;
	rc = mosquitto_publish_v5(session->mosq, &mid, topic, (int)payload.size, payload.data, qos, retain, properties);
	switch (rc) {
	case MOSQ_ERR_SUCCESS:
		*ret_mid = (uint16_t)mid;
		session->host->timer_set(session->idle, 1);
		return 0;
	case MOSQ_ERR_INVAL:
		return -EINVAL;
	case MOSQ_ERR_MALFORMED_UTF8:
		return -EILSEQ;
	case MOSQ_ERR_PAYLOAD_SIZE:
	case MOSQ_ERR_OVERSIZE_PACKET:
		return -EMSGSIZE;
	default:
		/* The library may hold it or not: only a new handle is sure. */
		session_fail_library(session, rc);
		return -ENOTCONN;
	}
}

const char *session_describe(const struct session *session)
{
	return session->description;
}

bool session_tell(const struct session *session, uint64_t handle)
{
	return session->state == SESSION_UP &&
	       tell_session(session->host, session->fd, mosquitto_ssl_get(session->mosq), handle);
}

const char *session_objection(const struct session *session, const struct options *options)
{
	const SSL *ssl = session->state == SESSION_UP ? mosquitto_ssl_get(session->mosq) : NULL;

	return ssl && options->tls ? tls_objection(options->tls, ssl) : NULL;
}
