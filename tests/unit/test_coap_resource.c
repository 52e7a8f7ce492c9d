/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap/block.h"
#include "coap/resource.h"

static uint8_t wire[4096];
static struct message_writer writer;
static struct coap_message message;
static struct resource_reading reading;
static struct resource_answer answer;
static char room[RESOURCE_TEXT_MAX];
static struct resource_links links;

static struct tg_bytes text(const char *terminated)
{
	return (struct tg_bytes){terminated, strlen(terminated)};
}

static void begin(uint8_t code)
{
	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, code, 1, (struct tg_bytes){0});
}

static void segment(const char *value)
{
	message_write_option(&writer, MESSAGE_URI_PATH, text(value));
}

/* Whether what was written is a reading. */
static bool request(void)
{
	ck_assert(!writer.failed);
	ck_assert_int_eq(message_parse((struct tg_bytes){wire, writer.size}, &message), 0);
	memset(&reading, 0, sizeof(reading));
	resource_links_init(&links);
	return resource_request(&message, &links, room, &reading, &answer);
}

static void assert_path(const char *expected)
{
	ck_assert_uint_eq(reading.path_size, strlen(expected));
	ck_assert_mem_eq(reading.path, expected, reading.path_size);
}

/* Encodes the answer and reads it back into `message`. */
static void encode(void)
{
	static uint8_t memory[RESOURCE_BODY_MAX], response[RESOURCE_BODY_MAX + 16];
	struct tg_bytes body;

	resource_encode(&answer, memory, &body);
	message_writer_init(&writer, response, sizeof(response));
	message_write_header(&writer, MESSAGE_ACK, answer.code, 1, (struct tg_bytes){0});
	message_write_raw(&writer, body);
	ck_assert_int_eq(message_parse((struct tg_bytes){response, writer.size}, &message), 0);
}

static int64_t option_uint(uint16_t number)
{
	struct message_walk walk;
	struct message_option option;
	int64_t value = 0;

	message_walk_init(&walk, &message);
	while (message_option_next(&walk, &option)) {
		if (option.number != number)
			continue;
		for (size_t i = 0; i < option.value.size; i++)
			value = value << 8 | ((const uint8_t *)option.value.data)[i];
		return value;
	}
	return -1;
}

START_TEST(methods_that_hand_in_a_reading)
{
	static const uint8_t codes[] = {MESSAGE_POST, MESSAGE_PUT, MESSAGE_PATCH, MESSAGE_IPATCH};

	for (size_t i = 0; i < sizeof(codes); i++) {
		begin(codes[i]);
		message_write_option(&writer, MESSAGE_URI_HOST, text("gateway"));
		message_write_option_uint(&writer, MESSAGE_URI_PORT, 5684);
		segment("hall");
		segment("temperature");
		message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, 110);
		message_write_option(&writer, MESSAGE_URI_QUERY, text("a=b"));
		ck_assert(request());
		assert_path("hall/temperature");
		ck_assert_int_eq(reading.content_format, 110);
	}
}
END_TEST

START_TEST(paths_keep_their_segments)
{
	begin(MESSAGE_POST);
	ck_assert(request());
	assert_path("");
	ck_assert_int_eq(reading.content_format, TG_FORMAT_NONE);

	begin(MESSAGE_POST);
	segment("a/b");
	segment("100%");
	segment("%2F");
	segment("+#");
	segment("");
	segment("...");
	segment("grün \xf0\x9f\x8c\x8a");
	ck_assert(request());
	assert_path("a%2Fb/100%25/%252F/+#//.../grün \xf0\x9f\x8c\x8a");
}
END_TEST

static const char *const bad_segments[] = {".",
					   "..",
					   "\x80",
					   "a\xff",
					   "\xc0\xaf",
					   "\xe0\x9f\xbf",
					   "\xed\xa0\x80",
					   "\xf0\x8f\xbf\xbf",
					   "\xf4\x90\x80\x80",
					   "\xe2\x82",
					   "\xf5\x80\x80\x80"};

START_TEST(paths_that_are_no_text_are_bad)
{
	begin(MESSAGE_POST);
	segment("a");
	segment(bad_segments[_i]);
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);
	ck_assert_uint_gt(answer.payload.size, 0);
}
END_TEST

START_TEST(a_path_with_a_zero_byte_is_bad)
{
	begin(MESSAGE_POST);
	message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){"a\0b", 3});
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);
}
END_TEST

START_TEST(paths_are_bounded)
{
	char longest[255 + 1] = {0};

	memset(longest, 'x', 255);
	begin(MESSAGE_POST);
	for (int i = 0; i < 4; i++)
		segment(longest);
	segment("");
	ck_assert(request());
	ck_assert_uint_eq(reading.path_size, TG_PATH_MAX);

	begin(MESSAGE_POST);
	for (int i = 0; i < 4; i++)
		segment(longest);
	segment("y");
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);

	begin(MESSAGE_POST);
	memset(longest, '%', 255);
	for (int i = 0; i < 2; i++)
		segment(longest);
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);
}
END_TEST

