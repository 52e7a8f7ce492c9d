/* SPDX-License-Identifier: Apache-2.0 */

/* Settings that change while the domain is not left, and topics that come, go, and are too many. */

#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "dds_rig.h"

#define READING(id, seq)                                                                                               \
	"{\"data\":{\"id\":" #id ",\"seq\":" #seq ",\"value\":1.5,\"scale\":\"KELVIN\",\"text\":\"x\"}}"

static void reload(const char *name, const char *value)
{
	mock_set(mock, name, value);
	ck_assert_int_eq(mock_reload(mock), 0);
}

static struct rig_peer *writer_of(const char *topic, const char *options)
{
	struct rig_peer *peer = rig_peer(NULL, "write", topic, "Reading", options);

	rig_expect(peer, "ready");
	return peer;
}

static void expect_match(struct rig_peer *peer, int n)
{
	rig_say(peer, "match %d", n);
	rig_expect(peer, "matched");
}

START_TEST(topics_are_taken_in_and_let_go)
{
	struct rig_peer *other = writer_of("Other", ""), *writer;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, "T/0", "\"seq\":1");
	mock_add(mock, "topics", "Other");
	ck_assert_int_eq(mock_reload(mock), 0);
	expect_match(other, 1);
	rig_say(other, "write 2 3");
	rig_expect_submission(2, "Other/0", "\"seq\":2");
	/* The first one was not touched: nothing is lost between. */
	rig_say(writer, "write 3 4");
	rig_expect_submission(3, "T/0", "\"seq\":3");
	reload("topics", "Other");
	expect_match(writer, 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "topics") == 1, RIG_SOON_MS));
	rig_say(other, "write 4 5");
	rig_expect_submission(4, "Other/0", "\"seq\":4");
	reload("topics", "T");
	expect_match(writer, 1);
	rig_say(writer, "write 5 6");
	rig_expect_submission(5, "T/0", "\"seq\":5");
}
END_TEST

/* The writer was told that they have arrived. */
START_TEST(what_was_acknowledged_is_taken_before_its_topic_goes)
{
	struct rig_peer *writer;

	mock_set(mock, "window", "2");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 100");
	rig_say(writer, "acks");
	rig_expect(writer, "acknowledged");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	reload("topics", "Other");
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, 2);
	mock->accept_all = true;
	mock_accept(mock, mock->submissions[0].token);
	mock_accept(mock, mock->submissions[1].token);
	rig_expect_submission(100, "T/0", "\"seq\":99");
	for (unsigned i = 0; i < 100; i++)
		ck_assert(strstr((char *)mock->submissions[i].payload, child_text("\"seq\":%u,", i)) != NULL);
	expect_match(writer, 0);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "topics") == 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "accepted"), 100);
}
END_TEST

START_TEST(other_partitions_make_readers_and_writers_anew)
{
	struct rig_peer *writer = writer_of("T", "partition=hall-3"), *reader;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	reader = rig_peer(NULL, "read", "T", "Reading", "");
	ck_assert_int_eq(rig_deliver("T", READING(1, 1)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 1");
	reload("partitions", "hall*");
	expect_match(writer, 1);
	expect_match(reader, 0);
	rig_say(writer, "write 7 8");
	rig_expect_submission(1, "T/0", "\"seq\":7");
	reload("partitions", NULL);
	expect_match(reader, 1);
	expect_match(writer, 0);
	ck_assert_int_eq(rig_deliver("T", READING(1, 2)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 2");
}
END_TEST

/* The count of the reader that has ended is not taken for the new one's. */
START_TEST(a_writer_that_offers_less_is_told_once)
{
	struct rig_peer *less;

	mock_set(mock, "reliability", "reliable");
	ck_assert_int_eq(mock_begin(mock), 0);
	less = writer_of("T", "best_effort");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "offers less than is asked for") == 1, RIG_SOON_MS));
	reload("reliability", "offered");
	expect_match(less, 1);
	ck_assert_uint_eq(mock_logged(mock, "offers less than is asked for"), 1);
	ck_assert_int_eq(mock_counter(mock, "incompatible"), 1);
}
END_TEST

START_TEST(what_a_writer_has_not_brought_over_is_given_back)
{
	struct rig_peer *reader = rig_peer(NULL, "read", "T", "Reading", "");
	uint64_t ticket;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("T", READING(1, 1)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 1");
	rig_pause(reader);
	ck_assert_int_eq(mock_deliver_text(mock, "T", READING(1, 2), &ticket), 0);
	mock_settle(mock);
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	reload("write_durability", "transient_local");
	ck_assert_int_eq(mock_result(mock, ticket), TG_RETRY);
	rig_go_on(reader);
	ck_assert_int_eq(rig_deliver("T", READING(1, 3)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 3");
	/* The new writer keeps what it has written. */
	reader = rig_peer(NULL, "read", "T", "Reading", "transient_local");
	rig_expect(reader, "sample 1 3");
}
END_TEST

START_TEST(the_format_changes_with_the_next_sample)
{
	struct rig_peer *writer;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, "T/0", "\"seq\":1");
	mock_set(mock, "key_path", "false");
	reload("format", "cbor");
	rig_say(writer, "write 2 3");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	ck_assert_int_eq(mock->submissions[1].content_format, 60);
	ck_assert_str_eq(mock->submissions[1].path, "T");
}
END_TEST

/* A type from a library is still known. */
START_TEST(libraries_stay)
{
	const char *library =
		child_text("%s/.libs/libdds_test_types.so", getenv("TG_BUILD") ? getenv("TG_BUILD") : ".");
	struct rig_peer *writer;

	mock->accept_all = true;
	mock_add(mock, "types", child_text("%s plant::Reading", library));
	ck_assert_int_eq(mock_begin(mock), 0);
	reload("window", "16");
	writer = rig_peer("dds_peer_untold", "write", "T", "Reading", "");
	rig_expect(writer, "ready");
	expect_match(writer, 1);
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, "T/0", "\"seq\":1");
}
END_TEST

/* A reader that takes no more keys would hold back the samples of all topics. */
START_TEST(a_flood_of_keys_stops_its_own_topic_alone)
{
	struct rig_peer *flood, *writer;

	mock->accept_all = true;
	mock_set(mock, "instances", "100");
	ck_assert_int_eq(mock_begin(mock), 0);
	flood = writer_of("T1", "instances=1000");
	writer = writer_of("T2", "");
	expect_match(flood, 1);
	expect_match(writer, 1);
	rig_say(flood, "write 0 150");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "\"T1\" has more than 100 keys") >= 1, RIG_SOON_MS));
	rig_say(writer, "write 7 8");
	ck_assert(MOCK_UNTIL(
		mock, mock->n_submissions > 0 && strcmp(mock->submissions[mock->n_submissions - 1].path, "T2/0") == 0,
		RIG_SOON_MS));
	/* It is taken in again, for as long as it keeps to the limit. */
	reload("instances", "2000");
	expect_match(flood, 1);
	rig_say(flood, "write 999 1000");
	ck_assert(
		MOCK_UNTIL(mock, strcmp(mock->submissions[mock->n_submissions - 1].path, "T1/999") == 0, RIG_SOON_MS));
}
END_TEST

