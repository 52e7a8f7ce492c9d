/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "coap/message.h"
#include "coap/recent.h"

enum { S = 1000000 };

static int64_t now_us = 1000 * (int64_t)S;

static bool seen(struct recent *recent, const struct recent_peer *from, uint16_t id)
{
	const struct recent_answer *found = recent_find(recent, from, id, id * 3u, now_us);

	ck_assert(!found || found->id == id);
	return found;
}

static void add(struct recent *recent, struct recent_peer *from, uint16_t id)
{
	const struct recent_answer answer = {.id = id, .hash = id * 3u, .code = MESSAGE_CHANGED, .confirmable = true};

	recent_add(recent, from, &answer, now_us);
}

START_TEST(the_oldest_goes_when_the_memory_is_full)
{
	struct recent *recent;
	struct recent_peer a = {0}, b = {0};

	ck_assert_int_eq(recent_new(1000, 800, 1, &recent), 0);
	for (uint16_t id = 0; id < 300; id++)
		add(recent, &a, id);
	for (uint16_t id = 0; id < 750; id++)
		add(recent, &b, id);
	ck_assert_uint_eq(recent_count(recent), 1000);
	for (uint16_t id = 0; id < 300; id++)
		ck_assert(seen(recent, &a, id) == (id >= 50));
	for (uint16_t id = 0; id < 750; id++)
		ck_assert(seen(recent, &b, id));
	recent_peer_done(recent, &b);
	ck_assert_uint_eq(recent_count(recent), 250);
	for (uint16_t id = 50; id < 300; id++)
		ck_assert(seen(recent, &a, id));
	recent_free(recent);
}
END_TEST

START_TEST(a_loud_peer_pushes_out_itself_only)
{
	struct recent *recent;
	struct recent_peer loud = {0}, quiet = {0};

	ck_assert_int_eq(recent_new(1000, 250, 1, &recent), 0);
	add(recent, &quiet, 1);
	for (unsigned i = 0; i < 70000; i++) {
		add(recent, &loud, (uint16_t)i);
		ck_assert_uint_le(recent_count(recent), 251);
	}
	ck_assert(seen(recent, &quiet, 1));
	for (unsigned i = 0; i < 70000; i++)
		ck_assert(i < 69750 || seen(recent, &loud, (uint16_t)i));
	ck_assert(!seen(recent, &loud, (uint16_t)69749));
	recent_free(recent);
}
END_TEST

START_TEST(what_has_run_out_is_given_back)
{
	struct recent *recent;
	struct recent_peer a = {0};

	ck_assert_int_eq(recent_new(1000, 1000, 1, &recent), 0);
	ck_assert_int_eq(recent_next_us(recent), INT64_MAX);
	for (uint16_t id = 0; id < 100; id++) {
		add(recent, &a, id);
		now_us += S;
	}
	now_us = recent_next_us(recent);
	recent_expire(recent, now_us);
	ck_assert_uint_eq(recent_count(recent), 99);
	ck_assert(!seen(recent, &a, 0));
	ck_assert(seen(recent, &a, 1));
	now_us += 98 * S;
	recent_expire(recent, now_us);
	ck_assert_uint_eq(recent_count(recent), 1);
	now_us += S;
	recent_expire(recent, now_us);
	ck_assert_uint_eq(recent_count(recent), 0);
	ck_assert_uint_eq(a.count, 0);
	add(recent, &a, 5);
	ck_assert(seen(recent, &a, 5));
	recent_free(recent);
}
END_TEST

START_TEST(hashes_tell_datagrams_apart)
{
	uint8_t bytes[40] = {0};
	struct recent *recent, *another;
	uint32_t hash, flips = 0;

	ck_assert_int_eq(recent_new(10, 10, 1, &recent), 0);
	ck_assert_int_eq(recent_new(10, 10, 2, &another), 0);
	hash = recent_hash(recent, (struct tg_bytes){bytes, sizeof(bytes)});
	ck_assert_uint_ne(hash, recent_hash(another, (struct tg_bytes){bytes, sizeof(bytes)}));
	ck_assert_uint_ne(hash, recent_hash(recent, (struct tg_bytes){bytes, sizeof(bytes) - 1}));
	for (size_t bit = 0; bit < sizeof(bytes) * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		uint32_t changed_hash = recent_hash(recent, (struct tg_bytes){bytes, sizeof(bytes)});
		ck_assert_uint_ne(hash, changed_hash);
		flips += (uint32_t)__builtin_popcount(hash ^ changed_hash);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_uint_ge(flips / (sizeof(bytes) * 8), 12);
	ck_assert_uint_le(flips / (sizeof(bytes) * 8), 20);
	recent_free(recent);
	recent_free(another);
}
END_TEST

START_TEST(each_kind_has_its_lifetime)
{
	struct recent_answer answer = {.id = 1, .hash = 1, .confirmable = true};
	struct recent *recent;
	struct recent_peer a = {0};

	ck_assert_int_eq(recent_new(10, 10, 1, &recent), 0);
	recent_add(recent, &a, &answer, now_us);
	answer = (struct recent_answer){.id = 2, .hash = 2};
	recent_add(recent, &a, &answer, now_us);
	ck_assert_ptr_nonnull(recent_find(recent, &a, 2, 2, now_us + RECENT_NON_LIFETIME_S * (int64_t)S));
	ck_assert_ptr_null(recent_find(recent, &a, 2, 2, now_us + (RECENT_NON_LIFETIME_S + 1) * (int64_t)S));
	ck_assert_ptr_nonnull(recent_find(recent, &a, 1, 1, now_us + RECENT_EXCHANGE_LIFETIME_S * (int64_t)S));
	ck_assert_ptr_null(recent_find(recent, &a, 1, 1, now_us + (RECENT_EXCHANGE_LIFETIME_S + 1) * (int64_t)S));
	recent_free(recent);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_recent");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, the_oldest_goes_when_the_memory_is_full);
	tcase_add_test(tcase, a_loud_peer_pushes_out_itself_only);
	tcase_add_test(tcase, what_has_run_out_is_given_back);
	tcase_add_test(tcase, hashes_tell_datagrams_apart);
	tcase_add_test(tcase, each_kind_has_its_lifetime);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
