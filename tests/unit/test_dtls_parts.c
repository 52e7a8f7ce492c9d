/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap/dtls_cookie.h"
#include "coap/dtls_grey.h"
#include "coap/dtls_rates.h"
#include "coap/dtls_record.h"
#include "coap/dtls_table.h"
#include "coap/dtls_timers.h"

static const struct dtls_hash_key hash_key = {{0x9e3779b97f4a7c15, 0xbf58476d1ce4e5b9, 0x94d049bb133111eb,
					       0xd6e8feb86659fd93, 0xa0761d6478bd642f, 0xe7037ed1a0b428db,
					       0x8ebc6af09c88c6e3}};

static struct dtls_peer peer_of(const char *text, uint16_t port)
{
	union dtls_address address = {.any.sa_family = AF_INET};
	struct dtls_peer peer;

	if (inet_pton(AF_INET, text, &address.v4.sin_addr) == 1) {
		address.v4.sin_port = htons(port);
	} else {
		address = (union dtls_address){.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)}};
		address.v6.sin6_scope_id = 3;
		ck_assert_int_eq(inet_pton(AF_INET6, text, &address.v6.sin6_addr), 1);
	}
	dtls_peer_of(&address, &peer);
	return peer;
}

static bool same(struct dtls_peer a, struct dtls_peer b)
{
	return memcmp(&a, &b, sizeof(a)) == 0;
}

START_TEST(peers)
{
	struct dtls_peer v4 = peer_of("192.0.2.1", 5684), network;
	union dtls_address address;

	ck_assert(same(v4, peer_of("::ffff:192.0.2.1", 5684)));
	ck_assert(!same(v4, peer_of("192.0.2.1", 5685)));
	ck_assert_uint_eq(peer_of("2001:db8::1", 1).scope, 0);
	ck_assert_uint_eq(peer_of("fe80::1", 1).scope, 3);
	ck_assert_int_eq(dtls_peer_address(&v4, AF_INET, &address), sizeof(address.v4));
	ck_assert_int_eq(address.v4.sin_addr.s_addr, inet_addr("192.0.2.1"));
	ck_assert_int_eq(address.v4.sin_port, htons(5684));
	ck_assert_int_eq(dtls_peer_address(&v4, AF_INET6, &address), sizeof(address.v6));
	ck_assert(IN6_IS_ADDR_V4MAPPED(&address.v6.sin6_addr));
	dtls_peer_network(&v4, &network);
	ck_assert(same(network, peer_of("192.0.2.1", 0)));
	v4 = peer_of("2001:db8:1:2:3:4:5:6", 7);
	dtls_peer_network(&v4, &network);
	ck_assert(same(network, peer_of("2001:db8:1:2::", 0)));
}
END_TEST

/* Sources that differ in one place only spread like any others. */
START_TEST(hashes_spread)
{
	enum { BUCKETS = 1024 };
	unsigned ports[BUCKETS] = {0}, hosts[BUCKETS] = {0}, most = 0;

	for (unsigned i = 0; i < 16 * BUCKETS; i++) {
		struct dtls_peer peer = peer_of("192.0.2.1", (uint16_t)i), host = peer_of("2001:db8::1", 1);

		memcpy(host.address + 8, &i, sizeof(i));
		ports[dtls_peer_hash(&hash_key, &peer) % BUCKETS]++;
		hosts[dtls_peer_hash(&hash_key, &host) % BUCKETS]++;
	}
	for (unsigned i = 0; i < BUCKETS; i++) {
		most = ports[i] > most ? ports[i] : most;
		most = hosts[i] > most ? hosts[i] : most;
	}
	ck_assert_uint_lt(most, 64);
}
END_TEST

