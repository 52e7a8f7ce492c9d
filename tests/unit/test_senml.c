/* SPDX-License-Identifier: Apache-2.0 */
#include "format/senml.h"

#include <errno.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "format/cbor_item.h"
#include "senml_examples.h"
#include "suite.h"

enum { RECORDS_MAX = 64, ROOM = 1 << 20 };

#define COUNT(a) (sizeof(a) / sizeof((a)[0]))

static struct buffer written;

static struct tg_bytes write_all(const struct senml_pack *pack, int32_t format)
{
	buffer_done(&written);
	buffer_init(&written, ROOM);
	if (format == SENML_FORMAT_JSON)
		ck_assert_int_eq(senml_write_json(pack, 0, pack->records_count, &written), 0);
	else
		ck_assert_int_eq(senml_write_cbor(pack, 0, pack->records_count, &written), 0);
	return bytes_of_buffer(&written);
}

static void read_json(struct senml_pack *pack, const char *json)
{
	int r;

	senml_init(pack, RECORDS_MAX);
	r = senml_read_json(pack, bytes_text(json));
	ck_assert_msg(r == 0, "%s: %d %s", json, r, pack->problem);
}

static void read_cbor(struct senml_pack *pack, struct tg_bytes cbor)
{
	int r;

	senml_init(pack, RECORDS_MAX);
	r = senml_read_cbor(pack, cbor);
	ck_assert_msg(r == 0, "%d %s", r, pack->problem);
}

static void expect_json(const struct senml_pack *pack, const char *json)
{
	struct tg_bytes text = write_all(pack, SENML_FORMAT_JSON);

	ck_assert_msg(bytes_equal(text, bytes_text(json)), "wanted %s\n   got %.*s", json, BYTES_ARG(text));
}

/* What `json` is when it went through CBOR and came back. */
static void expect_round(const char *json, const char *wanted)
{
	struct senml_pack pack, back;
	struct tg_bytes cbor;

	read_json(&pack, json);
	cbor = write_all(&pack, SENML_FORMAT_CBOR);
	read_cbor(&back, cbor);
	expect_json(&back, wanted);
	senml_done(&pack);
	senml_done(&back);
}

static void expect_same(const struct senml_pack *a, const struct senml_pack *b)
{
	ck_assert_uint_eq(a->records_count, b->records_count);
	ck_assert_uint_eq(a->fields_count, b->fields_count);
	for (size_t i = 0; i < a->fields_count; i++) {
		const struct senml_field *x = &a->fields[i], *y = &b->fields[i];

		ck_assert_int_eq((int)x->label, (int)y->label);
		ck_assert(bytes_equal(x->name, y->name));
		ck_assert_int_eq((int)x->value.type, (int)y->value.type);
		if (x->value.type == SENML_WHOLE)
			ck_assert_int_eq(x->value.whole, y->value.whole);
		else if (x->value.type == SENML_REAL)
			ck_assert_mem_eq(&x->value.real, &y->value.real, sizeof(double));
		else if (x->value.type == SENML_BOOL)
			ck_assert_int_eq(x->value.yes, y->value.yes);
		else
			ck_assert(bytes_equal(x->value.bytes, y->value.bytes));
	}
}

START_TEST(test_examples_go_through_cbor)
{
	for (size_t i = 0; i < COUNT(senml_examples); i++) {
		struct senml_pack pack, back;

		read_json(&pack, senml_examples[i].json);
		read_cbor(&back, write_all(&pack, SENML_FORMAT_CBOR));
		expect_same(&pack, &back);
		senml_done(&pack);
		senml_done(&back);
	}
}
END_TEST

