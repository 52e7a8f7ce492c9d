/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "base/uuid.h"
#include "suite.h"

/* The time of the example in RFC 9562 appendix A.6: 2022-02-22T19:22:22Z is 017F22E2-79B0. */
START_TEST(test_layout)
{
	struct uuid_maker maker = {0};
	uint8_t id[UUID_SIZE];
	char text[UUID_TEXT_SIZE];

	uuid_make(&maker, INT64_C(0x017F22E279B0) * 1000 + 500, UINT64_MAX, id);
	uuid_format(id, text);
	ck_assert_str_eq(text, "017f22e2-79b0-7800-bfff-ffffffffffff");
	ck_assert(uuid_is_v7(id));
	uuid_make(&maker, INT64_C(0x017F22E279B1) * 1000, 0, id);
	uuid_format(id, text);
	ck_assert_str_eq(text, "017f22e2-79b1-7000-8000-000000000000");
	ck_assert(uuid_is_v7(id));
}
END_TEST

START_TEST(test_rises_within_one_instant)
{
	struct uuid_maker maker = {0};
	uint8_t last[UUID_SIZE], id[UUID_SIZE];

	uuid_make(&maker, 1000000, UINT64_MAX, last);
	for (int i = 0; i < 10000; i++) {
		uuid_make(&maker, 1000000, 0, id);
		ck_assert_int_gt(memcmp(id, last, UUID_SIZE), 0);
		ck_assert(uuid_is_v7(id));
		memcpy(last, id, UUID_SIZE);
	}
}
END_TEST

START_TEST(test_rises_when_the_clock_steps_back)
{
	static const int64_t walls_us[] = {1700000000000000, 1600000000000000, 0, -5, 1700000000000001};
	struct uuid_maker maker = {0};
	uint8_t last[UUID_SIZE] = {0}, id[UUID_SIZE];

	for (size_t i = 0; i < sizeof(walls_us) / sizeof(walls_us[0]); i++) {
		uuid_make(&maker, walls_us[i], 42, id);
		ck_assert_int_gt(memcmp(id, last, UUID_SIZE), 0);
		memcpy(last, id, UUID_SIZE);
	}
}
END_TEST

START_TEST(test_other_versions_are_told_apart)
{
	uint8_t id[UUID_SIZE] = {0};

	ck_assert(!uuid_is_v7(id));
	id[6] = 0x4f;
	id[8] = 0x80;
	ck_assert(!uuid_is_v7(id));
	id[6] = 0x7f;
	ck_assert(uuid_is_v7(id));
	id[8] = 0xc0;
	ck_assert(!uuid_is_v7(id));
}
END_TEST

SUITE_MAIN("uuid", test_layout, test_rises_within_one_instant, test_rises_when_the_clock_steps_back,
	   test_other_versions_are_told_apart)
