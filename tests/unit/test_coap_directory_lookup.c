/* SPDX-License-Identifier: Apache-2.0 */

/* Lookups in the resource directory, without any network; the examples of RFC 9176. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "coap/directory.h"
#include "coap/directory_links.h"
#include "directory_rig.h"

#define N_OF(array) ((int)(sizeof(array) / sizeof((array)[0])))

/* RFC 6690 section 5, the sixth response; RFC 9176 section 6.3 has it registered. */
#define SENSORS                                                                                                        \
	"</sensors>;ct=40;title=\"Sensor Index\",</sensors/temp>;rt=\"temperature-c\";if=\"sensor\","                  \
	"</sensors/light>;rt=\"light-lux\";if=\"sensor\","                                                             \
	"<http://www.example.com/sensors/t123>;anchor=\"/sensors/temp\";rel=\"describedby\","                          \
	"</t>;anchor=\"/sensors/temp\";rel=\"alternate\""
/* RFC 9176 section 5. */
#define NODE                                                                                                           \
	"</sensors/temp>;rt=temperature-c;if=sensor,"                                                                  \
	"<http://www.example.com/sensors/temp>;anchor=\"/sensors/temp\";rel=describedby"

/* RFC 9176 sections 5 and 5.3.1. */
START_TEST(rfc_registration_and_update)
{
	uint32_t number = add("endpoint1", "ep=endpoint1&lt=500&base=coap://local-proxy-old.example.com", NODE);

	ck_assert_str_eq(resources("ep=endpoint1"),
			 "<coap://local-proxy-old.example.com/sensors/temp>;rt=temperature-c;if=sensor,"
			 "<http://www.example.com/sensors/temp>;"
			 "anchor=\"coap://local-proxy-old.example.com/sensors/temp\";rel=describedby");
	ck_assert_uint_eq(update("endpoint1", number, ""), MESSAGE_CHANGED);
	ck_assert_uint_eq(update("endpoint1", number, "base=coaps://new.example.com"), MESSAGE_CHANGED);
	ck_assert_str_eq(resources("ep=endpoint1"), "<coaps://new.example.com/sensors/temp>;rt=temperature-c;if=sensor,"
						    "<http://www.example.com/sensors/temp>;"
						    "anchor=\"coaps://new.example.com/sensors/temp\";rel=describedby");
	ck_assert_uint_eq(drop("endpoint1", number), MESSAGE_DELETED);
	ck_assert_uint_eq(drop("endpoint1", number), MESSAGE_NOT_FOUND);
	ck_assert_uint_eq(update("endpoint1", number, ""), MESSAGE_NOT_FOUND);
	ck_assert_str_eq(resources("ep=endpoint1"), "");
}
END_TEST

/* RFC 9176 section 6.3, the first and the last example. */
START_TEST(rfc_resource_lookup)
{
	add("node1", "base=coap://[2001:db8:3::123]:61616",
	    "</temp>;rt=\"tag:example.org,2020:temperature\",</light>;rt=\"tag:example.org,2020:light\"");
	ck_assert_str_eq(resources("rt=tag:example.org,2020:temperature"),
			 "<coap://[2001:db8:3::123]:61616/temp>;rt=\"tag:example.org,2020:temperature\"");
	add("sensor1", "et=tag:example.com,2020:platform&base=coap://sensor1.example.com", SENSORS);
	add("sensor2", "et=tag:example.com,2020:platform&base=coap://sensor2.example.com", SENSORS);
	ck_assert_str_eq(resources("et=tag:example.com,2020:platform"),
			 "<coap://sensor1.example.com/sensors>;ct=40;title=\"Sensor Index\","
			 "<coap://sensor1.example.com/sensors/temp>;rt=\"temperature-c\";if=\"sensor\","
			 "<coap://sensor1.example.com/sensors/light>;rt=\"light-lux\";if=\"sensor\","
			 "<http://www.example.com/sensors/t123>;anchor=\"coap://sensor1.example.com/sensors/temp\";"
			 "rel=\"describedby\","
			 "<coap://sensor1.example.com/t>;anchor=\"coap://sensor1.example.com/sensors/temp\";"
			 "rel=\"alternate\","
			 "<coap://sensor2.example.com/sensors>;ct=40;title=\"Sensor Index\","
			 "<coap://sensor2.example.com/sensors/temp>;rt=\"temperature-c\";if=\"sensor\","
			 "<coap://sensor2.example.com/sensors/light>;rt=\"light-lux\";if=\"sensor\","
			 "<http://www.example.com/sensors/t123>;anchor=\"coap://sensor2.example.com/sensors/temp\";"
			 "rel=\"describedby\","
			 "<coap://sensor2.example.com/t>;anchor=\"coap://sensor2.example.com/sensors/temp\";"
			 "rel=\"alternate\"");
}
END_TEST

