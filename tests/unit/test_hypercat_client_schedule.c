/* SPDX-License-Identifier: Apache-2.0 */

/* When the HyperCat client asks for what: hours of it in virtual time, with a server that is a few functions. */

#include <stdlib.h>

#include "adapter/mock_host.h"
#include "hypercat_client_fake.h"
#include "suite.h"

enum { S_US = 1000000 };

static struct mock_host *mock;

static void setup(void)
{
	ck_assert_int_eq(mock_host_new(&tidegate_adapter, &mock), 0);
	mock->virtual_time = true;
	mock->now_us = 1000 * (int64_t)S_US;
	mock->accept_all = true;
	mock_add(mock, "catalogues", "https://cat.example/cat");
	mock_set(mock, "trust", "/nowhere");
	mock_set(mock, "jitter_percent", "0");
	mock_add_route(mock, "**");
	fake_takes_us = 20000;
}

static void teardown(void)
{
	mock_host_free(mock);
}

static void begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	mock_settle(mock);
}

static void run_s(int64_t seconds)
{
	for (int64_t i = 0; i < seconds; i++) {
		mock_advance(mock, S_US);
		mock_settle(mock);
	}
}

START_TEST(hours_of_harvests_and_polls)
{
	struct page *cat = page("https://cat.example/cat", CAT(ITEM("/a") "," NESTED("/sub")));
	struct page *sub = page("https://cat.example/sub", CAT(ITEM("/b") "," NESTED("/cat")));
	const struct page *a = page("https://cat.example/a", "1"), *b = page("https://cat.example/b", "1");

	begin();
	run_s(6 * 3600 + 30);
	ck_assert_uint_eq(cat->asked, 7);
	ck_assert_uint_eq(sub->asked, 7);
	ck_assert_uint_ge(a->asked, 358);
	ck_assert_uint_le(a->asked, 361);
	ck_assert_uint_ge(b->asked, 358);
	ck_assert_uint_eq(mock->n_submissions, 2);
	ck_assert_int_eq(mock_counter(mock, "harvests"), 7);
	ck_assert_int_eq(mock_counter(mock, "resources"), 2);
	/* A name is looked up again each minute at most. */
	ck_assert_uint_le(fake_names, 6 * 60 + 2);
}
END_TEST

START_TEST(a_catalogue_that_fails_is_tried_ever_more_rarely)
{
	struct page *cat = page("https://cat.example/cat", NULL);
	unsigned first;

	begin();
	run_s(60);
	first = cat->asked;
	ck_assert_uint_ge(first, 5); /* 1, 2, 4 … seconds, or a little sooner */
	ck_assert_uint_le(first, 9);
	run_s(3600 * 2);
	ck_assert_uint_ge(cat->asked - first, 7200 / 300);
	ck_assert_uint_le(cat->asked - first, 7200 / 150 + 4);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	ck_assert_uint_le(mock_logged(mock, "does not serve"), 8);
	page("https://cat.example/cat", CAT(ITEM("/a")));
	page("https://cat.example/a", "1");
	run_s(301);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_uint_eq(mock->n_submissions, 1);
}
END_TEST

START_TEST(what_was_listed_stays_while_a_catalogue_fails)
{
	const struct page *a = page("https://cat.example/a", "1");
	struct page *cat = page("https://cat.example/cat", CAT(ITEM("/a")));
	unsigned before;

	begin();
	run_s(30);
	cat->status = 500;
	run_s(3600);
	before = a->asked;
	run_s(600);
	ck_assert_uint_ge(a->asked, before + 9);
	ck_assert_int_eq(mock->link, TG_LINK_DOWN);
	ck_assert_int_eq(mock_counter(mock, "resources"), 1);
}
END_TEST

