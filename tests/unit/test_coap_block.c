/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "coap/block.h"

enum { S = 1000000, SZX_16 = 0, SZX_64 = 2, SZX_1024 = 6, LIMIT = 4096 };

static struct block_table *table;
static struct block_peer peer, other;
static struct tg_bytes body;
static int64_t now_us;
static uint8_t data[8192];

static void setup(void)
{
	static const struct block_limits limits = {.body_bytes = LIMIT, .all_bytes = 3 * LIMIT};

	ck_assert_int_eq(block_table_new(&limits, 7, &table), 0);
	now_us = 500 * (int64_t)S;
	for (size_t i = 0; i < sizeof(data); i++)
		data[i] = (uint8_t)(i * 7 + i / 256);
}

static void teardown(void)
{
	block_table_free(table);
}

struct piece {
	struct block_peer *from;
	const char *path;
	uint32_t block1;
	int64_t size1; /* -1: none */
	size_t size;
	const uint8_t *payload; /* NULL: what belongs there */
};

static uint8_t receive(const struct piece *piece)
{
	static uint8_t wire[2048];
	struct coap_message message;
	struct message_writer writer;
	const uint8_t *payload = piece->payload;
	const char *path = piece->path ? piece->path : "a";

	if (!payload)
		payload = data + (piece->block1 == MESSAGE_ABSENT
					  ? 0
					  : (piece->block1 >> 4) * (size_t)16 << (piece->block1 & 7));
	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_POST, 1, (struct tg_bytes){0});
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){path, strlen(path)});
	if (piece->block1 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK1, piece->block1);
	if (piece->size1 >= 0)
		message_write_option_uint(&writer, MESSAGE_SIZE1, (uint32_t)piece->size1);
	message_write_payload(&writer, (struct tg_bytes){payload, piece->size});
	ck_assert(!writer.failed);
	ck_assert_int_eq(message_parse((struct tg_bytes){wire, writer.size}, &message), 0);
	return block_receive(table, piece->from ? piece->from : &peer, &message, now_us, &body);
}

static uint8_t send_piece(uint32_t number, bool more, uint32_t szx, size_t size)
{
	return receive(&(struct piece){.block1 = block_value(number, more, szx), .size1 = -1, .size = size});
}

static void assert_whole(size_t size)
{
	ck_assert_uint_eq(body.size, size);
	ck_assert_mem_eq(body.data, data, size);
	block_return(table, &peer);
	ck_assert_uint_eq(block_bytes(table), 0);
}

START_TEST(without_the_option_the_payload_is_the_body)
{
	ck_assert_uint_eq(receive(&(struct piece){.block1 = MESSAGE_ABSENT, .size1 = -1, .size = 100}), 0);
	assert_whole(100);
	ck_assert_uint_eq(receive(&(struct piece){.block1 = MESSAGE_ABSENT, .size1 = -1, .size = 0}), 0);
	ck_assert_uint_eq(body.size, 0);
}
END_TEST

START_TEST(a_single_block_is_the_body)
{
	ck_assert_uint_eq(send_piece(0, false, SZX_64, 64), 0);
	ck_assert_uint_eq(body.size, 64);
	ck_assert_uint_eq(send_piece(0, false, SZX_64, 3), 0);
	ck_assert_uint_eq(body.size, 3);
	ck_assert_ptr_null(peer.bodies);
}
END_TEST

START_TEST(pieces_become_a_body)
{
	ck_assert_uint_eq(send_piece(0, true, SZX_1024, 1024), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(1, true, SZX_1024, 1024), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(2, false, SZX_1024, 952), 0);
	assert_whole(3000);
}
END_TEST

START_TEST(a_body_may_fill_the_limit)
{
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(send_piece(i, true, SZX_1024, 1024), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(3, false, SZX_1024, 1024), 0);
	assert_whole(LIMIT);
}
END_TEST