/* Forty keys at once, of which nothing is left but their ends. */
static void pass_keys(struct rig_peer *writer, int from, bool unregister)
{
	rig_say(writer, "write %d %d", from, from + 40);
	rig_say(writer, "dispose %d %d", from, from + 40);
	if (unregister)
		rig_say(writer, "unregister %d %d", from, from + 40);
	rig_say(writer, "acks");
	rig_expect(writer, "acknowledged");
}

/* They stay in the reader for as long as their writer does not unregister them, and go with it. */
START_TEST(keys_that_were_disposed_of_go_with_the_reader)
{
	struct rig_peer *writer;

	mock->accept_all = true;
	mock_set(mock, "instances", "100");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "instances=100000");
	for (int from = 0; mock_logged(mock, "is taken in") == 1; from += 40) {
		ck_assert_int_lt(from, 800);
		pass_keys(writer, from, false);
		mock_settle(mock);
	}
	expect_match(writer, 1);
	rig_say(writer, "write 99999 100000");
	ck_assert(
		MOCK_UNTIL(mock, strcmp(mock->submissions[mock->n_submissions - 1].path, "T/99999") == 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "has more than"), 0);
}
END_TEST

START_TEST(keys_that_are_unregistered_leave_the_reader_alone)
{
	struct rig_peer *writer;

	mock->accept_all = true;
	mock_set(mock, "instances", "100");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "instances=100000");
	for (int from = 0; from < 320; from += 40)
		pass_keys(writer, from, true);
	rig_say(writer, "write 99999 100000");
	ck_assert(
		MOCK_UNTIL(mock, strcmp(mock->submissions[mock->n_submissions - 1].path, "T/99999") == 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "is taken in"), 1);
	ck_assert_uint_eq(mock_logged(mock, "has more than"), 0);
}
END_TEST

/* The same keys, again and again. */
START_TEST(keys_that_come_again_are_counted_once)
{
	struct rig_peer *writer;

	mock->accept_all = true;
	mock_set(mock, "instances", "100");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "instances=90");
	for (int from = 0; from < 400; from += 40)
		pass_keys(writer, from, false);
	rig_say(writer, "write 0 90");
	ck_assert(MOCK_UNTIL(mock, strcmp(mock->submissions[mock->n_submissions - 1].path, "T/89") == 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "is taken in"), 1);
	ck_assert_uint_eq(mock_logged(mock, "has more than"), 0);
}
END_TEST

/* A thread of the library waits for room in the reader, and everything is deleted with the readers: the fixture's end must come. */
START_TEST(a_full_reader_does_not_keep_it_from_ending)
{
	struct rig_peer *writer;

	mock_set(mock, "window", "2");
	mock_set(mock, "reader_samples", "4");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 100");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	for (int i = 0; i < 20; i++)
		mock_turn(mock, 5000);
	ck_assert_uint_eq(mock->n_submissions, 2);
	if (_i) { /* with something to be deleted, too, which waits */
		reload("topics", "Other");
		for (int i = 0; i < 20; i++)
			mock_turn(mock, 5000);
	}
	mock_stop(mock);
}
END_TEST

