/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mqtt/codec.h"
#include "mqtt/echo.h"
#include "mqtt/incoming.h"
#include "mqtt/receive.h"

/*
 * Random lives of messages of QoS 1 and 2 between a broker, which is a model, and incoming.c with what is behind it: verdicts in any
 * order, connections that end with packets on their way, processes that are killed, brokers that forget. What is acknowledged was
 * taken, or refused for good; everything is settled in the end; and of QoS 2 nothing is taken twice, unless the process was
 * killed or the broker has forgotten.
 */

enum { MESSAGES = 60, WINDOW = 8, PENDING = 256, WIRE = 1024, STEPS = 4000, LIVES = 400 };

enum stage { UNSENT, SENT, RECEIVED, DONE };

struct message {
	uint16_t mid;
	uint8_t qos;
	enum stage stage;
	unsigned taken;
	bool refused;
	bool may_repeat;
};

struct wire_packet {
	uint8_t type;
	uint8_t reason;
	bool repeated;
	uint16_t mid;
	unsigned message;
};

struct wire {
	struct wire_packet packets[WIRE];
	size_t first, used;
};

static struct message messages[MESSAGES];
static struct wire to_broker, to_adapter;
static struct {
	uint64_t token;
	unsigned message;
} pending[PENDING];
static unsigned n_pending, sent, random_state;
static struct incoming incoming;
static bool connected, version5, failed;
static int64_t time_us, due_us;
static uint16_t last_mid;

static unsigned below(unsigned limit)
{
	random_state = random_state * 1103515245u + 12345u;
	return (random_state >> 16) % limit;
}

static void push(struct wire *wire, struct wire_packet packet)
{
	ck_assert_uint_lt(wire->used, WIRE);
	wire->packets[(wire->first + wire->used++) % WIRE] = packet;
}

static struct wire_packet pull(struct wire *wire)
{
	struct wire_packet packet = wire->packets[wire->first];

	ck_assert_uint_gt(wire->used, 0);
	wire->first = (wire->first + 1) % WIRE;
	wire->used--;
	return packet;
}

/* What incoming.c calls of the connection and of the host. */

bool receive_is_up(const struct receive *receive)
{
	(void)receive;
	return true;
}

bool receive_acknowledge(struct receive *receive, uint16_t mid, uint8_t qos, uint8_t reason)
{
	(void)receive;
	push(&to_broker, (struct wire_packet){.type = qos == 2 ? CODEC_PUBREC : CODEC_PUBACK,
					      .mid = mid,
					      .reason = version5 ? reason : CODEC_SUCCESS});
	return qos == 2 && (!version5 || reason < CODEC_UNSPECIFIED);
}

void receive_complete(struct receive *receive, uint16_t mid, uint8_t reason)
{
	(void)receive;
	push(&to_broker, (struct wire_packet){.type = CODEC_PUBCOMP, .mid = mid, .reason = reason});
}

void receive_resume(struct receive *receive)
{
	(void)receive;
}

void receive_fail(struct receive *receive, const char *cause)
{
	(void)receive;
	(void)cause;
	failed = true;
}

static int64_t now_us(const struct tg_host *host)
{
	(void)host;
	return time_us;
}

static int submit(const struct tg_host *host, const struct tg_submission *submission)
{
	char text[16] = "";

	(void)host;
	if (n_pending == PENDING || below(20) == 0)
		return -ENOBUFS;
	memcpy(text, submission->payload.data, submission->payload.size);
	pending[n_pending].token = submission->token;
	pending[n_pending++].message = (unsigned)strtoul(text, NULL, 10);
	return 0;
}

static void count(const struct tg_host *host, unsigned counter, int64_t add)
{
	(void)host;
	(void)counter;
	(void)add;
}

static tg_call_fn *timer_fn;

static int timer_new(const struct tg_host *host, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer)
{
	(void)host;
	(void)arg;
	timer_fn = fn;
	*ret_timer = NULL;
	return 0;
}

static void timer_set(struct tg_timer *timer, int64_t at_us)
{
	(void)timer;
	due_us = at_us;
}

static void timer_free(struct tg_timer *timer)
{
	(void)timer;
}

static const struct tg_host host = {.now_us = now_us,
				    .submit = submit,
				    .count = count,
				    .gauge = count,
				    .timer_new = timer_new,
				    .timer_set = timer_set,
				    .timer_free = timer_free};

/* The broker. */

static unsigned under_way(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < sent; i++)
		n += messages[i].stage == SENT || messages[i].stage == RECEIVED;
	return n;
}

static bool is_mid_used(uint16_t mid)
{
	for (unsigned i = 0; i < sent; i++)
		if (messages[i].mid == mid && (messages[i].stage == SENT || messages[i].stage == RECEIVED))
			return true;
	return false;
}

