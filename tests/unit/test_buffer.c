/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/buffer.h"
#include "suite.h"

START_TEST(test_first_in_first_out)
{
	struct buffer buffer;

	buffer_init(&buffer, 100);
	ck_assert_int_eq(buffer_append(&buffer, "tide", 4), 0);
	ck_assert_int_eq(buffer_append(&buffer, "gate", 4), 0);
	ck_assert_uint_eq(buffer_size(&buffer), 8);
	ck_assert_mem_eq(buffer_data(&buffer), "tidegate", 8);
	buffer_consume(&buffer, 4);
	ck_assert_uint_eq(buffer_size(&buffer), 4);
	ck_assert_mem_eq(bytes_of_buffer(&buffer).data, "gate", 4);
	buffer_consume(&buffer, 4);
	ck_assert_uint_eq(buffer_size(&buffer), 0);
	buffer_done(&buffer);
}
END_TEST

START_TEST(test_limit_is_kept)
{
	struct buffer buffer;

	buffer_init(&buffer, 8);
	ck_assert_int_eq(buffer_append(&buffer, "123456789", 9), -ENOBUFS);
	ck_assert_int_eq(buffer_append(&buffer, "12345", 5), 0);
	ck_assert_int_eq(buffer_append(&buffer, "6789", 4), -ENOBUFS);
	ck_assert_ptr_null(buffer_reserve(&buffer, 4));
	ck_assert_ptr_null(buffer_reserve(&buffer, SIZE_MAX));
	ck_assert_int_eq(buffer_append(&buffer, "678", 3), 0);
	ck_assert_mem_eq(buffer_data(&buffer), "12345678", 8);
	buffer_consume(&buffer, 1);
	ck_assert_int_eq(buffer_append(&buffer, "9", 1), 0);
	ck_assert_mem_eq(buffer_data(&buffer), "23456789", 8);
	buffer_done(&buffer);
}
END_TEST

/* A queue that is never empty for a long time: what went in comes out, whatever was moved or grown in between. */
START_TEST(test_long_run_keeps_every_byte)
{
	struct buffer buffer;
	uint8_t in = 0, out = 0;
	unsigned wrong = 0;

	buffer_init(&buffer, 20000);
	for (unsigned turn = 0; turn < 5000; turn++) {
		size_t n = 1 + turn * 7919 % 9000;
		uint8_t *room = buffer_reserve(&buffer, n);

		if (room) {
			for (size_t i = 0; i < n; i++)
				room[i] = in++;
			buffer_commit(&buffer, n);
		}
		n = buffer_size(&buffer) * (turn % 5) / 5;
		for (size_t i = 0; i < n; i++)
			wrong += buffer_data(&buffer)[i] != out++;
		buffer_consume(&buffer, n);
		ck_assert_uint_le(buffer.capacity, 2 * buffer.limit);
	}
	ck_assert_uint_eq(wrong, 0);
	ck_assert_uint_gt(buffer_size(&buffer), 0);
	buffer_done(&buffer);
}
END_TEST

START_TEST(test_reserve_without_commit_changes_nothing)
{
	struct buffer buffer;

	buffer_init(&buffer, 100000);
	ck_assert_int_eq(buffer_append(&buffer, "kept", 4), 0);
	ck_assert_ptr_nonnull(buffer_reserve(&buffer, 50000));
	ck_assert_uint_eq(buffer_size(&buffer), 4);
	ck_assert_mem_eq(buffer_data(&buffer), "kept", 4);
	buffer_done(&buffer);
}
END_TEST

START_TEST(test_memory_is_given_back)
{
	enum { MUCH = 1024 * 1024 };
	struct buffer buffer;

	buffer_init(&buffer, MUCH);
	ck_assert_ptr_nonnull(buffer_reserve(&buffer, MUCH));
	buffer_commit(&buffer, MUCH);
	ck_assert_uint_ge(buffer.capacity, MUCH);
	buffer_consume(&buffer, MUCH);
	ck_assert_uint_eq(buffer.capacity, 0);
	ck_assert_int_eq(buffer_append(&buffer, "again", 5), 0);
	ck_assert_mem_eq(buffer_data(&buffer), "again", 5);
	buffer_done(&buffer);
}
END_TEST

START_TEST(test_secrets_are_overwritten_once_consumed)
{
	struct buffer buffer;
	const uint8_t *where;

	buffer_init(&buffer, 5000);
	buffer.secret = true;
	ck_assert_int_eq(buffer_append(&buffer, "secret", 6), 0);
	where = buffer_data(&buffer);
	buffer_consume(&buffer, 2);
	ck_assert_mem_eq(where, "\0\0cret", 6);
	ck_assert_ptr_nonnull(buffer_reserve(&buffer, 4095)); /* there is no room behind it: it moves to the front */
	ck_assert_mem_eq(buffer_data(&buffer), "cret", 4);
	buffer_consume(&buffer, 4);
	ck_assert_ptr_nonnull(buffer_reserve(&buffer, 5000));
	ck_assert_int_eq(buffer_append(&buffer, "again", 5), 0);
	buffer_done(&buffer);
	ck_assert(buffer.secret);
}
END_TEST

START_TEST(test_nothing_is_a_valid_append)
{
	struct buffer buffer;

	buffer_init(&buffer, 0);
	ck_assert_int_eq(buffer_append(&buffer, NULL, 0), 0);
	ck_assert_int_eq(buffer_append(&buffer, "x", 1), -ENOBUFS);
	ck_assert_uint_eq(buffer_size(&buffer), 0);
	buffer_done(&buffer);
}
END_TEST

SUITE_MAIN("buffer", test_first_in_first_out, test_limit_is_kept, test_long_run_keeps_every_byte,
	   test_reserve_without_commit_changes_nothing, test_memory_is_given_back,
	   test_secrets_are_overwritten_once_consumed, test_nothing_is_a_valid_append)
