/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "child.h"
#include "dds_rig.h"

START_TEST(a_type_is_learnt_on_the_wire)
{
	struct rig_peer *writer;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 7 8");
	rig_expect_submission(1, "T/0", "\"data\":{\"id\":0,\"seq\":7,\"value\":7.5,\"scale\":\"PERCENT\",");
	ck_assert_int_eq(mock->submissions[0].content_format, 50);
	ck_assert_str_eq(mock->submissions[0].device, "mock");
	ck_assert(strstr((char *)mock->submissions[0].payload, "{\"state\":\"alive\",\"time\":\"20") != NULL);
	ck_assert(strstr((char *)mock->submissions[0].payload, "\"key\":{\"id\":0}") != NULL);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "accepted") == 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "insecure = true"), 1);
	ck_assert(strstr(mock->link_detail, "INSECURE") != NULL);
}
END_TEST

static const char everything[] =
	"\"data\":{\"name\":\"a/b 1%\",\"yes\":true,\"raw\":200,\"letter\":\"x\",\"i16\":-32768,\"u16\":65535,"
	"\"i32\":-2147483648,\"u32\":4294967295,\"i64\":\"-9223372036854775808\",\"u64\":\"18446744073709551615\","
	"\"f32\":0.1,\"f64\":0.1,\"text\":\"gr\xc3\xbc\xc3\x9f\\\"\\u000a\",\"short_text\":\"12345678\","
	"\"scale\":\"KELVIN\",\"size\":\"HIGH\",\"marks\":[\"ALARM\",\"LAST\"],\"spot\":{\"x\":-0.25,\"y\":3},"
	"\"more\":{\"a\":5,\"b\":\"one\"},\"either\":{\"$discriminator\":\"PERCENT\",\"spot\":{\"x\":4,\"y\":4}},"
	"\"other\":{\"$discriminator\":2,\"number\":\"1152921504606846976\"},\"bytes\":\"AAH+/w==\","
	"\"mac\":\"AQIDBAUG\",\"direction\":[1,2,3],\"grid\":[[1,2,3],[4,5,6]],\"units\":[\"KELVIN\",\"PERCENT\"],"
	"\"points\":[{\"x\":1,\"y\":1},{\"x\":2,\"y\":2}],\"numbers\":[\"-9223372036854775808\",-1,0,"
	"\"9223372036854775807\"],\"words\":[\"one\",\"\",\"caf\xc3\xa9\"],\"track\":[{\"x\":1.5,\"y\":-1},"
	"{\"x\":2.5,\"y\":-2}],\"growns\":[{\"a\":7,\"b\":\"one\"}],\"moods\":[\"PERCENT\",\"CELSIUS\"],"
	"\"choices\":[{\"$discriminator\":\"KELVIN\",\"text\":\"one\"},{\"$discriminator\":\"CELSIUS\",\"degrees\":1}],"
	"\"nested\":[[1,2],[-3]],\"maybe\":1,\"perhaps\":{\"x\":9,\"y\":9},\"elsewhere\":77}}";

static const struct {
	const char *type, *path, *text;
} kinds[] = {
	{"Everything", "T/a%2Fb 1%25", everything},
	{"Changing", "T/1/-3",
	 "\"key\":{\"serial\":1,\"room\":-3},\"data\":{\"serial\":1,\"first\":\"first\",\"second\":2.5,"
	 "\"third\":[{\"x\":1,\"y\":2}],\"fourth\":4,\"room\":-3}}"},
	{"Placed", "T/1/-2/7",
	 "\"key\":{\"where\":{\"building\":1,\"floor\":-2},\"slot\":7},\"data\":{\"what\":\"pump\",\"where\":{"
	 "\"building\":1,\"floor\":-2,\"note\":\"beside the door\"},\"slot\":7}}"},
	{"Truck", "T/1", "\"data\":{\"id\":1,\"owner\":\"depot\",\"load\":3.5,\"at\":{\"x\":1,\"y\":2}}}"},
	{"Branch", "T/1", "\"data\":{\"id\":1,\"leaf\":\"green\"}}"},
	{"Plain", "T", "Z\",\"data\":{\"a\":1,\"b\":\"no key\"}}"},
};

