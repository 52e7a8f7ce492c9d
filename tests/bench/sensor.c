/* SPDX-License-Identifier: Apache-2.0 */
#include "sensor.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"
#include "coap.h"

enum { SENSOR_TOKEN = 4, SENSOR_DIGITS_MAX = 20, SENSOR_MESSAGE_MAX = 1300, SENSOR_LATE_MAX = 16, SENSOR_IDS = 65000 };

/* EXCHANGE_LIFETIME (RFC 7252 section 4.8.2): for so long a message id must not come again. */
#define SENSOR_ID_LIFETIME_US (247 * (int64_t)TOOL_S_US)

int sensor_init(struct sensor *sensor, struct sensor_common *common, uint32_t index,
		const struct client_identity *identity, bool quiet)
{
	const struct sensor_options *options = &common->options;
	uint8_t message[SENSOR_MESSAGE_MAX], payload[SENSOR_MESSAGE_MAX];
	size_t name = strlen(identity->name), room = options->payload_bytes, size;
	uint32_t token = 0;
	unsigned last = 0;

	if (room > sizeof(payload) || name + 2 + SENSOR_DIGITS_MAX > room)
		return -EMSGSIZE;
	memset(payload, '.', room);
	memcpy(payload, identity->name, name);
	payload[name] = ' ';
	size = coap_head(message, sizeof(message), COAP_CON, COAP_POST, 0, &token, SENSOR_TOKEN);
	size = coap_path(message, sizeof(message), size, &last, options->path);
	if (options->content_format >= 0)
		size = coap_option_number(message, sizeof(message), size, &last, COAP_CONTENT_FORMAT,
					  (uint32_t)options->content_format);
	size = coap_payload(message, sizeof(message), size, payload, room);
	if (size == 0)
		return -EMSGSIZE;
	*sensor = (struct sensor){.common = common,
				  .identity = identity,
				  .index = index,
				  .quiet = quiet,
				  .sequence = options->first,
				  .left = options->count,
				  .message = malloc(size),
				  .size = (uint16_t)size,
				  .number_at = (uint16_t)(size - room + name + 1)};
	if (!sensor->message)
		return -ENOMEM;
	memcpy(sensor->message, message, size);
	sensor->next_id = (uint16_t)tool_random_u64(&common->random);
	sensor->token = (uint32_t)tool_random_u64(&common->random);
	common->deadline[index] = INT64_MAX;
	return 0;
}

void sensor_done(struct sensor *sensor)
{
	client_free(sensor->client);
	sensor->client = NULL;
	free(sensor->message);
	sensor->message = NULL;
}

static size_t sensor_digits(uint64_t number, char ret_digits[SENSOR_DIGITS_MAX])
{
	char reversed[SENSOR_DIGITS_MAX];
	size_t count = 0;

	do {
		reversed[count++] = (char)('0' + number % 10);
		number /= 10;
	} while (number > 0);
	for (size_t i = 0; i < count; i++)
		ret_digits[i] = reversed[count - 1 - i];
	return count;
}

static void sensor_send(struct sensor *sensor, const void *data, size_t size)
{
	if (sensor->common->options.plain)
		batch_put(sensor->common->batch, sensor->index, data, size);
	else if (!client_send(sensor->client, data, size))
		sensor_lost(sensor);
}

static void sensor_send_empty(struct sensor *sensor, enum coap_type type, uint16_t id)
{
	uint8_t message[COAP_HEAD];

	sensor_send(sensor, message, coap_head(message, sizeof(message), type, COAP_EMPTY, id, NULL, 0));
}

static void sensor_begin(struct sensor *sensor)
{
	struct sensor_common *common = sensor->common;
	double spread = 1 + (double)tool_random_below(&common->random, 1000) / 2000;
	char *number = (char *)sensor->message + sensor->number_at;

	number[sensor_digits(sensor->sequence, number)] = ' ';
	coap_set_id(sensor->message, ++sensor->next_id);
	sensor->ids_left--;
	sensor->token++;
	memcpy(sensor->message + COAP_HEAD, &sensor->token, SENSOR_TOKEN);
	sensor->state = SENSOR_SENT;
	sensor->repeats = 0;
	sensor->sent_us = common->now_us;
	sensor->timeout_us = (int64_t)((double)common->options.ack_timeout_us * spread);
	common->deadline[sensor->index] = common->now_us + sensor->timeout_us;
	common->tally->sent++;
	sensor_send(sensor, sensor->message, sensor->size);
}

static void sensor_pause(struct sensor *sensor, int64_t until_us)
{
	sensor->state = SENSOR_PAUSED;
	sensor->common->deadline[sensor->index] = until_us;
}

/* Whether there is a message id that may be used now. */
static bool sensor_has_id(struct sensor *sensor)
{
	struct sensor_common *common = sensor->common;

	if (sensor->state == SENSOR_HANDSHAKE || common->now_us >= sensor->ids_since_us + SENSOR_ID_LIFETIME_US) {
		sensor->ids_left = SENSOR_IDS;
		sensor->ids_since_us = common->now_us;
	}
	return sensor->ids_left > 0;
}

void sensor_go(struct sensor *sensor)
{
	struct sensor_common *common = sensor->common;

	common->deadline[sensor->index] = INT64_MAX;
	if (!sensor_has_id(sensor)) {
		if (common->options.plain) {
			sensor_pause(sensor, sensor->ids_since_us + SENSOR_ID_LIFETIME_US);
		} else {
			sensor->renewing = true;
			sensor_lost(sensor);
		}
	} else if (sensor->left == 0) {
		sensor->state = SENSOR_DONE;
	} else if (sensor->quiet || common->start_us == 0 || common->stopping) {
		sensor->state = SENSOR_IDLE;
	} else if (common->options.rate <= 0) {
		sensor_begin(sensor);
	} else {
		/* Spread over one interval at first. */
		if (sensor->due_us == 0)
			sensor->due_us = common->start_us + (int64_t)(tool_random_below(&common->random, TOOL_S_US) /
								      common->options.rate);
		if (sensor->due_us <= common->now_us)
			sensor_begin(sensor);
		else
			sensor_pause(sensor, sensor->due_us);
	}
}

