/* SPDX-License-Identifier: Apache-2.0 */
#include "fleet.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "batch.h"

enum {
	FLEET_TICK_US = 10 * TOOL_MS_US,
	FLEET_TICK_RATE_US = 1 * TOOL_MS_US, /* with --rate */
	FLEET_LOOK_US = 100 * TOOL_MS_US,    /* whether all is done */
	FLEET_HANDSHAKE_US = 30 * TOOL_S_US,
	FLEET_RETRY_US = 1 * TOOL_S_US /* after a failed handshake; up to half more */
};

struct fleet {
	struct sensor_common common;
	struct sensor *sensors;
	uint32_t count;
	uint32_t busy_count; /* those that send */
	struct client_context *context;
	struct client_tickets *tickets;
	int64_t tick_us;
	int64_t next_tick_us;
	/* Sensors that wait for a handshake: a ring, each at most once. */
	uint32_t *waiting;
	uint32_t first_waiting;
	uint32_t waiting_count;
	uint32_t parallel;
	uint32_t handshaking;
};

int fleet_new(const struct fleet_options *options, const struct identities *identities, struct batch *batch,
	      struct client_context *context, struct client_tickets *tickets, struct tally *tally, FILE *record,
	      struct fleet **ret_fleet)
{
	struct fleet *fleet = calloc(1, sizeof(*fleet));
	uint32_t count = options->sensors + options->idle;

	if (!fleet)
		return -ENOMEM;
	fleet->common = (struct sensor_common){.options = options->sensor,
					       .batch = batch,
					       .tally = tally,
					       .random = {.state = options->seed},
					       .record = record,
					       .now_us = tool_now_us(),
					       .end_us = INT64_MAX};
	fleet->context = context;
	fleet->tickets = tickets;
	fleet->busy_count = options->sensors;
	fleet->parallel = options->parallel;
	fleet->tick_us = options->sensor.rate > 0 ? FLEET_TICK_RATE_US : FLEET_TICK_US;
	fleet->sensors = calloc(count + 1, sizeof(*fleet->sensors));
	fleet->waiting = calloc(count + 1, sizeof(*fleet->waiting));
	fleet->common.deadline = calloc(count + 1, sizeof(*fleet->common.deadline));
	for (uint32_t i = 0; i < count && fleet->sensors && fleet->waiting && fleet->common.deadline; i++) {
		int result =
			sensor_init(&fleet->sensors[i], &fleet->common, i, &identities->list[i], i >= options->sensors);

		if (result < 0) {
			fleet_free(fleet);
			return result;
		}
		fleet->waiting[i] = i;
		fleet->count = fleet->waiting_count = i + 1;
	}
	if (fleet->count < count) {
		fleet_free(fleet);
		return -ENOMEM;
	}
	batch_set_wait(batch, fleet->tick_us);
	*ret_fleet = fleet;
	return 0;
}

void fleet_free(struct fleet *fleet)
{
	if (!fleet)
		return;
	for (uint32_t i = 0; i < fleet->count; i++)
		sensor_done(&fleet->sensors[i]);
	free(fleet->sensors);
	free(fleet->waiting);
	free(fleet->common.deadline);
	free(fleet);
}

static void fleet_wait_for_handshake(struct fleet *fleet, uint32_t index)
{
	fleet->waiting[(fleet->first_waiting + fleet->waiting_count++) % fleet->count] = index;
}

static void fleet_handshake_failed(struct fleet *fleet, struct sensor *sensor)
{
	struct sensor_common *common = &fleet->common;

	client_tickets_keep(fleet->tickets, sensor->index, sensor->client);
	client_free(sensor->client);
	sensor->client = NULL;
	sensor->state = SENSOR_OFF;
	common->tally->handshake_failures++;
	common->deadline[sensor->index] =
		common->now_us + FLEET_RETRY_US + tool_random_below(&common->random, FLEET_RETRY_US / 2);
	fleet->handshaking--;
}

