/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "coap/reader_answer.h"

enum { S = 1000000 };

static uint8_t wire[2048];
static struct message_writer writer;
static struct coap_message message;
static const struct reader_content reading = {
	.payload = {"21.5", 4}, .content_format = 0, .etag = 0xabcd, .fresh_until_us = 60 * (int64_t)S};

static struct tg_bytes text(const char *terminated)
{
	return (struct tg_bytes){terminated, strlen(terminated)};
}

static void begin(uint8_t code)
{
	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, code, 1, (struct tg_bytes){0});
}

static void parse(void)
{
	ck_assert(!writer.failed);
	ck_assert_int_eq(message_parse((struct tg_bytes){wire, writer.size}, &message), 0);
}

/* A GET of this path, "" among the segments where two '/' follow each other. */
static void get(const char *path)
{
	begin(MESSAGE_GET);
	while (*path) {
		size_t size = strcspn(path, "/");

		message_write_option(&writer, MESSAGE_URI_PATH, (struct tg_bytes){path, size});
		path += size + (path[size] == '/');
	}
	parse();
}

static const struct {
	const char *prefix;
	const char *path;
	bool asked;
	const char *device; /* NULL: none, 4.04 */
	const char *rest;
} addresses[] = {
	{"readings", "readings/d/t", true, "d", "t"},
	{"readings", "readings/d/a/b", true, "d", "a/b"},
	{"readings", "readings/d", true, "d", ""},
	{"readings", "readings", true, NULL, NULL},
	{"readings", "readings//t", true, NULL, NULL},
	{"readings", "reading/d/t", false, NULL, NULL},
	{"readings", "readings2/d/t", false, NULL, NULL},
	{"readings", "d/readings/t", false, NULL, NULL},
	{"readings", "", false, NULL, NULL},
	{"", "readings/d/t", false, NULL, NULL},
	{"", "", false, NULL, NULL},
	{"a/b", "a/b/d/t", true, "d", "t"},
	{"a/b", "a/d/t", false, NULL, NULL},
	{"a/b", "a", false, NULL, NULL},
	{"a/b/", "a/b/d/t", true, "d", "t"},
};

START_TEST(what_is_asked_for)
{
	struct resource_reading path;
	struct tg_bytes device;
	const char *problem;

	get(addresses[_i].path);
	ck_assert_int_eq(reader_is_asked(&message, addresses[_i].prefix), addresses[_i].asked);
	if (!addresses[_i].asked)
		return;
	uint8_t code = reader_address(&message, addresses[_i].prefix, &device, &path, &problem);
	if (!addresses[_i].device) {
		ck_assert_uint_eq(code, MESSAGE_NOT_FOUND);
		return;
	}
	ck_assert_uint_eq(code, 0);
	ck_assert_uint_eq(device.size, strlen(addresses[_i].device));
	ck_assert_mem_eq(device.data, addresses[_i].device, device.size);
	ck_assert_uint_eq(path.path_size, strlen(addresses[_i].rest));
	ck_assert_mem_eq(path.path, addresses[_i].rest, path.path_size);
}
END_TEST

START_TEST(only_get_asks)
{
	for (uint8_t code = MESSAGE_POST; code <= MESSAGE_IPATCH; code++) {
		begin(code);
		message_write_option(&writer, MESSAGE_URI_PATH, text("readings"));
		message_write_option(&writer, MESSAGE_URI_PATH, text("d"));
		parse();
		ck_assert(!reader_is_asked(&message, "readings"));
	}
}
END_TEST