START_TEST(test_examples_resolve)
{
	for (size_t i = 0; i < COUNT(senml_examples); i++) {
		struct senml_pack pack, resolved, again;

		read_json(&pack, senml_examples[i].json);
		senml_init(&resolved, RECORDS_MAX);
		senml_init(&again, RECORDS_MAX);
		ck_assert_int_eq(senml_resolve(&pack, SENML_EXAMPLE_NOW, ROOM, &resolved), 0);
		expect_json(&resolved, senml_examples[i].resolved);
		ck_assert_int_eq(senml_resolve(&resolved, 0, ROOM, &again), 0);
		expect_json(&again, senml_examples[i].resolved);
		senml_done(&again);
		senml_done(&resolved);
		senml_done(&pack);
	}
}
END_TEST

START_TEST(test_cbor_of_section_6)
{
	struct tg_bytes cbor = bytes_of(senml_example_cbor, sizeof(senml_example_cbor));
	struct senml_pack pack;

	read_cbor(&pack, cbor);
	ck_assert_uint_eq(pack.records_count, 7);
	expect_json(&pack, "[{\"bn\":\"urn:dev:ow:10e2073a0108006:\",\"bt\":1276020076.001,\"bu\":\"A\",\"bver\":5,"
			   "\"n\":\"voltage\",\"u\":\"V\",\"v\":120.1},"
			   "{\"n\":\"current\",\"t\":-5,\"v\":1.2},{\"n\":\"current\",\"t\":-4,\"v\":1.3},"
			   "{\"n\":\"current\",\"t\":-3,\"v\":1.4},{\"n\":\"current\",\"t\":-2,\"v\":1.5},"
			   "{\"n\":\"current\",\"t\":-1,\"v\":1.6},{\"n\":\"current\",\"t\":0,\"v\":1.7}]");
	ck_assert(bytes_equal(write_all(&pack, SENML_FORMAT_CBOR), cbor));
	senml_done(&pack);
}
END_TEST

START_TEST(test_every_label)
{
	static const char json[] =
		"[{\"bver\":10,\"bn\":\"a/\",\"bt\":1,\"bu\":\"m\",\"bv\":2,\"bs\":3,\"n\":\"b\",\"u\":\"s\","
		"\"v\":4,\"s\":5,\"t\":6,\"ut\":7},{\"vs\":\"x\"},{\"vb\":true},{\"vd\":\"AAH-\"}]";
	static const uint8_t cbor[] = {0x84, 0xac, 0x20, 0x0a, 0x21, 0x62, 'a',  '/',  0x22, 0x01, 0x23,
				       0x61, 'm',  0x24, 0x02, 0x25, 0x03, 0x00, 0x61, 'b',  0x01, 0x61,
				       's',  0x02, 0x04, 0x05, 0x05, 0x06, 0x06, 0x07, 0x07, 0xa1, 0x03,
				       0x61, 'x',  0xa1, 0x04, 0xf5, 0xa1, 0x08, 0x43, 0x00, 0x01, 0xfe};
	struct senml_pack pack;

	read_json(&pack, json);
	ck_assert(bytes_equal(write_all(&pack, SENML_FORMAT_CBOR), bytes_of(cbor, sizeof(cbor))));
	senml_done(&pack);
	expect_round(json, json);
}
END_TEST