static void fleet_handshake_step(struct fleet *fleet, struct sensor *sensor)
{
	struct sensor_common *common = &fleet->common;
	int64_t wait_us;

	switch (client_state(sensor->client)) {
	case CLIENT_OPEN:
		fleet->handshaking--;
		common->tally->handshakes++;
		common->tally->resumed += client_is_resumed(sensor->client);
		client_tickets_keep(fleet->tickets, sensor->index, sensor->client);
		sensor_go(sensor);
		break;
	case CLIENT_HANDSHAKE:
		wait_us = client_wait_us(sensor->client);
		common->deadline[sensor->index] = common->now_us + (wait_us < 0 ? FLEET_RETRY_US : wait_us);
		if (common->now_us - sensor->sent_us < FLEET_HANDSHAKE_US)
			break;
		__attribute__((fallthrough));
	default:
		fleet_handshake_failed(fleet, sensor);
		break;
	}
}

/* Looks at what the last call made of this sensor. */
static void fleet_settle(struct fleet *fleet, struct sensor *sensor)
{
	if (sensor->state != SENSOR_OFF || (!sensor->client && fleet->context))
		return;
	if (sensor->client) {
		if (sensor->renewing)
			client_shut(sensor->client);
		else
			fleet->common.tally->sessions_lost++;
		sensor->renewing = false;
		client_free(sensor->client);
		sensor->client = NULL;
	}
	if (!fleet->common.stopping)
		fleet_wait_for_handshake(fleet, sensor->index);
}

static void fleet_begin_handshakes(struct fleet *fleet)
{
	while (fleet->waiting_count > 0 && fleet->handshaking < fleet->parallel) {
		struct sensor *sensor = &fleet->sensors[fleet->waiting[fleet->first_waiting]];
		int result;

		fleet->first_waiting = (fleet->first_waiting + 1) % fleet->count;
		fleet->waiting_count--;
		if (!fleet->context) {
			sensor_go(sensor);
			continue;
		}
		sensor->sent_us = fleet->common.now_us;
		result = client_new(fleet->context, sensor->index, sensor->identity,
				    client_tickets_get(fleet->tickets, sensor->index), &sensor->client);
		if (result < 0)
			tool_fail("no session for \"%s\" (%s)", sensor->identity->name, strerror(-result));
		sensor->state = SENSOR_HANDSHAKE;
		fleet->handshaking++;
		fleet_handshake_step(fleet, sensor);
	}
}

static void fleet_plain_text(void *arg, uint8_t *data, size_t size)
{
	struct sensor *sensor = arg;

	if (sensor->state != SENSOR_OFF)
		sensor_input(sensor, data, size);
}

static void fleet_datagram(void *arg, uint32_t peer, uint8_t *data, size_t size)
{
	struct fleet *fleet = arg;
	struct sensor *sensor = &fleet->sensors[peer];

	if (!fleet->context) {
		sensor_input(sensor, data, size);
	} else if (sensor->state == SENSOR_HANDSHAKE) {
		client_input(sensor->client, data, size, fleet_plain_text, sensor);
		fleet_handshake_step(fleet, sensor);
		return;
	} else if (sensor->client) {
		if (client_input(sensor->client, data, size, fleet_plain_text, sensor) == CLIENT_LOST &&
		    sensor->state != SENSOR_OFF)
			sensor_lost(sensor);
	}
	fleet_settle(fleet, sensor);
}

static void fleet_expired(struct fleet *fleet, struct sensor *sensor)
{
	if (sensor->state == SENSOR_HANDSHAKE) {
		client_timeout(sensor->client);
		fleet_handshake_step(fleet, sensor);
	} else if (sensor->state == SENSOR_OFF) {
		fleet->common.deadline[sensor->index] = INT64_MAX;
		fleet_wait_for_handshake(fleet, sensor->index);
	} else {
		sensor_expired(sensor);
		fleet_settle(fleet, sensor);
	}
}

static void fleet_turn(struct fleet *fleet)
{
	struct sensor_common *common = &fleet->common;
	int result = batch_receive(common->batch, fleet_datagram, fleet, &common->now_us);

	if (result < 0)
		tool_fail("nothing can be received (%s)", strerror(-result));
	if (common->now_us >= fleet->next_tick_us) {
		const int64_t *deadline = common->deadline;

		fleet->next_tick_us = common->now_us + fleet->tick_us;
		for (uint32_t i = 0; i < fleet->count; i++) {
			if (deadline[i] <= common->now_us)
				fleet_expired(fleet, &fleet->sensors[i]);
		}
	}
	fleet_begin_handshakes(fleet);
	batch_flush(common->batch);
}