START_TEST(a_few_tags_are_noted)
{
	static const char *const tags[] = {"\x01", "\x02\x03", "\xff\xff\xff\xff\xff\xff\xff\xff",
					   "\x05", "\x06",     "\x07"};
	static const uint8_t zero_in_front[] = {0, 1};
	struct reader_wishes wishes;

	begin(MESSAGE_GET);
	message_write_option(&writer, MESSAGE_ETAG, (struct tg_bytes){zero_in_front, 2});
	for (size_t i = 0; i < sizeof(tags) / sizeof(tags[0]); i++)
		message_write_option(&writer, MESSAGE_ETAG, text(tags[i]));
	parse();
	reader_wishes_read(&message, &wishes);
	ck_assert_uint_eq(wishes.n_etags, READER_ETAGS_MAX);
	ck_assert_uint_eq(wishes.etags[0], 1);
	ck_assert_uint_eq(wishes.etags[1], 0x203);
	ck_assert_uint_eq(wishes.etags[2], UINT64_MAX);
	ck_assert_uint_eq(wishes.etags[3], 5);
	ck_assert(!wishes.observe);
}
END_TEST

static const struct {
	uint32_t observe, block2, no_response;
	bool observes;
} registrations[] = {
	{0, MESSAGE_ABSENT, MESSAGE_ABSENT, true},
	{1, MESSAGE_ABSENT, MESSAGE_ABSENT, false},
	{2, MESSAGE_ABSENT, MESSAGE_ABSENT, false},
	{MESSAGE_ABSENT, MESSAGE_ABSENT, MESSAGE_ABSENT, false},
	{0, 0x06, MESSAGE_ABSENT, true},
	{0, 0x16, MESSAGE_ABSENT, false},
	{0, MESSAGE_ABSENT, 0x02, false},
	{0, MESSAGE_ABSENT, 0x18, true},
};

START_TEST(what_registers)
{
	struct reader_wishes wishes;

	begin(MESSAGE_GET);
	if (registrations[_i].observe != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_OBSERVE, registrations[_i].observe);
	if (registrations[_i].block2 != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_BLOCK2, registrations[_i].block2);
	if (registrations[_i].no_response != MESSAGE_ABSENT)
		message_write_option_uint(&writer, MESSAGE_NO_RESPONSE, registrations[_i].no_response);
	parse();
	reader_wishes_read(&message, &wishes);
	ck_assert_int_eq(wishes.observe, registrations[_i].observes);
}
END_TEST

/* Units: seconds. Rounded up, so that nothing is called stale early. */
START_TEST(how_fresh_it_is)
{
	static const struct {
		int64_t now_us;
		uint32_t max_age;
	} rows[] = {{0, 60},
		    {1, 60},
		    {S - 1, 60},
		    {S, 59},
		    {59 * (int64_t)S + 1, 1},
		    {60 * (int64_t)S, 0},
		    {61 * (int64_t)S, 0}};
	const struct reader_wishes wishes = {.accept = MESSAGE_ABSENT, .block2 = MESSAGE_ABSENT};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_uint_eq(reader_answer(&reading, &wishes, rows[i].now_us).max_age, rows[i].max_age);
}
END_TEST

START_TEST(a_known_reading_is_valid_but_told_to_observers)
{
	const struct reader_wishes wishes = {
		.accept = MESSAGE_ABSENT, .block2 = MESSAGE_ABSENT, .n_etags = 1, .etags = {0xabcd}};
	struct resource_answer answer = reader_answer(&reading, &wishes, 0);

	ck_assert_uint_eq(answer.code, MESSAGE_VALID);
	ck_assert_uint_eq(answer.payload.size, 0);
	ck_assert_uint_eq(answer.content_format, MESSAGE_ABSENT);
	answer = reader_notification(&reading, &wishes, 0);
	ck_assert_uint_eq(answer.code, MESSAGE_CONTENT);
	ck_assert_uint_eq(answer.payload.size, 4);
	ck_assert_uint_eq(answer.etag_size, 2);
}
END_TEST

START_TEST(refusals_have_their_codes)
{
	static const struct {
		uint32_t verdict;
		uint8_t code;
	} rows[] = {{TG_NO_ROUTE, MESSAGE_NOT_FOUND},          {TG_NOT_ALLOWED, MESSAGE_FORBIDDEN},
		    {TG_UNAVAILABLE, MESSAGE_UNAVAILABLE},     {TG_FULL, MESSAGE_UNAVAILABLE},
		    {TG_UNKNOWN_DEVICE, MESSAGE_UNAUTHORIZED}, {99, MESSAGE_UNAVAILABLE}};
	const struct reader_wishes wishes = {.context = (uint64_t)MESSAGE_GET << 32 | MESSAGE_ABSENT};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		const struct resource_answer answer = reader_refusal(rows[i].verdict, 0, &wishes);

		ck_assert_uint_eq(answer.code, rows[i].code);
		ck_assert_uint_gt(answer.detail, 0); /* a Max-Age of 0 would be an invitation */
		ck_assert_uint_eq(answer.block1, MESSAGE_ABSENT);
	}
}
END_TEST