START_TEST(other_methods_are_not_allowed)
{
	static const uint8_t codes[] = {MESSAGE_GET, MESSAGE_DELETE, MESSAGE_FETCH, 8, 31};

	for (size_t i = 0; i < sizeof(codes); i++) {
		begin(codes[i]);
		segment("a");
		ck_assert(!request());
		ck_assert_uint_eq(answer.code, MESSAGE_METHOD_NOT_ALLOWED);
	}
}
END_TEST

START_TEST(options_that_are_not_served)
{
	begin(MESSAGE_POST);
	message_write_option(&writer, 13, text("x"));
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_OPTION);
	ck_assert_mem_eq(answer.payload.data, "option 13 ", 10);

	begin(MESSAGE_POST);
	message_write_option(&writer, MESSAGE_IF_MATCH, text("etag"));
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_PRECONDITION_FAILED);

	begin(MESSAGE_GET);
	message_write_option(&writer, MESSAGE_PROXY_URI, text("coap://a/"));
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_PROXYING_NOT_SUPPORTED);

	begin(MESSAGE_POST);
	message_write_option_uint(&writer, MESSAGE_BLOCK1, 7);
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(answer.block1, MESSAGE_ABSENT);

	begin(MESSAGE_POST);
	message_write_option_uint(&writer, MESSAGE_BLOCK2, 7);
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);
}
END_TEST

static void get_links(uint32_t accept, uint32_t block2)
{
	begin(MESSAGE_GET);
	segment(".well-known");
	segment("core");
	if (accept != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_ACCEPT, accept);
	if (block2 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK2, block2);
	ck_assert(!request());
}

START_TEST(the_links_can_be_read)
{
	get_links(MESSAGE_ABSENT, MESSAGE_ABSENT);
	ck_assert_uint_eq(answer.code, MESSAGE_CONTENT);
	encode();
	ck_assert_uint_eq(message.content_format, 40);
	ck_assert_uint_eq(message.block2, MESSAGE_ABSENT);
	ck_assert_uint_gt(message.payload.size, 4);
	ck_assert_mem_eq(message.payload.data, "</>;", 4);
	get_links(40, MESSAGE_ABSENT);
	ck_assert_uint_eq(answer.code, MESSAGE_CONTENT);
	get_links(50, MESSAGE_ABSENT);
	ck_assert_uint_eq(answer.code, MESSAGE_NOT_ACCEPTABLE);
}
END_TEST

START_TEST(the_links_come_in_pieces_where_asked_for)
{
	char whole[1024] = {0}, pieces[1024] = {0};
	size_t size = 0;
	bool more = true;

	get_links(MESSAGE_ABSENT, MESSAGE_ABSENT);
	memcpy(whole, answer.payload.data, answer.payload.size);
	for (uint32_t number = 0; more; number++) {
		get_links(MESSAGE_ABSENT, block_value(number, false, 0));
		ck_assert_uint_eq(answer.code, MESSAGE_CONTENT);
		encode();
		ck_assert_uint_eq(message.block2 >> 4, number);
		more = message.block2 >> 3 & 1;
		ck_assert(!more || message.payload.size == 16);
		memcpy(pieces + size, message.payload.data, message.payload.size);
		size += message.payload.size;
	}
	ck_assert_str_eq(pieces, whole);
	get_links(MESSAGE_ABSENT, block_value(1000, false, 0));
	ck_assert_uint_eq(answer.code, MESSAGE_BAD_REQUEST);
}
END_TEST

START_TEST(the_links_are_ours_and_no_reading)
{
	begin(MESSAGE_POST);
	segment(".well-known");
	segment("core");
	ck_assert(!request());
	ck_assert_uint_eq(answer.code, MESSAGE_METHOD_NOT_ALLOWED);

	begin(MESSAGE_POST);
	segment(".well-known/core");
	ck_assert(request());
	assert_path(".well-known%2Fcore");

	begin(MESSAGE_POST);
	segment(".well-known");
	segment("core");
	segment("x");
	ck_assert(request());
}
END_TEST

static const struct {
	enum tg_verdict verdict;
	uint8_t code;
	uint16_t option; /* that carries the number; 0: none */
} verdicts[] = {
	{TG_ACCEPTED, MESSAGE_CODE(2, 4), 0},
	{TG_NO_ROUTE, MESSAGE_CODE(4, 4), 0},
	{TG_NOT_ALLOWED, MESSAGE_CODE(4, 3), 0},
	{TG_TOO_LARGE, MESSAGE_CODE(4, 13), MESSAGE_SIZE1},
	{TG_WRONG_FORMAT, MESSAGE_CODE(4, 15), 0},
	{TG_MALFORMED, MESSAGE_CODE(4, 0), 0},
	{TG_TOO_FAST, MESSAGE_CODE(4, 29), MESSAGE_MAX_AGE},
	{TG_FULL, MESSAGE_CODE(5, 3), MESSAGE_MAX_AGE},
	{TG_UNAVAILABLE, MESSAGE_CODE(5, 3), MESSAGE_MAX_AGE},
	{TG_UNKNOWN_DEVICE, MESSAGE_CODE(4, 1), 0},
	{(enum tg_verdict)99, MESSAGE_CODE(5, 3), MESSAGE_MAX_AGE},
};

