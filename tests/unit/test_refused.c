/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include "common/refused.h"

static unsigned count(struct refused *refused, uint8_t id)
{
	const uint8_t whole[TG_ID_SIZE] = {[TG_ID_SIZE - 1] = id};

	return refused_count(refused, whole);
}

START_TEST(counts_by_id)
{
	struct refused refused = {0};

	ck_assert_int_eq(refused_reserve(&refused, 3), 0);
	for (unsigned times = 1; times < 100; times++) {
		for (uint8_t id = 0; id < 3; id++)
			ck_assert_uint_eq(count(&refused, id), times);
	}
	refused_done(&refused);
}
END_TEST

START_TEST(the_oldest_makes_room)
{
	struct refused refused = {0};

	ck_assert_int_eq(refused_reserve(&refused, 2), 0);
	ck_assert_uint_eq(count(&refused, 1), 1);
	ck_assert_uint_eq(count(&refused, 2), 1);
	ck_assert_uint_eq(count(&refused, 3), 1);
	ck_assert_uint_eq(count(&refused, 2), 2);
	ck_assert_uint_eq(count(&refused, 1), 1);
	ck_assert_uint_eq(count(&refused, 3), 2);
	ck_assert_uint_eq(count(&refused, 2), 1);
	refused_done(&refused);
}
END_TEST

START_TEST(more_room_forgets_nothing)
{
	struct refused refused = {0};

	ck_assert_uint_eq(count(&refused, 1), 1);
	ck_assert_uint_eq(count(&refused, 1), 1);
	ck_assert_int_eq(refused_reserve(&refused, 1), 0);
	ck_assert_uint_eq(count(&refused, 1), 1);
	ck_assert_int_eq(refused_reserve(&refused, 3), 0);
	ck_assert_int_eq(refused_reserve(&refused, 2), 0);
	ck_assert_uint_eq(count(&refused, 2), 1);
	ck_assert_uint_eq(count(&refused, 3), 1);
	ck_assert_uint_eq(count(&refused, 1), 2);
	ck_assert_uint_eq(count(&refused, 2), 2);
	refused_done(&refused);
}
END_TEST

SUITE_MAIN("refused", counts_by_id, the_oldest_makes_room, more_room_forgets_nothing)