/* RFC 9176 section 6.3, the example with pages. */
START_TEST(rfc_pages)
{
	add("node1", "base=coap://[2001:db8:3::123]:61616",
	    "</res/0>;ct=60,</res/1>;ct=60,</res/2>;ct=60,</res/3>;ct=60,</res/4>;ct=60,</res/5>;ct=60,</res/6>;ct=60");
	add("node2", "base=coap://[2001:db8:3::124]", "</res/7>;ct=60,</res/8>;ct=60");
	ck_assert_str_eq(resources("page=0&count=5"), "<coap://[2001:db8:3::123]:61616/res/0>;ct=60,"
						      "<coap://[2001:db8:3::123]:61616/res/1>;ct=60,"
						      "<coap://[2001:db8:3::123]:61616/res/2>;ct=60,"
						      "<coap://[2001:db8:3::123]:61616/res/3>;ct=60,"
						      "<coap://[2001:db8:3::123]:61616/res/4>;ct=60");
	ck_assert_str_eq(resources("page=1&count=6"), "<coap://[2001:db8:3::123]:61616/res/6>;ct=60,"
						      "<coap://[2001:db8:3::124]/res/7>;ct=60,"
						      "<coap://[2001:db8:3::124]/res/8>;ct=60");
	ck_assert_str_eq(resources("page=4294967295&count=4294967295"), "");
	ck_assert_str_eq(resources("count=0"), "");
	ck_assert_str_eq(resources("count=1&rt=nothing"), "");
	ck_assert_str_eq(resources("href=coap://[2001:db8:3::124]/*&page=1&count=1"),
			 "<coap://[2001:db8:3::124]/res/8>;ct=60");
	ck_assert_str_eq(endpoints("page=1&count=1"),
			 "</rd/2>;ep=node2;base=\"coap://[2001:db8:3::124]\";rt=core.rd-ep");
}
END_TEST

/* RFC 9176 section 6.4. */
START_TEST(rfc_endpoint_lookup)
{
	uint32_t five = add("node5", "et=tag:example.com,2020:platform&ct=40&base=coap://[2001:db8:3::127]:61616", "");
	uint32_t seven =
		add("node7", "et=tag:example.com,2020:platform&ct=40&d=floor-3&base=coap://[2001:db8:3::129]:61616",
		    SENSORS);
	char expected[512];

	add("node8", "et=other&base=coap://x.example", "");
	snprintf(expected, sizeof(expected),
		 "</rd/%u>;ep=node5;base=\"coap://[2001:db8:3::127]:61616\";rt=core.rd-ep;"
		 "et=\"tag:example.com,2020:platform\";ct=40,"
		 "</rd/%u>;ep=node7;d=floor-3;base=\"coap://[2001:db8:3::129]:61616\";rt=core.rd-ep;"
		 "et=\"tag:example.com,2020:platform\";ct=40",
		 five, seven);
	ck_assert_str_eq(endpoints("et=tag:example.com,2020:platform"), expected);
}
END_TEST

/* RFC 9176 appendix B.3: all criteria count, each for the link or for its endpoint. */
START_TEST(criteria)
{
	add("node1", "base=coap://a.example&et=lamp&floor=3",
	    "</x>;rt=\"one two\";if=i,</y>;rt=two;obs;title=\"a \\\"b\\\"\"");
	add("node2", "base=coap://b.example&et=lamp", "</x>;rt=three;sz=10");
	ck_assert_str_eq(resources("rt=one"), "<coap://a.example/x>;rt=\"one two\";if=i");
	ck_assert_str_eq(resources("rt=two&if=i"), "<coap://a.example/x>;rt=\"one two\";if=i");
	ck_assert_str_eq(resources("rt=one two"), "");
	ck_assert_str_eq(resources("rt=t*&ep=node2"), "<coap://b.example/x>;rt=three;sz=10");
	ck_assert_str_eq(resources("obs"), "<coap://a.example/y>;rt=two;obs;title=\"a \\\"b\\\"\"");
	ck_assert_str_eq(resources("title=a \"b\""), "<coap://a.example/y>;rt=two;obs;title=\"a \\\"b\\\"\"");
	ck_assert_str_eq(resources("sz=1*"), "<coap://b.example/x>;rt=three;sz=10");
	ck_assert_str_eq(resources("sz=1"), "");
	ck_assert_str_eq(resources("floor=3&rt=one"), "<coap://a.example/x>;rt=\"one two\";if=i");
	ck_assert_str_eq(resources("href=coap://b.example/x"), "<coap://b.example/x>;rt=three;sz=10");
	ck_assert_str_eq(resources("href=/x"), "");
	ck_assert_str_eq(resources("href=/rd/2"), "<coap://b.example/x>;rt=three;sz=10");
	ck_assert_str_eq(endpoints("rt=three"), "</rd/2>;ep=node2;base=\"coap://b.example\";rt=core.rd-ep;et=lamp");
	ck_assert_str_eq(endpoints("href=/rd/1"),
			 "</rd/1>;ep=node1;base=\"coap://a.example\";rt=core.rd-ep;et=lamp;floor=3");
	ck_assert_str_eq(endpoints("href=coap://b.*"),
			 "</rd/2>;ep=node2;base=\"coap://b.example\";rt=core.rd-ep;et=lamp");
	ck_assert_str_eq(endpoints("ep=node*&d"), "");
	ck_assert_str_eq(endpoints("floor"),
			 "</rd/1>;ep=node1;base=\"coap://a.example\";rt=core.rd-ep;et=lamp;floor=3");
	ck_assert_str_eq(endpoints("rt=core.rd-ep&base=coap://b.example"),
			 "</rd/2>;ep=node2;base=\"coap://b.example\";rt=core.rd-ep;et=lamp");
}
END_TEST