START_TEST(retry_after_is_respected_by_all_of_its_host)
{
	struct page *a = page("https://cat.example/a", "1");
	const struct page *b = page("https://cat.example/b", "1"), *c = page("https://cat.example:444/c", "1");
	unsigned before_b, before_c;

	page("https://cat.example/cat", CAT(ITEM("/a") "," ITEM("/b") "," ITEM("https://cat.example:444/c")));
	mock_add(mock, "hosts", "cat.example");
	a->status = 503;
	a->retry_after_s = 900;
	begin();
	run_s(5);
	ck_assert_uint_eq(a->asked, 1);
	before_b = b->asked;
	before_c = c->asked;
	run_s(890);
	ck_assert_uint_eq(a->asked, 1);
	ck_assert_uint_eq(b->asked, before_b);
	ck_assert_uint_ge(c->asked, before_c + 13);
	a->status = 200;
	a->retry_after_s = 0;
	run_s(30);
	ck_assert_uint_ge(a->asked, 2);
	ck_assert_uint_ge(b->asked, before_b + 1);
	ck_assert_uint_eq(mock->n_submissions, 3);
}
END_TEST

START_TEST(few_at_a_time_and_each_host_in_its_turn)
{
	const struct page *other = page("https://other.example/x", "1");

	page("https://cat.example/cat",
	     CAT(ITEM("/1") "," ITEM("/2") "," ITEM("/3") "," ITEM("/4") "," ITEM("/5") "," ITEM("/6") "," ITEM(
		     "/7") "," ITEM("https://other.example/x")));
	mock_add(mock, "hosts", "other.example");
	mock_set(mock, "concurrency", "3");
	mock_set(mock, "concurrency_of_host", "2");
	fake_takes_us = 5 * S_US;
	begin();
	run_s(7);
	/* The slow ones of the one do not keep the other waiting. */
	ck_assert_uint_eq(other->asked, 1);
	run_s(120);
	ck_assert_uint_eq(fake_most_running, 3);
}
END_TEST

START_TEST(a_name_without_an_address_rests)
{
	fake_names_problem = "no such name";
	page("https://cat.example/cat", CAT(ITEM("/a")));
	begin();
	run_s(600);
	ck_assert_uint_eq(fake_pages[0].asked, 0);
	ck_assert_uint_ge(fake_names, 6);
	ck_assert_uint_le(fake_names, 14);
	ck_assert_uint_ge(mock_logged(mock, "no such name"), 1);
	fake_names_problem = NULL;
	run_s(301);
	ck_assert_uint_ge(fake_pages[0].asked, 1);
}
END_TEST

START_TEST(circles_and_depths_end)
{
	struct page *deep = page("https://cat.example/3", CAT(NESTED("/4") "," NESTED("/cat")));

	page("https://cat.example/cat", CAT(NESTED("/1") "," NESTED("cat") "," NESTED("./cat#x")));
	page("https://cat.example/1", CAT(NESTED("/2") "," NESTED("/1")));
	page("https://cat.example/2", CAT(NESTED("/3") "," NESTED("/1")));
	page("https://cat.example/4", CAT(ITEM("/a")));
	mock_set(mock, "depth_max", "3");
	begin();
	run_s(30);
	ck_assert_uint_eq(deep->asked, 1);
	ck_assert_uint_eq(page("https://cat.example/4", CAT(ITEM("/a")))->asked, 0);
	ck_assert_int_eq(mock_counter(mock, "harvests"), 1);
	ck_assert_str_eq(mock->link_detail, "0 resources of 4 catalogues");
}
END_TEST

/* A shorter way to a catalogue counts, whichever was found first. */
START_TEST(the_shorter_way_counts)
{
	struct page *last = page("https://cat.example/last", CAT(""));

	page("https://cat.example/cat", CAT(NESTED("/long") "," NESTED("/short")));
	page("https://cat.example/long", CAT(NESTED("/target")));
	page("https://cat.example/short", CAT(""));
	page("https://cat.example/target", CAT(NESTED("/last")));
	mock_add(mock, "catalogues", "https://cat.example/late");
	page("https://cat.example/late", CAT(NESTED("/target")));
	mock_set(mock, "depth_max", "2");
	begin();
	run_s(30);
	ck_assert_uint_eq(last->asked, 1);
}
END_TEST

