/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "child.h"
#include "dds_rig.h"

static char folder[64];

static void setup(void)
{
	rig_setup();
	snprintf(folder, sizeof(folder), "/tmp/tidegate-test-dds-XXXXXX");
	ck_assert(mkdtemp(folder) != NULL);
	child_shell("%s/tests/adapter/dds_pki.sh %s", getenv("TG_SOURCE") ? getenv("TG_SOURCE") : "..", folder);
	mock_set(mock, "insecure", "false");
	mock_set(mock, "certificate", child_text("%s/gateway.crt", folder));
	mock_set(mock, "key", child_text("%s/gateway.key", folder));
	mock_set(mock, "trust", child_text("%s/identity-ca.crt", folder));
	mock_set(mock, "permissions_trust", child_text("%s/permissions-ca.crt", folder));
	mock_set(mock, "governance", child_text("%s/governance.p7s", folder));
	mock_set(mock, "permissions", child_text("%s/gateway.p7s", folder));
}

static void teardown(void)
{
	rig_teardown();
	child_shell("rm -rf %s", folder);
}

static struct rig_peer *good_writer(void)
{
	return rig_writer("Reading", child_text("security=%s/good", folder));
}

START_TEST(samples_pass_both_ways_between_those_who_may)
{
	struct rig_peer *writer, *reader;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	writer = good_writer();
	rig_say(writer, "write 0 3");
	rig_expect_submission(3, "T/0", "\"seq\":2");
	reader = rig_peer(NULL, "read", "Set", "Reading", child_text("security=%s/reader", folder));
	ck_assert_int_eq(
		rig_deliver("Set", "{\"data\":{\"id\":1,\"seq\":1,\"value\":1,\"scale\":\"KELVIN\",\"text\":\"x\"}}"),
		TG_CONFIRMED);
	rig_expect(reader, "sample 1 1");
	ck_assert_uint_eq(mock_logged(mock, "insecure"), 0);
	ck_assert(strstr(mock->link_detail, "DDS Security") != NULL);
}
END_TEST

/* Without credentials, and with those of another CA: neither sees the other, and nothing that is written arrives. */
START_TEST(others_see_and_send_nothing)
{
	struct rig_peer *bad_writer, *bad_reader, *writer;
	const char *option = _i ? child_text("security=%s/stranger", folder) : "";

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	bad_writer = rig_peer(NULL, "write", "T", "Reading", option);
	bad_reader = rig_peer(NULL, "read", "Set", "Reading", option);
	rig_expect(bad_writer, "ready");
	rig_expect(bad_reader, "ready");
	rig_say(bad_writer, "write 10 20");
	rig_expect(bad_writer, "written");
	writer = good_writer();
	rig_say(writer, "write 0 1");
	rig_expect_submission(1, "T/0", "\"seq\":0");
	/* Who is in says what it is of; the stranger, who is not, gets nothing of it all the same. */
	rig_peer(NULL, "read", "Set", "Reading", child_text("security=%s/good", folder));
	ck_assert_int_eq(
		rig_deliver("Set", "{\"data\":{\"id\":1,\"seq\":1,\"value\":1,\"scale\":\"KELVIN\",\"text\":\"x\"}}"),
		TG_CONFIRMED);
	rig_say(bad_writer, "match 0");
	rig_expect(bad_writer, "matched");
	rig_say(bad_reader, "match 0");
	rig_expect(bad_reader, "matched");
	ck_assert_uint_eq(rig_count(bad_reader, "sample"), 0);
	ck_assert_uint_eq(mock->n_submissions, 1);
}
END_TEST

START_TEST(who_may_only_read_cannot_write)
{
	struct rig_peer *bad = NULL, *writer;

	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	/* Its own side refuses it already. */
	bad = rig_peer(NULL, "write", "T", "Reading", child_text("security=%s/reader", folder));
	writer = good_writer();
	rig_say(writer, "write 0 1");
	rig_expect_submission(1, "T/0", "\"seq\":0");
	for (int i = 0; i < RIG_SOON_MS && !strstr(bad->text, "failed:"); i++) {
		rig_peek(bad);
		mock_turn(mock, 1000);
	}
	ck_assert(strstr(bad->text, "failed:") != NULL);
}
END_TEST

static const struct {
	const char *row, *file, *told;
} broken[] = {
	{"certificate", "late-gateway.crt", "expired"},
	{"trust", "other-ca.crt", "library: "},
	{"governance", "governance.xml", "library: "},
	{"permissions", "good.p7s", "library: "},
};

START_TEST(an_endpoint_with_the_wrong_papers_does_not_begin)
{
	mock_set(mock, broken[_i].row, child_text("%s/%s", folder, broken[_i].file));
	if (strcmp(broken[_i].row, "certificate") == 0)
		mock_set(mock, "key", child_text("%s/late-gateway.key", folder));
	ck_assert_int_eq(mock_open(mock), 0);
	ck_assert_int_lt(mock_start(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "no participant"), 1);
	ck_assert_msg(mock_logged(mock, broken[_i].told) >= 1, "%s", mock->lines[mock->n_lines - 1].text);
	ck_assert_uint_eq(mock_logged(mock, "PRIVATE KEY"), 0);
}
END_TEST

START_TEST(papers_that_are_missing_are_named)
{
	mock_set(mock, "key", child_text("%s/good.key", folder));
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "'key' is not the key of 'certificate'"), 1);
	mock_set(mock, "key", child_text("%s/gateway.key", folder));
	mock_set(mock, "permissions", "");
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "DDS Security wants 'permissions' too"), 1);
	mock_set(mock, "permissions", child_text("%s/nothing.p7s", folder));
	ck_assert_int_lt(mock_open(mock), 0);
	ck_assert_uint_eq(mock_logged(mock, "cannot use the file of 'permissions'"), 1);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dds security");
	TCase *tcase = tcase_create("dds security");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, samples_pass_both_ways_between_those_who_may);
	tcase_add_loop_test(tcase, others_see_and_send_nothing, 0, 2);
	tcase_add_test(tcase, who_may_only_read_cannot_write);
	tcase_add_loop_test(tcase, an_endpoint_with_the_wrong_papers_does_not_begin, 0,
			    sizeof(broken) / sizeof(broken[0]));
	tcase_add_test(tcase, papers_that_are_missing_are_named);
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
