/* SPDX-License-Identifier: Apache-2.0 */
#include "incoming.h"

#include <errno.h>
#include <string.h>

#include "arrival.h"
#include "codec.h"
#include "counters.h"
#include "echo.h"
#include "receive.h"

enum { INCOMING_BYTES_MAX = 8 * 1024 * 1024, INCOMING_TOPIC_SHOWN = 200 };
/* The pause where the host itself has no room, and the longest one. */
#define INCOMING_BUSY_US  INT64_C(100000)
#define INCOMING_PAUSE_US INT64_C(60000000)

static void incoming_turn(void *arg);

int incoming_init(struct incoming *incoming, const struct tg_host *host)
{
	*incoming = (struct incoming){.host = host};
	return host->timer_new(host, incoming_turn, incoming, &incoming->later);
}

void incoming_done(struct incoming *incoming)
{
	if (!incoming->host)
		return;
	incoming->host->timer_free(incoming->later);
	gate_done(&incoming->gate);
	exact_done(&incoming->exact);
	*incoming = (struct incoming){0};
}

static void incoming_gauge(struct incoming *incoming)
{
	incoming->host->gauge(incoming->host, COUNT_WAITING, (int64_t)incoming->gate.used);
}

int incoming_begin(struct incoming *incoming, struct receive *receive, unsigned window, bool resumed)
{
	struct gate gate;

	if (incoming->gate.capacity != window) {
		int r = gate_init(&gate, window);

		if (r < 0)
			return r;
		gate_inherit(&gate, &incoming->gate);
		gate_done(&incoming->gate);
		incoming->gate = gate;
	}
	if (!resumed) {
		gate_forget(&incoming->gate);
		exact_forget(&incoming->exact);
	}
	incoming->receive = receive;
	incoming->settled = 0;
	return 0;
}

void incoming_end(struct incoming *incoming)
{
	incoming->receive = NULL;
	incoming->host->timer_set(incoming->later, 0);
	gate_disconnect(&incoming->gate);
	incoming_gauge(incoming);
}

bool incoming_has_room(const struct incoming *incoming)
{
	return !incoming->stopping && gate_has_room(&incoming->gate) && incoming->gate.bytes < INCOMING_BYTES_MAX;
}

/* Acknowledges, in the order of their arrival, what is final; then there may be room. Over a connection that ends nothing can be
 * acknowledged: it stays, and is remembered. */
static void incoming_release(struct incoming *incoming)
{
	const struct tg_host *host = incoming->host;
	struct gate_entry entry;

	while (receive_is_up(incoming->receive) && gate_release(&incoming->gate, &entry)) {
		incoming->settled++;
		if (entry.qos == 0)
			continue;
		host->count(host, COUNT_ACKNOWLEDGED, 1);
		/* Without memory a repetition would be taken for a new message, and not be lost. */
		if (receive_acknowledge(incoming->receive, entry.mid, entry.qos, entry.reason) &&
		    exact_add(&incoming->exact, entry.mid, entry.digest) < 0)
			exact_release(&incoming->exact, entry.mid);
	}
	incoming_gauge(incoming);
	if (incoming_has_room(incoming))
		receive_resume(incoming->receive);
}

static void incoming_refused(struct incoming *incoming, struct gate_entry *entry, uint8_t reason)
{
	incoming->host->count(incoming->host, COUNT_REFUSED, 1);
	gate_final(&incoming->gate, entry, reason);
}

/* Not taken now. What has no acknowledgement to hold back is let go. */
static void incoming_postpone(struct incoming *incoming, struct gate_entry *entry, int64_t pause_us)
{
	if (entry->qos == 0) {
		incoming_refused(incoming, entry, CODEC_QUOTA_EXCEEDED);
		return;
	}
	for (unsigned i = 0; i < entry->tries && pause_us < INCOMING_PAUSE_US; i++)
		pause_us *= 2;
	if (pause_us > INCOMING_PAUSE_US)
		pause_us = INCOMING_PAUSE_US;
	gate_not_taken(&incoming->gate, entry, incoming->host->now_us(incoming->host) + pause_us);
}

static void incoming_submit(struct incoming *incoming, struct gate_entry *entry)
{
	const struct tg_host *host = incoming->host;
	int64_t left_s = arrival_expiry_left(entry->arrival, host->now_us(host));
	struct tg_submission submission = entry->arrival->submission;
	int r;

	if (left_s < 0) {
		incoming_refused(incoming, entry, CODEC_IMPLEMENTATION);
		return;
	}
	submission.token = ++incoming->token;
	submission.expiry_s = (uint32_t)left_s;
	r = host->submit(host, &submission);
	if (r >= 0) {
		if (entry->tries == 0)
			host->count(host, COUNT_RECEIVED, 1);
		gate_handed_in(&incoming->gate, entry, submission.token);
	} else if (r == -EMSGSIZE || r == -EINVAL) {
		incoming_refused(incoming, entry, CODEC_IMPLEMENTATION);
	} else {
		incoming_postpone(incoming, entry, INCOMING_BUSY_US);
	}
}

/* Hands in what is due. */
static void incoming_turn(void *arg)
{
	struct incoming *incoming = arg;
	const struct tg_host *host = incoming->host;
	struct gate_entry *entry = NULL;
	int64_t next_us = 0;

	if (!incoming->receive)
		return;
	while (!incoming->stopping && (entry = gate_due(&incoming->gate, host->now_us(host), &next_us)) != NULL)
		incoming_submit(incoming, entry);
	host->timer_set(incoming->later, next_us);
	incoming_release(incoming);
}

