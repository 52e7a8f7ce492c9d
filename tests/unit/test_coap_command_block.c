/* SPDX-License-Identifier: Apache-2.0 */

/* Commands with payloads and answers in blocks. */

#include "coap/block.h"
#include "command_rig.h"
#include "suite.h"

static uint8_t taken[RIG_BODY_BYTES]; /* by a device */
static size_t n_taken;

static void begin_large(uint8_t method, size_t size)
{
	command_rig_begin();
	n_taken = 0;
	ck_assert_int_eq(try_begin(1, method, "/a", (struct tg_bytes){rig.large, size}), 0);
}

/* Takes the block that was sent last as a device does; returns the request. */
static struct coap_message take(void)
{
	const struct coap_message request = rig.message;
	size_t offset = (request.block1 >> 4) * ((size_t)16 << (request.block1 & 7));

	ck_assert_uint_eq(offset, n_taken);
	memcpy(taken + offset, request.payload.data, request.payload.size);
	n_taken += request.payload.size;
	return request;
}

static bool go_on(const struct coap_message *request)
{
	return answer_block(request, MESSAGE_CONTINUE, request->block1, MESSAGE_ABSENT, 0, (struct tg_bytes){0});
}

static void assert_taken(size_t size)
{
	ck_assert_uint_eq(n_taken, size);
	ck_assert_mem_eq(taken, rig.large, size);
}

START_TEST(a_payload_in_blocks)
{
	begin_large(MESSAGE_PUT, 2500);
	struct coap_message first = take();
	ck_assert_uint_eq(first.block1, block_value(0, true, 6));
	ck_assert_int_eq(first.size1, 2500);
	ck_assert(go_on(&first));
	struct coap_message second = take();
	ck_assert_uint_ne(second.id, first.id);
	ck_assert_mem_ne(second.token, first.token, COMMAND_TOKEN_SIZE);
	ck_assert(go_on(&second));
	struct coap_message last = take();
	ck_assert_uint_eq(last.block1, block_value(2, false, 6));
	ck_assert(answer_block(&last, MESSAGE_CHANGED, last.block1, MESSAGE_ABSENT, 0, (struct tg_bytes){0}));
	assert_taken(2500);
	assert_ended(1, COMMAND_ANSWERED, 204, "");
	command_rig_end();
}
END_TEST

START_TEST(one_block_is_none)
{
	begin_large(MESSAGE_PUT, 1024);
	ck_assert_uint_eq(rig.message.block1, MESSAGE_ABSENT);
	ck_assert_uint_eq(rig.message.payload.size, 1024);
	command_rig_end();
}
END_TEST

START_TEST(a_small_session_makes_small_blocks)
{
	command_rig_begin();
	rig.datagram_max = 200;
	n_taken = 0;
	ck_assert_int_eq(try_begin(1, MESSAGE_PUT, "/a", (struct tg_bytes){rig.large, 1000}), 0);
	while (rig.n_ended == 0) {
		struct coap_message request = take();
		ck_assert_uint_eq(request.block1 & 7, 3);
		if (request.block1 & 8)
			ck_assert(go_on(&request));
		else
			ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_CHANGED, NULL));
	}
	assert_taken(1000);
	command_rig_end();
}
END_TEST

START_TEST(smaller_blocks_in_the_middle)
{
	begin_large(MESSAGE_PUT, 2500);
	struct coap_message request = take();
	ck_assert(answer_block(&request, MESSAGE_CONTINUE, block_value(0, true, 4), MESSAGE_ABSENT, 0,
			       (struct tg_bytes){0}));
	ck_assert_uint_eq(rig.message.block1, block_value(4, true, 4)); /* RFC 7959 section 2.5, figure 7 */
	while (rig.message.block1 & 8) {
		request = take();
		ck_assert(go_on(&request));
	}
	request = take();
	ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_CHANGED, NULL));
	assert_taken(2500);
	assert_ended(1, COMMAND_ANSWERED, 204, "");
	command_rig_end();
}
END_TEST

START_TEST(too_large_at_first)
{
	begin_large(MESSAGE_PUT, 800);
	struct coap_message request = rig.message;
	ck_assert_uint_eq(request.block1, MESSAGE_ABSENT);
	ck_assert(answer_block(&request, MESSAGE_TOO_LARGE, block_value(0, true, 2), MESSAGE_ABSENT, 0,
			       (struct tg_bytes){0}));
	ck_assert_uint_eq(rig.message.block1, block_value(0, true, 2));
	request = take();
	ck_assert(answer_block(&request, MESSAGE_TOO_LARGE, block_value(0, true, 2), MESSAGE_ABSENT, 0,
			       (struct tg_bytes){0}));
	assert_ended(1, COMMAND_ANSWERED, 413, ""); /* nothing smaller was wished for */
	command_rig_end();
}
END_TEST