START_TEST(jitter_spreads_the_polls)
{
	const struct page *a = page("https://cat.example/a", "1");
	int64_t last_us = 0, least_us = INT64_MAX, most_us = 0;

	page("https://cat.example/cat", CAT(ITEM("/a")));
	mock_set(mock, "jitter_percent", "50");
	begin();
	run_s(20);
	last_us = a->last_us;
	for (int i = 0; i < 3600 * 3; i++) {
		run_s(1);
		if (a->last_us == last_us)
			continue;
		least_us = a->last_us - last_us < least_us ? a->last_us - last_us : least_us;
		most_us = a->last_us - last_us > most_us ? a->last_us - last_us : most_us;
		last_us = a->last_us;
	}
	ck_assert_int_ge(least_us, 30 * S_US);
	ck_assert_int_le(most_us, 92 * S_US);
	ck_assert_int_gt(most_us - least_us, 10 * S_US);
}
END_TEST

START_TEST(a_reload_asks_at_once)
{
	struct page *cat = page("https://cat.example/cat", NULL);
	unsigned before;

	begin();
	run_s(3600);
	before = cat->asked;
	page("https://cat.example/cat", CAT(ITEM("/a")));
	page("https://cat.example/a", "1");
	ck_assert_int_eq(mock_reload(mock), 0);
	run_s(1);
	ck_assert_uint_eq(cat->asked, before + 1);
	ck_assert_uint_eq(mock->n_submissions, 1);
}
END_TEST

START_TEST(the_token_is_for_the_places_of_catalogues)
{
	const struct page *cat = page("https://cat.example/cat", CAT(ITEM("/a") "," ITEM("https://other.example/b"))),
			  *a = page("https://cat.example/a", "1"), *b = page("https://other.example/b", "1");

	mock_add(mock, "hosts", "other.example");
	begin();
	run_s(1);
	ck_assert(cat->with_token);
	ck_assert(a->with_token);
	ck_assert_uint_eq(b->asked, 1);
	ck_assert(!b->with_token);
	mock_set(mock, "catalogues", NULL);
	mock_add(mock, "catalogues", "https://other.example/cat");
	mock_add(mock, "hosts", "cat.example");
	page("https://other.example/cat", CAT(ITEM("/b") "," ITEM("https://cat.example/a")));
	ck_assert_int_eq(mock_reload(mock), 0);
	run_s(1);
	ck_assert_uint_eq(a->asked, 2);
	ck_assert(!a->with_token);
	ck_assert_uint_eq(b->asked, 2);
	ck_assert(b->with_token);
	ck_assert_uint_eq(mock->n_submissions, 2);
}
END_TEST

/* The walk ends with the refusal of a catalogue whose host rests, and so do others. */
START_TEST(hosts_end_while_others_rest)
{
	const char *with = CAT(NESTED("https://b.example/cat") "," ITEM("https://c.example/x"));
	struct page *busy = page("https://b.example/y", "1");

	page("https://cat.example/cat", with);
	page("https://b.example/cat", CAT(ITEM("/y")));
	page("https://c.example/x", "1");
	busy->status = 503;
	busy->retry_after_s = 30;
	mock_add(mock, "hosts", "b.example");
	mock_add(mock, "hosts", "c.example");
	mock_set(mock, "harvest_interval_s", "3");
	mock_set(mock, "poll_interval_s", "1");
	begin();
	for (int i = 0; i < 20; i++) {
		unsigned before = busy->asked;

		page("https://cat.example/cat", with);
		while (busy->asked == before)
			run_s(1);
		page("https://cat.example/cat", CAT(NESTED("https://b.example/cat")));
		run_s(7);
		ck_assert_int_eq(mock_counter(mock, "resources"), 1);
	}
}
END_TEST