/* Few packet ids, so that they come again soon. */
static uint16_t next_mid(void)
{
	do
		last_mid = (uint16_t)(last_mid % (2 * WINDOW) + 1);
	while (is_mid_used(last_mid));
	return last_mid;
}

static void send_publish(unsigned n, bool repeated)
{
	messages[n].stage = SENT;
	push(&to_adapter,
	     (struct wire_packet){.type = CODEC_PUBLISH, .mid = messages[n].mid, .message = n, .repeated = repeated});
}

static void broker_sends(void)
{
	if (sent == MESSAGES || under_way() >= WINDOW)
		return;
	messages[sent].mid = next_mid();
	messages[sent].qos = below(4) == 0 ? 1 : 2;
	send_publish(sent++, false);
}

static struct message *message_of(uint16_t mid)
{
	for (unsigned i = 0; i < sent; i++)
		if (messages[i].mid == mid && (messages[i].stage == SENT || messages[i].stage == RECEIVED))
			return &messages[i];
	return NULL;
}

static void broker_reads(void)
{
	struct wire_packet packet = pull(&to_broker);
	struct message *message = message_of(packet.mid);

	ck_assert_ptr_nonnull(message);
	if (packet.type == CODEC_PUBCOMP) {
		ck_assert_int_eq(message->stage, RECEIVED);
		message->stage = DONE;
		return;
	}
	ck_assert_uint_eq(packet.type, message->qos == 2 ? CODEC_PUBREC : CODEC_PUBACK);
	/* In MQTT 3.1.1 what was refused is acknowledged like what was taken. */
	ck_assert_msg(packet.reason >= CODEC_UNSPECIFIED ? message->refused
							 : message->taken > 0 || (!version5 && message->refused),
		      "message %u was acknowledged and not taken", (unsigned)(message - messages));
	if (message->qos == 2 && (!version5 || packet.reason < CODEC_UNSPECIFIED)) {
		message->stage = RECEIVED;
		push(&to_adapter, (struct wire_packet){.type = CODEC_PUBREL, .mid = packet.mid});
	} else {
		message->stage = DONE;
	}
}

/* The adapter. */

static void adapter_reads(void)
{
	struct wire_packet packet = pull(&to_adapter);
	char text[16];

	if (packet.type == CODEC_PUBREL) {
		incoming_released(&incoming, packet.mid);
		return;
	}
	snprintf(text, sizeof(text), "%u", packet.message);
	incoming_arrived(&incoming,
			 &(struct codec_publish){.qos = messages[packet.message].qos,
						 .repeated = packet.repeated,
						 .mid = packet.mid,
						 .topic = {"a", 1},
						 .payload = {text, strlen(text)}},
			 false);
}

static void verdict(void)
{
	unsigned place = below(n_pending), what = below(10);
	struct message *message = &messages[pending[place].message];
	struct tg_answer answer = {.size = sizeof(answer),
				   .verdict = what < 7   ? TG_ACCEPTED
					      : what < 9 ? TG_FULL
							 : TG_NOT_ALLOWED};
	uint64_t token = pending[place].token;

	pending[place] = pending[--n_pending];
	message->taken += answer.verdict == TG_ACCEPTED;
	message->refused |= answer.verdict == TG_NOT_ALLOWED;
	if (message->qos == 2 && !message->may_repeat)
		ck_assert_msg(message->taken <= 1, "message %u was taken twice", (unsigned)(message - messages));
	incoming_verdict(&incoming, token, &answer);
}

static void connect_again(bool resumed)
{
	to_broker.used = to_adapter.used = 0;
	if (connected)
		incoming_end(&incoming);
	ck_assert_int_eq(incoming_begin(&incoming, (struct receive *)&incoming, WINDOW, resumed), 0);
	connected = true;
	for (unsigned i = 0; i < sent; i++) {
		if (messages[i].stage == SENT)
			send_publish(i, true);
		else if (messages[i].stage == RECEIVED)
			push(&to_adapter, (struct wire_packet){.type = CODEC_PUBREL, .mid = messages[i].mid});
	}
}

static void may_repeat(void)
{
	for (unsigned i = 0; i < sent; i++)
		messages[i].may_repeat |= messages[i].stage != DONE;
}

static void killed(void)
{
	incoming_done(&incoming);
	ck_assert_int_eq(incoming_init(&incoming, &host), 0);
	connected = false;
	n_pending = 0;
	may_repeat();
	connect_again(true);
}

