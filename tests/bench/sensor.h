/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_SENSOR_H
#define BENCH_SENSOR_H

/*
 * One simulated sensor: it sends its readings one after the other as confirmable POSTs, and keeps to RFC 7252 section 4.2 while it waits:
 * the same message again, with the same message id and token, after ACK_TIMEOUT, doubled each time; an empty ACK ends the repeats
 * and the response then comes on its own and is acknowledged. A reading counts as acknowledged with a 2.xx only. Without any
 * answer the sensor takes its session for lost; once it has a new one, the same reading goes out as a new exchange. A sensor that is so fast
 * that a message id would come again within EXCHANGE_LIFETIME (section 4.4) takes a new session.
 *
 * The life of a sensor: OFF, handshake (the fleet's business), IDLE, then SENT and perhaps ACKED and PAUSED for each reading, DONE after
 * the last; at any moment back to OFF. The fleet looks at `state` after each call.
 */

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "client.h"
#include "tally.h"
#include "tool.h"

struct batch;
struct sensor;

enum sensor_state {
	SENSOR_OFF = 0, /* no session */
	SENSOR_HANDSHAKE,
	SENSOR_IDLE,   /* session open, nothing to send (yet) */
	SENSOR_PAUSED, /* the next exchange begins at the deadline */
	SENSOR_SENT,   /* waits for the ACK; repeats at the deadline */
	SENSOR_ACKED,  /* waits for the separate response; gives up at the deadline */
	SENSOR_DONE
};

struct sensor_options {
	const char *path;
	int content_format; /* -1: none */
	uint32_t payload_bytes;
	bool plain;     /* CoAP without DTLS */
	uint64_t count; /* readings a sensor; UINT64_MAX: until the end */
	uint64_t first; /* the first sequence number */
	double rate;    /* readings a second and sensor; 0: as soon as the last one is answered */
	int64_t ack_timeout_us;
	unsigned retransmits;
	int64_t response_timeout_us;
	bool retry_refused; /* 5.03 and 4.29: the same reading again after Max-Age */
};

/* What all sensors of a fleet share. */
struct sensor_common {
	struct sensor_options options;
	struct batch *batch;
	struct tally *tally;
	struct tool_random random;
	FILE *record; /* "sensor sequence" for each acknowledged reading; NULL: none */
	int64_t now_us;
	int64_t start_us;       /* of the first readings */
	int64_t end_us;         /* readings acknowledged until then are `in_time` */
	int64_t last_answer_us; /* 0: none yet */
	int64_t *deadline;      /* by sensor; INT64_MAX: none */
	bool stopping;          /* no new exchange begins */
};

struct sensor {
	struct sensor_common *common;
	struct client *client; /* NULL: none */
	const struct client_identity *identity;
	uint32_t index; /* also the batch's peer */
	enum sensor_state state;
	bool quiet; /* opens its session and sends nothing */
	bool answered_before;
	uint8_t repeats;
	uint16_t last_response_id; /* of the last separate response, with answered_before */
	bool renewing;             /* OFF by its own wish */
	uint16_t next_id;
	uint32_t ids_left; /* before one would come twice within EXCHANGE_LIFETIME */
	int64_t ids_since_us;
	uint32_t token;
	uint64_t sequence;
	uint64_t left;
	int64_t sent_us;
	int64_t timeout_us;
	int64_t due_us; /* with a rate: of the next reading */
	uint8_t *message;
	uint16_t size;
	uint16_t number_at; /* place of the sequence number in `message` */
};

/* Errors: -EMSGSIZE: path or payload do not fit; -ENOMEM. */
int sensor_init(struct sensor *sensor, struct sensor_common *common, uint32_t index,
		const struct client_identity *identity, bool quiet);
void sensor_done(struct sensor *sensor);

/* A session is there (or none is needed): begin, or go on with the reading that was under way. */
void sensor_go(struct sensor *sensor);
/* One CoAP message for this sensor. */
void sensor_input(struct sensor *sensor, const uint8_t *data, size_t size);
/* The deadline has passed. */
void sensor_expired(struct sensor *sensor);
/* The session is gone: what was under way begins anew with the next one. */
void sensor_lost(struct sensor *sensor);

/* Whether a reading was sent and is not decided. */
static inline bool sensor_busy(const struct sensor *sensor)
{
	return sensor->state == SENSOR_SENT || sensor->state == SENSOR_ACKED;
}

#endif