START_TEST(table_of_places)
{
	struct dtls_entry a = {.peer = peer_of("192.0.2.1", 1), .handle = 1};
	struct dtls_entry b = {.peer = peer_of("192.0.2.1", 1), .handle = 2};
	struct dtls_entry c = {.peer = peer_of("192.0.2.1", 2), .handle = 3};
	struct dtls_table *table;

	ck_assert_int_eq(dtls_table_new(&hash_key, &table), 0);
	ck_assert_ptr_null(dtls_table_find(table, DTLS_PLACE_HALF_OPEN, &a.peer));
	ck_assert_int_eq(dtls_table_put(table, &a, DTLS_PLACE_HALF_OPEN), 0);
	ck_assert_int_eq(dtls_table_put(table, &b, DTLS_PLACE_HALF_OPEN), -EEXIST);
	ck_assert_int_eq(dtls_table_put(table, &c, DTLS_PLACE_HALF_OPEN), 0);
	ck_assert_uint_eq(dtls_table_half_open(table, &a.peer), 2);
	ck_assert_int_eq(dtls_table_put(table, &a, DTLS_PLACE_ESTABLISHED), 0);
	ck_assert_uint_eq(dtls_table_half_open(table, &a.peer), 1);
	ck_assert_int_eq(dtls_table_put(table, &b, DTLS_PLACE_HALF_OPEN), 0);
	ck_assert_ptr_eq(dtls_table_find(table, DTLS_PLACE_ESTABLISHED, &b.peer), &a);
	ck_assert_ptr_eq(dtls_table_find(table, DTLS_PLACE_HALF_OPEN, &a.peer), &b);
	ck_assert_ptr_eq(dtls_table_by_handle(table, 3), &c);
	ck_assert_uint_eq(dtls_table_count(table, DTLS_PLACE_HALF_OPEN), 2);
	unsigned count = 0;
	for (struct dtls_entry *e = NULL; (e = dtls_table_next(table, e));)
		count++;
	ck_assert_uint_eq(count, 3);
	ck_assert_int_eq(dtls_table_put(table, &a, DTLS_PLACE_NONE), 0);
	ck_assert_int_eq(dtls_table_put(table, &b, DTLS_PLACE_NONE), 0);
	ck_assert_int_eq(dtls_table_put(table, &c, DTLS_PLACE_NONE), 0);
	ck_assert_ptr_null(dtls_table_by_handle(table, 1));
	ck_assert_uint_eq(dtls_table_half_open(table, &c.peer), 0);
	ck_assert_ptr_null(dtls_table_next(table, NULL));
	dtls_table_free(table);
}
END_TEST

START_TEST(table_in_order_of_progress)
{
	struct dtls_entry entries[3] = {{.handle = 1}, {.handle = 2}, {.handle = 3}};
	struct dtls_table *table;

	ck_assert_int_ge(dtls_table_new(&hash_key, &table), 0);
	ck_assert_ptr_null(dtls_table_stale(table, DTLS_PLACE_HALF_OPEN));
	for (unsigned i = 0; i < 3; i++) {
		entries[i].peer = peer_of("192.0.2.1", (uint16_t)(1 + i));
		ck_assert_int_ge(dtls_table_put(table, &entries[i], DTLS_PLACE_HALF_OPEN), 0);
	}
	ck_assert_ptr_eq(dtls_table_stale(table, DTLS_PLACE_HALF_OPEN), &entries[0]);
	dtls_table_touch(table, &entries[0]);
	dtls_table_touch(table, &entries[0]);
	ck_assert_ptr_eq(dtls_table_stale(table, DTLS_PLACE_HALF_OPEN), &entries[1]);
	ck_assert_ptr_null(dtls_table_stale(table, DTLS_PLACE_ESTABLISHED));
	ck_assert_int_ge(dtls_table_put(table, &entries[1], DTLS_PLACE_ESTABLISHED), 0);
	dtls_table_touch(table, &entries[1]);
	ck_assert_ptr_eq(dtls_table_stale(table, DTLS_PLACE_ESTABLISHED), &entries[1]);
	ck_assert_ptr_eq(dtls_table_stale(table, DTLS_PLACE_HALF_OPEN), &entries[2]);
	ck_assert_int_ge(dtls_table_put(table, &entries[2], DTLS_PLACE_NONE), 0);
	ck_assert_ptr_eq(dtls_table_stale(table, DTLS_PLACE_HALF_OPEN), &entries[0]);
	ck_assert_int_ge(dtls_table_put(table, &entries[0], DTLS_PLACE_NONE), 0);
	ck_assert_ptr_null(dtls_table_stale(table, DTLS_PLACE_HALF_OPEN));
	ck_assert_int_ge(dtls_table_put(table, &entries[0], DTLS_PLACE_ESTABLISHED), 0);
	dtls_table_touch(table, &entries[1]);
	ck_assert_ptr_eq(dtls_table_stale(table, DTLS_PLACE_ESTABLISHED), &entries[0]);
	ck_assert_int_ge(dtls_table_put(table, &entries[0], DTLS_PLACE_NONE), 0);
	ck_assert_int_ge(dtls_table_put(table, &entries[1], DTLS_PLACE_NONE), 0);
	ck_assert_ptr_null(dtls_table_stale(table, DTLS_PLACE_ESTABLISHED));
	dtls_table_free(table);
}
END_TEST

