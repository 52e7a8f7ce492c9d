/* SPDX-License-Identifier: Apache-2.0 */
#include "receive.h"

#include <errno.h>
#include <stdlib.h>

#include "options.h"

struct receive {
	struct connection connection;
	const struct receive_events *events;
	void *arg;
};

static void receive_on_connect(void *arg, struct codec_connect *ret_connect)
{
	const struct receive *receive = arg;
	const struct options *options = receive->connection.options;

	*ret_connect = (struct codec_connect){
		.version5 = receive->connection.version5,
		.clean_start = !receive->connection.version5 && options->session_expiry_s == 0,
		.client_id = options->receive_client_id,
		.username = options->username,
		.password = options->password,
		.keepalive_s = (uint16_t)options->keepalive_s,
		.session_expiry_s = options->session_expiry_s,
		.receive_maximum = (uint16_t)options->receive_window,
		.max_packet_bytes = RECEIVE_PACKET_MAX,
	};
}

static void receive_on_up(void *arg, const struct codec_connack *connack)
{
	struct receive *receive = arg;
	const struct tg_host *host = receive->connection.host;

	if (connack->has_session_expiry && connack->session_expiry_s < receive->connection.options->session_expiry_s)
		host->log(host, TG_LOG_NOTICE, NULL,
			  "the broker keeps messages for a receiver that is away for %u s only",
			  connack->session_expiry_s);
	receive->events->up(receive->arg, connack->session_present);
}

/* A message waits where there is no room for it; of one that is too large to be kept only what it is about is told. */
static enum connection_order receive_on_begins(void *arg, const struct codec_header *header, struct tg_bytes body)
{
	struct receive *receive = arg;
	struct codec_publish publish;
	int r;

	if (header->type != CODEC_PUBLISH)
		return CONNECTION_TAKE;
	if (!receive->events->has_room(receive->arg)) {
		receive->connection.held = true;
		return CONNECTION_WAIT;
	}
	if (header->body_size <= RECEIVE_PACKET_MAX)
		return CONNECTION_TAKE;
	r = codec_get_publish_head(header->flags, body, header->body_size, &publish);
	if (r < 0)
		connection_protocol(&receive->connection, CODEC_MALFORMED, "the broker's PUBLISH is malformed");
	if (r <= 0)
		return CONNECTION_WAIT;
	receive->events->arrived(receive->arg, &publish, true);
	return CONNECTION_SKIP;
}

static void receive_publish(struct receive *receive, uint8_t flags, struct tg_bytes body)
{
	struct connection *connection = &receive->connection;
	struct codec_publish publish;

	if (codec_get_publish(flags, body, connection->version5, connection->options->publisher, &publish) < 0)
		connection_protocol(connection, CODEC_MALFORMED, "the broker's PUBLISH is malformed");
	else
		receive->events->arrived(receive->arg, &publish, false);
}

static void receive_pubrel(struct receive *receive, const struct codec_header *header, struct tg_bytes body)
{
	struct connection *connection = &receive->connection;
	uint16_t mid;
	uint8_t reason;

	if (codec_get_ack(header, body, connection->version5, &mid, &reason) < 0)
		connection_protocol(connection, CODEC_MALFORMED, "the broker's PUBREL is malformed");
	else
		receive->events->released(receive->arg, mid);
}

static void receive_suback(struct receive *receive, uint8_t type, struct tg_bytes body)
{
	struct connection *connection = &receive->connection;
	uint16_t mid;
	uint8_t reason;

	if (codec_get_suback(type, body, connection->version5, &mid, &reason) < 0)
		connection_protocol(connection, CODEC_MALFORMED, "the broker's SUBACK is malformed");
	else
		receive->events->subscribed(receive->arg, mid, reason);
}

static void receive_on_packet(void *arg, const struct codec_header *header, struct tg_bytes body)
{
	struct receive *receive = arg;

	switch (header->type) {
	case CODEC_PUBLISH:
		receive_publish(receive, header->flags, body);
		break;
	case CODEC_PUBREL:
		receive_pubrel(receive, header, body);
		break;
	case CODEC_SUBACK:
	case CODEC_UNSUBACK:
		receive_suback(receive, header->type, body);
		break;
	default:
		connection_protocol(&receive->connection, CODEC_PROTOCOL_ERROR,
				    "the broker sent a packet that was not expected");
	}
}

static void receive_on_lost(void *arg, const char *cause)
{
	struct receive *receive = arg;

	receive->events->lost(receive->arg, cause);
}

static const struct connection_events receive_connection_events = {
	.connect = receive_on_connect,
	.up = receive_on_up,
	.begins = receive_on_begins,
	.packet = receive_on_packet,
	.lost = receive_on_lost,
};

int receive_new(const struct tg_host *host, const struct options *options, const struct url *url,
		const struct receive_events *events, void *arg, struct receive **ret_receive)
{
	struct receive *receive = calloc(1, sizeof(*receive));
	int r;

	if (!receive)
		return -ENOMEM;
	receive->events = events;
	receive->arg = arg;
	r = connection_init(&receive->connection, host, options, url, RECEIVE_PACKET_MAX, &receive_connection_events,
			    receive);
	if (r < 0) {
		receive_free(receive);
		return r;
	}
	*ret_receive = receive;
	return 0;
}

void receive_set_options(struct receive *receive, const struct options *options, const struct url *url)
{
	connection_set_options(&receive->connection, options, url);
}

void receive_free(struct receive *receive)
{
	if (!receive)
		return;
	connection_done(&receive->connection);
	free(receive);
}

bool receive_is_up(const struct receive *receive)
{
	return receive->connection.state == CONNECTION_UP;
}

void receive_subscribe(struct receive *receive, uint16_t mid, const char *filter)
{
	struct connection *connection = &receive->connection;

	codec_put_subscribe(&connection->stream.out, connection->version5, mid, filter,
			    (uint8_t)connection->options->subscribe_qos);
	connection_put(connection);
}

void receive_unsubscribe(struct receive *receive, uint16_t mid, const char *filter)
{
	struct connection *connection = &receive->connection;

	codec_put_unsubscribe(&connection->stream.out, connection->version5, mid, filter);
	connection_put(connection);
}

bool receive_acknowledge(struct receive *receive, uint16_t mid, uint8_t qos, uint8_t reason)
{
	struct connection *connection = &receive->connection;

	codec_put_ack(&connection->stream.out, qos == 2 ? CODEC_PUBREC : CODEC_PUBACK, connection->version5, mid,
		      reason);
	connection_put(connection);
	return qos == 2 && (!connection->version5 || reason < CODEC_UNSPECIFIED);
}

void receive_complete(struct receive *receive, uint16_t mid, uint8_t reason)
{
	struct connection *connection = &receive->connection;

	codec_put_ack(&connection->stream.out, CODEC_PUBCOMP, connection->version5, mid, reason);
	connection_put(connection);
}

void receive_resume(struct receive *receive)
{
	connection_resume(&receive->connection);
}

void receive_close(struct receive *receive, bool forget)
{
	connection_close(&receive->connection, forget);
}

void receive_fail(struct receive *receive, const char *cause)
{
	connection_fail(&receive->connection, cause);
}

void receive_tick(struct receive *receive)
{
	connection_tick(&receive->connection);
}

const char *receive_describe(const struct receive *receive)
{
	return receive->connection.description;
}

bool receive_tell(const struct receive *receive, uint64_t handle)
{
	return connection_tell(&receive->connection, handle);
}

const char *receive_objection(const struct receive *receive, const struct options *options)
{
	return connection_objection(&receive->connection, options);
}
