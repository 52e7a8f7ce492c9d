/* SPDX-License-Identifier: Apache-2.0 */

/* What the HyperCat client does with what comes in: addresses, catalogues, patterns, times. */

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "hypercat_client/address.h"
#include "hypercat_client/catalogue.h"
#include "hypercat_client/href.h"
#include "hypercat_client/timing.h"
#include "hypercat_client/wildcard.h"
#include "suite.h"

enum { S_US = 1000000, LEVELS = 10000, PATH = 256 };

static void expect_href(const char *base, const char *text, const char *wanted)
{
	struct href from = {.text = NULL}, href = {.text = NULL};

	if (base)
		ck_assert_int_eq(href_parse(base, NULL, &from), 0);
	ck_assert_msg(href_parse(text, base ? &from : NULL, &href) == 0, "%s", text);
	ck_assert_str_eq(href.text, wanted);
	href_done(&href);
	href_done(&from);
}

START_TEST(one_place_has_one_form)
{
	const char *base = "https://cat.example/a/cat";

	expect_href(NULL, "HTTPS://Cat.Example:443/a/./b/../cat#part", "https://cat.example/a/cat");
	expect_href(NULL, "https://cat.example.", "https://cat.example/");
	expect_href(NULL, "https://cat.example:8443/?b=%c3%a4", "https://cat.example:8443/?b=%C3%A4");
	expect_href(NULL, "https://[FD00::7]:8443/cat", "https://[fd00::7]:8443/cat");
	expect_href(NULL, "https://0x7f.1/", "https://127.0.0.1/");
	expect_href(NULL, "https://2130706433/", "https://127.0.0.1/");
	expect_href(base, "lots/7", "https://cat.example/a/lots/7");
	expect_href(base, "/lots/7", "https://cat.example/lots/7");
	expect_href(base, "../../../lots", "https://cat.example/lots");
	expect_href(base, "//other.example/x", "https://other.example/x");
	expect_href(base, "?rel=x", "https://cat.example/a/cat?rel=x");
	expect_href(base, "https://other.example/x y", "https://other.example/x%20y");
	expect_href(base, "./a:b", "https://cat.example/a/a:b");
}
END_TEST

static void expect_no_href(const char *text, int error)
{
	struct href from = {.text = NULL}, href = {.text = NULL};

	ck_assert_int_eq(href_parse("https://cat.example/a/cat", NULL, &from), 0);
	ck_assert_msg(href_parse(text, &from, &href) == error, "%s", text);
	ck_assert_ptr_null(href.text);
	href_done(&from);
}

START_TEST(other_places_are_none)
{
	char big[HREF_MAX + 2];

	expect_no_href("file:///etc/passwd", -EPROTONOSUPPORT);
	expect_no_href("FILE:/etc/passwd", -EPROTONOSUPPORT);
	expect_no_href("http://cat.example/", -EPROTONOSUPPORT);
	expect_no_href("javascript:alert(1)", -EPROTONOSUPPORT);
	expect_no_href("coap+tcp://cat.example/", -EPROTONOSUPPORT);
	expect_no_href("data:,x", -EPROTONOSUPPORT);
	expect_no_href("https://user@cat.example/", -EINVAL);
	expect_no_href("https://user:word@cat.example/", -EINVAL);
	expect_no_href("https://", -EINVAL);
	expect_no_href("https://cat.example:99999/", -EINVAL);
	expect_no_href("https://cat.example:0/", -EINVAL);
	expect_no_href("https://[fe80::1%25eth0]/", -EINVAL);
	expect_no_href("https://%31%32%37.1/", -EINVAL);
	expect_no_href("https://c\xc3\xa4t.example/", -EINVAL);
	memset(big, 'a', sizeof(big) - 1);
	big[sizeof(big) - 1] = '\0';
	expect_no_href(big, -E2BIG);
	big[HREF_MAX - 4] = '\0';
	expect_no_href(big, -E2BIG);
}
END_TEST

static void expect_path(const char *text, int with_host, const char *wanted)
{
	struct href href = {.text = NULL};
	char path[PATH];
	int r;

	ck_assert_int_eq(href_parse(text, NULL, &href), 0);
	r = href_path(&href, with_host, path, sizeof(path));
	if (wanted) {
		ck_assert_int_eq(r, (int)strlen(wanted));
		ck_assert_str_eq(path, wanted);
	} else {
		ck_assert_int_lt(r, 0);
	}
	href_done(&href);
}

