/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "dds_rig.h"

#define READING(id, seq)                                                                                               \
	"{\"data\":{\"id\":" #id ",\"seq\":" #seq ",\"value\":1.5,\"scale\":\"KELVIN\",\"text\":\"x\"}}"

START_TEST(json_becomes_a_sample)
{
	struct rig_peer *reader = rig_peer(NULL, "read", "T", "Reading", "");

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("T/whatever", READING(3, 9)), TG_CONFIRMED);
	ck_assert_str_eq(rig_expect(reader, "sample"), "sample 3 9 1.5 1 x");
	ck_assert_int_eq(mock_counter(mock, "confirmed"), 1);
	ck_assert_int_eq(rig_deliver("/T", "{\"state\":\"disposed\",\"key\":{\"id\":3}}"), TG_CONFIRMED);
	rig_expect(reader, "disposed");
	ck_assert_int_eq(rig_deliver("T", READING(4, 1)), TG_CONFIRMED);
	ck_assert_int_eq(rig_deliver("T", "{\"state\":\"no_writers\",\"key\":{\"id\":4}}"), TG_CONFIRMED);
	rig_expect(reader, "no_writers");
}
END_TEST

/* What the source makes of a sample is what the sink makes it of. */
START_TEST(what_was_taken_in_can_be_written_again)
{
	static const char *const types[] = {"Everything", "Changing", "Placed"};
	static const char *const lines[] = {"sample a/b 1% 1 gr\xc3\xbc\xc3\x9f\"", "sample 1 first 2.5 1 4 -3",
					    "sample pump 1 -2 beside the door 7"};
	const struct mock_submission *s;
	struct rig_peer *writer, *reader;
	bool cbor = _i >= 3;
	int i = _i % 3;

	mock_set(mock, "format", cbor ? "cbor" : "json");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer(types[i], "");
	reader = rig_peer(NULL, "read", "Copy", types[i], "");
	rig_say(writer, "write 1 2");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	s = &mock->submissions[0];
	ck_assert_int_eq(s->content_format, cbor ? 60 : 50);
	ck_assert_int_eq(cbor ? rig_deliver_cbor("Copy", s->payload, s->payload_size)
			      : rig_deliver("Copy", (char *)s->payload),
			 TG_CONFIRMED);
	ck_assert_str_eq(rig_expect(reader, "sample"), lines[i]);
	ck_assert_uint_eq(mock->n_submissions, 1);
}
END_TEST

START_TEST(wrong_json_is_rejected_with_the_members_name)
{
	static const struct {
		const char *json, *reason;
	} wrong[] = {
		{"{", "is no JSON ("},
		{"[]", "must be an object with \"data\""},
		{"{\"date\":{}}", "has more than state, time, key and data"},
		{"{}", "data: is missing"},
		{"{\"data\":{},\"state\":\"gone\"}", "state: must be"},
		{"{\"data\":{},\"time\":\"yesterday\"}", "time: must be like"},
		{"{\"data\":{\"id\":1}}", "data.seq: is missing"},
		{"{\"data\":{\"id\":\"x\",\"seq\":1,\"value\":1,\"scale\":\"KELVIN\",\"text\":\"\"}}",
		 "data.id: must be a whole number"},
		{"{\"data\":{\"id\":3000000000,\"seq\":1}}", "data.id: must be from -2147483648 to 2147483647"},
		{"{\"data\":{\"id\":1,\"seq\":1,\"value\":\"much\"}}", "data.value: must be a number"},
		{"{\"data\":{\"id\":1,\"seq\":1,\"value\":1,\"scale\":\"MUCH\"}}",
		 "data.scale: 'MUCH' is none of plant::Unit"},
		{"{\"data\":{\"id\":1,\"seq\":1,\"value\":1,\"scale\":\"KELVIN\",\"text\":7}}",
		 "data.text: must be a string"},
		{"{\"data\":{\"more\":1}}", "data: 'more' is no member of plant::Reading"},
		{"{\"state\":\"disposed\"}", "key: is missing"},
		{"{\"state\":\"disposed\",\"key\":{\"id\":true}}", "key.id: must be a whole number"},
	};
	struct rig_peer *reader = rig_peer(NULL, "read", "T", "Reading", "");
	size_t n;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("T", READING(3, 9)), TG_CONFIRMED);
	n = mock->n_tickets;
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		ck_assert_int_eq(rig_deliver("T", wrong[i].json), TG_REJECTED);
		ck_assert_msg(strstr(mock->tickets[n + i].reason, wrong[i].reason) == mock->tickets[n + i].reason,
			      "%s: %s", wrong[i].json, mock->tickets[n + i].reason);
	}
	ck_assert_int_eq(rig_deliver("", READING(1, 1)), TG_REJECTED);
	ck_assert_int_eq(rig_deliver("T", READING(5, 5)), TG_CONFIRMED);
	ck_assert_str_eq(rig_expect(reader, "sample 5"), "sample 5 5 1.5 1 x");
	ck_assert_uint_eq(rig_count(reader, "sample"), 0);
}
END_TEST