START_TEST(topics_that_nobody_has_make_room)
{
	struct rig_peer *first, *second;

	mock->accept_all = true;
	mock_set(mock, "topics_most", "1");
	ck_assert_int_eq(mock_begin(mock), 0);
	first = writer_of("T1", "");
	expect_match(first, 1);
	rig_say(first, "write 1 2");
	rig_expect_submission(1, "T1/0", "\"seq\":1");
	second = writer_of("T2", "");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "\"T2\" is left out") == 1, RIG_SOON_MS));
	rig_end(first);
	expect_match(second, 1);
	rig_say(second, "write 2 3");
	ck_assert(MOCK_UNTIL(mock, strcmp(mock->submissions[mock->n_submissions - 1].path, "T2/0") == 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "topics"), 1);
}
END_TEST

/* An operator's typing error must not take the place of what is there. */
START_TEST(topics_that_were_asked_for_in_vain_make_room)
{
	struct rig_peer *reader;
	uint64_t ticket;

	mock_set(mock, "topics_most", "2");
	ck_assert_int_eq(mock_begin(mock), 0);
	for (int i = 0; i < 2; i++) {
		ck_assert_int_eq(mock_deliver_text(mock, child_text("T%d", i), READING(1, 1), &ticket), 0);
		ck_assert_int_eq(mock_result(mock, ticket), TG_RETRY);
	}
	reader = rig_peer(NULL, "read", "T2", "Reading", "");
	rig_expect(reader, "ready");
	ck_assert_int_eq(rig_deliver("T2", READING(1, 2)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 2");
	/* One that somebody has stays. */
	ck_assert_int_eq(mock_deliver_text(mock, "T3", READING(1, 1), &ticket), 0);
	ck_assert_int_eq(rig_deliver("T2", READING(1, 3)), TG_CONFIRMED);
	ck_assert_int_eq(mock_counter(mock, "written"), 2);
}
END_TEST

/* As a new version of the writer's program brings it: another type, or another one with the same name. */
START_TEST(a_type_is_learnt_anew_when_nobody_has_the_old_one)
{
	struct rig_peer *old, *renewed, *other;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	old = rig_writer(_i == 0 ? "Plain" : "Impostor", "");
	rig_say(old, "write 1 2");
	rig_expect_submission(1, "T", "\"data\":{\"a\":1,");
	renewed = writer_of("T", "");
	other = writer_of("T9", "");
	expect_match(other, 1); /* both were looked at, and the first one's type stays */
	rig_say(old, "write 2 3");
	rig_expect_submission(2, "T", "\"data\":{\"a\":2,");
	rig_end(old);
	expect_match(renewed, 1);
	rig_say(renewed, "write 7 8");
	/* The third one is the end of the old one's instance. */
	rig_expect_submission(4, "T/0", "\"data\":{\"id\":0,\"seq\":7,");
	ck_assert_int_eq(mock_counter(mock, "topics"), 2);
}
END_TEST

/* The library goes on showing those that have gone, which must not crowd out who comes. */
START_TEST(writers_that_have_gone_do_not_hide_new_ones)
{
	struct rig_peer *writer, *later;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "churn 4200"); /* more than one scan looks at */
	rig_expect(writer, "churned");
	later = writer_of("T2", "");
	expect_match(later, 1);
	rig_say(later, "write 7 8");
	ck_assert(MOCK_UNTIL(mock, strcmp(mock->submissions[mock->n_submissions - 1].path, "T2/0") == 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "endpoints on the domain"), 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dds reload");
	TCase *tcase = tcase_create("dds reload");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, topics_are_taken_in_and_let_go);
	tcase_add_test(tcase, what_was_acknowledged_is_taken_before_its_topic_goes);
	tcase_add_test(tcase, other_partitions_make_readers_and_writers_anew);
	tcase_add_test(tcase, a_writer_that_offers_less_is_told_once);
	tcase_add_test(tcase, what_a_writer_has_not_brought_over_is_given_back);
	tcase_add_test(tcase, the_format_changes_with_the_next_sample);
	tcase_add_test(tcase, libraries_stay);
	tcase_add_test(tcase, a_flood_of_keys_stops_its_own_topic_alone);
	tcase_add_test(tcase, keys_that_were_disposed_of_go_with_the_reader);
	tcase_add_test(tcase, keys_that_are_unregistered_leave_the_reader_alone);
	tcase_add_test(tcase, keys_that_come_again_are_counted_once);
	tcase_add_loop_test(tcase, a_full_reader_does_not_keep_it_from_ending, 0, 2);
	tcase_add_test(tcase, topics_that_nobody_has_make_room);
	tcase_add_test(tcase, topics_that_were_asked_for_in_vain_make_room);
	tcase_add_loop_test(tcase, a_type_is_learnt_anew_when_nobody_has_the_old_one, 0, 2);
	tcase_add_test(tcase, writers_that_have_gone_do_not_hide_new_ones);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