/* The first of each pair comes back as the second. */
START_TEST(test_what_is_kept)
{
	static const char *const rows[][2] = {
		{"[{\"n\":\"a\",\"v\":20}]", NULL},
		{"[{\"n\":\"a\",\"v\":20.0}]", NULL},
		{"[{\"n\":\"a\",\"v\":-0.0}]", NULL},
		{"[{\"n\":\"a\",\"v\":23.1}]", NULL},
		{"[{\"n\":\"a\",\"v\":0.1}]", NULL},
		{"[{\"n\":\"a\",\"v\":1.10}]", "[{\"n\":\"a\",\"v\":1.1}]"},
		{"[{\"n\":\"a\",\"v\":5e-324}]", "[{\"n\":\"a\",\"v\":4.94065645841247e-324}]"},
		{"[{\"n\":\"a\",\"v\":1.7976931348623157e308}]", NULL},
		{"[{\"n\":\"a\",\"v\":9223372036854775807}]", NULL},
		{"[{\"n\":\"a\",\"v\":-9223372036854775808}]", NULL},
		{"[{\"n\":\"a\",\"v\":18446744073709551616,\"t\":7}]",
		 "[{\"n\":\"a\",\"v\":1.8446744073709552e19,\"t\":7}]"},
		{"[{\"n\":\"a\",\"vs\":\"\\u0000\\\"\\\\ \\u00e9 \\ud83c\\udf0a\"}]",
		 "[{\"n\":\"a\",\"vs\":\"\\u0000\\\"\\\\ \xc3\xa9 \xf0\x9f\x8c\x8a\"}]"},
		{"[{\"n\":\"a\",\"vs\":\"\"}]", NULL},
		{"[{\"n\":\"a\",\"vd\":\"\"}]", NULL},
		{"[{\"n\":\"a\",\"v\":1,\"colour\":\"red\",\"weight\":1.5,\"wet\":true}]", NULL},
		{"[{\"bfoo\":1},{\"n\":\"a\",\"s\":1}]", NULL},
	};

	for (size_t i = 0; i < COUNT(rows); i++)
		expect_round(rows[i][0], rows[i][1] ? rows[i][1] : rows[i][0]);
}
END_TEST

/* CBOR that nobody here writes, and what it means. */
START_TEST(test_other_ways_to_write_cbor)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *json;
	} rows[] = {
#define CBOR(bytes) bytes, sizeof(bytes) - 1
		{CBOR("\x9f\xbf\x00\x61"
		      "a\x02\x01\xff\xff"),
		 "[{\"n\":\"a\",\"v\":1}]"}, /* of no length */
		{CBOR("\x81\xa2\x00\x7f\x61"
		      "a\x61"
		      "b\xff\x08\x5f\x41\x00\x42\x01\xfe\xff"),
		 "[{\"n\":\"ab\",\"vd\":\"AAH-\"}]"}, /* strings in pieces */
		{CBOR("\xd9\xd9\xf7\x81\xa2\x00\x61"
		      "a\x02\x01"),
		 "[{\"n\":\"a\",\"v\":1}]"}, /* tag 55799 */
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xc4\x82\x21\x19\x6a\xb3"),
		 "[{\"n\":\"a\",\"v\":273.15}]"}, /* decimal fraction */
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xc4\x82\x02\x38\x1a"),
		 "[{\"n\":\"a\",\"v\":-2700.0}]"},
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xc2\x43\x00\x01\x00"),
		 "[{\"n\":\"a\",\"v\":256}]"}, /* bignums */
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xc3\x41\xff"),
		 "[{\"n\":\"a\",\"v\":-256}]"},
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xc2\x49\x01\x00\x00\x00\x00\x00\x00\x00\x00"),
		 "[{\"n\":\"a\",\"v\":1.8446744073709552e19}]"},
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\x1b\x80\x00\x00\x00\x00\x00\x00\x00"),
		 "[{\"n\":\"a\",\"v\":9.223372036854776e18}]"},
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\x1a\x00\x00\x00\x05"),
		 "[{\"n\":\"a\",\"v\":5}]"}, /* longer than it had to be */
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xf9\x3e\x00"),
		 "[{\"n\":\"a\",\"v\":1.5}]"}, /* half, single, double */
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xfa\x3f\xc0\x00\x00"),
		 "[{\"n\":\"a\",\"v\":1.5}]"},
		{CBOR("\x81\xa2\x00\x61"
		      "a\x02\xfb\x3f\xf8\x00\x00\x00\x00\x00\x00"),
		 "[{\"n\":\"a\",\"v\":1.5}]"},
		{CBOR("\x81\xa3\x00\x61"
		      "a\x02\x01\x61z\x41\xff"),
		 "[{\"n\":\"a\",\"v\":1,\"z\":\"_w\"}]"}, /* data behind an unknown label */
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct senml_pack pack;

		read_cbor(&pack, bytes_of(rows[i].bytes, rows[i].size));
		expect_json(&pack, rows[i].json);
		senml_done(&pack);
	}
}
END_TEST