START_TEST(every_kind_of_type_is_decoded)
{
	struct rig_peer *writer;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer(kinds[_i].type, "");
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, kinds[_i].path, kinds[_i].text);
}
END_TEST

START_TEST(the_end_of_an_instance_is_told)
{
	struct rig_peer *writer;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "instances=2");
	rig_say(writer, "write 0 2");
	rig_expect_submission(2, "T/1", "\"state\":\"alive\"");
	rig_say(writer, "dispose 0");
	rig_expect_submission(3, "T/0", "{\"state\":\"disposed\",");
	ck_assert(strstr((char *)mock->submissions[2].payload, "\"key\":{\"id\":0}}") != NULL);
	rig_say(writer, "unregister 1");
	rig_expect_submission(4, "T/1", "{\"state\":\"no_writers\",");
}
END_TEST

START_TEST(cbor_is_made_where_it_is_asked_for)
{
	/* map(*) "state" "alive" "time" text(30) … "data" map(*) "a" 1 "b" "no key" */
	static const char end[] = "\x64"
				  "data\xbf\x61"
				  "a\x01\x61"
				  "b\x66no key\xff\xff";
	struct rig_peer *writer;
	const struct mock_submission *s;

	mock_set(mock, "format", "cbor");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Plain", "");
	rig_say(writer, "write 1 2");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	s = &mock->submissions[0];
	ck_assert_int_eq(s->content_format, 60);
	ck_assert_mem_eq(s->payload,
			 "\xbf\x65state\x65"
			 "alive\x64time\x78\x1e"
			 "20",
			 22);
	ck_assert_uint_gt(s->payload_size, sizeof(end) - 1);
	ck_assert_mem_eq(s->payload + s->payload_size - sizeof(end) + 1, end, sizeof(end) - 1);
}
END_TEST

START_TEST(only_what_the_patterns_name_is_taken)
{
	struct rig_peer *writer, *other;

	ck_assert_int_eq(mock_begin(mock), 0);
	other = rig_peer(NULL, "write", "Other", "Reading", "");
	rig_expect(other, "ready");
	rig_say(other, "write 0 1");
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, "T/0", "\"seq\":1");
	rig_say(other, "match 0");
	rig_expect(other, "matched");
	ck_assert_int_eq(mock_counter(mock, "topics"), 1);
}
END_TEST

START_TEST(partitions_are_kept_apart)
{
	struct rig_peer *writer, *other;

	mock_add(mock, "partitions", "hall*");
	ck_assert_int_eq(mock_begin(mock), 0);
	other = rig_peer(NULL, "write", "T", "Reading", "");
	rig_expect(other, "ready");
	writer = rig_writer("Reading", "partition=hall-3");
	rig_say(writer, "write 1 2");
	rig_expect_submission(1, "T/0", "\"seq\":1");
	rig_say(other, "match 0");
	rig_expect(other, "matched");
}
END_TEST

static const char *first_octets(size_t n)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

	return child_text("\"data\":\"%c%c%c%c", digits[n >> 2], digits[(n & 3) << 4 | n >> 4],
			  digits[(n & 15) << 2 | n >> 6], digits[n & 63]);
}

START_TEST(a_writer_is_held_back_while_nothing_is_taken)
{
	struct rig_peer *writer;

	mock_set(mock, "window", "8");
	mock_set(mock, "reader_samples", "16");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Big", "");
	rig_say(writer, "write 0 60"); /* 36 MB: more than all buffers on the way */
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 8, RIG_SOON_MS));
	for (int i = 0; i < 200; i++)
		mock_turn(mock, 5000);
	ck_assert_uint_eq(mock->n_submissions, 8);
	ck_assert_uint_eq(rig_count(writer, "written"), 0);
	mock->accept_all = true;
	for (size_t i = 0; i < 8; i++)
		mock_accept(mock, mock->submissions[i].token);
	rig_expect(writer, "written");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 60, RIG_SOON_MS));
	for (size_t i = 0; i < 60; i++) /* the first octets of each, all of its number, in base64 */
		ck_assert(strstr((char *)mock->submissions[i].payload, first_octets(i)) != NULL);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "waiting") == 0, RIG_SOON_MS));
}
END_TEST