/* It has an old snapshot of its memory: what was done is not, and packet ids are given anew. */
static void forgets(void)
{
	may_repeat();
	for (unsigned i = 0; i < sent; i++)
		if (messages[i].stage != DONE)
			messages[i].stage = UNSENT;
	connect_again(below(2) == 0);
	for (unsigned i = 0; i < sent; i++) {
		if (messages[i].stage != UNSENT)
			continue;
		messages[i].mid = next_mid();
		send_publish(i, false);
	}
}

static void step(bool calm)
{
	unsigned what = below(calm ? 90 : 100);

	if (what < 20)
		broker_sends();
	else if (what < 45 && to_adapter.used > 0 &&
		 (to_adapter.packets[to_adapter.first].type != CODEC_PUBLISH || incoming_has_room(&incoming)))
		adapter_reads();
	else if (what < 65 && to_broker.used > 0)
		broker_reads();
	else if (what < 85 && n_pending > 0)
		verdict();
	else if (what < 90)
		time_us += (int64_t)below(100000000);
	else if (what < 96)
		connect_again(true);
	else if (what == 96)
		killed();
	else if (what == 97)
		forgets();
	if (due_us != 0 && time_us >= due_us) {
		due_us = 0;
		timer_fn(&incoming);
	}
}

static bool is_done(void)
{
	for (unsigned i = 0; i < MESSAGES; i++)
		if (messages[i].stage != DONE)
			return false;
	return true;
}

static void live(unsigned seed)
{
	unsigned i;

	memset(messages, 0, sizeof(messages));
	to_broker.used = to_adapter.used = 0;
	n_pending = sent = 0;
	random_state = seed;
	version5 = seed % 2;
	due_us = 0;
	connected = false;
	ck_assert_int_eq(incoming_init(&incoming, &host), 0);
	connect_again(false);
	for (i = 0; i < STEPS / 4; i++)
		step(false);
	for (i = 0; !is_done() && i < 20 * STEPS; i++)
		step(true);
	ck_assert_msg(is_done(), "seed %u: not everything was settled", seed);
	for (i = 0; i < MESSAGES; i++)
		ck_assert_msg(messages[i].taken > 0 || messages[i].refused, "seed %u: %u was lost", seed, i);
	incoming_done(&incoming);
	ck_assert(!failed);
}

START_TEST(random_lives)
{
	for (unsigned seed = 1; seed <= LIVES; seed++)
		live(seed * 7919);
}
END_TEST

START_TEST(the_oldest_are_forgotten_when_there_are_too_many)
{
	struct exact exact = {0};

	for (unsigned mid = 1; mid <= EXACT_MAX + 10; mid++)
		ck_assert_int_eq(exact_add(&exact, (uint16_t)mid, mid), 0);
	ck_assert_uint_eq(exact.used, EXACT_MAX);
	ck_assert(!exact_knows(&exact, 10, 10) && exact_knows(&exact, 11, 11) &&
		  exact_knows(&exact, EXACT_MAX + 10, EXACT_MAX + 10));
	ck_assert(!exact_knows(&exact, 11, 12));
	ck_assert(exact_release(&exact, 500) && !exact_release(&exact, 500));
	for (unsigned mid = 11; mid <= EXACT_MAX + 10; mid++)
		ck_assert_int_eq(exact_release(&exact, (uint16_t)mid), mid != 500);
	ck_assert_uint_eq(exact.used, 0);
	ck_assert_int_eq(exact_add(&exact, 1, 1), 0);
	ck_assert_int_eq(exact_add(&exact, 1, 2), 0);
	ck_assert_uint_eq(exact.used, 1);
	exact_forget(&exact);
	ck_assert(!exact_knows(&exact, 1, 2));
	exact_done(&exact);
}
END_TEST

START_TEST(what_was_published_comes_back_once)
{
	static struct echo echo;

	echo_note(&echo, 7, 0);
	echo_note(&echo, 7, 0);
	echo_note(&echo, 8, 1);
	ck_assert(echo_take(&echo, 7, 1) && echo_take(&echo, 8, 1) && echo_take(&echo, 7, 1));
	ck_assert(!echo_take(&echo, 7, 1) && !echo_take(&echo, 8, 1) && !echo_take(&echo, 0, 1));
	echo_note(&echo, 9, 0);
	ck_assert(!echo_take(&echo, 9, ECHO_LIFE_US));
	for (uint64_t digest = 1; digest <= ECHO_MAX + 1; digest++)
		echo_note(&echo, digest, ECHO_LIFE_US);
	ck_assert(!echo_take(&echo, 1, ECHO_LIFE_US) && echo_take(&echo, 2, ECHO_LIFE_US));
	ck_assert(echo_take(&echo, ECHO_MAX + 1, ECHO_LIFE_US));
}
END_TEST

SUITE_MAIN("mqtt_exact", random_lives, what_was_published_comes_back_once,
	   the_oldest_are_forgotten_when_there_are_too_many)