START_TEST(what_nobody_reads_waits)
{
	struct rig_peer *reader;
	uint64_t ticket;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(mock_deliver_text(mock, "T", READING(1, 1), &ticket), 0);
	ck_assert_int_eq(mock_result(mock, ticket), TG_RETRY);
	ck_assert_uint_eq(mock_logged(mock, "nobody on the domain has said what type it is of"), 1);
	reader = rig_peer(NULL, "read", "T", "Reading", "");
	ck_assert_int_eq(rig_deliver("T", READING(1, 2)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 2");
	rig_end(reader);
	while (mock_deliver_text(mock, "T", READING(1, 3), &ticket) == 0 && mock_result(mock, ticket) != TG_RETRY)
		ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "nobody reads it"), 1);
}
END_TEST

START_TEST(a_reader_that_is_killed_confirms_nothing)
{
	struct rig_peer *reader = rig_peer(NULL, "read", "T", "Reading", "");
	uint64_t ticket;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("T", READING(1, 1)), TG_CONFIRMED);
	rig_expect(reader, "sample 1 1");
	rig_kill(reader);
	ck_assert_int_eq(mock_deliver_text(mock, "T", READING(1, 2), &ticket), 0);
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_RETRY);
	ck_assert_int_eq(mock_counter(mock, "written_again"), 1);
}
END_TEST

/* It was not there for the first of the samples that wait, but for the last. */
START_TEST(a_reader_that_came_between_and_is_killed_confirms_nothing)
{
	struct rig_peer *first = rig_peer(NULL, "read", "T", "Reading", "lease=200"), *second;
	uint64_t before, between = 0, last;

	mock_set(mock, "confirm_timeout_s", "200");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("T", READING(1, 1)), TG_CONFIRMED);
	rig_expect(first, "sample 1 1");
	rig_pause(first);
	ck_assert_int_eq(mock_deliver_text(mock, "T", READING(1, 2), &before), 0);
	mock_set(mock, "readers", "2");
	ck_assert_int_eq(mock_reload(mock), 0);
	second = rig_peer(NULL, "read", "T", "Reading", "");
	rig_expect(second, "ready");
	do /* nobody reads it, as long as the second one was not met */
		mock_turn(mock, 5000);
	while (mock_deliver_text(mock, "T", READING(1, 3), &between) == 0 && mock_result(mock, between) == TG_RETRY);
	rig_expect(second, "sample 1 3");
	rig_kill(second);
	ck_assert_int_eq(mock_deliver_text(mock, "T", READING(1, 4), &last), 0);
	ck_assert_int_eq(mock_result(mock, last), -1);
	rig_go_on(first);
	rig_expect(first, "sample 1 4");
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, last) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, last), TG_RETRY);
	ck_assert_int_eq(mock_result(mock, before), TG_RETRY);
}
END_TEST