START_TEST(an_address_becomes_a_path)
{
	char big[PATH + 64] = "https://c/";

	expect_path("https://c/lots/7/free", 0, "lots/7/free");
	expect_path("https://c/lots//7/", 0, "lots/7");
	expect_path("https://c/lots/7/free", 1, "c/lots/7/free");
	expect_path("https://c/", 1, "c");
	expect_path("https://c/a%2Fb/50%25/%c3%a4", 0, "a%2Fb/50%25/\xc3\xa4");
	expect_path("https://c/a?x=1/2&y=%20", 0, "a?x=1%2F2&y= ");
	expect_path("https://c/a%zz", 0, "a%25zz");
	expect_path("https://c/", 0, NULL);
	expect_path("https://c/a/%00b", 0, NULL);
	expect_path("https://c/a/%0ab", 0, NULL);
	expect_path("https://c/a/%ff", 0, NULL);
	expect_path("https://c/a/%c2%85", 0, NULL);
	memset(big + 10, 'a', PATH);
	big[10 + PATH] = '\0';
	expect_path(big, 0, NULL);
	big[9 + PATH] = '\0';
	expect_path(big, 0, big + 10);
}
END_TEST

static const char *objection(const char *text)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6};

	if (inet_pton(AF_INET, text, &v4.sin_addr) == 1)
		return address_objection((const struct sockaddr *)&v4);
	ck_assert_int_eq(inet_pton(AF_INET6, text, &v6.sin6_addr), 1);
	return address_objection((const struct sockaddr *)&v6);
}

START_TEST(addresses_that_no_catalogue_leads_to)
{
	static const char *const bad[] = {"127.0.0.1",     "127.255.0.9",
					  "0.0.0.0",       "169.254.169.254",
					  "224.0.0.251",   "255.255.255.255",
					  "::1",           "::",
					  "fe80::1",       "febf::1",
					  "ff02::1",       "::ffff:127.0.0.1",
					  "::127.0.0.1",   "64:ff9b::127.0.0.1",
					  "2002:7f00:1::", "::ffff:169.254.1.1"};
	static const char *const good[] = {"10.0.0.1",    "192.168.7.1",     "203.0.113.9",      "fd00::7",
					   "2001:db8::1", "::ffff:10.0.0.1", "64:ff9b::10.0.0.1"};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(objection(bad[i]) != NULL, "%s", bad[i]);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		ck_assert_msg(objection(good[i]) == NULL, "%s", good[i]);
}
END_TEST

START_TEST(addresses_of_this_machine_are_known)
{
	struct sockaddr_in here = {.sin_family = AF_INET, .sin_port = htons(9)};
	struct sockaddr_in there = here;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	ck_assert(address_is_own((const struct sockaddr *)&here, sizeof(here)));
	inet_pton(AF_INET, "192.0.2.1", &there.sin_addr);
	ck_assert(!address_is_own((const struct sockaddr *)&there, sizeof(there)));
	ck_assert(address_equals((const struct sockaddr *)&here, "127.0.0.1"));
	ck_assert(!address_equals((const struct sockaddr *)&here, "127.0.0.2"));
	ck_assert(!address_equals((const struct sockaddr *)&here, "localhost"));
}
END_TEST

struct seen {
	size_t n;
	struct {
		char href[64];
		char type[64];
		bool is_catalogue;
		size_t n_pairs;
	} items[8];
};

static void see(void *arg, const struct catalogue_item *item)
{
	struct seen *seen = arg;

	if (seen->n < 8) {
		snprintf(seen->items[seen->n].href, 64, "%s", item->href);
		snprintf(seen->items[seen->n].type, 64, "%s", item->content_type ? item->content_type : "");
		seen->items[seen->n].is_catalogue = item->is_catalogue;
		seen->items[seen->n].n_pairs = item->n_pairs;
	}
	seen->n++;
}

static int read_text(const char *text, struct seen *ret_seen, struct catalogue_report *ret_report)
{
	*ret_seen = (struct seen){.n = 0};
	return catalogue_read((struct tg_bytes){.data = text, .size = strlen(text)}, see, ret_seen, ret_report);
}

