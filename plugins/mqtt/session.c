/* SPDX-License-Identifier: Apache-2.0 */
#include "session.h"

#include <errno.h>
#include <mosquitto.h>
#include <stdlib.h>
#include <string.h>

#include "options.h"

/* How many bytes may wait for the socket before publishing has to wait. Nothing large is ever sent to the gateway. */
enum { SESSION_PENDING_BYTES = 131072, SESSION_PACKET_MAX = 65536 };

struct session {
	struct connection connection;
	const struct session_events *events;
	void *arg;
	char *will;                /* NULL: none */
	uint32_t max_packet_bytes; /* the broker's limit, 0: none */
	uint16_t mid;              /* the last one */
	bool complained;           /* of what nobody asked for */
};

static void session_on_connect(void *arg, struct codec_connect *ret_connect)
{
	const struct session *session = arg;
	const struct options *options = session->connection.options;

	*ret_connect = (struct codec_connect){
		.version5 = session->connection.version5,
		.clean_start = true,
		.client_id = options->client_id,
		.username = options->username,
		.password = options->password,
		.keepalive_s = (uint16_t)options->keepalive_s,
		.receive_maximum = UINT16_MAX,
		.max_packet_bytes = SESSION_PACKET_MAX,
		.will_topic = session->will ? options->status_topic : NULL,
		.will = session->will,
		.will_retain = options->status_retain,
	};
}

static void session_on_up(void *arg, const struct codec_connack *connack)
{
	struct session *session = arg;
	const struct session_limits limits = {
		.receive_maximum = connack->receive_maximum, .max_qos = connack->max_qos, .retain = connack->retain};

	session->max_packet_bytes = connack->max_packet_bytes;
	session->events->up(session->arg, &limits);
}

static void session_acknowledge(struct session *session, enum codec_type type, uint16_t mid)
{
	struct connection *connection = &session->connection;

	codec_put_ack(&connection->stream.out, (uint8_t)type, connection->version5, mid, CODEC_SUCCESS);
	connection_put(connection);
}

/* A message of QoS 2 that the broker has is released (MQTT 5 section 4.3.3); one that it refuses ends there. */
static void session_received(struct session *session, uint16_t mid, uint8_t reason)
{
	if (reason >= CODEC_UNSPECIFIED) {
		session->events->answered(session->arg, mid, reason);
		return;
	}
	session_acknowledge(session, CODEC_PUBREL, mid);
}

/* A broker may have been told to give each client some topics, asked or not: that is taken, and dropped. */
static void session_unwanted(struct session *session, uint8_t flags, struct tg_bytes body)
{
	struct connection *connection = &session->connection;
	struct codec_publish publish;

	if (codec_get_publish(flags, body, connection->version5, NULL, &publish) < 0) {
		connection_protocol(connection, CODEC_MALFORMED, "the broker's PUBLISH is malformed");
		return;
	}
	if (!session->complained)
		connection->host->log(connection->host, TG_LOG_NOTICE, NULL,
				      "the broker gives messages to the connection that publishes, they are dropped");
	session->complained = true;
	if (publish.qos > 0)
		session_acknowledge(session, publish.qos == 2 ? CODEC_PUBREC : CODEC_PUBACK, publish.mid);
}

static void session_on_packet(void *arg, const struct codec_header *header, struct tg_bytes body)
{
	struct session *session = arg;
	struct connection *connection = &session->connection;
	bool expected = header->type >= CODEC_PUBACK && header->type <= CODEC_PUBCOMP;
	uint16_t mid;
	uint8_t reason;

	if (header->type == CODEC_PUBLISH)
		session_unwanted(session, header->flags, body);
	else if (!expected)
		connection_protocol(connection, CODEC_PROTOCOL_ERROR, "the broker sent a packet that was not expected");
	else if (codec_get_ack(header, body, connection->version5, &mid, &reason) < 0)
		connection_protocol(connection, CODEC_MALFORMED, "the broker's acknowledgement is malformed");
	else if (header->type == CODEC_PUBREC)
		session_received(session, mid, reason);
	else if (header->type == CODEC_PUBREL)
		session_acknowledge(session, CODEC_PUBCOMP, mid);
	else
		session->events->answered(session->arg, mid, reason);
}

