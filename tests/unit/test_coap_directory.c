/* SPDX-License-Identifier: Apache-2.0 */

/* Registrations of the resource directory in virtual time, without any network, and the link format that they come in. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap/directory.h"
#include "coap/directory_links.h"
#include "directory_rig.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

START_TEST(who_registers_again_keeps_the_place)
{
	uint32_t number = add("node1", "et=a&base=coap://a.example", "</x>");

	ck_assert_uint_ne(add("node1", "d=other", "</y>"), number);
	ck_assert_uint_eq(add("node1", "ep=node1", "</z>;ct=0"), number);
	ck_assert_uint_eq(directory_count(directory), 2);
	ck_assert_str_eq(resources("href=/rd/1"), "<coaps://192.0.2.7:40000/z>;ct=0");
	ck_assert_str_eq(endpoints("href=/rd/1"), "</rd/1>;ep=node1;base=\"coaps://192.0.2.7:40000\";rt=core.rd-ep");
}
END_TEST

START_TEST(names_belong_to_devices)
{
	struct directory_peer two = peer_of("node2");
	uint32_t number = add("node1", "", "</x>");

	ck_assert_uint_eq(add_as(&two, "ep=node1", "</x>"), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(add_as(&two, "ep=node", "</x>"), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(add_as(&two, "ep=", "</x>"), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(update("node2", number, "lt=60"), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(drop("node2", number), MESSAGE_FORBIDDEN);
	ck_assert_uint_eq(update("node1", number, "ep=node2"), MESSAGE_BAD_REQUEST);
	ck_assert_uint_eq(update("node1", number, "d=x"), MESSAGE_BAD_REQUEST);
	ck_assert_str_eq(resources(""), "<coaps://192.0.2.7:40000/x>");
	directory_forget(directory, (struct tg_bytes){"node", 4});
	ck_assert_uint_eq(directory_count(directory), 1);
	directory_forget(directory, (struct tg_bytes){"node1", 5});
	ck_assert_str_eq(resources(""), "");
}
END_TEST

START_TEST(lifetimes)
{
	uint32_t one = add("node1", "lt=60", "</x>");

	add("node2", "", "</y>");
	ck_assert_int_eq(directory_next_us(directory), now_us + 60 * SECOND);
	now_us += 59 * SECOND;
	ck_assert_uint_eq(update("node1", one, ""), MESSAGE_CHANGED); /* for 60 s again */
	now_us += 60 * SECOND - 1;
	ck_assert_str_eq(resources("ep=node1"), "<coaps://192.0.2.7:40000/x>");
	now_us += 1;
	ck_assert_str_eq(resources("ep=node1"), "");
	ck_assert_uint_eq(update("node1", one, ""), MESSAGE_NOT_FOUND);
	ck_assert_int_eq(directory_next_us(directory), (1000 + 90000) * SECOND);
	now_us = (1000 + 90000) * SECOND;
	ck_assert_str_eq(resources(""), "");
	ck_assert_int_eq(directory_next_us(directory), INT64_MAX);
	ck_assert_uint_ne(add("node1", "lt=4294967295", "</x>"), one);
	ck_assert_int_eq(directory_next_us(directory), now_us + UINT32_MAX * SECOND);
}
END_TEST

START_TEST(updates)
{
	uint32_t number = add("node1", "et=a&floor=3&et=b", "</x>");
	struct directory_peer moved = {.device = "node1", .base = "coaps://192.0.2.9"};
	struct directory_order read;

	ck_assert_str_eq(endpoints("et=b"),
			 "</rd/1>;ep=node1;base=\"coaps://192.0.2.7:40000\";rt=core.rd-ep;et=a;floor=3;et=b");
	ck_assert_uint_eq(update("node1", number, "floor=4"), MESSAGE_CHANGED);
	ck_assert_str_eq(endpoints("et=b"),
			 "</rd/1>;ep=node1;base=\"coaps://192.0.2.7:40000\";rt=core.rd-ep;floor=4;et=a;et=b");
	/* An address that was not given follows the device; one that was given stays. */
	ck_assert_ptr_null(order("", &read));
	ck_assert_uint_eq(directory_update(directory, &moved, number, &read, now_us).code, MESSAGE_CHANGED);
	ck_assert_str_eq(resources(""), "<coaps://192.0.2.9/x>");
	ck_assert_uint_eq(update("node1", number, "base=coap://a.example"), MESSAGE_CHANGED);
	ck_assert_uint_eq(directory_update(directory, &moved, number, &read, now_us).code, MESSAGE_CHANGED);
	ck_assert_str_eq(resources(""), "<coap://a.example/x>");
}
END_TEST