/* Snapshots. */

static struct reader_snapshots *snapshots;
static struct reader_snapshot_peer peer, other;

static void put(struct reader_snapshot_peer *of, const char *name, size_t size, uint64_t etag, int64_t now_us)
{
	static uint8_t bytes[8192];
	const struct reader_content content = {.payload = {bytes, size}, .etag = etag};

	memset(bytes, (int)etag, sizeof(bytes));
	reader_snapshot_put(snapshots, of, text(name), &content, now_us);
}

/* 0: there is none. */
static uint64_t etag_of(const struct reader_snapshot_peer *of, const char *name, int64_t now_us)
{
	struct reader_content content;

	if (!reader_snapshot_get(of, text(name), now_us, &content))
		return 0;
	for (size_t i = 0; i < content.payload.size; i++)
		ck_assert_uint_eq(((const uint8_t *)content.payload.data)[i], (uint8_t)content.etag);
	return content.etag;
}

static void snapshots_begin(size_t limit_bytes)
{
	ck_assert_int_eq(reader_snapshots_new(limit_bytes, &snapshots), 0);
}

static void snapshots_end(void)
{
	reader_snapshot_peer_done(snapshots, &peer);
	reader_snapshot_peer_done(snapshots, &other);
	ck_assert_uint_eq(reader_snapshots_bytes(snapshots), 0);
	ck_assert_int_eq(reader_snapshots_next_us(snapshots), INT64_MAX);
	reader_snapshots_free(snapshots);
}

START_TEST(a_newer_reading_takes_the_place_of_its_own)
{
	snapshots_begin(1 << 20);
	put(&peer, "a", 2000, 1, 0);
	put(&peer, "b", 2000, 2, 0);
	put(&other, "a", 2000, 3, 0);
	put(&peer, "a", 3000, 4, 0);
	ck_assert_uint_eq(etag_of(&peer, "a", 0), 4);
	ck_assert_uint_eq(etag_of(&peer, "b", 0), 2);
	ck_assert_uint_eq(etag_of(&other, "a", 0), 3);
	ck_assert_uint_eq(etag_of(&other, "b", 0), 0);
	snapshots_end();
}
END_TEST

START_TEST(a_session_has_a_few)
{
	char name[] = "a";

	snapshots_begin(1 << 20);
	for (; name[0] <= 'f'; name[0]++)
		put(&peer, name, 2000, (uint64_t)name[0], 0);
	ck_assert_uint_eq(peer.count, READER_SNAPSHOTS_A_PEER);
	ck_assert_uint_eq(etag_of(&peer, "a", 0), 0);
	ck_assert_uint_eq(etag_of(&peer, "b", 0), 0);
	for (name[0] = 'c'; name[0] <= 'f'; name[0]++)
		ck_assert_uint_eq(etag_of(&peer, name, 0), (uint64_t)name[0]);
	snapshots_end();
}
END_TEST

START_TEST(memory_is_bounded_and_the_oldest_goes)
{
	snapshots_begin(10000);
	put(&peer, "a", 4000, 1, 0);
	put(&other, "a", 4000, 2, 0);
	put(&peer, "b", 4000, 3, 0);
	ck_assert_uint_le(reader_snapshots_bytes(snapshots), 10000);
	ck_assert_uint_eq(etag_of(&peer, "a", 0), 0);
	ck_assert_uint_eq(etag_of(&other, "a", 0), 2);
	ck_assert_uint_eq(etag_of(&peer, "b", 0), 3);
	reader_snapshots_set_limit(snapshots, 1000);
	put(&peer, "c", 4000, 4, 0);
	ck_assert_uint_eq(etag_of(&peer, "c", 0), 0);
	ck_assert_uint_eq(etag_of(&peer, "b", 0), 3);
	snapshots_end();
}
END_TEST