/* Every half comes back as itself, a subnormal one in a single; RFC 8949 appendix D. */
START_TEST(test_all_halves)
{
	unsigned tried = 0;

	for (unsigned bits = 0; bits < 0x10000; bits++) {
		uint8_t half[3] = {0xf9, (uint8_t)(bits >> 8), (uint8_t)bits};
		bool subnormal = (bits & 0x7c00) == 0 && (bits & 0x3ff);
		struct tg_bytes input = bytes_of(half, sizeof(half));
		struct cbor_item item, again;

		if ((bits & 0x7c00) == 0x7c00)
			continue;
		ck_assert_int_eq(cbor_item_next(&input, &item), 0);
		buffer_done(&written);
		buffer_init(&written, ROOM);
		ck_assert_int_eq(cbor_item_append(&written, &item), 0);
		input = bytes_of_buffer(&written);
		ck_assert_uint_eq(input.size, subnormal ? 5 : 3);
		ck_assert(subnormal || bytes_equal(input, bytes_of(half, sizeof(half))));
		ck_assert_int_eq(cbor_item_next(&input, &again), 0);
		ck_assert_msg(memcmp(&again.real, &item.real, sizeof(double)) == 0, "half %04x", bits);
		tried++;
	}
	ck_assert_uint_eq(tried, 0x10000 - 2 * 1024);
}
END_TEST

