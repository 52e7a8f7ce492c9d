/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "mqtt/arrival.h"
#include "mqtt/codec.h"
#include "mqtt/gate.h"

static struct gate gate;

static struct tg_bytes text(const char *text)
{
	return (struct tg_bytes){.data = text, .size = strlen(text)};
}

static struct arrival *arrival_at(const char *topic)
{
	struct codec_publish publish = {.qos = 1, .topic = text(topic), .payload = text("x")};
	struct arrival *arrival;
	const char *refusal;

	ck_assert_int_eq(arrival_new(&publish, 0, &arrival, &refusal), 0);
	return arrival;
}

/* The packet id is the token, and the digest. */
static struct gate_entry *hand_in(uint16_t mid, const char *topic)
{
	struct gate_entry *entry = gate_add(&gate, mid, 1, mid, arrival_at(topic), 0);

	gate_handed_in(&gate, entry, mid);
	return entry;
}

static void expect_released(unsigned first, unsigned last)
{
	struct gate_entry entry;

	for (unsigned mid = first; mid <= last; mid++) {
		ck_assert(gate_release(&gate, &entry));
		ck_assert_uint_eq(entry.mid, mid);
		ck_assert_uint_eq(entry.reason, mid % 3);
		ck_assert_ptr_null(entry.arrival);
	}
	ck_assert(!gate_release(&gate, &entry));
}

/* Every order in which five verdicts can come, each at a different place of the ring. */
static void permute(unsigned *order, unsigned n)
{
	bool final[6] = {false};
	unsigned released = 0;

	if (n < 5) {
		for (unsigned i = n; i < 5; i++) {
			unsigned swap = order[n];

			order[n] = order[i];
			order[i] = swap;
			permute(order, n + 1);
			order[i] = order[n];
			order[n] = swap;
		}
		return;
	}
	for (uint16_t mid = 1; mid <= 5; mid++)
		hand_in(mid, "a");
	ck_assert_uint_eq(gate.waiting, 5);
	for (unsigned i = 0; i < 5; i++) {
		unsigned end = released;

		gate_final(&gate, gate_find(&gate, order[i]), (uint8_t)(order[i] % 3));
		final[order[i]] = true;
		while (end < 5 && final[end + 1])
			end++;
		expect_released(released + 1, end);
		released = end;
	}
	ck_assert_uint_eq(released, 5);
	ck_assert_uint_eq(gate.used + gate.waiting + gate.bytes, 0);
}

START_TEST(verdicts_in_every_order_are_released_in_one)
{
	unsigned order[] = {1, 2, 3, 4, 5};

	ck_assert_int_eq(gate_init(&gate, 7), 0);
	permute(order, 0);
	gate_done(&gate);
}
END_TEST

START_TEST(a_gate_is_bounded)
{
	ck_assert_int_eq(gate_init(&gate, 2), 0);
	hand_in(1, "a");
	ck_assert(gate_has_room(&gate));
	hand_in(2, "a");
	ck_assert(!gate_has_room(&gate));
	ck_assert(gate_holds(&gate, 1) && gate_holds(&gate, 2) && !gate_holds(&gate, 3));
	gate_final(&gate, gate_find(&gate, 1), 1);
	ck_assert(!gate_has_room(&gate));
	expect_released(1, 1);
	ck_assert(gate_has_room(&gate) && !gate_holds(&gate, 1));
	gate_done(&gate);
}
END_TEST