START_TEST(rates)
{
	const struct dtls_rate rate = {.a_second = 100, .burst = 3000};
	const int64_t begin_us = INT64_C(5000000);
	struct dtls_peer home = peer_of("192.0.2.1", 1), other = peer_of("192.0.2.2", 1);
	struct dtls_peer v6 = peer_of("2001:db8::1", 1), neighbour = peer_of("2001:db8::2", 2);
	struct dtls_rates *table;

	ck_assert_int_ge(dtls_rates_new(&hash_key, &table), 0);
	for (unsigned i = 0; i < 3000; i++) {
		home.port = (uint16_t)i;
		ck_assert(dtls_rates_take(table, &rate, &home, begin_us));
	}
	ck_assert(!dtls_rates_take(table, &rate, &home, begin_us));
	ck_assert(dtls_rates_take(table, &rate, &other, begin_us));
	ck_assert(!dtls_rates_take(table, &rate, &home, begin_us + 5000));
	/* Being refused costs nothing. */
	ck_assert(dtls_rates_take(table, &rate, &home, begin_us + 10000));
	ck_assert(!dtls_rates_take(table, &rate, &home, begin_us + 10000));
	for (unsigned i = 0; i < 100; i++)
		ck_assert(dtls_rates_take(table, &rate, &home, begin_us + 1010000));
	ck_assert(!dtls_rates_take(table, &rate, &home, begin_us + 1010000));
	/* No more than the burst is saved up; one IPv6 /64 is one network. */
	for (unsigned i = 0; i < 3000; i++)
		ck_assert(dtls_rates_take(table, &rate, i % 2 ? &v6 : &neighbour, begin_us));
	ck_assert(!dtls_rates_take(table, &rate, &v6, begin_us));
	for (unsigned i = 0; i < 3000; i++)
		ck_assert(dtls_rates_take(table, &rate, &v6, begin_us * 1000));
	ck_assert(!dtls_rates_take(table, &rate, &neighbour, begin_us * 1000));
	dtls_rates_free(table);
}
END_TEST

/* More networks than there is room for: the one that is at its limit is not forgotten for those that are not. */
START_TEST(rates_of_too_many)
{
	const struct dtls_rate rate = {.a_second = 1, .burst = 3};
	struct dtls_peer greedy = peer_of("192.0.2.1", 1);
	struct dtls_rates *table;

	ck_assert_int_ge(dtls_rates_new(&hash_key, &table), 0);
	for (unsigned i = 0; i < 3; i++)
		ck_assert(dtls_rates_take(table, &rate, &greedy, 1));
	for (uint32_t i = 0; i < 3 * DTLS_RATES_NETWORKS; i++) {
		struct dtls_peer peer = peer_of("10.0.0.0", 1);

		memcpy(peer.address + 12, &(uint32_t){htonl(0x0a000000u + i)}, 4);
		ck_assert(dtls_rates_take(table, &rate, &peer, 1));
	}
	ck_assert(!dtls_rates_take(table, &rate, &greedy, 1));
	dtls_rates_free(table);
}
END_TEST

