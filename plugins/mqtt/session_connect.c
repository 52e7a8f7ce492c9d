/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <mosquitto.h>
#include <mqtt_protocol.h>
#include <netdb.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "common/url.h"
#include "options.h"
#include "session_internal.h"

/* Nothing large is ever sent to the gateway. */
enum { SESSION_PACKET_MAX = 65536 };
/* A connection to a host that never answers takes the kernel two minutes to give up. */
enum { SESSION_STACK_BYTES = 512 * 1024, SESSION_ORPHANS_MAX = 8 };
#define SESSION_RETRY_NS 10000000L

/* The part that the thread may need: freed by whoever comes last. */
static void session_destroy(struct session *session)
{
	mosquitto_destroy(session->mosq);
	SSL_CTX_free(session->context);
	tls_unref(session->tls);
	ERR_clear_error();
	transport_free(session->transport);
	mosquitto_property_free_all(&session->properties);
	pthread_mutex_destroy(&session->mutex);
	free(session->server_name);
	free(session->address);
	free(session);
}

static void session_on_log(struct mosquitto *mosq, void *arg, int level, const char *text)
{
	struct session *session = arg;
	const char *reason = strrchr(text, ':');

	(void)mosq;
	/* "OpenSSL Error[0]: error:0A00045C:SSL routines::tlsv13 alert certificate required" */
	if (level == MOSQ_LOG_ERR && strncmp(text, "OpenSSL Error", 13) == 0 && session->handshake.cause[0] == '\0' &&
	    reason && reason[1])
		snprintf(session->handshake.cause, sizeof(session->handshake.cause), "TLS: %s", reason + 1);
}

static void session_read_limits(struct session *session, const mosquitto_property *properties)
{
	uint16_t receive_maximum = UINT16_MAX;
	uint8_t max_qos = 2, retain = 1;
	uint32_t max_packet = 0;

	mosquitto_property_read_int16(properties, MQTT_PROP_RECEIVE_MAXIMUM, &receive_maximum, false);
	mosquitto_property_read_byte(properties, MQTT_PROP_MAXIMUM_QOS, &max_qos, false);
	mosquitto_property_read_byte(properties, MQTT_PROP_RETAIN_AVAILABLE, &retain, false);
	mosquitto_property_read_int32(properties, MQTT_PROP_MAXIMUM_PACKET_SIZE, &max_packet, false);
	session->limits = (struct session_limits){.receive_maximum = receive_maximum,
						  .max_qos = max_qos,
						  .retain = retain != 0,
						  .max_packet_bytes = max_packet};
}

static void session_on_connect(struct mosquitto *mosq, void *arg, int rc, int flags,
			       const mosquitto_property *properties)
{
	struct session *session = arg;
	char *text = NULL;

	(void)mosq;
	(void)flags;
	if (rc == 0) {
		session->accepted = true;
		session_read_limits(session, properties);
		return;
	}
	mosquitto_property_read_string(properties, MQTT_PROP_REASON_STRING, &text, false);
	snprintf(session->cause, sizeof(session->cause), "refused by the broker: %s%s%s",
		 session->version5 ? mosquitto_reason_string(rc) : mosquitto_connack_string(rc), text ? ", " : "",
		 text ? text : "");
	free(text);
}

/* The broker's own DISCONNECT; everything else is told by what the loop functions return. */
static void session_on_disconnect(struct mosquitto *mosq, void *arg, int rc, const mosquitto_property *properties)
{
	struct session *session = arg;

	(void)mosq;
	(void)properties;
	if (rc >= 0x80 && session->cause[0] == '\0')
		snprintf(session->cause, sizeof(session->cause), "disconnected by the broker: %s",
			 mosquitto_reason_string(rc));
	else if (rc == MOSQ_ERR_KEEPALIVE && session->cause[0] == '\0')
		snprintf(session->cause, sizeof(session->cause), "no answer to PING");
}