START_TEST(a_catalogue_is_read)
{
	struct catalogue_report report;
	struct seen seen;

	ck_assert_int_eq(
		read_text(
			"{\"catalogue-metadata\":[],\"items\":["
			"{\"href\":\"/"
			"a\",\"item-metadata\":[{\"rel\":\"urn:X-hypercat:rels:isContentType\",\"val\":\"text/"
			"plain\"}]},"
			"{\"href\":\"/b\",\"i-object-metadata\":[{\"rel\":\"urn:X-tsbiot:rels:isContentType\",\"val\":"
			"\"application/vnd.tsbiot.catalogue+json\"}]},"
			"{\"href\":\"/c\",\"item-metadata\":[{\"rel\":\"urn:X-hypercat:rels:isContentType\",\"val\":"
			"\"application/vnd.hypercat.catalogue+json; charset=utf-8\"},{\"rel\":\"x\",\"val\":\"y\"}]},"
			"{\"href\":\"/d\"}]}",
			&seen, &report),
		0);
	ck_assert_uint_eq(report.items, 4);
	ck_assert_uint_eq(report.malformed, 0);
	ck_assert_str_eq(seen.items[0].type, "text/plain");
	ck_assert(!seen.items[0].is_catalogue);
	ck_assert(seen.items[1].is_catalogue);
	ck_assert(seen.items[2].is_catalogue);
	ck_assert_uint_eq(seen.items[2].n_pairs, 2);
	ck_assert_str_eq(seen.items[3].href, "/d");
}
END_TEST

START_TEST(items_of_other_types_are_left_out)
{
	struct catalogue_report report;
	struct seen seen;

	ck_assert_int_eq(read_text("{\"items\":[1,null,\"x\",[],{},{\"href\":7},{\"href\":\"\"},{\"href\":\"/"
				   "a\",\"item-metadata\":{}},"
				   "{\"href\":\"/b\",\"item-metadata\":[7]},{\"href\":\"/"
				   "c\",\"item-metadata\":[{\"rel\":1,\"val\":\"x\"}]},"
				   "{\"href\":\"/good\",\"item-metadata\":[]}]}",
				   &seen, &report),
			 0);
	ck_assert_uint_eq(report.items, 1);
	ck_assert_uint_eq(report.malformed, 10);
	ck_assert_str_eq(seen.items[0].href, "/good");
}
END_TEST

static void expect_no_catalogue(const char *text)
{
	struct catalogue_report report;
	struct seen seen;

	ck_assert_msg(read_text(text, &seen, &report) == -EBADMSG, "%.80s", text);
	ck_assert_uint_eq(seen.n, 0);
	ck_assert_uint_gt(strlen(report.problem), 0);
}

START_TEST(what_is_no_catalogue_is_refused)
{
	expect_no_catalogue("");
	expect_no_catalogue("null");
	expect_no_catalogue("[]");
	expect_no_catalogue("{}");
	expect_no_catalogue("{\"items\":{}}");
	expect_no_catalogue("{\"items\":[]");
	expect_no_catalogue("{\"items\":[]} more");
	expect_no_catalogue("{\"items\":[],\"items\":[]}");
	expect_no_catalogue("{\"items\":[{\"href\":\"/a\",\"href\":\"/b\"}]}");
	expect_no_catalogue("{\"items\":[{\"href\":\"\xff\"}]}");
	expect_no_catalogue("{\"items\":[{\"href\":\"a\\u0000b\"}]}");
	expect_no_catalogue("{\"items\":[\"\\");
	expect_no_catalogue("\"");
}
END_TEST

/* "[[[…]]]" */
static char *make_levels(size_t levels)
{
	char *text = malloc(levels * 2 + 1);

	ck_assert_ptr_nonnull(text);
	memset(text, '[', levels);
	memset(text + levels, ']', levels);
	text[levels * 2] = '\0';
	return text;
}

START_TEST(many_levels_are_refused)
{
	char *text = make_levels(LEVELS);
	struct catalogue_report report;
	struct seen seen;

	ck_assert_int_eq(read_text(text, &seen, &report), -EBADMSG);
	ck_assert_ptr_nonnull(strstr(report.problem, "levels"));
	free(text);
	/* In a text they are none. */
	ck_assert_int_eq(read_text("{\"items\":[{\"href\":\"\\\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\"}]}", &seen,
				   &report),
			 0);
	ck_assert_uint_eq(report.items, 1);
}
END_TEST