/* The library's one thread that hears waits for room in the reader, and the acknowledgements wait behind it. */
START_TEST(a_source_that_stands_still_has_nothing_written_again)
{
	struct rig_peer *reader = rig_peer(NULL, "read", "Set", "Reading", ""), *writer;
	uint64_t ticket = 0;
	int64_t end_us;

	mock_set(mock, "window", "2");
	mock_set(mock, "reader_samples", "4");
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("Set", READING(1, 1)), TG_CONFIRMED);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 100");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	/* From here on the source stands still; before and behind that the reader may be slow. */
	mock_set(mock, "confirm_timeout_s", "1");
	ck_assert_int_eq(mock_reload(mock), 0);
	do { /* until it waits there, they are confirmed */
		ck_assert_int_eq(mock_deliver_text(mock, "Set", READING(1, 2), &ticket), 0);
		end_us = mock_deadline(2500);
		while (mock_result(mock, ticket) < 0 && mock_deadline(0) < end_us)
			mock_turn(mock, 5000);
	} while (mock_result(mock, ticket) == TG_CONFIRMED);
	ck_assert_int_eq(mock_result(mock, ticket), -1);
	ck_assert_uint_eq(mock->n_submissions, 2);
	mock_set(mock, "confirm_timeout_s", "200");
	ck_assert_int_eq(mock_reload(mock), 0);
	mock->accept_all = true;
	ck_assert(MOCK_UNTIL(mock, mock_result(mock, ticket) >= 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
	rig_expect(reader, "sample 1 2");
	ck_assert_int_eq(mock_counter(mock, "written_again"), 0);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 100, RIG_SOON_MS));
}
END_TEST

START_TEST(a_thousand_arrive_in_order)
{
	struct rig_peer *reader = rig_peer(NULL, "read", "T", "Reading", "");
	size_t n_confirmed = 0, first;

	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_int_eq(rig_deliver("T", READING(1, 0)), TG_CONFIRMED);
	first = mock->n_tickets;
	for (unsigned i = 1; i <= 1000; i++) {
		const char *json = child_text(
			"{\"data\":{\"id\":1,\"seq\":%u,\"value\":0,\"scale\":\"KELVIN\",\"text\":\"y\"}}", i);

		while (mock_deliver_text(mock, "T", json, NULL) == -EAGAIN)
			mock_turn(mock, 2000);
	}
	for (int i = 0; i < RIG_SOON_MS && n_confirmed < 1000; i++) {
		mock_turn(mock, 1000);
		n_confirmed = (size_t)mock_counter(mock, "confirmed") - 1;
	}
	ck_assert_uint_eq(n_confirmed, 1000);
	ck_assert_uint_ge(mock->n_tickets, first + 1000);
	rig_expect(reader, "sample 1 0 ");
	for (unsigned i = 1; i <= 1000; i++)
		ck_assert_str_eq(rig_expect(reader, "sample"), child_text("sample 1 %u 0 1 y", i));
}
END_TEST

START_TEST(a_type_can_come_from_a_library)
{
	const char *library =
		child_text("%s/.libs/libdds_test_types.so", getenv("TG_BUILD") ? getenv("TG_BUILD") : ".");
	struct rig_peer *writer, *untold;

	mock->accept_all = true;
	mock_add(mock, "types", child_text("%s plant::Tagged", library));
	mock_add(mock, "types", child_text("%s plant::Reading", library));
	ck_assert_int_eq(mock_begin(mock), 0);
	/* A key of a kind that the library cannot make from the wire. */
	writer = rig_writer("Tagged", "");
	rig_say(writer, "write 5 6");
	rig_expect_submission(1, "T/tag 0", "\"data\":{\"tag\":\"tag 0\",\"value\":5}");
	/* A writer that says nothing of its type. */
	untold = rig_peer("dds_peer_untold", "write", "T2", "Reading", "");
	rig_say(untold, "match 1");
	rig_expect(untold, "matched");
	rig_say(untold, "write 5 6");
	rig_expect_submission(2, "T2/0", "\"data\":{\"id\":0,\"seq\":5,");
}
END_TEST