static void session_on_moved(void *arg)
{
	struct session *session = arg;

	session->events->moved(session->arg);
}

static void session_on_lost(void *arg, const char *cause)
{
	struct session *session = arg;

	session->events->lost(session->arg, cause);
}

static const struct connection_events session_connection_events = {
	.connect = session_on_connect,
	.up = session_on_up,
	.packet = session_on_packet,
	.moved = session_on_moved,
	.lost = session_on_lost,
};

int session_new(const struct tg_host *host, const struct options *options, const struct url *url, const char *will,
		const struct session_events *events, void *arg, struct session **ret_session)
{
	struct session *session = calloc(1, sizeof(*session));
	int r = 0;

	if (!session)
		return -ENOMEM;
	session->events = events;
	session->arg = arg;
	if (will) {
		session->will = strdup(will);
		r = session->will ? 0 : -ENOMEM;
	}
	if (r >= 0)
		r = connection_init(&session->connection, host, options, url, SESSION_PACKET_MAX,
				    &session_connection_events, session);
	if (r < 0) {
		session_free(session);
		return r;
	}
	*ret_session = session;
	return 0;
}

void session_set_options(struct session *session, const struct options *options, const struct url *url)
{
	connection_set_options(&session->connection, options, url);
}

void session_free(struct session *session)
{
	if (!session)
		return;
	connection_done(&session->connection);
	free(session->will);
	free(session);
}

void session_close(struct session *session)
{
	connection_close(&session->connection, false);
}

void session_tick(struct session *session)
{
	connection_tick(&session->connection);
}

bool session_has_room(const struct session *session)
{
	return session->connection.state == CONNECTION_UP &&
	       session->connection.stream.out.size < SESSION_PENDING_BYTES;
}

/* What libmosquitto knows better: wildcards, and UTF-8 without control characters. */
static int session_check_topic(struct tg_bytes topic)
{
	if (mosquitto_pub_topic_check2(topic.data, topic.size) != MOSQ_ERR_SUCCESS)
		return -EINVAL;
	return mosquitto_validate_utf8(topic.data, (int)topic.size) == MOSQ_ERR_SUCCESS ? 0 : -EILSEQ;
}

int session_publish(struct session *session, const struct codec_publish *publish, struct tg_bytes properties,
		    uint16_t *ret_mid)
{
	struct connection *connection = &session->connection;
	struct codec_publish numbered = *publish;
	int r = session_check_topic(publish->topic);

	if (r < 0)
		return r;
	if (connection->state != CONNECTION_UP)
		return -ENOTCONN;
	if (session->max_packet_bytes > 0 &&
	    codec_publish_size(connection->version5, publish, properties) > session->max_packet_bytes)
		return -EMSGSIZE;
	if (publish->qos > 0) {
		session->mid = session->mid == UINT16_MAX ? 1 : session->mid + 1;
		numbered.mid = session->mid;
	}
	codec_put_publish(&connection->stream.out, connection->version5, &numbered, properties);
	connection_put(connection);
	*ret_mid = numbered.mid;
	return 0;
}

uint64_t session_put(const struct session *session)
{
	return session->connection.stream.sent + session->connection.stream.out.size;
}

uint64_t session_sent(const struct session *session)
{
	const struct stream *stream = &session->connection.stream;

	return stream->out.failed ? 0 : stream->sent; /* what did not fit in is not counted, and the connection ends */
}

const char *session_describe(const struct session *session)
{
	return session->connection.description;
}

bool session_tell(const struct session *session, uint64_t handle)
{
	return connection_tell(&session->connection, handle);
}

const char *session_objection(const struct session *session, const struct options *options)
{
	return connection_objection(&session->connection, options);
}

void session_fail(struct session *session, const char *cause)
{
	connection_fail(&session->connection, cause);
}