uint32_t fleet_open(const struct fleet *fleet)
{
	uint32_t open = 0;

	for (uint32_t i = 0; i < fleet->count; i++)
		open += fleet->sensors[i].state >= SENSOR_IDLE;
	return open;
}

const char *fleet_cipher(const struct fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->count; i++) {
		const struct sensor *sensor = &fleet->sensors[i];

		if (sensor->client && client_state(sensor->client) == CLIENT_OPEN)
			return client_cipher(sensor->client);
	}
	return NULL;
}

uint32_t fleet_connect(struct fleet *fleet, int64_t limit_us, const volatile int *stop)
{
	int64_t end_us = tool_now_us() + limit_us;
	uint32_t open;

	do {
		fleet_turn(fleet);
		open = fleet->handshaking + fleet->waiting_count > 0 ? 0 : fleet_open(fleet);
	} while (open < fleet->count && !*stop && fleet->common.now_us < end_us);
	return fleet_open(fleet);
}

/* How many readings are under way, or still to come. */
static uint32_t fleet_undecided(const struct fleet *fleet)
{
	uint32_t undecided = 0;

	for (uint32_t i = 0; i < fleet->count; i++) {
		const struct sensor *sensor = &fleet->sensors[i];

		if (fleet->common.stopping)
			undecided += sensor_busy(sensor);
		else
			undecided += !sensor->quiet && sensor->state != SENSOR_DONE;
	}
	return undecided;
}

static void fleet_begin(struct fleet *fleet, int64_t limit_us)
{
	struct sensor_common *common = &fleet->common;

	common->start_us = common->now_us = tool_now_us();
	common->end_us = common->start_us + limit_us;
	for (uint32_t i = 0; i < fleet->count; i++) {
		struct sensor *sensor = &fleet->sensors[i];

		if (sensor->state == SENSOR_IDLE) {
			sensor_go(sensor);
			fleet_settle(fleet, sensor);
		}
	}
	batch_flush(common->batch);
}

int64_t fleet_run(struct fleet *fleet, int64_t limit_us, int64_t linger_us, const volatile int *stop, FILE *progress)
{
	struct sensor_common *common = &fleet->common;
	int64_t look_us, tell_us, linger_end_us;
	uint64_t told = 0;

	fleet_begin(fleet, limit_us);
	look_us = common->start_us + FLEET_LOOK_US;
	tell_us = common->start_us + TOOL_S_US;
	while (common->now_us < common->end_us && !*stop) {
		fleet_turn(fleet);
		if (progress && common->now_us >= tell_us) {
			fprintf(progress, "%" PRIu64 " acknowledged, %" PRIu64 "/s\n", common->tally->acknowledged,
				common->tally->acknowledged - told);
			told = common->tally->acknowledged;
			tell_us += TOOL_S_US;
		}
		if (common->now_us < look_us)
			continue;
		look_us = common->now_us + FLEET_LOOK_US;
		if (fleet->busy_count > 0 && fleet_undecided(fleet) == 0)
			break;
	}
	if (common->now_us < common->end_us)
		common->end_us = *stop || common->last_answer_us == 0 ? common->now_us : common->last_answer_us;
	common->stopping = true;
	linger_end_us = common->now_us + linger_us;
	while (fleet_undecided(fleet) > 0 && common->now_us < linger_end_us)
		fleet_turn(fleet);
	return common->end_us - common->start_us;
}

void fleet_rest(struct fleet *fleet, int64_t span_us, const volatile int *stop)
{
	int64_t end_us = tool_now_us() + span_us;

	do
		fleet_turn(fleet);
	while (!*stop && fleet->common.now_us < end_us);
}

void fleet_shut(struct fleet *fleet)
{
	for (uint32_t i = 0; i < fleet->count; i++) {
		if (fleet->sensors[i].client)
			client_shut(fleet->sensors[i].client);
		fleet->common.deadline[i] = INT64_MAX;
		fleet->sensors[i].state = SENSOR_DONE;
	}
	batch_flush(fleet->common.batch);
}