START_TEST(anchors_are_found_resolved)
{
	add("sensor1", "base=coap://s.example", SENSORS);
	ck_assert_str_eq(resources("anchor=coap://s.example/sensors/temp&rel=alternate"),
			 "<coap://s.example/t>;anchor=\"coap://s.example/sensors/temp\";rel=\"alternate\"");
	ck_assert_str_eq(resources("anchor=/sensors/temp"), "");
}
END_TEST

START_TEST(what_is_local_to_a_link_stays_there)
{
	struct directory_peer near = {.device = "node1", .base = "coaps://[fe80::1]", .scope = 2};
	struct directory_peer far = peer_of("node2"), other = {.device = "node3", .base = "x", .scope = 3};

	ck_assert_uint_eq(add_as(&near, "", "</x>"), MESSAGE_CREATED);
	ck_assert_uint_eq(add_as(&near, "d=given&base=coap://[FE80::1]:7000", "</y>"), MESSAGE_CREATED);
	ck_assert_uint_eq(add_as(&near, "d=global&base=coap://g.example", "</z>"), MESSAGE_CREATED);
	ck_assert_str_eq(find_as(&near, DIRECTORY_RESOURCES, ""),
			 "<coaps://[fe80::1]/x>,<coap://[FE80::1]:7000/y>,<coap://g.example/z>");
	ck_assert_str_eq(find_as(&far, DIRECTORY_RESOURCES, ""), "<coap://g.example/z>");
	ck_assert_str_eq(find_as(&other, DIRECTORY_ENDPOINTS, ""),
			 "</rd/3>;ep=node1;d=global;base=\"coap://g.example\";rt=core.rd-ep");
	ck_assert_uint_eq(add_as(&far, "base=coap://[fe80::9]", "</x>"), MESSAGE_BAD_REQUEST);
}
END_TEST

static const char *const senseless_lookups[] = {"page=1",          "count=x",         "count=",           "count",
						"page=0&count=1*", "count=1&count=1", "count=4294967296", "count=-1"};

START_TEST(lookups_that_make_no_sense)
{
	struct coap_message message = request(senseless_lookups[_i]);
	struct directory_peer peer = peer_of("reader");
	struct tg_bytes text;
	const char *problem = NULL;
	uint32_t etag;

	ck_assert_uint_eq(directory_lookup(directory, DIRECTORY_RESOURCES, &peer, &message, &text, &etag, &problem),
			  MESSAGE_BAD_REQUEST);
	ck_assert_ptr_nonnull(problem);
}
END_TEST

/* Names that the directory writes itself cannot break out of their quotes. */
START_TEST(names_are_quoted)
{
	struct directory_peer peer = peer_of("a\"b\\c>,</x");

	ck_assert_uint_eq(add_as(&peer, "note=x\"y;z", "</x>"), MESSAGE_CREATED);
	ck_assert_str_eq(endpoints(""),
			 "</rd/1>;ep=\"a\\\"b\\\\c>,</x\";base=\"coaps://192.0.2.7:40000\";rt=core.rd-ep;"
			 "note=\"x\\\"y;z\"");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_directory_lookup");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, directory_rig_setup, directory_rig_teardown);
	tcase_add_test(tcase, rfc_registration_and_update);
	tcase_add_test(tcase, rfc_resource_lookup);
	tcase_add_test(tcase, rfc_pages);
	tcase_add_test(tcase, rfc_endpoint_lookup);
	tcase_add_test(tcase, criteria);
	tcase_add_test(tcase, anchors_are_found_resolved);
	tcase_add_test(tcase, what_is_local_to_a_link_stays_there);
	tcase_add_loop_test(tcase, lookups_that_make_no_sense, 0, N_OF(senseless_lookups));
	tcase_add_test(tcase, names_are_quoted);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