#ifdef TG_FAST_DDS
/* Fast DDS 2 does not describe its types as XTypes 1.3 has it: they come from a library. */
START_TEST(a_writer_of_another_make_is_understood_by_a_library)
{
	const char *build = getenv("TG_BUILD") ? getenv("TG_BUILD") : ".";
	struct rig_peer *writer;

	mock->accept_all = true;
	mock_add(mock, "types", child_text("%s/.libs/libdds_test_types.so plant::Fast", build));
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_peer("dds_fast_peer", "write", "T", "Fast", "undescribed");
	rig_say(writer, "match 1");
	rig_expect(writer, "matched");
	rig_say(writer, "write 0 100");
	rig_expect_submission(100, "T/0",
			      "\"key\":{\"id\":0},\"data\":{\"id\":0,\"seq\":99,\"value\":99.5,\"text\":\"fast 99\"}}");
}
END_TEST

/* Where it tries, the library takes it for broken, and the operator is told. */
START_TEST(a_description_of_another_make_is_told)
{
	struct rig_peer *writer;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_peer("dds_fast_peer", "write", "T", "Fast", "");
	rig_expect(writer, "ready");
	ck_assert(MOCK_UNTIL(mock,
			     mock_logged(mock, "library: ") && mock_logged(mock, "Invalid PublicationBuiltinTopicData"),
			     RIG_SOON_MS));
}
END_TEST
#endif

START_TEST(without_a_library_the_operator_is_told)
{
	struct rig_peer *writer, *untold;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_peer(NULL, "write", "T", "Tagged", "");
	untold = rig_peer("dds_peer_untold", "write", "T2", "Reading", "");
	rig_expect(writer, "ready");
	rig_expect(untold, "ready");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "unknown_types") == 2, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "name a library in 'types'"), 2);
	ck_assert_uint_eq(mock->n_submissions, 0);
}
END_TEST

START_TEST(a_writer_of_another_type_or_of_less_is_told)
{
	struct rig_peer *writer, *other, *less;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	other = rig_peer(NULL, "write", "T", "Plain", "");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "what is of type plant::Plain there is left out") == 1,
			     RIG_SOON_MS));
	less = rig_peer(NULL, "write", "T", "Reading", "best_effort");
	ck_assert(MOCK_UNTIL(mock, mock_logged(mock, "offers less than is asked for") == 1, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "incompatible"), 2);
	rig_expect(other, "ready");
	rig_expect(less, "ready");
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, "T/0", "\"seq\":1");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dds sink");
	TCase *tcase = tcase_create("dds sink");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, json_becomes_a_sample);
	tcase_add_loop_test(tcase, what_was_taken_in_can_be_written_again, 0, 6);
	tcase_add_test(tcase, wrong_json_is_rejected_with_the_members_name);
	tcase_add_test(tcase, what_nobody_reads_waits);
	tcase_add_test(tcase, a_reader_that_is_killed_confirms_nothing);
	tcase_add_test(tcase, a_reader_that_came_between_and_is_killed_confirms_nothing);
	tcase_add_test(tcase, a_source_that_stands_still_has_nothing_written_again);
	tcase_add_test(tcase, a_thousand_arrive_in_order);
	tcase_add_test(tcase, a_type_can_come_from_a_library);
#ifdef TG_FAST_DDS
	tcase_add_test(tcase, a_writer_of_another_make_is_understood_by_a_library);
	tcase_add_test(tcase, a_description_of_another_make_is_told);
#else
	puts("no Fast DDS 2 here: a peer of another make was NOT tried");
#endif
	tcase_add_test(tcase, without_a_library_the_operator_is_told);
	tcase_add_test(tcase, a_writer_of_another_type_or_of_less_is_told);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