START_TEST(each_verdict_has_its_code)
{
	struct tg_answer verdict = {.size = sizeof(verdict), .verdict = verdicts[_i].verdict};

	verdict.reason = text("because");
	if (verdicts[_i].option == MESSAGE_SIZE1)
		verdict.limit_bytes = 70000;
	else
		verdict.max_age_s = 300;
	answer = resource_verdict(&verdict, MESSAGE_ABSENT);
	encode();
	ck_assert_uint_eq(message.code, verdicts[_i].code);
	ck_assert_int_eq(option_uint(MESSAGE_SIZE1), verdicts[_i].option == MESSAGE_SIZE1 ? 70000 : -1);
	ck_assert_int_eq(option_uint(MESSAGE_MAX_AGE), verdicts[_i].option == MESSAGE_MAX_AGE ? 300 : -1);
	ck_assert_uint_eq(message.payload.size, verdicts[_i].verdict == TG_ACCEPTED ? 0 : 7);
}
END_TEST

START_TEST(patches_that_are_not_allowed_are_a_method_that_there_is_not)
{
	struct tg_answer verdict = {.size = sizeof(verdict), .verdict = TG_NOT_ALLOWED};

	begin(MESSAGE_IPATCH);
	message_write_option_uint(&writer, MESSAGE_BLOCK1, block_value(3, false, 6));
	ck_assert(request());
	answer = resource_verdict(&verdict, resource_context(&message));
	ck_assert_uint_eq(answer.code, MESSAGE_METHOD_NOT_ALLOWED);
	verdict.verdict = TG_NO_ROUTE;
	ck_assert_uint_eq(resource_verdict(&verdict, resource_context(&message)).code, MESSAGE_NOT_FOUND);
	verdict.verdict = TG_ACCEPTED;
	answer = resource_verdict(&verdict, resource_context(&message));
	ck_assert_uint_eq(answer.code, MESSAGE_CHANGED);
	ck_assert_uint_eq(answer.block1, block_value(3, false, 6));
}
END_TEST

START_TEST(answers_name_the_piece_that_they_belong_to)
{
	struct tg_answer verdict = {.size = sizeof(verdict), .verdict = TG_ACCEPTED};

	answer = resource_verdict(&verdict, block_value(3, false, 6));
	encode();
	ck_assert_uint_eq(message.block1, block_value(3, false, 6));
	verdict.verdict = TG_TOO_LARGE; /* here it would ask for smaller pieces */
	answer = resource_verdict(&verdict, block_value(3, false, 6));
	encode();
	ck_assert_uint_eq(message.block1, MESSAGE_ABSENT);
}
END_TEST

START_TEST(diagnostics_are_cut_where_a_character_ends)
{
	char reason[600];
	struct tg_answer verdict = {.size = sizeof(verdict), .verdict = TG_MALFORMED};

	for (size_t i = 0; i + 1 < sizeof(reason); i += 3)
		memcpy(reason + i, "\xe2\x82\xac", 3);
	verdict.reason = (struct tg_bytes){reason, sizeof(reason)};
	answer = resource_verdict(&verdict, MESSAGE_ABSENT);
	encode();
	ck_assert_uint_eq(message.payload.size, 255);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_resource");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, methods_that_hand_in_a_reading);
	tcase_add_test(tcase, paths_keep_their_segments);
	tcase_add_loop_test(tcase, paths_that_are_no_text_are_bad, 0, 11);
	tcase_add_test(tcase, a_path_with_a_zero_byte_is_bad);
	tcase_add_test(tcase, paths_are_bounded);
	tcase_add_test(tcase, other_methods_are_not_allowed);
	tcase_add_test(tcase, options_that_are_not_served);
	tcase_add_test(tcase, the_links_can_be_read);
	tcase_add_test(tcase, the_links_come_in_pieces_where_asked_for);
	tcase_add_test(tcase, the_links_are_ours_and_no_reading);
	tcase_add_loop_test(tcase, each_verdict_has_its_code, 0, sizeof(verdicts) / sizeof(verdicts[0]));
	tcase_add_test(tcase, patches_that_are_not_allowed_are_a_method_that_there_is_not);
	tcase_add_test(tcase, answers_name_the_piece_that_they_belong_to);
	tcase_add_test(tcase, diagnostics_are_cut_where_a_character_ends);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