/* A new reading is told to all who observe it: its bytes are there once. */
START_TEST(sessions_share_what_is_the_same)
{
	static struct reader_snapshot_peer many[50];

	snapshots_begin(20000);
	put(&other, "a", 4000, 1, 0);
	for (size_t i = 0; i < 50; i++)
		put(&many[i], "a", 8000, 2, (int64_t)i);
	for (size_t i = 0; i < 50; i++)
		ck_assert_uint_eq(etag_of(&many[i], "a", 0), 2);
	ck_assert_uint_eq(etag_of(&other, "a", 0), 1);
	put(&peer, "a", 8001, 2, 0); /* the same name and tag, and yet another */
	ck_assert_uint_le(reader_snapshots_bytes(snapshots), 20000);
	for (size_t i = 0; i < 50; i++)
		reader_snapshot_peer_done(snapshots, &many[i]);
	ck_assert_uint_eq(etag_of(&peer, "a", 0), 2);
	snapshots_end();
}
END_TEST

START_TEST(a_snapshot_is_as_fresh_as_its_session_was_told)
{
	struct reader_content content = {.payload = {"21.5", 4}, .etag = 1, .fresh_until_us = 60 * (int64_t)S}, got;

	snapshots_begin(20000);
	reader_snapshot_put(snapshots, &peer, text("a"), &content, 0);
	content.fresh_until_us = 50 * (int64_t)S;
	reader_snapshot_put(snapshots, &other, text("a"), &content, 0);
	ck_assert(reader_snapshot_get(&peer, text("a"), 0, &got));
	ck_assert_int_eq(got.fresh_until_us, 60 * (int64_t)S);
	ck_assert(reader_snapshot_get(&other, text("a"), 0, &got));
	ck_assert_int_eq(got.fresh_until_us, 50 * (int64_t)S);
	snapshots_end();
}
END_TEST

START_TEST(time_ends_them)
{
	int64_t end_us = READER_SNAPSHOT_S * (int64_t)S;

	snapshots_begin(1 << 20);
	put(&peer, "a", 2000, 1, 0);
	put(&peer, "b", 2000, 2, S);
	ck_assert_int_eq(reader_snapshots_next_us(snapshots), end_us);
	ck_assert_uint_eq(etag_of(&peer, "a", end_us - 1), 1);
	ck_assert_uint_eq(etag_of(&peer, "a", end_us), 0);
	reader_snapshots_run(snapshots, end_us);
	ck_assert_uint_eq(peer.count, 1);
	ck_assert_uint_eq(etag_of(&peer, "b", end_us), 2);
	ck_assert_int_eq(reader_snapshots_next_us(snapshots), end_us + S);
	snapshots_end();
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_reader");
	TCase *tcase = tcase_create("all");

	tcase_add_loop_test(tcase, what_is_asked_for, 0, sizeof(addresses) / sizeof(addresses[0]));
	tcase_add_test(tcase, only_get_asks);
	tcase_add_test(tcase, a_few_tags_are_noted);
	tcase_add_loop_test(tcase, what_registers, 0, sizeof(registrations) / sizeof(registrations[0]));
	tcase_add_test(tcase, how_fresh_it_is);
	tcase_add_test(tcase, a_known_reading_is_valid_but_told_to_observers);
	tcase_add_test(tcase, refusals_have_their_codes);
	tcase_add_test(tcase, a_newer_reading_takes_the_place_of_its_own);
	tcase_add_test(tcase, a_session_has_a_few);
	tcase_add_test(tcase, memory_is_bounded_and_the_oldest_goes);
	tcase_add_test(tcase, sessions_share_what_is_the_same);
	tcase_add_test(tcase, a_snapshot_is_as_fresh_as_its_session_was_told);
	tcase_add_test(tcase, time_ends_them);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