static void session_on_publish(struct mosquitto *mosq, void *arg, int mid, int reason,
			       const mosquitto_property *properties)
{
	struct session *session = arg;

	(void)mosq;
	(void)properties;
	session->events->answered(session->arg, (uint16_t)mid, (uint8_t)reason);
}

static void session_unlink(struct session *session)
{
	struct session **p = &session->orphans->first;

	while (*p != session)
		p = &(*p)->next_orphan;
	*p = session->next_orphan;
}

/* Runs in the main thread. */
static void session_connected(void *arg)
{
	struct session *session = arg;
	const struct tg_host *host = session->host;
	int r = 0;

	/* It has nothing left to do. */
	pthread_join(session->thread, NULL);
	if (session->orphan) {
		session_unlink(session);
		session_destroy(session);
		return;
	}
	session->running = false;
	if (session->state == SESSION_LOST)
		return;
	if (session->rc == MOSQ_ERR_EAI)
		session_fail(session, gai_strerror(session->error));
	else if (session->rc == MOSQ_ERR_ERRNO)
		session_fail(session, strerror(session->error));
	else if (session->rc != MOSQ_ERR_SUCCESS)
		session_fail(session, mosquitto_strerror(session->rc));
	if (session->state == SESSION_LOST)
		return;
	session->fd = fcntl(mosquitto_socket(session->mosq), F_DUPFD_CLOEXEC, 3);
	if (session->fd < 0)
		r = -errno;
	else
		r = host->watch(host, session->fd, TG_READABLE, session_on_ready, session, &session->watch);
	if (r < 0) {
		session_fail(session, strerror(-r));
		return;
	}
	session->watched = TG_READABLE;
	session->state = SESSION_HANDSHAKE;
	session_on_ready(session, session->fd, TG_READABLE);
}

static void *session_thread(void *arg)
{
	struct session *session = arg;
	const struct timespec pause = {.tv_nsec = SESSION_RETRY_NS};
	bool abandoned, posted = false;

	session->rc = mosquitto_connect_bind_v5(session->mosq, session->address, session->port, session->keepalive_s,
						NULL, session->properties);
	session->error = errno;
	ERR_clear_error();
	do {
		pthread_mutex_lock(&session->mutex);
		abandoned = session->abandoned;
		if (!abandoned && session->host->post(session->host, session_connected, session) >= 0)
			posted = session->posted = true;
		pthread_mutex_unlock(&session->mutex);
		if (!abandoned && !posted)
			nanosleep(&pause, NULL);
	} while (!abandoned && !posted);
	if (abandoned)
		session_destroy(session);
	return NULL;
}

int session_connect(struct session *session)
{
	pthread_attr_t attributes;
	const struct session *orphan = session->orphans->first;
	sigset_t all, before;
	int r, n = 0;

	for (; orphan; orphan = orphan->next_orphan)
		n++;
	if (n >= SESSION_ORPHANS_MAX)
		return -EBUSY;
	r = pthread_attr_init(&attributes);
	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attributes, SESSION_STACK_BYTES);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	session->running = true;
	session->state = SESSION_CONNECTING;
	r = pthread_create(&session->thread, &attributes, session_thread, session);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	if (r != 0) {
		session->running = false;
		session->state = SESSION_NEW;
	}
	return -r;
}

void session_free(struct session *session)
{
	if (!session)
		return;
	session->host->unwatch(session->watch);
	session->host->timer_free(session->idle);
	if (session->fd >= 0)
		close(session->fd);
	if (!session->running) {
		session_destroy(session);
		return;
	}
	session->orphan = true;
	session->next_orphan = session->orphans->first;
	session->orphans->first = session;
}

void session_orphans_done(struct session_orphans *orphans)
{
	while (orphans->first) {
		struct session *session = orphans->first;
		bool posted;

		orphans->first = session->next_orphan;
		pthread_mutex_lock(&session->mutex);
		posted = session->posted;
		session->abandoned = true;
		if (!posted)
			pthread_detach(session->thread);
		pthread_mutex_unlock(&session->mutex);
		if (posted) {
			pthread_join(session->thread, NULL);
			session_destroy(session);
		}
	}
}