START_TEST(what_cannot_be_taken_now_comes_again_in_order)
{
	struct rig_peer *writer;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 3");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 3, RIG_SOON_MS));
	mock_refuse(mock, mock->submissions[2].token, TG_UNAVAILABLE);
	mock_refuse(mock, mock->submissions[0].token, TG_FULL);
	mock_refuse(mock, mock->submissions[1].token, TG_TOO_FAST);
	rig_expect_submission(6, "T/0", "\"seq\":2");
	ck_assert(strstr((char *)mock->submissions[3].payload, "\"seq\":0") != NULL);
	ck_assert(strstr((char *)mock->submissions[4].payload, "\"seq\":1") != NULL);
	ck_assert_int_eq(mock_counter(mock, "again"), 3);
	for (size_t i = 3; i < 6; i++)
		mock_accept(mock, mock->submissions[i].token);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "waiting") == 0, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "accepted"), 3);
	/* The host itself has no room. */
	mock->submit_error = -ENOBUFS;
	rig_say(writer, "write 3 6");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "samples") >= 4, RIG_SOON_MS));
	mock->submit_error = 0;
	rig_expect_submission(9, "T/0", "\"seq\":5");
}
END_TEST

START_TEST(what_is_refused_for_good_is_dropped_and_told)
{
	struct rig_peer *writer;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 1");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	mock_refuse(mock, mock->submissions[0].token, TG_NO_ROUTE);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "refused") == 1, RIG_SOON_MS));
	ck_assert_uint_eq(mock_logged(mock, "refused for good"), 1);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "waiting") == 0, RIG_SOON_MS));
}
END_TEST

START_TEST(what_was_written_before_comes_from_a_writer_that_keeps_it)
{
	struct rig_peer *writer = rig_peer(NULL, "write", "T", "Reading", "transient_local");

	mock->accept_all = true;
	rig_expect(writer, "ready");
	rig_say(writer, "write 0 5");
	rig_expect(writer, "written");
	ck_assert_int_eq(mock_begin(mock), 0);
	rig_expect_submission(5, "T/0", "\"seq\":4");
}
END_TEST

START_TEST(a_stop_waits_for_the_verdicts)
{
	struct rig_peer *writer;

	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 1");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 1, RIG_SOON_MS));
	mock_stop(mock);
	mock_settle(mock);
	ck_assert(!mock->stopped);
	mock_accept(mock, mock->submissions[0].token);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
}
END_TEST

/* The writer was told that they have arrived. */
START_TEST(a_stop_hands_in_what_was_acknowledged)
{
	struct rig_peer *writer;

	mock_set(mock, "window", "2");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 100");
	rig_say(writer, "acks");
	rig_expect(writer, "acknowledged");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	mock_stop(mock);
	mock_accept(mock, mock->submissions[0].token);
	mock_refuse(mock, mock->submissions[1].token, TG_FULL);
	mock_settle(mock);
	mock->accept_all = true;
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	ck_assert_int_eq(mock_counter(mock, "accepted"), 100);
	ck_assert_int_eq(mock_counter(mock, "waiting"), 0);
}
END_TEST