START_TEST(timers_in_order)
{
	enum { COUNT = 500, STEPS = 20000 };
	static struct dtls_timer timer[COUNT];
	struct dtls_timers timers = {0};

	srand(11);
	for (unsigned step = 0; step < STEPS; step++) {
		struct dtls_timer *any = &timer[rand() % COUNT];
		int64_t least = INT64_MAX;
		size_t in = 0;

		if (rand() % 3)
			ck_assert_int_eq(dtls_timers_set(&timers, any, rand() % 1000), 0);
		else
			dtls_timers_clear(&timers, any);
		if (step % 50)
			continue;
		for (unsigned i = 0; i < COUNT; i++) {
			in += timer[i].place != 0;
			if (timer[i].place && timer[i].at_us < least)
				least = timer[i].at_us;
		}
		ck_assert_uint_eq(in, timers.count);
		if (in > 0)
			ck_assert_int_eq(dtls_timers_first(&timers)->at_us, least);
	}
	int64_t last = -1;
	for (struct dtls_timer *first; (first = dtls_timers_first(&timers)); last = first->at_us) {
		ck_assert_int_ge(first->at_us, last);
		dtls_timers_clear(&timers, first);
	}
	dtls_timers_done(&timers);
}
END_TEST

/* A hello of its own for each number. */
static bool hello(struct dtls_grey *grey, int64_t now_us, uint32_t number)
{
	struct dtls_peer peer = peer_of("192.0.2.7", (uint16_t)(1024 + number % 50000));
	uint8_t random[DTLS_RANDOM_SIZE] = {0};

	number *= UINT32_C(2246822519);
	memcpy(random + 4, &number, sizeof(number));
	return dtls_grey_pass(grey, now_us, &peer, random);
}

START_TEST(hellos_of_a_flood)
{
	const int64_t begin_us = 5000000000, s_us = 1000000;
	struct dtls_grey *grey;
	unsigned passed = 0;

	ck_assert_int_ge(dtls_grey_new(&hash_key, &grey), 0);
	for (uint32_t i = 0; i < DTLS_GREY_FREE; i++)
		ck_assert(hello(grey, begin_us, i));
	ck_assert(!dtls_grey_is_open(grey));
	for (uint32_t i = 0; i < 100000; i++)
		passed += hello(grey, begin_us + s_us / 2, 1000000 + i);
	ck_assert(dtls_grey_is_open(grey));
	ck_assert_uint_lt(passed, 2000); /* by mistake */
	/* Whoever comes again is answered, in the same second and up to the span later; once more strangers are not. */
	for (uint32_t i = 0; i < 100000; i += 1000)
		ck_assert(hello(grey, begin_us + s_us / 2, 1000000 + i));
	for (uint32_t i = 0; i < DTLS_GREY_FREE; i++)
		ck_assert(hello(grey, begin_us + DTLS_GREY_SPAN_US, i));
	for (uint32_t i = 1; i < 100000; i += 1000)
		ck_assert(hello(grey, begin_us + DTLS_GREY_SPAN_US, 1000000 + i));
	dtls_grey_free(grey);
}
END_TEST

START_TEST(a_flood_is_over)
{
	const int64_t begin_us = 5000000000;
	struct dtls_grey *grey;

	ck_assert_int_ge(dtls_grey_new(&hash_key, &grey), 0);
	for (uint32_t i = 0; i <= DTLS_GREY_FREE; i++)
		hello(grey, begin_us, i);
	dtls_grey_tidy(grey, begin_us + DTLS_GREY_SPAN_US);
	ck_assert(dtls_grey_is_open(grey));
	dtls_grey_tidy(grey, begin_us + 2 * DTLS_GREY_SPAN_US);
	ck_assert(!dtls_grey_is_open(grey));
	ck_assert(hello(grey, begin_us + 2 * DTLS_GREY_SPAN_US, 1));
	dtls_grey_free(grey);
}
END_TEST