START_TEST(one_that_was_not_taken_holds_its_topic_back)
{
	struct gate_entry *entry;
	int64_t next_us = -1;

	ck_assert_int_eq(gate_init(&gate, 9), 0);
	hand_in(1, "a");
	gate_not_taken(&gate, gate_find(&gate, 1), 100);
	ck_assert_uint_eq(gate.waiting, 0);
	ck_assert_ptr_null(gate_find(&gate, 1));
	gate_add(&gate, 2, 1, 2, arrival_at("a"), 0);
	gate_add(&gate, 3, 1, 3, arrival_at("b"), 0);
	entry = gate_due(&gate, 50, &next_us);
	ck_assert_uint_eq(entry->mid, 3);
	gate_handed_in(&gate, entry, 3);
	ck_assert_ptr_null(gate_due(&gate, 50, &next_us));
	ck_assert_int_eq(next_us, 100);
	entry = gate_due(&gate, 100, &next_us);
	ck_assert_uint_eq(entry->mid, 1);
	gate_handed_in(&gate, entry, 11);
	/* It may be not taken again: still nothing overtakes it. */
	ck_assert_ptr_null(gate_due(&gate, 1000, &next_us));
	ck_assert_int_eq(next_us, 0);
	gate_not_taken(&gate, gate_find(&gate, 11), 2000);
	ck_assert_ptr_null(gate_due(&gate, 1000, &next_us));
	ck_assert_int_eq(next_us, 2000);
	entry = gate_due(&gate, 2000, &next_us);
	gate_handed_in(&gate, entry, 12);
	gate_final(&gate, gate_find(&gate, 12), 1);
	entry = gate_due(&gate, 2000, &next_us);
	ck_assert_uint_eq(entry->mid, 2);
	gate_done(&gate);
}
END_TEST

static bool comes_again(uint16_t mid, uint64_t digest)
{
	struct arrival *arrival = arrival_at("a");
	bool known = gate_add_known(&gate, mid, 1, digest, arrival);

	if (!known)
		arrival_free(arrival);
	return known;
}

START_TEST(what_a_lost_connection_left_open_is_known_again)
{
	ck_assert_int_eq(gate_init(&gate, 4), 0);
	for (uint16_t mid = 1; mid <= 4; mid++)
		hand_in(mid, "a");
	gate_final(&gate, gate_find(&gate, 1), 1);
	expect_released(1, 1);
	gate_final(&gate, gate_find(&gate, 3), 0);
	gate_not_taken(&gate, gate_find(&gate, 4), 10);
	gate_disconnect(&gate);
	ck_assert_uint_eq(gate.used + gate.waiting + gate.bytes, 0);
	/* The verdict of 2 comes in between. */
	ck_assert(gate_remember(&gate, 2, true, 2));
	ck_assert(!gate_remember(&gate, 2, true, 2));
	ck_assert(!gate_remember(&gate, 99, true, 0));
	ck_assert(!comes_again(1, 1)); /* was acknowledged: it may be a new one */
	ck_assert(comes_again(2, 2));
	ck_assert(!comes_again(3, 77)); /* another message under the same packet id */
	ck_assert(comes_again(3, 3));
	ck_assert(!comes_again(4, 4)); /* not taken: to be handed in */
	ck_assert(!comes_again(2, 2)); /* once */
	expect_released(2, 3);
	gate_done(&gate);
}
END_TEST

START_TEST(a_verdict_behind_the_reconnection_counts)
{
	ck_assert_int_eq(gate_init(&gate, 4), 0);
	hand_in(1, "a");
	gate_disconnect(&gate);
	ck_assert(comes_again(1, 1));
	ck_assert_uint_eq(gate.waiting, 1);
	gate_final(&gate, gate_find(&gate, 1), 1);
	expect_released(1, 1);
	/* One that was not taken is handed in when it comes again. */
	hand_in(2, "a");
	gate_disconnect(&gate);
	ck_assert(gate_remember(&gate, 2, false, 0));
	ck_assert(!comes_again(2, 2));
	/* The broker has given up a message, and its packet id to another one. */
	hand_in(4, "a");
	hand_in(5, "a");
	gate_disconnect(&gate);
	gate_reused(&gate, 4);
	ck_assert(!comes_again(4, 4));
	ck_assert(comes_again(5, 5));
	gate_final(&gate, gate_find(&gate, 5), 2);
	expect_released(5, 5);
	/* Another session knows nothing. */
	hand_in(3, "a");
	gate_disconnect(&gate);
	gate_forget(&gate);
	ck_assert(!comes_again(3, 3));
	gate_done(&gate);
}
END_TEST