/* This reading is decided; on to the next one. */
static void sensor_next(struct sensor *sensor)
{
	struct sensor_common *common = sensor->common;

	sensor->sequence++;
	if (sensor->left != UINT64_MAX)
		sensor->left--;
	if (common->options.rate > 0) {
		sensor->due_us += (int64_t)(TOOL_S_US / common->options.rate);
		common->tally->late += sensor->due_us < common->now_us;
	}
	sensor_go(sensor);
}

static void sensor_record(struct sensor *sensor)
{
	char digits[SENSOR_DIGITS_MAX];
	FILE *record = sensor->common->record;

	if (!record)
		return;
	fputs_unlocked(sensor->identity->name, record);
	putc_unlocked(' ', record);
	fwrite_unlocked(digits, 1, sensor_digits(sensor->sequence, digits), record);
	putc_unlocked('\n', record);
}

static void sensor_answered(struct sensor *sensor, const struct coap_view *view)
{
	struct sensor_common *common = sensor->common;
	struct tally *tally = common->tally;

	common->last_answer_us = common->now_us;
	if (COAP_CLASS(view->code) == 2) {
		tally->acknowledged++;
		tally->in_time += common->now_us <= common->end_us;
		tally_latency(tally, common->now_us - sensor->sent_us);
		sensor_record(sensor);
		sensor_next(sensor);
		return;
	}
	tally->refused[view->code]++;
	if ((view->code == COAP_CODE(5, 3) || view->code == COAP_CODE(4, 29)) && common->options.retry_refused)
		sensor_pause(sensor, common->now_us + (int64_t)view->max_age * TOOL_S_US);
	else
		sensor_next(sensor);
}

/* CON or NON with a response code: a separate response (RFC 7252 section 5.2.2). */
static void sensor_separate(struct sensor *sensor, const struct coap_view *view)
{
	struct tally *tally = sensor->common->tally;
	bool matches = sensor_busy(sensor) && view->token_size == SENSOR_TOKEN &&
		       memcmp(view->token, sensor->message + COAP_HEAD, SENSOR_TOKEN) == 0;
	bool again = !matches && sensor->answered_before && sensor->last_response_id == view->id;

	if (view->type == COAP_CON)
		sensor_send_empty(sensor, matches || again ? COAP_ACK : COAP_RST, view->id);
	if (matches && sensor_busy(sensor)) {
		tally->separate++;
		sensor->answered_before = true;
		sensor->last_response_id = view->id;
		sensor_answered(sensor, view);
	} else if (again) {
		tally->repeated++;
	} else {
		tally->strange++;
	}
}

static void sensor_acknowledgement(struct sensor *sensor, const struct coap_view *view)
{
	struct sensor_common *common = sensor->common;

	if (sensor->state != SENSOR_SENT || view->id != sensor->next_id) {
		/* Late, as the request went twice, or not of this sensor's making. */
		if ((uint16_t)(sensor->next_id - view->id) < SENSOR_LATE_MAX)
			common->tally->repeated++;
		else
			common->tally->strange++;
	} else if (view->code == COAP_EMPTY) {
		sensor->state = SENSOR_ACKED;
		common->deadline[sensor->index] = common->now_us + common->options.response_timeout_us;
	} else if (view->token_size == SENSOR_TOKEN &&
		   memcmp(view->token, sensor->message + COAP_HEAD, SENSOR_TOKEN) == 0) {
		sensor_answered(sensor, view);
	} else {
		common->tally->strange++;
	}
}

void sensor_input(struct sensor *sensor, const uint8_t *data, size_t size)
{
	struct coap_view view;

	if (!coap_read(data, size, &view)) {
		sensor->common->tally->strange++;
	} else if (view.type == COAP_ACK) {
		sensor_acknowledgement(sensor, &view);
	} else if (view.type == COAP_RST) {
		if (!sensor_busy(sensor) || view.id != sensor->next_id)
			return;
		sensor->common->tally->resets++;
		sensor_pause(sensor, sensor->common->now_us + TOOL_S_US);
	} else if (COAP_CLASS(view.code) >= 2) {
		sensor_separate(sensor, &view);
	} else if (view.type == COAP_CON) {
		/* A ping (section 4.3), or a request to one who only sends. */
		sensor->common->tally->strange += view.code != COAP_EMPTY;
		sensor_send_empty(sensor, COAP_RST, view.id);
	}
}

void sensor_expired(struct sensor *sensor)
{
	struct sensor_common *common = sensor->common;

	if (sensor->state == SENSOR_PAUSED) {
		sensor_go(sensor);
	} else if (sensor->state == SENSOR_SENT && sensor->repeats < common->options.retransmits) {
		sensor->repeats++;
		sensor->timeout_us *= 2;
		common->deadline[sensor->index] = common->now_us + sensor->timeout_us;
		common->tally->retransmitted++;
		sensor_send(sensor, sensor->message, sensor->size);
	} else if (sensor_busy(sensor)) {
		common->tally->unanswered++;
		sensor_lost(sensor);
	} else {
		common->deadline[sensor->index] = INT64_MAX;
	}
}

void sensor_lost(struct sensor *sensor)
{
	sensor->state = SENSOR_OFF;
	sensor->answered_before = false;
	sensor->common->deadline[sensor->index] = INT64_MAX;
}
