/* SPDX-License-Identifier: Apache-2.0 */

/* Messages of QoS 2 on the receiving connection, byte by byte; and whom a message is from. */

#include <stdlib.h>
#include <string.h>

#include "mqtt_fake.h"

/* QoS 2, packet id, topic "a/b", no properties, payload of one byte. */
#define PUBLISH(mid, payload)       "\x34\x09\0\3a/b\0" mid "\0" payload
#define PUBLISH_AGAIN(mid, payload) "\x3c\x09\0\3a/b\0" mid "\0" payload

static void setup(void)
{
	rig_setup();
	fake_start();
	mock_add_route(mock, "a/**");
	mock_set(mock, "subscribe_qos", "2");
}

static void teardown(void)
{
	mock_host_free(mock);
	mock = NULL;
	fake_stop();
}

static void expect_submissions(size_t n)
{
	ck_assert_msg(MOCK_UNTIL(mock, mock->n_submissions >= n, RIG_SOON_MS), "%zu", mock->n_submissions);
	mock_settle(mock);
	ck_assert_uint_eq(mock->n_submissions, n);
}

static void begin(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_begin(false);
}

static void go_away(void)
{
	fake_close();
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "receiving") == 0, RIG_SOON_MS));
}

START_TEST(each_step_waits_for_the_one_before)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2"));
	expect_submissions(2);
	mock_accept(mock, mock->submissions[1].token);
	fake_expect_nothing();
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x50\2\0\1\x50\2\0\2");
	fake_expect_nothing();
	FAKE_SEND("\x62\2\0\1\x62\2\0\2");
	FAKE_EXPECT("\x70\2\0\1\x70\2\0\2");
	/* The packet ids are free again. */
	FAKE_SEND(PUBLISH("\1", "1"));
	expect_submissions(3);
}
END_TEST

START_TEST(what_comes_again_is_one_message)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH_AGAIN("\1", "1"));
	expect_submissions(1);
	mock_accept(mock, mock->submissions[0].token);
	FAKE_EXPECT("\x50\2\0\1");
	FAKE_SEND(PUBLISH_AGAIN("\1", "1"));
	FAKE_EXPECT("\x50\2\0\1");
	go_away();
	fake_begin(true);
	FAKE_SEND(PUBLISH_AGAIN("\1", "1"));
	FAKE_EXPECT("\x50\2\0\1");
	FAKE_SEND("\x62\2\0\1");
	FAKE_EXPECT("\x70\2\0\1");
	go_away();
	/* It did not get that. */
	fake_begin(true);
	FAKE_SEND("\x62\2\0\1");
	FAKE_EXPECT("\x70\3\0\1\x92");
	expect_submissions(1);
}
END_TEST

START_TEST(what_is_on_its_way_is_known_again)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2"));
	expect_submissions(2);
	mock_accept(mock, mock->submissions[1].token);
	go_away();
	mock_accept(mock, mock->submissions[0].token);
	fake_begin(true);
	FAKE_SEND(PUBLISH_AGAIN("\1", "1") PUBLISH_AGAIN("\2", "2"));
	FAKE_EXPECT("\x50\2\0\1\x50\2\0\2");
	expect_submissions(2);
}
END_TEST

START_TEST(another_message_under_the_same_packet_id_is_not_lost)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH("\2", "2"));
	expect_submissions(2);
	mock_accept(mock, mock->submissions[0].token);
	mock_accept(mock, mock->submissions[1].token);
	FAKE_EXPECT("\x50\2\0\1\x50\2\0\2");
	go_away();
	/* A broker with an old memory. */
	fake_begin(true);
	FAKE_SEND(PUBLISH("\1", "1") PUBLISH_AGAIN("\2", "3"));
	expect_submissions(4);
	go_away();
	/* One without. */
	fake_begin(false);
	FAKE_SEND(PUBLISH_AGAIN("\1", "1"));
	expect_submissions(5);
}
END_TEST