static int session_set_tls(struct session *session, const struct options *options, const struct url *url)
{
	int r;

	if (!url->tls)
		return 0;
	session->server_name = strdup(options->server_name ? options->server_name : url->host);
	if (!session->server_name)
		return -ENOMEM;
	session->handshake.server_name = session->server_name;
	session->handshake.wall_s = session->host->now_wall_us(session->host) / 1000000;
	session->tls = tls_ref(options->tls);
	r = tls_context(session->tls, &session->handshake, &session->context);
	if (r < 0)
		return r;
	if (mosquitto_int_option(session->mosq, MOSQ_OPT_SSL_CTX_WITH_DEFAULTS, 0) != MOSQ_ERR_SUCCESS ||
	    mosquitto_void_option(session->mosq, MOSQ_OPT_SSL_CTX, session->context) != MOSQ_ERR_SUCCESS)
		return -EINVAL;
	return 0;
}

static int session_set_mqtt(struct session *session, const struct options *options, const struct session_will *will)
{
	int rc;

	rc = mosquitto_int_option(session->mosq, MOSQ_OPT_PROTOCOL_VERSION,
				  options->version5 ? MQTT_PROTOCOL_V5 : MQTT_PROTOCOL_V311);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_int_option(session->mosq, MOSQ_OPT_TCP_NODELAY, 1);
	if (rc == MOSQ_ERR_SUCCESS)
		rc = mosquitto_int_option(session->mosq, MOSQ_OPT_SEND_MAXIMUM, (int)options->window);
	if (rc == MOSQ_ERR_SUCCESS && options->username)
		rc = mosquitto_username_pw_set(session->mosq, options->username, options->password);
	if (rc == MOSQ_ERR_SUCCESS && will)
		rc = mosquitto_will_set_v5(session->mosq, will->topic, (int)strlen(will->payload), will->payload, 1,
					   will->retain, NULL);
	if (rc == MOSQ_ERR_SUCCESS && options->version5)
		rc = mosquitto_property_add_int32(&session->properties, MQTT_PROP_MAXIMUM_PACKET_SIZE,
						  SESSION_PACKET_MAX);
	mosquitto_connect_v5_callback_set(session->mosq, session_on_connect);
	mosquitto_disconnect_v5_callback_set(session->mosq, session_on_disconnect);
	mosquitto_publish_v5_callback_set(session->mosq, session_on_publish);
	mosquitto_log_callback_set(session->mosq, session_on_log);
	if (rc == MOSQ_ERR_NOMEM)
		return -ENOMEM;
	return rc == MOSQ_ERR_SUCCESS ? 0 : -EINVAL;
}

int session_new(const struct tg_host *host, const struct options *options, const struct url *url,
		const struct session_will *will, const struct session_events *events, void *arg,
		struct session_orphans *orphans, struct session **ret_session)
{
	struct session *session = calloc(1, sizeof(*session));
	int r = -ENOMEM;

	if (!session)
		return -ENOMEM;
	session->host = host;
	session->events = events;
	session->arg = arg;
	session->orphans = orphans;
	session->fd = -1;
	session->version5 = options->version5;
	session->deadline_us = host->now_us(host) + options->connect_timeout_us;
	session->port = url->port;
	session->keepalive_s = options->keepalive_s;
	pthread_mutex_init(&session->mutex, NULL);
	session->address = strdup(url->host);
	session->mosq = mosquitto_new(options->client_id, true, session);
	if (session->address && session->mosq)
		r = session_set_tls(session, options, url);
	if (r >= 0)
		r = session_set_mqtt(session, options, will);
	if (r >= 0)
		r = host->idle_new(host, session_on_idle, session, &session->idle);
	if (r < 0) {
		session_free(session);
		return r;
	}
	*ret_session = session;
	return 0;
}