/* What was written is waited for, and the readers go on acknowledging meanwhile. */
START_TEST(a_stop_that_waits_for_a_reader_goes_on_taking)
{
	struct rig_peer *reader = rig_peer(NULL, "read", "Set", "Reading", "lease=200"), *writer;
	const char *reading = "{\"data\":{\"id\":1,\"seq\":2,\"value\":1,\"scale\":\"KELVIN\",\"text\":\"\"}}";
	uint64_t ticket;

	mock->accept_all = true;
	mock_set(mock, "confirm_timeout_s", "200");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	ck_assert_int_eq(rig_deliver("Set", reading), TG_CONFIRMED);
	rig_pause(reader);
	ck_assert_int_eq(mock_deliver_text(mock, "Set", reading, &ticket), 0);
	mock_stop(mock);
	rig_say(writer, "write 0 100");
	rig_say(writer, "acks");
	rig_expect(writer, "acknowledged");
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "accepted") == 100, RIG_SOON_MS));
	ck_assert(!mock->stopped);
	rig_go_on(reader);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	ck_assert_int_eq(mock_result(mock, ticket), TG_CONFIRMED);
}
END_TEST

START_TEST(a_stop_does_not_wait_for_a_gateway_that_takes_nothing)
{
	struct rig_peer *writer;

	mock_set(mock, "window", "2");
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = rig_writer("Reading", "");
	rig_say(writer, "write 0 10");
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 2, RIG_SOON_MS));
	mock_refuse(mock, mock->submissions[0].token, TG_UNAVAILABLE);
	mock_stop(mock);
	ck_assert(MOCK_UNTIL(mock, mock->n_submissions == 3, RIG_SOON_MS));
	ck_assert(!mock->stopped);
	mock_refuse(mock, mock->submissions[2].token, TG_UNAVAILABLE);
	mock_settle(mock);
	ck_assert(!mock->stopped);
	mock_accept(mock, mock->submissions[1].token);
	ck_assert(MOCK_UNTIL(mock, mock->stopped, RIG_SOON_MS));
	ck_assert_uint_eq(mock->n_submissions, 3);
}
END_TEST

START_TEST(without_security_it_wants_the_words)
{
	mock_set(mock, "insecure", "false");
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "without DDS Security: give"), 1);
}
END_TEST

START_TEST(settings_that_cannot_be_are_refused)
{
	static const struct {
		const char *row, *item, *told;
	} bad[] = {
		{"interfaces", "lo\"/>", "is no name of a network interface"},
		{"peers", "example.org", "is no IPv4 address"},
		{"types", "types.so", "is not \"/FILE TYPE\""},
		{"types", "/nowhere/types.so plant::Reading", "cannot be loaded"},
		{"certificate", "/x.pem", "contradict each other"},
	};

	if (strcmp(bad[_i].row, "certificate") == 0)
		mock_set(mock, bad[_i].row, bad[_i].item);
	else
		mock_add(mock, bad[_i].row, bad[_i].item);
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, bad[_i].told), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dds source");
	TCase *tcase = tcase_create("dds source");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_add_test(tcase, a_type_is_learnt_on_the_wire);
	tcase_add_loop_test(tcase, every_kind_of_type_is_decoded, 0, sizeof(kinds) / sizeof(kinds[0]));
	tcase_add_test(tcase, the_end_of_an_instance_is_told);
	tcase_add_test(tcase, cbor_is_made_where_it_is_asked_for);
	tcase_add_test(tcase, only_what_the_patterns_name_is_taken);
	tcase_add_test(tcase, partitions_are_kept_apart);
	tcase_add_test(tcase, a_writer_is_held_back_while_nothing_is_taken);
	tcase_add_test(tcase, what_cannot_be_taken_now_comes_again_in_order);
	tcase_add_test(tcase, what_is_refused_for_good_is_dropped_and_told);
	tcase_add_test(tcase, what_was_written_before_comes_from_a_writer_that_keeps_it);
	tcase_add_test(tcase, a_stop_waits_for_the_verdicts);
	tcase_add_test(tcase, a_stop_hands_in_what_was_acknowledged);
	tcase_add_test(tcase, a_stop_that_waits_for_a_reader_goes_on_taking);
	tcase_add_test(tcase, a_stop_does_not_wait_for_a_gateway_that_takes_nothing);
	tcase_add_test(tcase, without_security_it_wants_the_words);
	tcase_add_loop_test(tcase, settings_that_cannot_be_are_refused, 0, 5);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
