/* SPDX-License-Identifier: Apache-2.0 */
#include "observe_rig.h"

#include <check.h>
#include <string.h>

struct observe_rig rig;

static uint16_t on_next_id(void *arg, struct observe_peer *to)
{
	(void)arg;
	(void)to;
	return rig.next_id++;
}

static void on_send(void *arg, struct observe_peer *to, struct tg_bytes datagram)
{
	struct observe_sent *one = &rig.sent[rig.n_sent++];

	ck_assert_ptr_eq(arg, rig.owners);
	ck_assert_ptr_nonnull(to);
	ck_assert_uint_lt(rig.n_sent, RIG_SENT_MAX);
	ck_assert_uint_le(datagram.size, sizeof(one->wire));
	one->at_us = rig.now_us;
	one->size = datagram.size;
	memcpy(one->wire, datagram.data, datagram.size);
	ck_assert_int_eq(message_parse((struct tg_bytes){one->wire, one->size}, &one->message), 0);
}

static void on_ended(void *arg, void *owner)
{
	(void)arg;
	rig.ended = owner;
	rig.n_ended++;
}

static void on_count(void *arg, enum observe_count what)
{
	(void)arg;
	rig.counts[what]++;
}

void rig_setup(void)
{
	static const struct observe_events events = {
		.next_id = on_next_id, .send = on_send, .ended = on_ended, .count = on_count};
	static const struct observe_limits limits = {
		.observers = RIG_IN_ALL, .a_peer = RIG_A_PEER, .confirm_us = 60 * (int64_t)S};

	rig.now_us = 5000 * (int64_t)S;
	rig.next_id = 100;
	ck_assert_int_eq(observe_table_new(&limits, 42, &events, rig.owners, &rig.table), 0);
}

void rig_teardown(void)
{
	ck_assert_uint_eq(observe_observers(rig.table), 0);
	ck_assert_int_eq(observe_next_us(rig.table), INT64_MAX);
	observe_table_free(rig.table);
}

struct observer *rig_add(uint8_t token, int owner)
{
	struct observer *observer = NULL;

	ck_assert_int_eq(observe_add(rig.table, &rig.peer, (struct tg_bytes){&token, 1}, &rig.owners[owner], &observer),
			 0);
	return observer;
}

void rig_tell_aged(struct observer *observer, const char *text, uint32_t max_age_s)
{
	const struct resource_answer answer = {
		.code = MESSAGE_CONTENT,
		.observe = MESSAGE_ABSENT,
		.max_age = max_age_s,
		.block1 = MESSAGE_ABSENT,
		.block2 = MESSAGE_ABSENT,
		.size2 = MESSAGE_ABSENT,
		.content_format = 0,
		.payload = {text, strlen(text)},
	};
	observe_tell(rig.table, observer, &answer, false, rig.now_us);
}

void rig_tell(struct observer *observer, const char *text)
{
	rig_tell_aged(observer, text, 60);
}

void rig_tell_last(struct observer *observer, uint8_t code)
{
	const struct resource_answer answer = {
		.code = code,
		.observe = MESSAGE_ABSENT,
		.max_age = MESSAGE_ABSENT,
		.block1 = MESSAGE_ABSENT,
		.block2 = MESSAGE_ABSENT,
		.size2 = MESSAGE_ABSENT,
		.content_format = MESSAGE_ABSENT,
	};
	observe_tell(rig.table, observer, &answer, true, rig.now_us);
}

void rig_advance(int64_t us)
{
	int64_t end_us = rig.now_us + us;

	while (observe_next_us(rig.table) <= end_us) {
		if (observe_next_us(rig.table) > rig.now_us)
			rig.now_us = observe_next_us(rig.table);
		observe_run(rig.table, rig.now_us);
		ck_assert_int_gt(observe_next_us(rig.table), rig.now_us);
	}
	rig.now_us = end_us;
}

bool rig_settle(enum message_type type, uint16_t id)
{
	const struct coap_message message = {.type = type, .code = MESSAGE_EMPTY, .id = id};

	return observe_settle(rig.table, &rig.peer, &message, rig.now_us);
}

void rig_acknowledge(void)
{
	ck_assert_int_eq(rig.sent[rig.n_sent - 1].message.type, MESSAGE_CON);
	ck_assert(rig_settle(MESSAGE_ACK, rig.sent[rig.n_sent - 1].message.id));
}

void rig_assert_sent(size_t place, enum message_type type, const char *text)
{
	ck_assert_uint_gt(rig.n_sent, place);
	ck_assert_int_eq(rig.sent[place].message.type, type);
	ck_assert_uint_eq(rig.sent[place].message.payload.size, strlen(text));
	ck_assert_mem_eq(rig.sent[place].message.payload.data, text, strlen(text));
}

/* One with a round trip of 100 ms. */
struct observer *rig_known(void)
{
	struct observer *observer = rig_add(1, 0);

	rig_tell(observer, "a");
	rig_assert_sent(0, MESSAGE_CON, "a");
	rig_advance(100 * MS);
	rig_acknowledge();
	return observer;
}
