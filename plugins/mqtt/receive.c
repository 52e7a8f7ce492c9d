/* SPDX-License-Identifier: Apache-2.0 */
#include "receive.h"

#include <errno.h>
#include <openssl/ssl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "common/dial.h"
#include "common/tell.h"
#include "options.h"
#include "receive_internal.h"

/* How many rounds of reading one turn does. */
enum { RECEIVE_READS = 16 };
#define RECEIVE_CLOSE_US INT64_C(1000000)

static int64_t receive_now_us(const struct receive *receive)
{
	return receive->host->now_us(receive->host);
}

void receive_fail(struct receive *receive, const char *cause)
{
	if (receive->state == RECEIVE_LOST)
		return;
	if (receive->stream.handshake.cause[0] && !receive->stream.secure)
		cause = receive->stream.handshake.cause;
	snprintf(receive->cause, sizeof(receive->cause), "%s", cause);
	receive->state = RECEIVE_LOST;
	receive->host->timer_set(receive->idle, 1);
}

static void receive_fail_error(struct receive *receive, int error)
{
	if (error == -EPIPE)
		receive_fail(receive, receive->stream.secure ? "connection closed by the broker"
							     : "connection closed by the broker during the handshake");
	else if (receive->stream.handshake.cause[0])
		receive_fail(receive, receive->stream.handshake.cause);
	else
		receive_fail(receive, error == -EPROTO ? "connection ended in TLS" : strerror(-error));
}

static void receive_watch(struct receive *receive)
{
	uint32_t events = receive->held && receive->state == RECEIVE_UP ? 0 : TG_READABLE;

	if (receive->state == RECEIVE_LOST)
		return;
	if (receive->stream.wants_write || receive->stream.out.size > 0)
		events |= TG_WRITABLE;
	if (events != receive->watched && receive->host->watch_set(receive->watch, events) >= 0)
		receive->watched = events;
}

/* Something was put into the buffer. */
static void receive_put(struct receive *receive)
{
	receive->sent_us = receive_now_us(receive);
	receive->host->timer_set(receive->idle, 1);
}

static void receive_flush(struct receive *receive)
{
	int r = stream_flush(&receive->stream);

	if (r < 0)
		receive_fail_error(receive, r);
}

static void receive_read(struct receive *receive)
{
	for (int i = 0; i < RECEIVE_READS && !receive->held; i++) {
		size_t size;
		uint8_t *room = receive_room(receive, &size);
		ssize_t n = room ? stream_read(&receive->stream, room, size) : -ENOMEM;

		if (n == -EAGAIN)
			return;
		if (n < 0) {
			receive_fail_error(receive, (int)n);
			return;
		}
		receive->in_size += (size_t)n;
		if (receive->pinged_us != 0) /* the answer may be behind a large message */
			receive->pinged_us = receive_now_us(receive);
		receive_packets(receive);
		if (receive->state == RECEIVE_LOST)
			return;
	}
	if (!receive->held)
		receive->host->timer_set(receive->idle, 1);
}

static void receive_connect(struct receive *receive)
{
	const struct options *options = receive->options;
	const struct codec_connect connect = {
		.version5 = receive->version5,
		.clean_start = !receive->version5 && options->session_expiry_s == 0,
		.client_id = options->receive_client_id,
		.username = options->username,
		.password = options->password,
		.keepalive_s = (uint16_t)options->keepalive_s,
		.session_expiry_s = options->session_expiry_s,
		.receive_maximum = (uint16_t)options->receive_window,
		.max_packet_bytes = RECEIVE_PACKET_MAX,
	};
	const char *version = receive->version5 ? "MQTT 5" : "MQTT 3.1.1";
	SSL *ssl = receive->stream.ssl;
	char tls[128] = "without TLS";

	if (ssl)
		tls_describe(ssl, tls, sizeof(tls));
	snprintf(receive->description, sizeof(receive->description), "%s, %s%s", version, tls,
		 ssl && SSL_get_verify_mode(ssl) == SSL_VERIFY_NONE ? ", broker not verified" : "");
	codec_put_connect(&receive->stream.out, &connect);
	receive->state = RECEIVE_CONNECTING;
	receive_put(receive);
}