START_TEST(a_block_that_was_missed)
{
	begin_large(MESSAGE_PUT, 1500);
	struct coap_message request = take();
	ck_assert(go_on(&request));
	for (unsigned i = 0; i < 3; i++) {
		request = rig.message;
		ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_INCOMPLETE, NULL));
		ck_assert_uint_eq(rig.message.block1, block_value(0, true, 6));
	}
	request = rig.message;
	ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_INCOMPLETE, NULL));
	assert_ended(1, COMMAND_ANSWERED, 408, "");
	command_rig_end();
}
END_TEST

START_TEST(devices_that_do_not_fit)
{
	begin_large(MESSAGE_PUT, 1500);
	struct coap_message request = take();
	ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_CHANGED, NULL));
	assert_ended(1, COMMAND_REJECTED, 0, "the device takes a part of the payload for the whole");
	command_rig_end();
	begin_large(MESSAGE_PUT, 1500);
	request = take();
	ck_assert(go_on(&request));
	request = take();
	ck_assert(go_on(&request));
	assert_ended(1, COMMAND_REJECTED, 0, "the device asks for more than there is");
	command_rig_end();
	begin_large(MESSAGE_PUT, 1500);
	request = take();
	ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_BAD_OPTION, "27"));
	assert_ended(1, COMMAND_ANSWERED, 402, "27");
	command_rig_end();
}
END_TEST

/* The piece of a resource of this size that was asked for. */
static bool give(const struct coap_message *request, size_t size, uint32_t szx, uint8_t etag)
{
	uint32_t number = request->block2 == MESSAGE_ABSENT ? 0 : request->block2 >> 4;
	size_t asked = request->block2 == MESSAGE_ABSENT ? 0 : number * ((size_t)16 << (request->block2 & 7));
	size_t piece = (size_t)16 << szx;
	bool more = asked + piece < size;
	struct tg_bytes bytes = {rig.large + asked, more ? piece : size - asked};

	return answer_block(request, MESSAGE_CONTENT, MESSAGE_ABSENT, block_value((uint32_t)(asked / piece), more, szx),
			    etag, bytes);
}

START_TEST(an_answer_in_blocks)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a?b=c", NULL);
	for (uint32_t n = 0; rig.n_ended == 0; n++) {
		struct coap_message request = *sent(n + 1);
		assert_option(&request, MESSAGE_URI_QUERY, 0, "b=c");
		ck_assert_uint_eq(request.block2, n == 0 ? MESSAGE_ABSENT : block_value(n, false, 6));
		ck_assert(give(&request, RIG_BODY_BYTES, 6, 9));
	}
	ck_assert_int_eq(rig.ended.end, COMMAND_ANSWERED);
	ck_assert_uint_eq(rig.ended.code, 205);
	ck_assert_int_eq(rig.ended.content_format, 50);
	ck_assert_uint_eq(rig.ended.payload.size, RIG_BODY_BYTES);
	ck_assert_mem_eq(rig.payload, rig.large, RIG_BODY_BYTES);
	ck_assert_uint_eq(rig.n_sent, 64);
	command_rig_end();
}
END_TEST

START_TEST(an_answer_in_smaller_and_smaller_blocks)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	for (uint32_t szx = 6; rig.n_ended == 0; szx = szx > 1 ? szx - 1 : 1) {
		struct coap_message request = rig.message;
		ck_assert(give(&request, 5000, szx, 0));
	}
	ck_assert_uint_eq(rig.ended.payload.size, 5000);
	ck_assert_mem_eq(rig.payload, rig.large, 5000);
	command_rig_end();
}
END_TEST

START_TEST(an_answer_that_is_too_large)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	while (rig.n_ended == 0) {
		struct coap_message request = rig.message;
		ck_assert(give(&request, RIG_BODY_BYTES + 1, 6, 0));
	}
	assert_ended(1, COMMAND_REJECTED, 0, "the answer is larger than body_bytes");
	command_rig_end();
}
END_TEST

START_TEST(an_answer_that_changes)
{
	command_rig_begin();
	begin(1, MESSAGE_GET, "/a", NULL);
	struct coap_message request = rig.message;
	ck_assert(give(&request, 3000, 6, 1));
	request = rig.message;
	ck_assert(give(&request, 3000, 6, 2));
	ck_assert_uint_eq(rig.message.block2, MESSAGE_ABSENT); /* from the beginning */
	while (rig.n_ended == 0) {
		request = rig.message;
		ck_assert(give(&request, 3000, 6, 2));
	}
	ck_assert_int_eq(rig.ended.end, COMMAND_ANSWERED);
	ck_assert_uint_eq(rig.ended.payload.size, 3000);
	begin(2, MESSAGE_POST, "/a", "x");
	request = rig.message;
	ck_assert(give(&request, 3000, 6, 1));
	request = rig.message;
	ck_assert_uint_eq(request.payload.size, 0);
	ck_assert(give(&request, 3000, 6, 2));
	assert_ended(2, COMMAND_REJECTED, 0, "the answer changes while it is fetched");
	command_rig_end();
}
END_TEST