START_TEST(test_resolve_adds_up)
{
	static const char *const rows[][2] = {
		/* base value and sum; a missing one is zero */
		{"[{\"bn\":\"a\",\"bt\":1320000000,\"bv\":20,\"bs\":100,\"v\":0.5,\"s\":1},{\"v\":-1},{\"vs\":\"x\"}]",
		 "[{\"n\":\"a\",\"t\":1320000000,\"v\":20.5,\"s\":101},{\"n\":\"a\",\"t\":1320000000,\"v\":19,\"s\":"
		 "100},"
		 "{\"n\":\"a\",\"t\":1320000000,\"vs\":\"x\",\"s\":100}]"},
		/* a sum beyond 64 bits goes on as a double */
		{"[{\"n\":\"a\",\"t\":1320000000,\"bv\":9223372036854775807,\"v\":1}]",
		 "[{\"n\":\"a\",\"t\":1320000000,\"v\":9.223372036854776e18}]"},
		/* relative times, to the microsecond, in order */
		{"[{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"t\":-0.25,\"v\":2},{\"n\":\"a\",\"t\":-10,\"v\":3},{\"n\":"
		 "\"a\",\"t\":0.5,\"v\":4}]",
		 "[{\"n\":\"a\",\"t\":1320078419.5,\"v\":3},{\"n\":\"a\",\"t\":1320078429.25,\"v\":2},"
		 "{\"n\":\"a\",\"t\":1320078429.5,\"v\":1},{\"n\":\"a\",\"t\":1320078430,\"v\":4}]"},
		/* where absolute begins */
		{"[{\"n\":\"a\",\"t\":268435456,\"v\":1},{\"n\":\"a\",\"t\":268435455,\"v\":2}]",
		 "[{\"n\":\"a\",\"t\":268435456,\"v\":1},{\"n\":\"a\",\"t\":1588513884.5,\"v\":2}]"},
		/* the update time is a span, version 10 goes without saying, labels that are not known stay */
		{"[{\"bver\":10,\"n\":\"a\",\"t\":1320000000,\"v\":1,\"ut\":60,\"colour\":\"red\"}]",
		 "[{\"n\":\"a\",\"t\":1320000000,\"v\":1,\"ut\":60,\"colour\":\"red\"}]"},
		{"[{\"bct\":60,\"bn\":\"a\",\"bt\":1320000000},{\"v\":1},{\"bct\":50,\"v\":2}]",
		 "[{\"bct\":60,\"n\":\"a\",\"t\":1320000000,\"v\":1},{\"bct\":50,\"n\":\"a\",\"t\":1320000000,\"v\":2}"
		 "]"},
		/* a unit of its own, and an empty base name that ends another one */
		{"[{\"bn\":\"a/"
		 "\",\"bu\":\"m\",\"bt\":1320000000,\"n\":\"x\",\"v\":1},{\"bn\":\"\",\"n\":\"y\",\"u\":\"s\",\"v\":2}"
		 "]",
		 "[{\"n\":\"a/"
		 "x\",\"u\":\"m\",\"t\":1320000000,\"v\":1},{\"n\":\"y\",\"u\":\"s\",\"t\":1320000000,\"v\":2}]"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct senml_pack pack, resolved;
		int r;

		read_json(&pack, rows[i][0]);
		senml_init(&resolved, RECORDS_MAX);
		r = senml_resolve(&pack, SENML_EXAMPLE_NOW, ROOM, &resolved);
		ck_assert_msg(r == 0, "%s: %s", rows[i][0], resolved.problem);
		expect_json(&resolved, rows[i][1]);
		senml_done(&resolved);
		senml_done(&pack);
	}
}
END_TEST

START_TEST(test_resolve_refuses)
{
	static const char *const rows[][2] = {
		{"[{\"n\":\"a\",\"v\":1},{\"bv\":1e308,\"n\":\"a\",\"v\":1e308}]",
		 "record 2, label \"v\": is a sum out of range"},
		{"[{\"bn\":\"a\"},{\"t\":-2e9,\"v\":1}]", "record 2, label \"t\": is a time too long ago"},
		{"[{\"bn\":\"a\"}]", "the pack has no measurement"},
	};

	for (size_t i = 0; i < COUNT(rows); i++) {
		struct senml_pack pack, resolved;

		read_json(&pack, rows[i][0]);
		senml_init(&resolved, RECORDS_MAX);
		ck_assert_int_eq(senml_resolve(&pack, SENML_EXAMPLE_NOW, ROOM, &resolved), -EBADMSG);
		ck_assert_str_eq(resolved.problem, rows[i][1]);
		senml_done(&resolved);
		senml_done(&pack);
	}
}
END_TEST

START_TEST(test_names_are_bounded)
{
	struct senml_pack pack, resolved;

	read_json(&pack, "[{\"bn\":\"abc\",\"n\":\"d\",\"v\":1},{\"n\":\"ef\",\"v\":1}]");
	senml_init(&resolved, RECORDS_MAX);
	ck_assert_int_eq(senml_resolve(&pack, 0, 8, &resolved), -EMSGSIZE);
	senml_done(&resolved);
	senml_init(&resolved, RECORDS_MAX);
	ck_assert_int_eq(senml_resolve(&pack, SENML_EXAMPLE_NOW, 9, &resolved), 0);
	senml_done(&resolved);
	senml_done(&pack);
}
END_TEST

START_TEST(test_spread_gives_each_its_base)
{
	struct senml_pack pack, spread;

	read_json(&pack, "[{\"bn\":\"a/\",\"bt\":5,\"bx\":1},{\"n\":\"b\",\"v\":1},{\"bt\":6,\"n\":\"c\",\"v\":2}]");
	senml_init(&spread, RECORDS_MAX);
	ck_assert_int_eq(senml_spread(&pack, &spread), 0);
	expect_json(&spread, "[{\"bn\":\"a/\",\"bt\":5,\"bx\":1,\"n\":\"b\",\"v\":1},"
			     "{\"bn\":\"a/\",\"bt\":6,\"bx\":1,\"n\":\"c\",\"v\":2}]");
	senml_done(&spread);
	senml_done(&pack);
}
END_TEST

SUITE_MAIN("senml", test_examples_go_through_cbor, test_examples_resolve, test_cbor_of_section_6, test_every_label,
	   test_what_is_kept, test_other_ways_to_write_cbor, test_all_halves, test_resolve_adds_up,
	   test_resolve_refuses, test_names_are_bounded, test_spread_gives_each_its_base)