START_TEST(a_refusal_ends_it)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1"));
	expect_submissions(1);
	mock_refuse(mock, mock->submissions[0].token, TG_NOT_ALLOWED);
	FAKE_EXPECT("\x50\3\0\1\x87");
	FAKE_SEND(PUBLISH("\1", "2"));
	expect_submissions(2);
	FAKE_SEND("\x36\3\0\1t");
	fake_expect_end();
}
END_TEST

START_TEST(what_is_not_taken_now_is_not_acknowledged)
{
	begin();
	FAKE_SEND(PUBLISH("\1", "1"));
	expect_submissions(1);
	mock_refuse(mock, mock->submissions[0].token, TG_FULL);
	fake_expect_nothing();
	expect_submissions(2);
	mock_accept(mock, mock->submissions[1].token);
	FAKE_EXPECT("\x50\2\0\1");
}
END_TEST

START_TEST(in_3_1_1_there_are_no_reasons)
{
	mock_set(mock, "protocol", "3.1.1");
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connect();
	fake_accept("\x20\2\0\0", 4);
	fake_expect_subscribe(2);
	FAKE_SEND("\x34\x08\0\3a/b\0\1x");
	expect_submissions(1);
	mock_refuse(mock, mock->submissions[0].token, TG_NOT_ALLOWED);
	FAKE_EXPECT("\x50\2\0\1");
	FAKE_SEND("\x62\2\0\1\x62\2\0\2");
	FAKE_EXPECT("\x70\2\0\1\x70\2\0\2");
}
END_TEST

static const struct {
	const char *data;
	size_t size;
	const char *device; /* NULL: refused */
} publishers[] = {
#define ROW(data, device)                                                                                              \
	{                                                                                                              \
		data, sizeof(data) - 1, device                                                                         \
	}
	ROW("\x32\x10\0\1a\0\1\x0a\x26\0\3who\0\2p1x", "p1"),
	ROW("\x32\x06\0\1a\0\1\0", "mock"),
	ROW("\x32\x10\0\1a\0\1\x0a\x26\0\3wha\0\2p1x", "mock"),
	ROW("\x32\x1a\0\1a\0\1\x14\x26\0\3who\0\2p1\x26\0\3who\0\2p2x", NULL),
	ROW("\x32\x0e\0\1a\0\1\x08\x26\0\3who\0\0x", NULL),
	ROW("\x32\x10\0\1a\0\1\x0a\x26\0\3who\0\2p\nx", NULL),
#undef ROW
};

START_TEST(the_broker_may_tell_the_publisher)
{
	mock_set(mock, "publisher_property", "who");
	begin();
	fake_send(publishers[_i].data, publishers[_i].size);
	if (!publishers[_i].device) {
		FAKE_EXPECT("\x40\3\0\1\x83");
		ck_assert_uint_eq(mock->n_submissions, 0);
		return;
	}
	expect_submissions(1);
	ck_assert_str_eq(mock->submissions[0].device, publishers[_i].device);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("mqtt exactly");
	TCase *tcase = tcase_create("mqtt exactly");

	tcase_set_timeout(tcase, 180);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, each_step_waits_for_the_one_before);
	tcase_add_test(tcase, what_comes_again_is_one_message);
	tcase_add_test(tcase, what_is_on_its_way_is_known_again);
	tcase_add_test(tcase, another_message_under_the_same_packet_id_is_not_lost);
	tcase_add_test(tcase, a_refusal_ends_it);
	tcase_add_test(tcase, what_is_not_taken_now_is_not_acknowledged);
	tcase_add_test(tcase, in_3_1_1_there_are_no_reasons);
	tcase_add_loop_test(tcase, the_broker_may_tell_the_publisher, 0,
			    (int)(sizeof(publishers) / sizeof(publishers[0])));
	suite_add_tcase(suite, tcase);
	return rig_main(suite);
}