START_TEST(a_new_size_keeps_the_memory)
{
	struct gate larger;

	ck_assert_int_eq(gate_init(&gate, 3), 0);
	for (uint16_t mid = 1; mid <= 3; mid++)
		hand_in(mid, "a");
	gate_disconnect(&gate);
	/* The memory is as large as the gate: the oldest goes. */
	hand_in(4, "a");
	gate_disconnect(&gate);
	ck_assert_int_eq(gate_init(&larger, 5), 0);
	gate_inherit(&larger, &gate);
	gate_done(&gate);
	gate = larger;
	ck_assert(!comes_again(1, 1));
	ck_assert(comes_again(2, 2) && comes_again(4, 4) && comes_again(3, 3));
	gate_done(&gate);
}
END_TEST

START_TEST(an_arrival_is_what_is_handed_in)
{
	struct codec_publish publish = {.qos = 1,
					.repeated = true,
					.topic = text("a%/b"),
					.payload = text("21.5"),
					.content_type = text("application/senml+json"),
					.method = text("iPatch"),
					.reply_to = text("r"),
					.correlation = {"\0\1", 2},
					.expires = true,
					.expiry_s = 10};
	struct arrival *arrival;
	const char *refusal;

	ck_assert_int_eq(arrival_new(&publish, 5000000, &arrival, &refusal), 0);
	ck_assert_uint_eq(arrival->submission.path.size, 6);
	ck_assert_mem_eq(arrival->submission.path.data, "a%25/b", 6);
	ck_assert_mem_eq(arrival->submission.payload.data, "21.5", 4);
	ck_assert_mem_eq(arrival->submission.correlation.data, "\0\1", 2);
	ck_assert_int_eq(arrival->submission.content_format, 110);
	ck_assert_uint_eq(arrival->submission.method, TG_METHOD_IPATCH);
	ck_assert(arrival->submission.repeated);
	ck_assert_int_eq(arrival_expiry_left(arrival, 5000000), 10);
	ck_assert_int_eq(arrival_expiry_left(arrival, 14000001), 1);
	ck_assert_int_eq(arrival_expiry_left(arrival, 15000000), -1);
	arrival_free(arrival);
	publish.expires = false;
	publish.method.data = NULL;
	publish.content_type = text("x/y");
	ck_assert_int_eq(arrival_new(&publish, 0, &arrival, &refusal), 0);
	ck_assert_int_eq(arrival_expiry_left(arrival, INT64_C(1) << 50), 0);
	ck_assert_int_eq(arrival->submission.content_format, TG_FORMAT_NONE);
	ck_assert_uint_eq(arrival->submission.method, TG_METHOD_NONE);
	arrival_free(arrival);
}
END_TEST

START_TEST(digests_tell_messages_apart)
{
	struct codec_publish a = {.topic = text("a"), .payload = text("bc")}, b = a;

	b.expiry_s = 7; /* counted down by the broker */
	b.repeated = true;
	ck_assert_uint_eq(arrival_digest(&a), arrival_digest(&b));
	b.topic = text("ab");
	b.payload = text("c");
	ck_assert_uint_ne(arrival_digest(&a), arrival_digest(&b));
	b = a;
	b.correlation = text("1");
	ck_assert_uint_ne(arrival_digest(&a), arrival_digest(&b));
}
END_TEST

SUITE_MAIN("mqtt_gate", verdicts_in_every_order_are_released_in_one, a_gate_is_bounded,
	   one_that_was_not_taken_holds_its_topic_back, what_a_lost_connection_left_open_is_known_again,
	   a_verdict_behind_the_reconnection_counts, a_new_size_keeps_the_memory, an_arrival_is_what_is_handed_in,
	   digests_tell_messages_apart)