/* What is left to send goes out, then the broker's end is waited for, since a close with unread input would throw it away. */
static void receive_linger(struct receive *receive, uint32_t ready)
{
	char waste[4096];
	ssize_t n = 1;
	int r = stream_flush(&receive->stream);

	if (r == 0 && !receive->shut) {
		stream_shut(&receive->stream);
		receive->shut = true;
	}
	while (n > 0 && (ready & (TG_READABLE | TG_BROKEN)))
		n = recv(receive->stream.fd, waste, sizeof(waste), MSG_DONTWAIT);
	if (r < 0 || n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		receive_fail(receive, "");
}

static void receive_on_ready(void *arg, int fd, uint32_t ready)
{
	struct receive *receive = arg;
	int r;

	(void)fd;
	if (receive->state == RECEIVE_CLOSING) {
		receive_linger(receive, ready);
	} else if (receive->state == RECEIVE_HANDSHAKE) {
		r = stream_handshake(&receive->stream);
		if (r < 0)
			receive_fail_error(receive, r);
		else if (r > 0)
			receive_connect(receive);
	} else if (receive->state == RECEIVE_CONNECTING || receive->state == RECEIVE_UP) {
		if (ready & TG_WRITABLE)
			receive_flush(receive);
		if (receive->held && ready & TG_BROKEN)
			receive_fail(receive, "connection closed by the broker");
		else if (receive->state != RECEIVE_LOST && !receive->held)
			receive_read(receive);
	}
	receive_watch(receive);
}

/* The end of a turn. */
static void receive_on_idle(void *arg)
{
	struct receive *receive = arg;

	if (receive->state == RECEIVE_CONNECTING || receive->state == RECEIVE_UP) {
		receive_flush(receive);
		if (receive->state != RECEIVE_LOST && !receive->held)
			receive_read(receive);
		if (receive->state != RECEIVE_LOST)
			receive_flush(receive);
	} else if (receive->state == RECEIVE_CLOSING) {
		receive_linger(receive, 0);
	} else if (receive->state == RECEIVE_LOST) {
		receive->events->lost(receive->arg, receive->closing ? NULL : receive->cause);
		return;
	}
	receive_watch(receive);
}

static void receive_on_dialed(void *arg, int fd, const char *cause)
{
	struct receive *receive = arg;
	const struct options *options = receive->options;
	int r;

	dial_free(receive->dial);
	receive->dial = NULL;
	if (fd < 0) {
		receive_fail(receive, cause);
		return;
	}
	r = stream_init(&receive->stream, receive->host, receive->url->tls ? options->tls : NULL,
			options->server_name ? options->server_name : receive->url->host, fd);
	if (r >= 0)
		r = receive->host->watch(receive->host, fd, TG_READABLE, receive_on_ready, receive, &receive->watch);
	if (r < 0) {
		receive_fail(receive, strerror(-r));
		return;
	}
	receive->watched = TG_READABLE;
	receive->state = RECEIVE_HANDSHAKE;
	receive_on_ready(receive, fd, 0);
}

int receive_new(const struct tg_host *host, const struct options *options, const struct url *url,
		const struct receive_events *events, void *arg, struct receive **ret_receive)
{
	struct receive *receive = calloc(1, sizeof(*receive));
	int r;

	if (!receive)
		return -ENOMEM;
	receive->host = host;
	receive->options = options;
	receive->url = url;
	receive->events = events;
	receive->arg = arg;
	receive->version5 = options->version5;
	receive->deadline_us = host->now_us(host) + options->connect_timeout_us;
	receive->keepalive_us = options->keepalive_s * INT64_C(1000000);
	receive->stream.fd = -1;
	r = host->idle_new(host, receive_on_idle, receive, &receive->idle);
	if (r >= 0)
		r = dial_new(host, url->host, url->port, options->connect_timeout_us, receive_on_dialed, receive,
			     &receive->dial);
	if (r < 0) {
		receive_free(receive);
		return r;
	}
	*ret_receive = receive;
	return 0;
}

void receive_set_options(struct receive *receive, const struct options *options, const struct url *url)
{
	receive->options = options;
	receive->url = url;
}

void receive_free(struct receive *receive)
{
	if (!receive)
		return;
	receive->host->unwatch(receive->watch);
	receive->host->timer_free(receive->idle);
	dial_free(receive->dial);
	stream_done(&receive->stream);
	free(receive->in);
	free(receive);
}

void receive_subscribe(struct receive *receive, uint16_t mid, const char *filter)
{
	codec_put_subscribe(&receive->stream.out, receive->version5, mid, filter,
			    (uint8_t)receive->options->subscribe_qos);
	receive_put(receive);
}

void receive_unsubscribe(struct receive *receive, uint16_t mid, const char *filter)
{
	codec_put_unsubscribe(&receive->stream.out, receive->version5, mid, filter);
	receive_put(receive);
}

bool receive_acknowledge(struct receive *receive, uint16_t mid, uint8_t qos, uint8_t reason)
{
	codec_put_ack(&receive->stream.out, qos == 2 ? CODEC_PUBREC : CODEC_PUBACK, receive->version5, mid, reason);
	receive_put(receive);
	return qos == 2 && (!receive->version5 || reason < CODEC_UNSPECIFIED);
}

void receive_complete(struct receive *receive, uint16_t mid, uint8_t reason)
{
	codec_put_ack(&receive->stream.out, CODEC_PUBCOMP, receive->version5, mid, reason);
	receive_put(receive);
}

/* From the loop: the caller may be in the middle of something. */
void receive_resume(struct receive *receive)
{
	if (!receive->held || receive->state != RECEIVE_UP)
		return;
	receive_packets(receive);
	receive->host->timer_set(receive->idle, 1);
}

void receive_close(struct receive *receive, bool forget)
{
	if (receive->state == RECEIVE_LOST || receive->state == RECEIVE_CLOSING)
		return;
	receive->closing = true;
	if (receive->state != RECEIVE_UP) {
		receive_fail(receive, "");
		return;
	}
	codec_put_disconnect(&receive->stream.out, receive->version5, CODEC_SUCCESS, forget);
	receive->state = RECEIVE_CLOSING;
	receive->deadline_us = receive_now_us(receive) + RECEIVE_CLOSE_US;
	receive_put(receive);
}

/* PINGREQ also where only the other direction was silent. While nothing is read no answer can be expected. */
static void receive_keep_alive(struct receive *receive, int64_t now_us)
{
	if (receive->keepalive_us == 0)
		return;
	if (receive->held)
		receive->pinged_us = 0;
	if (receive->pinged_us != 0 && now_us - receive->pinged_us >= receive->keepalive_us) {
		receive_fail(receive, "no answer to PING");
	} else if (receive->pinged_us == 0 && now_us - receive->sent_us >= receive->keepalive_us) {
		codec_put_pingreq(&receive->stream.out);
		receive->pinged_us = now_us;
		receive_put(receive);
	}
}

void receive_tick(struct receive *receive)
{
	int64_t now_us = receive_now_us(receive);
	bool late = receive->deadline_us && now_us >= receive->deadline_us;

	if (late && receive->state == RECEIVE_CLOSING)
		receive_fail(receive, "");
	else if (late && receive->state != RECEIVE_UP && receive->state != RECEIVE_DIALING)
		receive_fail(receive, "no answer from the broker in time");
	else if (receive->state == RECEIVE_UP)
		receive_keep_alive(receive, now_us);
}

const char *receive_describe(const struct receive *receive)
{
	return receive->description;
}

bool receive_tell(const struct receive *receive, uint64_t handle)
{
	return receive->state == RECEIVE_UP &&
	       tell_session(receive->host, receive->stream.fd, receive->stream.ssl, handle);
}

const char *receive_objection(const struct receive *receive, const struct options *options)
{
	const SSL *ssl = receive->state == RECEIVE_UP ? receive->stream.ssl : NULL;

	return ssl && options->tls ? tls_objection(options->tls, ssl) : NULL;
}
