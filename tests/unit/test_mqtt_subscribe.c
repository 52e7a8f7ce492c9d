/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "mqtt/receive.h"
#include "mqtt/subscribe.h"

static const char *routes[8];
static const char *group;
static int64_t time_us;
static char sent[512];
static unsigned warnings;
static uint16_t last_mid;

static const char *route(const struct tg_host *host, size_t index)
{
	(void)host;
	return routes[index];
}

static int64_t now_us(const struct tg_host *host)
{
	(void)host;
	return time_us;
}

static void log_line(const struct tg_host *host, enum tg_log_level level, const char *device, const char *format, ...)
	__attribute__((format(printf, 4, 5)));

static void log_line(const struct tg_host *host, enum tg_log_level level, const char *device, const char *format, ...)
{
	(void)host;
	(void)device;
	(void)format;
	warnings += level == TG_LOG_WARNING;
}

static const struct tg_host host = {.route = route, .now_us = now_us, .log = log_line};
static struct subscribe subscribe = {.host = &host};

/* What would go to the broker: "+a -b", with the packet id of the last one. */
static void note(char sign, uint16_t mid, const char *filter)
{
	size_t used = strlen(sent);

	snprintf(sent + used, sizeof(sent) - used, "%s%c%s", used > 0 ? " " : "", sign, filter);
	last_mid = mid;
}

void receive_subscribe(struct receive *receive, uint16_t mid, const char *filter)
{
	(void)receive;
	note('+', mid, filter);
}

void receive_unsubscribe(struct receive *receive, uint16_t mid, const char *filter)
{
	(void)receive;
	note('-', mid, filter);
}

static void set_routes(const char *first, const char *second)
{
	routes[0] = first;
	routes[1] = second;
	ck_assert_int_eq(subscribe_read_routes(&subscribe, group), 0);
}

static void expect_sent(const char *wanted)
{
	sent[0] = '\0';
	subscribe_send(&subscribe, NULL);
	ck_assert_str_eq(sent, wanted);
}

START_TEST(what_changes_is_told_and_nothing_else)
{
	set_routes("a/**", "b");
	ck_assert(subscribe_is_wanted(&subscribe));
	subscribe_begin(&subscribe);
	expect_sent("+a/# +b");
	expect_sent("");
	subscribe_answered(&subscribe, 1, 1, 1);
	subscribe_answered(&subscribe, 2, 1, 1);
	subscribe_answered(&subscribe, 99, 0x80, 1);
	ck_assert_uint_eq(subscribe_granted(&subscribe), 2);
	set_routes("b", "c");
	expect_sent("+c -a/#");
	ck_assert_uint_eq(subscribe_granted(&subscribe), 1);
	subscribe_answered(&subscribe, last_mid, 0, 1);
	ck_assert_uint_eq(subscribe.count, 2);
	ck_assert_uint_eq(warnings, 0);
	subscribe_done(&subscribe);
}
END_TEST

START_TEST(a_group_shares_what_is_subscribed_to)
{
	set_routes("a/**", "b");
	subscribe_begin(&subscribe);
	expect_sent("+a/# +b");
	group = "g";
	set_routes("a/**", "a/b");
	expect_sent("+$share/g/a/# -a/# -b");
	group = "h";
	set_routes("a/**", "$SYS/**");
	expect_sent("+$share/h/a/# +$share/h/$SYS/# -$share/g/a/#");
	group = NULL;
	ck_assert_uint_eq(warnings, 0);
	subscribe_done(&subscribe);
}
END_TEST

START_TEST(an_end_that_was_not_told_is_told_later)
{
	set_routes("a", "b");
	subscribe_begin(&subscribe);
	expect_sent("+a +b");
	/* The connection is gone, and a reload takes a route out. */
	set_routes("b", NULL);
	subscribe_begin(&subscribe);
	expect_sent("+b -a");
	/* Gone again before the answer: nobody knows whether the broker got it. */
	subscribe_begin(&subscribe);
	expect_sent("+b -a");
	/* A route that comes back is subscribed to. */
	set_routes("a", "b");
	expect_sent("+a");
	/* A broker that has forgotten the session has nothing to end. */
	set_routes(NULL, NULL);
	ck_assert(!subscribe_is_wanted(&subscribe));
	subscribe_forget(&subscribe);
	ck_assert_uint_eq(subscribe.count, 0);
	subscribe_begin(&subscribe);
	expect_sent("");
	subscribe_done(&subscribe);
}
END_TEST

START_TEST(a_refusal_is_told_once_and_asked_again)
{
	set_routes("a", NULL);
	subscribe_begin(&subscribe);
	expect_sent("+a");
	for (int i = 0; i < 3; i++) {
		subscribe_answered(&subscribe, last_mid, 0x87, 1);
		ck_assert_uint_eq(subscribe_granted(&subscribe), 0);
		time_us += 59000000;
		expect_sent("");
		time_us += 1000000;
		expect_sent("+a");
	}
	ck_assert_uint_eq(warnings, 1);
	subscribe_answered(&subscribe, last_mid, 0, 1); /* with less than was asked for */
	ck_assert_uint_eq(subscribe_granted(&subscribe), 1);
	ck_assert_uint_eq(warnings, 2);
	subscribe_done(&subscribe);
}
END_TEST

START_TEST(covered_filters_are_left_out)
{
	set_routes("a/b", "a/*");
	subscribe_begin(&subscribe);
	expect_sent("+a/+");
	ck_assert_uint_eq(warnings, 0);
	set_routes("a/*/c", "a/b/*");
	ck_assert_uint_eq(warnings, 1); /* they overlap */
	expect_sent("+a/+/c +a/b/+ -a/+");
	set_routes("a+b", "a/b/*"); /* no topic can match the first */
	ck_assert_uint_eq(warnings, 2);
	expect_sent("-a/+/c");
	subscribe_done(&subscribe);
}
END_TEST

SUITE_MAIN("mqtt_subscribe", what_changes_is_told_and_nothing_else, a_group_shares_what_is_subscribed_to,
	   an_end_that_was_not_told_is_told_later, a_refusal_is_told_once_and_asked_again, covered_filters_are_left_out)
