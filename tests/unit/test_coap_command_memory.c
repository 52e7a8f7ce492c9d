/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "coap/command_memory.h"
#include "suite.h"

static struct command_memory *memory;

static void add(unsigned number, const char *payload, size_t size, int64_t now_us)
{
	struct command_result result = {
		.ticket = 5,
		.end = COMMAND_ANSWERED,
		.code = 205,
		.content_format = 50,
		.payload = {payload, size},
	};

	memcpy(result.id, &number, sizeof(number));
	command_memory_add(memory, &result, now_us);
}

static bool find(unsigned number, int64_t now_us, struct command_result *ret_result)
{
	uint8_t id[TG_ID_SIZE] = {0};

	memcpy(id, &number, sizeof(number));
	return command_memory_find(memory, id, now_us, ret_result);
}

START_TEST(what_was_answered)
{
	struct command_result result;

	ck_assert_int_eq(command_memory_new(&memory), 0);
	ck_assert(!find(1, 0, &result));
	add(1, "on", 2, 0);
	add(2, "", 0, 0);
	ck_assert(find(1, 600000000, &result));
	ck_assert_uint_eq(result.code, 205);
	ck_assert_uint_eq(result.ticket, 0);
	ck_assert_int_eq(result.content_format, 50);
	ck_assert_uint_eq(result.payload.size, 2);
	ck_assert_mem_eq(result.payload.data, "on", 2);
	ck_assert(find(2, 600000000, &result));
	ck_assert_uint_eq(result.payload.size, 0);
	ck_assert(!find(1, 600000001, &result));
	ck_assert(!find(3, 0, &result));
	command_memory_free(memory);
}
END_TEST

START_TEST(long_answers_without_their_payload)
{
	static char payload[COMMAND_MEMORY_PAYLOAD_MAX + 1];
	struct command_result result;

	ck_assert_int_eq(command_memory_new(&memory), 0);
	add(1, payload, COMMAND_MEMORY_PAYLOAD_MAX, 0);
	add(2, payload, COMMAND_MEMORY_PAYLOAD_MAX + 1, 0);
	ck_assert(find(1, 0, &result));
	ck_assert_uint_eq(result.payload.size, COMMAND_MEMORY_PAYLOAD_MAX);
	ck_assert(find(2, 0, &result));
	ck_assert_uint_eq(result.payload.size, 0);
	ck_assert_uint_eq(result.code, 205);
	ck_assert_int_eq(result.content_format, TG_FORMAT_NONE);
	command_memory_free(memory);
}
END_TEST

START_TEST(the_oldest_goes)
{
	struct command_result result;

	ck_assert_int_eq(command_memory_new(&memory), 0);
	for (unsigned number = 1; number <= COMMAND_MEMORY_MAX + 10; number++)
		add(number, "x", 1, number);
	ck_assert(!find(10, 2000, &result));
	ck_assert(find(11, 2000, &result));
	ck_assert(find(COMMAND_MEMORY_MAX + 10, 2000, &result));
	command_memory_free(memory);
}
END_TEST

SUITE_MAIN("coap_command_memory", what_was_answered, long_answers_without_their_payload, the_oldest_goes)
