/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/pattern.h"
#include "suite.h"

#define COUNT(table) (sizeof(table) / sizeof((table)[0]))

static const char reserved[] = "+#$";

static struct pattern_values values(void)
{
	struct pattern_values v = {0};

	v.given[PATTERN_SITE] = bytes_text("plant-7");
	v.given[PATTERN_GATEWAY] = bytes_text("hall 3/a");
	v.given[PATTERN_DEVICE] = bytes_text("pump+1");
	v.given[PATTERN_ENDPOINT] = bytes_text("field");
	v.given[PATTERN_FORMAT] = bytes_text("50");
	return v;
}

static const struct {
	const char *match;
	const char *path;
	const char *address;
	const char *result; /* NULL: does not match */
} routes[] = {
	{"/{path}", "a/b", "{site}/{device}/{path}", "plant-7/pump%2B1/a/b"},
	{"{path}", "a", "{path}", "a"},
	{"/{path}", "", "{path}", NULL},
	{"a/{path}", "a", "{path}", NULL},
	{"a/{path}", "a/", "{path}", NULL},
	{"a/{path}", "a/b//c/", "{path}", "b//c/"},
	{"a/{x}/c", "a/b/c", "{x}", "b"},
	{"a/{x}/c", "a/b/c/d", "{x}", NULL},
	{"a/{x}/c", "a//c", "{x}", NULL},
	{"a/{x}/c", "a/b", "{x}", NULL},
	{"a/{x}", "a", "{x}", NULL},
	{"a/{x}", "b/c", "{x}", NULL},
	{"a/b", "a/b", "c", "c"},
	{"a/b", "a/b/", "c", NULL},
	{"a/b/", "a/b/", "c", "c"},
	{"a/b/", "a/b", "c", NULL},
	{"a", "ab", "c", NULL},
	{"temp-{n}.json", "temp-7.json", "{n}/{n}", "7/7"},
	{"temp-{n}.json", "temp-.json", "{n}", NULL},
	{"temp-{n}.json", "temp-7.jso", "{n}", NULL},
	{"ab{n}ba", "aba", "{n}", NULL},
	{"{site}/{gateway}/{x}", "plant-7/hall 3%2Fa/y", "{x}", "y"},
	{"{site}/{gateway}/{x}", "plant-7/hall 3%252Fa/y", "{x}", "y"},
	{"{site}/{x}", "plant-8/y", "{x}", NULL},
	{"{device}/{x}", "pump+1/y", "{x}", "y"},
	{"{device}/{x}", "pump%252B1/y", "{x}", "y"},
	{"{device}/{x}", "pump-1/y", "{x}", NULL},
	{"{endpoint}/{format}", "field/50", "{endpoint}.{format}", "field.50"},
	{"{path}", "x", "{gateway}", "hall 3%2Fa"},
	{"{path}", "a%25b/c%2Fd", "{path}", "a%25b/c%2Fd"},
	{"{path}", "a%41", "{path}", "a%2541"},
	{"{path}", "a+b/#/$SYS", "{path}", "a%2Bb/%23/%24SYS"},
	{"{path}", "../a/./b/...", "{path}", "%2E%2E/a/%2E/b/..."},
	{"{a}/{b}", "./..", "{a}{b}", "%2E%2E%2E"},
	{"{path}", "a\x01\x7f", "{path}", "a%01%7F"},
	{"{path}", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80", "{path}", "\xc3\xa4\xe2\x82\xac\xf0\x9f\x98\x80"},
	{"{path}", "\xc3", "{path}", "%C3"},
	{"{path}", "\xc0\xaf", "{path}", "%C0%AF"},
	{"{path}", "\xed\xa0\x80", "{path}", "%ED%A0%80"},
	{"{path}", "\xf4\x90\x80\x80", "{path}", "%F4%90%80%80"},
	{"{path}", "\xe0\x80\xaf", "{path}", "%E0%80%AF"},
	{"{path}", "\xc2\x85", "{path}", "%C2%85"},
	{"{path}", "\xef\xbf\xbf", "{path}", "%EF%BF%BF"},
	{"{path}", "\xef\xb7\x90", "{path}", "%EF%B7%90"},
};

static void try_matches_and_builds(size_t i)
{
	struct pattern *match = NULL, *address = NULL;
	struct pattern_values v = values();
	char problem[PATTERN_PROBLEM_SIZE], out[256];
	ptrdiff_t size;

	ck_assert_int_eq(pattern_new_match(routes[i].match, false, &match, problem), 0);
	ck_assert_int_eq(pattern_new_address(routes[i].address, match, reserved, &address, problem), 0);
	ck_assert_msg(pattern_match(match, bytes_text(routes[i].path), &v) == (routes[i].result != NULL), "%s on %s",
		      routes[i].match, routes[i].path);
	if (routes[i].result) {
		size = pattern_build(address, &v, out, sizeof(out) - 1);
		ck_assert_int_ge(size, 0);
		out[size] = '\0';
		ck_assert_str_eq(out, routes[i].result);
	}
	pattern_free(match);
	pattern_free(address);
}

START_TEST(matches_and_builds)
{
	for (size_t i = 0; i < COUNT(routes); i++)
		try_matches_and_builds(i);
}
END_TEST

static const struct {
	const char *match;
	const char *address; /* NULL: it is the pattern that is bad */
	const char *problem;
} bad[] = {
	{"", NULL, "is empty"},
	{"/", NULL, "is empty"},
	{"{", NULL, "has a '{' without a name of letters, digits and '_' and a '}' behind it"},
	{"{}", NULL, "has a '{' without a name of letters, digits and '_' and a '}' behind it"},
	{"{a b}", NULL, "has a '{' without a name of letters, digits and '_' and a '}' behind it"},
	{"a}", NULL, "has a '}' without a '{'"},
	{"{a}/{a}", NULL, "has {a} twice"},
	{"{a}{b}", NULL, "has two names in braces in one segment"},
	{"{path}/a", NULL, "has {path} in the middle; it takes the whole rest and stands last, behind a '/'"},
	{"a{path}", NULL, "has {path} in the middle; it takes the whole rest and stands last, behind a '/'"},
	{"100%", NULL, "has a '%', which is written %25 here"},
	{"{abcdefghijklmnopqrstuvwxyz0123456}", NULL, "has a name in braces of more than 32 characters"},
	{"{a}/{b}/{c}/{d}/{e}/{f}/{g}/{h}/{i}/{j}/{k}/{l}/{m}/{n}/{o}/{p}/{q}", NULL,
	 "has too many names in braces, at most 16"},
	{"{sensor}", "x/{sensr}", "uses {sensr}, which \"match\" does not have; did you mean {sensor}?"},
	{"a", "x/{path}", "uses {path}, which \"match\" does not have"},
	{"a", "x/{sit}", "uses {sit}, which \"match\" does not have; did you mean {site}?"},
};

static void try_refuses(size_t i)
{
	struct pattern *match = NULL, *address = NULL;
	char problem[PATTERN_PROBLEM_SIZE] = "";
	int r = pattern_new_match(bad[i].match, false, &match, problem);

	if (bad[i].address) {
		ck_assert_int_eq(r, 0);
		r = pattern_new_address(bad[i].address, match, NULL, &address, problem);
	}
	ck_assert_int_eq(r, -EINVAL);
	ck_assert_str_eq(problem, bad[i].problem);
	pattern_free(match);
	pattern_free(address);
}

START_TEST(refuses)
{
	for (size_t i = 0; i < COUNT(bad); i++)
		try_refuses(i);
}
END_TEST

START_TEST(says_when_an_address_has_no_room)
{
	struct pattern *match = NULL, *address = NULL;
	struct pattern_values v = values();
	char problem[PATTERN_PROBLEM_SIZE], out[16];

	ck_assert_int_eq(pattern_new_match("{path}", false, &match, problem), 0);
	ck_assert_int_eq(pattern_new_address("x/{path}", match, reserved, &address, problem), 0);
	ck_assert(pattern_match(match, bytes_text("abcd+e"), &v));
	ck_assert_int_eq(pattern_build(address, &v, out, 10), 10);
	ck_assert_int_eq(pattern_build(address, &v, out, 9), -ENOBUFS);
	ck_assert_int_eq(pattern_build(address, &v, out, 1), -ENOBUFS);
	ck_assert_int_eq(pattern_build(address, &v, out, 0), -ENOBUFS);
	pattern_free(match);
	pattern_free(address);
}
END_TEST

START_TEST(captures_the_device_of_a_command)
{
	struct pattern *match = NULL;
	struct pattern_values v = values();
	char problem[PATTERN_PROBLEM_SIZE], out[64];
	int capture;

	ck_assert_int_eq(pattern_new_match("{site}/{device}/command/{path}", true, &match, problem), 0);
	capture = pattern_device_capture(match);
	ck_assert_int_ge(capture, 0);
	ck_assert(pattern_match(match, bytes_text("plant-7/pump%252B1%2525/command/led/1"), &v));
	ck_assert_int_eq(pattern_unescape(v.captures[capture], out, sizeof(out)), 7);
	ck_assert_int_eq(memcmp(out, "pump+1%", 7), 0);
	ck_assert_int_eq(pattern_unescape(v.captures[capture], out, 6), -ENOBUFS);
	pattern_free(match);
}
END_TEST

static uint32_t next_random(uint32_t *state)
{
	*state = *state * 1664525u + 1013904223u;
	return *state >> 8;
}

/* A name made of what hurts: separators, wildcards, escapes, controls, broken UTF-8, dots. */
static size_t random_name(uint32_t *state, uint8_t *name, size_t most)
{
	static const uint8_t spice[] = {'/', '+', '#', '$',  '%',  '2',  '5',  'F', 'B',
					'.', 0,   1,   0x7f, 0xc3, 0xa4, 0xff, 0xed};
	size_t size = 1 + next_random(state) % most;

	for (size_t i = 0; i < size; i++)
		name[i] = next_random(state) % 4 ? spice[next_random(state) % sizeof(spice)]
						 : (uint8_t)next_random(state);
	return size;
}

/* Writes a path's segment as adapters do. */
static size_t as_segment(const char *text, size_t size, char *out)
{
	size_t at = 0;

	for (size_t i = 0; i < size; i++) {
		if (text[i] == '%' || text[i] == '/') {
			memcpy(out + at, text[i] == '%' ? "%25" : "%2F", 3);
			at += 3;
		} else
			out[at++] = text[i];
	}
	return at;
}

/* Whatever a device calls itself, its address has the levels that the route gave it, no wildcard, is UTF-8 without
 * controls, and gives back that name and no other. */
START_TEST(no_name_reaches_another_address)
{
	struct pattern *match = NULL, *address = NULL;
	char problem[PATTERN_PROBLEM_SIZE], out[TG_ADDRESS_MAX], segment[3 * TG_ADDRESS_MAX], back[TG_DEVICE_MAX];
	uint8_t name[40];
	uint32_t state = 4711;

	ck_assert_int_eq(pattern_new_match("{path}", false, &match, problem), 0);
	ck_assert_int_eq(pattern_new_address("site/{device}/end", match, reserved, &address, problem), 0);
	for (int i = 0; i < 20000; i++) {
		struct pattern_values v = values();
		size_t size = random_name(&state, name, sizeof(name)), middle;
		ptrdiff_t length;

		v.given[PATTERN_DEVICE] = bytes_of(name, size);
		ck_assert(pattern_match(match, bytes_text("x"), &v));
		length = pattern_build(address, &v, out, sizeof(out));
		ck_assert_int_gt(length, 9);
		ck_assert_int_eq(memcmp(out, "site/", 5), 0);
		ck_assert_int_eq(memcmp(out + length - 4, "/end", 4), 0);
		middle = (size_t)length - 9;
		ck_assert_ptr_null(memchr(out + 5, '/', middle));
		for (size_t j = 0; j < middle; j++)
			ck_assert(!memchr("+#$", out[5 + j], 3) && (unsigned char)out[5 + j] >= 0x20 &&
				  out[5 + j] != 0x7f);
		ck_assert(bytes_is_utf8(bytes_of(out, (size_t)length)));
		ck_assert(!(middle == 1 && out[5] == '.') && !(middle == 2 && memcmp(out + 5, "..", 2) == 0));
		middle = as_segment(out + 5, middle, segment);
		ck_assert_int_eq(pattern_unescape(bytes_of(segment, middle), back, sizeof(back)), (ptrdiff_t)size);
		ck_assert_int_eq(memcmp(back, name, size), 0);
		ck_assert(pattern_segment_is(bytes_of(segment, middle), bytes_of(name, size)));
	}
	pattern_free(match);
	pattern_free(address);
}
END_TEST

static const struct {
	const char *one;
	const char *other;
	bool covers;
} covering[] = {
	{"{path}", "a/b", true},
	{"{path}", "{x}/{path}", true},
	{"a/{path}", "a/{x}", true},
	{"a/{path}", "a", false},
	{"a/{path}", "b/{x}", false},
	{"{x}", "a", true},
	{"a", "{x}", false},
	{"{x}/b", "a/b", true},
	{"{x}/b", "a/c", false},
	{"{x}", "{path}", false},
	{"{site}/a", "{site}/a", true},
	{"{site}", "{gateway}", false},
	{"{x}/{y}", "{a}/{path}", false},
	{"a-{x}", "a-{x}", false},
	{"a/b", "a/b", true},
};

static void try_knows_what_it_covers(size_t i)
{
	struct pattern *one = NULL, *other = NULL;
	char problem[PATTERN_PROBLEM_SIZE];

	ck_assert_int_eq(pattern_new_match(covering[i].one, false, &one, problem), 0);
	ck_assert_int_eq(pattern_new_match(covering[i].other, false, &other, problem), 0);
	ck_assert_msg(pattern_covers(one, other) == covering[i].covers, "%s and %s", covering[i].one,
		      covering[i].other);
	pattern_free(one);
	pattern_free(other);
}

START_TEST(knows_what_it_covers)
{
	for (size_t i = 0; i < COUNT(covering); i++)
		try_knows_what_it_covers(i);
}
END_TEST

START_TEST(outlines_what_it_takes)
{
	static const struct {
		const char *match, *outline;
	} cases[] = {
		{"{path}", "**"},
		{"/a/{path}", "a/**"},
		{"{site}/{gateway}/{device}/command/{path}", "plant-7/hall 3%252Fa/*/command/**"},
		{"a/t-{n}.json/b", "a/*/b"},
		{"a*b/c", "a%2Ab/c"},
		{"a/b/", "a/b/"},
		{"a", "a"},
	};
	char problem[PATTERN_PROBLEM_SIZE], out[64];

	for (size_t i = 0; i < COUNT(cases); i++) {
		const struct pattern_values v = values();
		CLEANUP(pattern_freep) struct pattern *pattern = NULL;
		ptrdiff_t size;

		ck_assert_int_eq(pattern_new_match(cases[i].match, true, &pattern, problem), 0);
		size = pattern_outline(pattern, &v, out, sizeof(out));
		ck_assert_int_eq(size, (ptrdiff_t)strlen(cases[i].outline));
		ck_assert_str_eq(out, cases[i].outline);
		for (size_t room = 0; room <= (size_t)size; room++)
			ck_assert_int_eq(pattern_outline(pattern, &v, out, room), -ENOBUFS);
	}
}
END_TEST

START_TEST(finds_reserved_literals)
{
	static const struct {
		const char *address;
		char found;
	} rows[] = {{"a/b", 0}, {"a/+/{path}", '+'}, {"$aws/{path}", 0}, {"a/$x", '$'}, {"{path}#", '#'}};
	struct pattern *match = NULL, *address = NULL;
	char problem[PATTERN_PROBLEM_SIZE];

	ck_assert_int_eq(pattern_new_match("{path}", false, &match, problem), 0);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(pattern_new_address(rows[i].address, match, reserved, &address, problem), 0);
		ck_assert_int_eq(pattern_reserved_literal(address), rows[i].found);
		pattern_free(address);
	}
	pattern_free(match);
}
END_TEST

SUITE_MAIN("pattern", matches_and_builds, refuses, says_when_an_address_has_no_room, captures_the_device_of_a_command,
	   no_name_reaches_another_address, knows_what_it_covers, outlines_what_it_takes, finds_reserved_literals)