START_TEST(blocks_of_an_answer_that_do_not_fit)
{
	const uint32_t wrong[] = {block_value(2, true, 6), block_value(0, true, 6), block_value(1, true, 7),
				  block_value(1, true, 5), MESSAGE_ABSENT};
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		command_rig_begin();
		begin(1, MESSAGE_GET, "/a", NULL);
		struct coap_message request = rig.message;
		ck_assert(give(&request, 3000, 6, 0));
		request = rig.message;
		ck_assert(answer_block(&request, MESSAGE_CONTENT, MESSAGE_ABSENT, wrong[i], 0,
				       (struct tg_bytes){rig.large, 1024}));
		assert_ended(1, COMMAND_REJECTED, 0, "the blocks of the answer do not fit together");
		command_rig_end();
	}
}
END_TEST

START_TEST(both_ways)
{
	begin_large(MESSAGE_FETCH, 1500);
	struct coap_message request = take();
	ck_assert(go_on(&request));
	request = take();
	ck_assert(answer_block(&request, MESSAGE_CONTENT, request.block1, block_value(0, true, 6), 0,
			       (struct tg_bytes){rig.large, 1024}));
	request = rig.message;
	ck_assert_uint_eq(request.block1, MESSAGE_ABSENT);
	ck_assert_uint_eq(request.block2, block_value(1, false, 6));
	ck_assert_uint_eq(request.payload.size, 0);
	ck_assert(give(&request, 1100, 6, 0));
	ck_assert_int_eq(rig.ended.end, COMMAND_ANSWERED);
	ck_assert_uint_eq(rig.ended.payload.size, 1100);
	begin(2, MESSAGE_FETCH, "/a", "which"); /* what is fetched depends on the payload */
	request = rig.message;
	ck_assert(give(&request, 1100, 6, 0));
	ck_assert_uint_eq(rig.message.payload.size, 5);
	ck_assert_uint_eq(rig.message.block2, block_value(1, false, 6));
	command_rig_end();
}
END_TEST

/* A device that falls asleep between two blocks goes on where it was. */
START_TEST(given_again_between_blocks)
{
	begin_large(MESSAGE_PUT, 2500);
	struct coap_message request = take();
	ck_assert(go_on(&request));
	request = take();
	pass_until_ended();
	assert_ended(1, COMMAND_UNANSWERED, 0, "no answer");
	ck_assert(go_on(&request)); /* its answer is late: nothing is sent, for nobody waits */
	unsigned before = rig.n_sent;
	ck_assert_int_eq(command_presence(&rig.peer, id_of(1)), COMMAND_KEPT);
	command_attach(rig.table, &rig.peer, 2, rig.now_us);
	request = *sent(before + 1);
	ck_assert_uint_eq(request.block1, block_value(2, false, 6));
	take();
	ck_assert(answer(MESSAGE_ACK, &request, MESSAGE_CHANGED, NULL));
	assert_taken(2500);
	assert_ended(2, COMMAND_ANSWERED, 204, "");
	ck_assert_uint_eq(rig.ended.ticket, 2);
	command_rig_end();
}
END_TEST

START_TEST(memory_is_bounded)
{
	static struct command_peer peers[8];
	unsigned begun = 0;
	command_rig_begin();
	for (unsigned i = 0; i < 8; i++) {
		const struct command_request request = {
			.ticket = 1,
			.method = MESSAGE_PUT,
			.address = {"/a", 2},
			.payload = {rig.large, 50000},
			.datagram_max = EXCHANGE_DATAGRAM_MAX,
		};
		int r = command_begin(rig.table, &peers[i], &request, rig.now_us);
		ck_assert(r == 0 || r == -ENOBUFS);
		begun += r == 0;
	}
	ck_assert_uint_eq(begun, 5);
	ck_assert_uint_le(command_bytes(rig.table), RIG_ALL_BYTES);
	for (unsigned i = 0; i < 8; i++)
		command_peer_done(rig.table, &peers[i]);
	command_rig_end();
}
END_TEST

SUITE_MAIN("coap_command_block", a_payload_in_blocks, one_block_is_none, a_small_session_makes_small_blocks,
	   smaller_blocks_in_the_middle, too_large_at_first, a_block_that_was_missed, devices_that_do_not_fit,
	   an_answer_in_blocks, an_answer_in_smaller_and_smaller_blocks, an_answer_that_is_too_large,
	   an_answer_that_changes, blocks_of_an_answer_that_do_not_fit, both_ways, given_again_between_blocks,
	   memory_is_bounded)