/* One that can never be handed in: acknowledged in its turn, so that the broker does not give it again. */
static void incoming_reject(struct incoming *incoming, const struct codec_publish *publish, const char *cause)
{
	const struct tg_host *host = incoming->host;

	host->log(host, TG_LOG_WARNING, NULL, "a message at \"%.*s\" was refused (%s)",
		  publish->topic.size < INCOMING_TOPIC_SHOWN ? (int)publish->topic.size : INCOMING_TOPIC_SHOWN,
		  (const char *)publish->topic.data, cause);
	host->count(host, COUNT_REFUSED, 1);
	gate_add(&incoming->gate, publish->mid, publish->qos, arrival_digest(publish), NULL, CODEC_IMPLEMENTATION);
}

static bool incoming_is_own(const struct incoming *incoming, const struct codec_publish *publish)
{
	const char *via = incoming->via;

	if (incoming->echo &&
	    echo_take(incoming->echo, arrival_digest(publish), incoming->host->now_us(incoming->host)))
		return true;
	return via && publish->via.size == strlen(via) && memcmp(publish->via.data, via, publish->via.size) == 0;
}

static void incoming_add(struct incoming *incoming, const struct codec_publish *publish)
{
	const struct tg_host *host = incoming->host;
	struct arrival *arrival = NULL;
	const char *refusal = NULL;
	uint64_t digest = arrival_digest(publish);
	int r = arrival_new(publish, host->now_us(host), &arrival, &refusal);

	if (r == -ENOMEM) /* it is given again over the next connection */
		receive_fail(incoming->receive, strerror(ENOMEM));
	else if (r < 0)
		incoming_reject(incoming, publish, refusal);
	else if (publish->repeated && publish->qos > 0 &&
		 gate_add_known(&incoming->gate, publish->mid, publish->qos, digest, arrival))
		host->count(host, COUNT_RECEIVED_AGAIN, 1);
	else
		gate_add(&incoming->gate, publish->mid, publish->qos, digest, arrival, 0);
}

/* What is acknowledged already, but not released, is acknowledged again. */
static bool incoming_is_exact(struct incoming *incoming, const struct codec_publish *publish)
{
	if (publish->qos != 2 || incoming->exact.used == 0)
		return false;
	if (!publish->repeated || !exact_knows(&incoming->exact, publish->mid, arrival_digest(publish))) {
		exact_release(&incoming->exact, publish->mid);
		return false;
	}
	incoming->host->count(incoming->host, COUNT_RECEIVED_AGAIN, 1);
	receive_acknowledge(incoming->receive, publish->mid, publish->qos, CODEC_SUCCESS);
	return true;
}

void incoming_released(struct incoming *incoming, uint16_t mid)
{
	bool known = exact_release(&incoming->exact, mid);

	receive_complete(incoming->receive, mid, known ? CODEC_SUCCESS : CODEC_UNKNOWN_ID);
}

void incoming_arrived(struct incoming *incoming, const struct codec_publish *publish, bool too_large)
{
	const struct tg_host *host = incoming->host;

	/* An impatient broker's repetition, on the same connection. */
	if (publish->qos > 0 && publish->repeated && gate_holds(&incoming->gate, publish->mid))
		return;
	if (incoming_is_exact(incoming, publish))
		return;
	if (publish->qos > 0 && !publish->repeated)
		gate_reused(&incoming->gate, publish->mid);
	if (too_large) {
		incoming_reject(incoming, publish, "payload is too large");
	} else if (publish->retained || incoming_is_own(incoming, publish)) {
		host->count(host, COUNT_IGNORED, 1);
		gate_add(&incoming->gate, publish->mid, publish->qos, arrival_digest(publish), NULL, CODEC_SUCCESS);
	} else {
		incoming_add(incoming, publish);
	}
	incoming_turn(incoming);
}

static uint8_t incoming_reason(uint32_t verdict)
{
	switch (verdict) {
	case TG_ACCEPTED:
		return CODEC_SUCCESS;
	case TG_NO_ROUTE:
		return CODEC_TOPIC_INVALID;
	case TG_NOT_ALLOWED:
	case TG_UNKNOWN_DEVICE:
		return CODEC_NOT_AUTHORIZED;
	case TG_TOO_FAST:
		return CODEC_QUOTA_EXCEEDED;
	case TG_WRONG_FORMAT:
	case TG_MALFORMED:
		return CODEC_FORMAT_INVALID;
	default:
		return CODEC_IMPLEMENTATION;
	}
}

void incoming_verdict(struct incoming *incoming, uint64_t token, const struct tg_answer *answer)
{
	struct gate_entry *entry = gate_find(&incoming->gate, token);
	bool later = answer->verdict == TG_FULL || answer->verdict == TG_UNAVAILABLE;
	uint8_t reason = incoming_reason(answer->verdict);

	if (!entry) { /* its connection is gone */
		if (gate_remember(&incoming->gate, token, !later, reason) && !later && reason != CODEC_SUCCESS)
			incoming->host->count(incoming->host, COUNT_REFUSED, 1);
		return;
	}
	if (later) {
		/* A core that went away may have taken it. */
		entry->arrival->submission.repeated |= answer->verdict == TG_UNAVAILABLE;
		incoming_postpone(incoming, entry, (answer->max_age_s > 0 ? answer->max_age_s : 1) * INT64_C(1000000));
	} else if (reason != CODEC_SUCCESS) {
		incoming_refused(incoming, entry, reason);
	} else {
		gate_final(&incoming->gate, entry, reason);
	}
	incoming_turn(incoming);
}

void incoming_stop(struct incoming *incoming)
{
	incoming->stopping = true;
}

bool incoming_is_quiet(const struct incoming *incoming)
{
	return incoming->gate.waiting == 0;
}