START_TEST(cookies_age)
{
	struct dtls_peer peer = peer_of("192.0.2.1", 1), other = peer_of("192.0.2.1", 2);
	uint8_t cookie[DTLS_COOKIE_SIZE], next[DTLS_COOKIE_SIZE];
	struct dtls_cookies *cookies;
	int64_t at_us = 5;

	ck_assert_int_eq(dtls_cookies_new(&cookies), 0);
	ck_assert_int_eq(dtls_cookies_make(cookies, at_us, &peer, cookie), 0);
	ck_assert_int_eq(dtls_cookies_make(cookies, at_us, &peer, next), 0);
	ck_assert_mem_eq(cookie, next, sizeof(cookie));
	ck_assert(dtls_cookies_check(cookies, at_us, &peer, cookie, sizeof(cookie)));
	ck_assert(!dtls_cookies_check(cookies, at_us, &other, cookie, sizeof(cookie)));
	ck_assert(!dtls_cookies_check(cookies, at_us, &peer, cookie, sizeof(cookie) - 1));
	ck_assert(!dtls_cookies_check(cookies, at_us, &peer, cookie, 0));
	at_us += DTLS_COOKIE_SPAN_US;
	ck_assert(dtls_cookies_check(cookies, at_us, &peer, cookie, sizeof(cookie)));
	ck_assert_int_eq(dtls_cookies_make(cookies, at_us, &peer, next), 0);
	ck_assert_mem_ne(cookie, next, sizeof(cookie));
	at_us += DTLS_COOKIE_SPAN_US;
	ck_assert(!dtls_cookies_check(cookies, at_us, &peer, cookie, sizeof(cookie)));
	ck_assert(dtls_cookies_check(cookies, at_us, &peer, next, sizeof(cookie)));
	at_us += 2 * DTLS_COOKIE_SPAN_US;
	ck_assert(!dtls_cookies_check(cookies, at_us, &peer, next, sizeof(cookie)));
	next[0] ^= 1;
	ck_assert(!dtls_cookies_check(cookies, at_us, &peer, next, sizeof(cookie)));
	dtls_cookies_free(cookies);
}
END_TEST

#define BYTES(text)          ((struct tg_bytes){text, sizeof(text) - 1})
#define HEADER(type, length) type "\xfe\xfd\0\0\0\0\0\0\0\7\0" length

START_TEST(records)
{
	const struct tg_bytes two = BYTES(HEADER("\x14", "\1") "\1" HEADER("\x16", "\2") "ab");
	struct dtls_record record;

	ck_assert_uint_eq(dtls_record_next(two, &record), 14);
	ck_assert_int_eq(record.type, DTLS_CONTENT_CHANGE_CIPHER_SPEC);
	ck_assert_uint_eq(record.epoch, 0);
	ck_assert_uint_eq(record.bytes.size, 14);
	ck_assert_uint_eq(dtls_record_next(BYTES(HEADER("\x16", "\2") "a"), &record), 0);
	ck_assert_uint_eq(dtls_record_next(BYTES(HEADER("\x18", "\2") "ab"), &record), 0);
	ck_assert_uint_eq(dtls_record_next(BYTES("\x16\xfe\xfd"), &record), 0);
	ck_assert_uint_eq(dtls_record_next(BYTES("\x16\3\3\0\0\0\0\0\0\0\0\0\0"), &record), 0);
	ck_assert_uint_eq(dtls_record_next((struct tg_bytes){NULL, 0}, &record), 0);
}
END_TEST

static bool identity_in(struct tg_bytes bytes, struct tg_bytes *ret_identity)
{
	struct dtls_record record;

	return dtls_record_next(bytes, &record) == bytes.size && dtls_record_identity(&record, ret_identity);
}