/* RFC 7959 section 2.3: the size may become smaller, and the numbers with it larger. */
START_TEST(the_size_may_change_on_the_way)
{
	ck_assert_uint_eq(send_piece(0, true, SZX_64, 64), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(4, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(5, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(6, false, SZX_16, 1), 0);
	assert_whole(97);
}
END_TEST

START_TEST(a_last_piece_may_be_empty)
{
	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(1, false, SZX_16, 0), 0);
	assert_whole(16);
}
END_TEST

START_TEST(sizes_that_do_not_fit_are_bad)
{
	ck_assert_uint_eq(send_piece(0, true, 7, 16), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(send_piece(0, false, 7, 0), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(send_piece(0, true, SZX_64, 63), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(send_piece(0, true, SZX_64, 65), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(send_piece(0, true, SZX_64, 0), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(send_piece(0, false, SZX_64, 65), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(block_bytes(table), 0);
}
END_TEST

START_TEST(gaps_and_strays_are_incomplete)
{
	ck_assert_uint_eq(send_piece(1, true, SZX_16, 16), MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_piece(1, false, SZX_16, 4), MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(2, true, SZX_16, 16), MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_piece(2, false, SZX_16, 1), MESSAGE_INCOMPLETE);
	/* what was there is still there */
	ck_assert_uint_eq(send_piece(1, false, SZX_16, 5), 0);
	assert_whole(21);
}
END_TEST

static uint8_t send_to(const char *path, uint32_t number, bool more, size_t size)
{
	return receive(
		&(struct piece){.path = path, .block1 = block_value(number, more, SZX_16), .size1 = -1, .size = size});
}

START_TEST(bodies_of_several_requests_come_by_turns)
{
	ck_assert_uint_eq(send_to("a", 0, true, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_to("b", 1, false, 16), MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_to("b", 0, true, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_to("a", 1, true, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_to("b", 1, false, 9), 0);
	ck_assert_uint_eq(body.size, 25);
	ck_assert_mem_eq(body.data, data, 25);
	block_return(table, &peer);
	ck_assert_uint_gt(block_bytes(table), 0);
	ck_assert_uint_eq(send_to("a", 2, false, 1), 0);
	assert_whole(33);
}
END_TEST

START_TEST(bodies_of_a_peer_are_few)
{
	static const char *const paths[] = {"a", "b", "c", "d", "e"};

	for (size_t i = 0; i < 5; i++) {
		ck_assert_uint_eq(send_to(paths[i], 0, true, 16), MESSAGE_CONTINUE);
		now_us += S;
		if (i == 3) /* now "b" has waited for longest */
			ck_assert_uint_eq(send_to("a", 1, true, 16), MESSAGE_CONTINUE);
		now_us += S;
	}
	ck_assert_uint_eq(peer.count, BLOCK_BODIES_A_PEER);
	ck_assert_uint_eq(send_to("b", 1, true, 16), MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_to("a", 2, true, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_to("e", 1, false, 0), 0);
	block_return(table, &peer);
	block_return(table, &peer); /* nothing is lent any more */
	ck_assert_uint_eq(peer.count, BLOCK_BODIES_A_PEER - 1);
}
END_TEST

START_TEST(peers_do_not_mix)
{
	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(receive(&(struct piece){
				  .from = &other, .block1 = block_value(1, false, SZX_16), .size1 = -1, .size = 1}),
			  MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_piece(1, false, SZX_16, 1), 0);
	assert_whole(17);
}
END_TEST

START_TEST(a_first_piece_begins_anew)
{
	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(1, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(0, true, SZX_64, 64), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(1, false, SZX_64, 1), 0);
	assert_whole(65);
}
END_TEST

START_TEST(a_piece_sent_anew_is_taken_once)
{
	static const uint8_t different[16] = {0};

	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(1, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(1, true, SZX_16, 16), MESSAGE_CONTINUE);
	ck_assert_uint_eq(
		receive(&(struct piece){
			.block1 = block_value(1, true, SZX_16), .size1 = -1, .size = 16, .payload = different}),
		MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(send_piece(2, false, SZX_16, 2), 0);
	assert_whole(34);
}
END_TEST

START_TEST(what_is_announced_too_large_is_refused_at_once)
{
	ck_assert_uint_eq(
		receive(&(struct piece){.block1 = block_value(0, true, SZX_16), .size1 = LIMIT + 1, .size = 16}),
		MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(
		receive(&(struct piece){.block1 = block_value(0, true, SZX_16), .size1 = UINT32_MAX, .size = 16}),
		MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(block_bytes(table), 0);
	ck_assert_uint_eq(receive(&(struct piece){.block1 = block_value(0, true, SZX_16), .size1 = LIMIT, .size = 16}),
			  MESSAGE_CONTINUE);
	ck_assert_uint_le(block_bytes(table), 1024); /* by what came, not by what was said */
}
END_TEST

START_TEST(what_grows_too_large_is_refused)
{
	for (uint32_t i = 0; i < 3; i++)
		ck_assert_uint_eq(send_piece(i, true, SZX_1024, 1024), MESSAGE_CONTINUE);
	ck_assert_uint_eq(send_piece(3, true, SZX_1024, 1024), MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(block_bytes(table), 0);
	ck_assert_uint_eq(send_piece(3, false, SZX_1024, 1024), MESSAGE_INCOMPLETE);
	ck_assert_uint_eq(
		receive(&(struct piece){
			.block1 = block_value(0xfffff, true, SZX_1024), .size1 = -1, .size = 1024, .payload = data}),
		MESSAGE_TOO_LARGE);
}
END_TEST

START_TEST(all_bodies_together_are_bounded)
{
	struct block_peer many[20] = {0};
	size_t taken = 0;

	for (size_t i = 0; i < 20; i++) {
		uint8_t code = receive(&(struct piece){
			.from = &many[i], .block1 = block_value(0, true, SZX_16), .size1 = -1, .size = 16});
		ck_assert(code == MESSAGE_CONTINUE || code == MESSAGE_UNAVAILABLE);
		taken += code == MESSAGE_CONTINUE;
		ck_assert_uint_le(block_bytes(table), 3 * LIMIT);
	}
	ck_assert_uint_eq(taken, 12);
	block_peer_done(table, &many[0]);
	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	for (size_t i = 0; i < 20; i++)
		block_peer_done(table, &many[i]);
}
END_TEST

START_TEST(half_a_body_is_kept_for_its_lifetime)
{
	ck_assert_int_eq(block_next_us(table), INT64_MAX);
	ck_assert_uint_eq(send_piece(0, true, SZX_16, 16), MESSAGE_CONTINUE);
	now_us += 200 * (int64_t)S;
	block_run(table, now_us);
	ck_assert_uint_eq(send_piece(1, true, SZX_16, 16), MESSAGE_CONTINUE);
	now_us += 246 * (int64_t)S;
	block_run(table, now_us);
	ck_assert_ptr_nonnull(peer.bodies);
	ck_assert_int_eq(block_next_us(table), now_us + S);
	now_us += S;
	ck_assert_uint_eq(send_piece(2, true, SZX_16, 16), MESSAGE_INCOMPLETE);
	block_run(table, now_us);
	ck_assert_ptr_null(peer.bodies);
	ck_assert_uint_eq(block_bytes(table), 0);
}
END_TEST

START_TEST(our_answer_is_cut)
{
	struct tg_bytes whole = {data, 100}, part;
	uint32_t block2;

	ck_assert_uint_eq(block_slice(whole, MESSAGE_ABSENT, &part, &block2), 0);
	ck_assert_uint_eq(part.size, 100);
	ck_assert_uint_eq(block2, MESSAGE_ABSENT);
	ck_assert_uint_eq(block_slice(whole, block_value(0, false, SZX_1024), &part, &block2), 0);
	ck_assert_uint_eq(part.size, 100);
	ck_assert_uint_eq(block2, block_value(0, false, SZX_1024));
	ck_assert_uint_eq(block_slice(whole, block_value(0, false, SZX_64), &part, &block2), 0);
	ck_assert_uint_eq(part.size, 64);
	ck_assert_uint_eq(block2, block_value(0, true, SZX_64));
	ck_assert_uint_eq(block_slice(whole, block_value(1, true, SZX_64), &part, &block2), 0);
	ck_assert_uint_eq(part.size, 36);
	ck_assert_ptr_eq(part.data, data + 64);
	ck_assert_uint_eq(block2, block_value(1, false, SZX_64));
	ck_assert_uint_eq(block_slice(whole, block_value(2, false, SZX_64), &part, &block2), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(block_slice(whole, 7, &part, &block2), MESSAGE_BAD_REQUEST);
	whole.size = 2000;
	ck_assert_uint_eq(block_slice(whole, MESSAGE_ABSENT, &part, &block2), 0);
	ck_assert_uint_eq(part.size, 1024);
	ck_assert_uint_eq(block2, block_value(0, true, SZX_1024));
}
END_TEST

START_TEST(larger_pieces_are_not_given)
{
	const uint32_t szx = 2;

	ck_assert_uint_eq(block_at_most(MESSAGE_ABSENT, szx), block_value(0, false, szx));
	ck_assert_uint_eq(block_at_most(block_value(5, false, 1), szx), block_value(5, false, 1));
	ck_assert_uint_eq(block_at_most(block_value(5, true, szx), szx), block_value(5, true, szx));
	ck_assert_uint_eq(block_at_most(block_value(0, false, 6), szx), block_value(0, false, szx));
	ck_assert_uint_eq(block_at_most(block_value(3, false, 4), szx),
			  block_value(12, false, szx)); /* from byte 768 */
	ck_assert_uint_eq(block_at_most(0xffffff, szx), 0xffffff);
	ck_assert_uint_eq(block_at_most(0xfffffe, szx), block_value(0xfffff0, false, szx));
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_block");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, without_the_option_the_payload_is_the_body);
	tcase_add_test(tcase, a_single_block_is_the_body);
	tcase_add_test(tcase, pieces_become_a_body);
	tcase_add_test(tcase, a_body_may_fill_the_limit);
	tcase_add_test(tcase, the_size_may_change_on_the_way);
	tcase_add_test(tcase, a_last_piece_may_be_empty);
	tcase_add_test(tcase, sizes_that_do_not_fit_are_bad);
	tcase_add_test(tcase, gaps_and_strays_are_incomplete);
	tcase_add_test(tcase, bodies_of_several_requests_come_by_turns);
	tcase_add_test(tcase, bodies_of_a_peer_are_few);
	tcase_add_test(tcase, peers_do_not_mix);
	tcase_add_test(tcase, a_first_piece_begins_anew);
	tcase_add_test(tcase, a_piece_sent_anew_is_taken_once);
	tcase_add_test(tcase, what_is_announced_too_large_is_refused_at_once);
	tcase_add_test(tcase, what_grows_too_large_is_refused);
	tcase_add_test(tcase, all_bodies_together_are_bounded);
	tcase_add_test(tcase, half_a_body_is_kept_for_its_lifetime);
	tcase_add_test(tcase, our_answer_is_cut);
	tcase_add_test(tcase, larger_pieces_are_not_given);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