static unsigned draw(unsigned below)
{
	static uint64_t state = 88172645463325252ull;

	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 32) % below;
}

static void change_one(void)
{
	static const char *const urls[] = {"https://cat.example/cat", "https://cat.example/sub",
					   "https://b.example/cat",   "https://cat.example/a",
					   "https://b.example/y",     "https://c.example/x"};
	static const char *const lists[] = {
		CAT(ITEM("/a") "," NESTED("/sub")),
		CAT(NESTED("/cat") "," NESTED("https://b.example/cat") "," ITEM("https://c.example/x")),
		CAT(ITEM("https://b.example/y") "," NESTED("https://cat.example/sub")),
		CAT(""),
		"{",
	};
	static const char *const values[] = {"1", "2", NULL};
	static const long statuses[] = {200, 200, 200, 404, 500, 503};
	unsigned which = draw(6);
	struct page *changed = page(urls[which], which < 3 ? lists[draw(5)] : values[draw(3)]);

	changed->status = statuses[draw(6)];
	changed->retry_after_s = draw(4) ? 0 : draw(100);
	changed->etag = draw(2) ? NULL : draw(2) ? "\"1\"" : "\"2\"";
}

/* Whatever happens in whatever order; sanitizers look on. At the end all is well again. */
START_TEST(anything_at_any_time)
{
	mock->accept_all = false;
	mock_add(mock, "hosts", "b.example");
	mock_add(mock, "hosts", "c.example");
	mock_set(mock, "harvest_interval_s", "7");
	mock_set(mock, "poll_interval_s", "3");
	for (int i = 0; i < 20; i++)
		change_one();
	begin();
	for (size_t i = 0, answered = 0; i < 5000; i++) {
		change_one();
		fake_names_problem = draw(20) ? NULL : "no such name";
		fake_takes_us = draw(2 * S_US);
		run_s(draw(4));
		for (; answered < mock->n_submissions && draw(4); answered++) {
			if (mock->submissions[answered].answered)
				continue;
			mock_refuse(mock, mock->submissions[answered].token,
				    draw(2)   ? TG_ACCEPTED
				    : draw(2) ? TG_FULL
					      : TG_NOT_ALLOWED);
		}
		if (draw(50) == 0)
			ck_assert_int_eq(mock_reload(mock), 0);
	}
	fake_names_problem = NULL;
	ck_assert_uint_gt(mock->n_submissions, 30);
	page("https://cat.example/cat", CAT(ITEM("/a")))->etag = NULL;
	page("https://cat.example/a", "1")->etag = NULL;
	run_s(2000);
	ck_assert_int_eq(mock->link, TG_LINK_UP);
	ck_assert_int_eq(mock_counter(mock, "resources"), 1);
}
END_TEST

int main(void)
{
	const TTest *const tests[] = {
		hours_of_harvests_and_polls,
		a_catalogue_that_fails_is_tried_ever_more_rarely,
		what_was_listed_stays_while_a_catalogue_fails,
		retry_after_is_respected_by_all_of_its_host,
		few_at_a_time_and_each_host_in_its_turn,
		a_name_without_an_address_rests,
		circles_and_depths_end,
		the_shorter_way_counts,
		jitter_spreads_the_polls,
		hosts_end_while_others_rest,
		anything_at_any_time,
		a_reload_asks_at_once,
		the_token_is_for_the_places_of_catalogues,
	};
	Suite *suite = suite_create("hypercat_client_schedule");
	TCase *cases = tcase_create("virtual time");
	SRunner *runner;
	int failed;

	tcase_add_checked_fixture(cases, setup, teardown);
	tcase_set_timeout(cases, 120);
	for (size_t i = 0; i < sizeof(tests) / sizeof(tests[0]); i++)
		tcase_add_test(cases, tests[i]);
	suite_add_tcase(suite, cases);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