START_TEST(identities)
{
	const struct tg_bytes good = BYTES(HEADER("\x16", "\x11") "\x10\0\0\5\0\2\0\0\0\0\0\5"
								  "\0\3a\0b");
	struct tg_bytes identity;

	ck_assert(identity_in(good, &identity));
	ck_assert_uint_eq(identity.size, 3);
	ck_assert_mem_eq(identity.data, "a\0b", 3);
	/* behind another message in one record; with the point of an ECDHE suite behind it */
	ck_assert(identity_in(BYTES(HEADER("\x16", "\x20") "\x0b\0\0\1\0\2\0\0\0\0\0\1"
							   "x"
							   "\x10\0\0\7\0\3\0\0\0\0\0\7"
							   "\0\3abc\1p"),
			      &identity));
	ck_assert_uint_eq(identity.size, 3);
	/* longer than the message; a fragment; not whole; another message; protected; too short */
	ck_assert(!identity_in(BYTES(HEADER("\x16", "\x11") "\x10\0\0\5\0\2\0\0\0\0\0\5"
							    "\0\4abc"),
			       &identity));
	ck_assert(!identity_in(BYTES(HEADER("\x16", "\x11") "\x10\0\0\6\0\2\0\0\0\0\0\5"
							    "\0\3abc"),
			       &identity));
	ck_assert(!identity_in(BYTES(HEADER("\x16", "\x11") "\x10\0\0\5\0\2\0\0\0\0\0\6"
							    "\0\3abc"),
			       &identity));
	ck_assert(!identity_in(BYTES(HEADER("\x16", "\x11") "\x0f\0\0\5\0\2\0\0\0\0\0\5"
							    "\0\3abc"),
			       &identity));
	ck_assert(!identity_in(BYTES(HEADER("\x15", "\x11") "\x10\0\0\5\0\2\0\0\0\0\0\5"
							    "\0\3abc"),
			       &identity));
	ck_assert(!identity_in(BYTES(HEADER("\x16", "\x0d") "\x10\0\0\1\0\2\0\0\0\0\0\1"
							    "x"),
			       &identity));
}
END_TEST

/* Nothing is read behind the end: the sanitizers watch. */
START_TEST(random_records)
{
	srand(13);
	for (unsigned i = 0; i < 200000; i++) {
		size_t size = (size_t)rand() % 80;
		uint8_t *bytes = malloc(size > 0 ? size : 1);
		struct dtls_record record;
		struct tg_bytes identity;

		for (size_t j = 0; j < size; j++)
			bytes[j] = (uint8_t)(rand() % 4 ? rand() % 32 : rand());
		if (size > 13)
			memcpy(bytes, (uint8_t[]){22, 0xfe, 0xfd, 0, 0}, 5);
		if (size > 15 && i % 4)
			memcpy(bytes + 11, (uint8_t[]){0, (uint8_t)(size - 13), i % 2 ? 16 : 1, 0, 0}, 5);
		struct tg_bytes datagram = {bytes, size};
		if (dtls_record_is_hello(datagram))
			ck_assert(dtls_record_hello_random(datagram) + DTLS_RANDOM_SIZE <= bytes + size);
		if (dtls_record_next(datagram, &record) > 0 && dtls_record_identity(&record, &identity))
			ck_assert((const uint8_t *)identity.data + identity.size <= bytes + size);
		free(bytes);
	}
}
END_TEST

static Suite *parts_suite(void)
{
	Suite *suite = suite_create("dtls parts");
	TCase *parts = tcase_create("parts");

	tcase_set_timeout(parts, 60);
	tcase_add_test(parts, peers);
	tcase_add_test(parts, hashes_spread);
	tcase_add_test(parts, table_of_places);
	tcase_add_test(parts, table_in_order_of_progress);
	tcase_add_test(parts, rates);
	tcase_add_test(parts, rates_of_too_many);
	tcase_add_test(parts, timers_in_order);
	tcase_add_test(parts, hellos_of_a_flood);
	tcase_add_test(parts, a_flood_is_over);
	tcase_add_test(parts, cookies_age);
	tcase_add_test(parts, records);
	tcase_add_test(parts, identities);
	tcase_add_test(parts, random_records);
	suite_add_tcase(suite, parts);
	return suite;
}

int main(void)
{
	SRunner *runner = srunner_create(parts_suite());

	srunner_run_all(runner, CK_ENV);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed == 0 ? EXIT_SUCCESS : EXIT_FAILURE;
}