/* A megabyte of them would take jansson a hundred. */
START_TEST(more_values_than_items_could_have_are_refused)
{
	enum { SIZE = 1024 * 1024 };
	static const char *const pieces[] = {"[],", "{},", "1,", "\"\","};
	char *text = malloc(SIZE + 16);
	struct catalogue_report report;
	struct seen seen;

	ck_assert_ptr_nonnull(text);
	for (size_t i = 0; i < sizeof(pieces) / sizeof(pieces[0]); i++) {
		size_t size = strlen(pieces[i]), used = 10;

		memcpy(text, "{\"items\":[", used);
		for (; used < SIZE; used += size)
			memcpy(text + used, pieces[i], size);
		memcpy(text + used, "0]}", 4);
		ck_assert_int_eq(read_text(text, &seen, &report), -EBADMSG);
		ck_assert_ptr_nonnull(strstr(report.problem, "more"));
	}
	free(text);
}
END_TEST

START_TEST(patterns_match)
{
	ck_assert(wildcard_match("*", ""));
	ck_assert(wildcard_match("*car park*", "The Car Park North"));
	ck_assert(wildcard_match("text/*", "TEXT/plain"));
	ck_assert(wildcard_match("a*b*c", "a b b c"));
	ck_assert(!wildcard_match("a*b*c", "a b b d"));
	ck_assert(!wildcard_match("", "a"));
	ck_assert(!wildcard_match("a", ""));
	ck_assert(wildcard_match_path("**", "a/b/c"));
	ck_assert(wildcard_match_path("/lots/*/free", "lots/7/free"));
	ck_assert(wildcard_match_path("lots/**", "lots/7"));
	ck_assert(!wildcard_match_path("lots/**", "lots"));
	ck_assert(!wildcard_match_path("lots/*", "lots/7/free"));
	ck_assert(!wildcard_match_path("lots/*/free", "lots/7"));
	ck_assert(!wildcard_match_path("**", ""));
	ck_assert(wildcard_match_path("a/b", "a/b"));
	ck_assert(!wildcard_match_path("a/b", "a/c"));
}
END_TEST

START_TEST(times_vary_within_their_limits)
{
	const int64_t hour_us = 3600 * (int64_t)S_US;

	ck_assert_int_eq(timing_next(7, hour_us, 0, UINT32_MAX), 7 + hour_us);
	ck_assert_int_eq(timing_next(0, hour_us, 10, 0), hour_us - hour_us / 10);
	ck_assert_int_gt(timing_next(0, hour_us, 10, UINT32_MAX), hour_us + hour_us / 10 - S_US);
	ck_assert_int_le(timing_next(0, hour_us, 10, UINT32_MAX), hour_us + hour_us / 10);
	ck_assert_int_eq(timing_retry(0, 1, S_US, 60 * S_US, 0, 0), S_US);
	ck_assert_int_ge(timing_retry(0, 1, S_US, 60 * S_US, 0, UINT32_MAX), S_US / 2);
	ck_assert_int_eq(timing_retry(0, 3, S_US, 60 * S_US, 0, 0), 4 * S_US);
	ck_assert_int_eq(timing_retry(0, 1000000, S_US, 60 * S_US, 0, 0), 60 * S_US);
	ck_assert_int_eq(timing_retry(5, 1, S_US, 60 * S_US, 120, 0), 5 + 120 * (int64_t)S_US);
	ck_assert_int_eq(timing_retry(0, 1, S_US, 60 * S_US, INT64_MAX, 0), 24 * hour_us);
}
END_TEST

START_TEST(lines_of_the_log_stay_lines)
{
	char text[8];

	ck_assert_str_eq(href_printable("a\nb\x1b\xff c", text, sizeof(text)), "a?b?? c");
	ck_assert_str_eq(href_printable("0123456789", text, sizeof(text)), "0123456");
}
END_TEST

SUITE_MAIN("hypercat_client", one_place_has_one_form, other_places_are_none, an_address_becomes_a_path,
	   addresses_that_no_catalogue_leads_to, addresses_of_this_machine_are_known, a_catalogue_is_read,
	   items_of_other_types_are_left_out, what_is_no_catalogue_is_refused, many_levels_are_refused,
	   more_values_than_items_could_have_are_refused, patterns_match, times_vary_within_their_limits,
	   lines_of_the_log_stay_lines)