START_TEST(all_is_bounded)
{
	char name[32], links[4096] = "</0>";
	struct directory_peer peer = peer_of("node1");

	for (int i = 0; i < DIRECTORY_SECTORS_MAX; i++) {
		snprintf(name, sizeof(name), "d=%d", i);
		add("node1", name, "</x>");
	}
	ck_assert_uint_eq(add_as(&peer, "d=more", "</x>"), MESSAGE_UNAVAILABLE);
	ck_assert_uint_gt(last.detail, 0);
	for (int i = 0; i < 8 - DIRECTORY_SECTORS_MAX; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		add(name, "", "</x>");
	}
	peer = peer_of("late");
	ck_assert_uint_eq(add_as(&peer, "", "</x>"), MESSAGE_UNAVAILABLE);
	ck_assert_uint_eq(drop("node1", 1), MESSAGE_DELETED);
	ck_assert_uint_eq(add_as(&peer, "", "</x>"), MESSAGE_CREATED);
	for (int i = 1; i < 17; i++)
		snprintf(links + strlen(links), sizeof(links) - strlen(links), ",</%d>", i);
	ck_assert_uint_eq(add_as(&peer, "", links), MESSAGE_TOO_LARGE);
	memset(links, 'x', sizeof(links));
	memcpy(links, "</", 2);
	memcpy(links + 2045, ">", 2);
	ck_assert_uint_eq(add_as(&peer, "", links), MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(last.detail, 2048);
	ck_assert_uint_eq(directory_count(directory), 8);
}
END_TEST

static const char *const senseless_parameters[] = {
	"lt=59",
	"lt=4294967296",
	"lt=",
	"lt",
	"lt=60&lt=60",
	"lt=6x",
	"ep",
	"ep=a&ep=a",
	"d=a&d=b",
	"ep=0123456789012345678901234567890123456789012345678901234567890123",
	"ep=a\001b",
	"ep=\xc2\x85",
	"ep=\xff",
	"base=/path",
	"base=coap:",
	"base=coap://",
	"base=coap:///x",
	"base=coap://u@h",
	"base=coap://h?q",
	"base=coap://h#f",
	"base=coap://[fe80::1%25eth0]",
	"base=coap://[fe80::1%eth0]",
	"base=coap://[::1",
	"base=coap://[x]",
	"base=coap://h\"",
	"base=coap://h>",
	"base=1coap://h",
	"base=coap://%zz",
	"rt=x",
	"if=x",
	"sz=1",
	"href=x",
	"anchor=x",
	"rel=x",
	"page=1",
	"count=1",
	"=x",
	"a b=x",
	"x=\x7f"};

START_TEST(parameters_that_make_no_sense)
{
	struct directory_order read;

	ck_assert_msg(order(senseless_parameters[_i], &read), "%s", senseless_parameters[_i]);
}
END_TEST

static const char *const good_links[] = {"",
					 "</>",
					 "</a>,</b>",
					 "</a?x=y#z>",
					 "<coap://[::1]:61616/a>",
					 "<urn:dev:x>",
					 "</M\xc3\xb6>",
					 "</a>;rt=\"x y\";obs;ct=40;title*=UTF-8''x",
					 "</a>;title=\"a,b;c<d>\\\"e\\\\\"",
					 "</a>;anchor=\"/b\"",
					 "</a>;x=\"\"",
					 "</a>;sz=1;ct=\"40 50\""};

START_TEST(link_format)
{
	size_t count = 77;
	const char *problem = directory_links_check((struct tg_bytes){good_links[_i], strlen(good_links[_i])}, &count);

	ck_assert_msg(!problem, "%s: %s", good_links[_i], problem);
	ck_assert_uint_eq(count, _i == 0 ? 0 : _i == 2 ? 2 : 1);
}
END_TEST

static const char *const bad_links[] = {" ",
					"/a",
					"<",
					"<a>",
					"<>",
					"<//h/a>",
					"</a",
					"</a>,",
					"</a>,,</b>",
					"</a> ,</b>",
					"</a>, </b>",
					"</a>\n,</b>",
					"</a></b>",
					"</a>;",
					"</a>;;x",
					"</a>;=x",
					"</a>;x=",
					"</a>;x=\"",
					"</a>;x=\"\\\"",
					"</a>;x=y\"z\"",
					"</a>;x=\"y\"z",
					"</a b>",
					"</a\">",
					"</a%2>",
					"</\xff>",
					"</a>;rt=a;rt=b",
					"</a>;anchor=/b",
					"</a>;anchor=\"b\"",
					"</a>;anchor=\"\"",
					"</a>;x y=z",
					"</a>;*=x",
					"</a>;x=\xc3\xb6",
					"</a>;x=\"\x01\"",
					"</a>;anchor=\"//h\"",
					"</a\xc2\x80>"};

START_TEST(broken_link_format)
{
	size_t count;

	ck_assert_msg(directory_links_check((struct tg_bytes){bad_links[_i], strlen(bad_links[_i])}, &count), "%s",
		      bad_links[_i]);
}
END_TEST

START_TEST(broken_links_change_nothing)
{
	struct directory_peer peer = peer_of("node1");

	add("node1", "", "</x>");
	ck_assert_uint_eq(add_as(&peer, "", "</y"), MESSAGE_BAD_REQUEST);
	ck_assert_ptr_nonnull(last.problem);
	ck_assert_str_eq(resources(""), "<coaps://192.0.2.7:40000/x>");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_directory");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, directory_rig_setup, directory_rig_teardown);
	tcase_add_test(tcase, who_registers_again_keeps_the_place);
	tcase_add_test(tcase, names_belong_to_devices);
	tcase_add_test(tcase, lifetimes);
	tcase_add_test(tcase, updates);
	tcase_add_test(tcase, all_is_bounded);
	tcase_add_loop_test(tcase, parameters_that_make_no_sense, 0, N_OF(senseless_parameters));
	tcase_add_loop_test(tcase, link_format, 0, N_OF(good_links));
	tcase_add_loop_test(tcase, broken_link_format, 0, N_OF(bad_links));
	tcase_add_test(tcase, broken_links_change_nothing);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
