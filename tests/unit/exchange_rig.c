/* SPDX-License-Identifier: Apache-2.0 */
#include "exchange_rig.h"

#include <check.h>
#include <stdlib.h>
#include <string.h>

struct exchange_rig rig;
const struct exchange_answer rig_changed = {.code = MESSAGE_CHANGED};

static void on_send(void *arg, struct exchange_peer *to, struct tg_bytes datagram)
{
	struct rig_sent *one = &rig.sent[rig.n_sent++];

	ck_assert_ptr_eq(arg, &rig);
	ck_assert_ptr_nonnull(to);
	ck_assert_uint_lt(rig.n_sent, RIG_SENT_MAX);
	ck_assert_uint_le(datagram.size, sizeof(one->wire));
	one->at_us = rig.now_us;
	one->size = datagram.size;
	memcpy(one->wire, datagram.data, datagram.size);
	ck_assert_int_eq(message_parse((struct tg_bytes){one->wire, one->size}, &one->message), 0);
}

static void on_count(void *arg, enum exchange_count what)
{
	(void)arg;
	rig.counts[what]++;
}

static struct exchange_peer *peer_new(void)
{
	struct exchange_peer *made = calloc(1, sizeof(*made));

	ck_assert_ptr_nonnull(made);
	exchange_peer_init(rig.table, made);
	return made;
}

void rig_setup(void)
{
	static const struct exchange_events events = {.send = on_send, .count = on_count};
	static const struct exchange_limits limits = {
		.open = 100, .open_a_peer = 4, .recent = 1024, .recent_a_peer = 512, .ack_delay_us = 200 * MS};

	rig = (struct exchange_rig){.now_us = 1000 * (int64_t)S};
	ck_assert_int_eq(exchange_table_new(&limits, 42, &events, &rig, &rig.table), 0);
	rig.peer = peer_new();
	rig.other = peer_new();
}

void rig_teardown(void)
{
	exchange_peer_done(rig.table, rig.peer);
	exchange_peer_done(rig.table, rig.other);
	free(rig.peer);
	free(rig.other);
	exchange_table_free(rig.table);
}

enum exchange_input rig_receive_from(struct exchange_peer *from, enum message_type type, uint8_t code, uint16_t id,
				     uint8_t token)
{
	struct message_writer writer;

	message_writer_init(&writer, rig.wire, sizeof(rig.wire));
	message_write_header(&writer, type, code, id, (struct tg_bytes){&token, code != MESSAGE_EMPTY});
	if (code != MESSAGE_EMPTY)
		message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){"a", 1});
	ck_assert_int_eq(message_parse((struct tg_bytes){rig.wire, writer.size}, &rig.message), 0);
	rig.request = (struct exchange_request){
		.peer = from,
		.message = &rig.message,
		.hash = exchange_hash(rig.table, (struct tg_bytes){rig.wire, writer.size}),
	};
	return exchange_receive(rig.table, &rig.request, rig.now_us, &rig.before);
}

enum exchange_input rig_receive(enum message_type type, uint8_t code, uint16_t id, uint8_t token)
{
	return rig_receive_from(rig.peer, type, code, id, token);
}

uint64_t rig_open(uint64_t context)
{
	uint64_t token;

	ck_assert_int_eq(exchange_open(rig.table, &rig.request, context, rig.now_us, &token), 0);
	return token;
}

void rig_finish(uint64_t token)
{
	ck_assert_int_eq(exchange_finish(rig.table, token, &rig_changed, rig.now_us), 0);
}

void rig_late_answer(uint16_t id)
{
	ck_assert_int_eq(rig_receive(MESSAGE_CON, MESSAGE_POST, id, 0x55), EXCHANGE_NEW);
	uint64_t token = rig_open(0);
	rig_advance(S);
	rig_finish(token);
}

void rig_advance(int64_t us)
{
	int64_t end_us = rig.now_us + us;

	while (exchange_next_us(rig.table) <= end_us) {
		if (exchange_next_us(rig.table) > rig.now_us)
			rig.now_us = exchange_next_us(rig.table);
		exchange_run(rig.table, rig.now_us);
		ck_assert_int_gt(exchange_next_us(rig.table), rig.now_us);
	}
	rig.now_us = end_us;
}

void rig_assert_sent(size_t place, enum message_type type, uint8_t code, uint16_t id)
{
	ck_assert_uint_gt(rig.n_sent, place);
	ck_assert_int_eq(rig.sent[place].message.type, type);
	ck_assert_uint_eq(rig.sent[place].message.code, code);
	ck_assert_uint_eq(rig.sent[place].message.id, id);
}
