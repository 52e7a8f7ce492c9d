/* SPDX-License-Identifier: Apache-2.0 */
#include "format/convert.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "format/tree.h"
#include "suite.h"

enum { JSON = 50, CBOR = 60, SENML_JSON = 110, SENML_CBOR = 112, LIMIT = 1 << 20 };

static struct tg_bytes of(const char *data, size_t size)
{
	return (struct tg_bytes){.data = data, .size = size};
}

#define BYTES(text) of(text, sizeof(text) - 1)

static void check_one(int32_t from, int32_t to, struct tg_bytes payload, struct tg_bytes wanted)
{
	struct tg_bytes got = {NULL, 0};

	ck_assert_int_eq(convert_payload(from, to, payload, LIMIT, &got), 0);
	ck_assert_uint_eq(got.size, wanted.size);
	ck_assert_mem_eq(got.data, wanted.data, wanted.size);
	free((void *)(uintptr_t)got.data);
}

static void check_both(struct tg_bytes json, struct tg_bytes cbor)
{
	check_one(JSON, CBOR, json, cbor);
	check_one(CBOR, JSON, cbor, json);
}

/* Examples of RFC 8949 appendix A, where both have them. */
START_TEST(test_json_and_cbor)
{
	check_both(BYTES("0"), BYTES("\x00"));
	check_both(BYTES("23"), BYTES("\x17"));
	check_both(BYTES("1000000000000"), BYTES("\x1b\x00\x00\x00\xe8\xd4\xa5\x10\x00"));
	check_both(BYTES("-1000"), BYTES("\x39\x03\xe7"));
	check_both(BYTES("-9223372036854775808"), BYTES("\x3b\x7f\xff\xff\xff\xff\xff\xff\xff"));
	check_both(BYTES("1.5"), BYTES("\xf9\x3e\x00"));
	check_both(BYTES("1.1"), BYTES("\xfb\x3f\xf1\x99\x99\x99\x99\x99\x9a"));
	check_both(BYTES("[true,false,null]"), BYTES("\x83\xf5\xf4\xf6"));
	check_both(BYTES("\"\xc3\xbc\""), BYTES("\x62\xc3\xbc"));
	check_both(BYTES("\"\\u0000\""), BYTES("\x61\x00"));
	check_both(BYTES("{\"a\":1,\"b\":[2,3]}"), BYTES("\xa2\x61\x61\x01\x61\x62\x82\x02\x03"));
	/* Of no length, and with the tag that says CBOR. */
	check_one(CBOR, JSON, BYTES("\xbf\x63\x46\x75\x6e\xf5\x63\x41\x6d\x74\x21\xff"),
		  BYTES("{\"Fun\":true,\"Amt\":-2}"));
	check_one(CBOR, JSON, BYTES("\x9f\x01\x82\x02\x03\x9f\x04\x05\xff\xff"), BYTES("[1,[2,3],[4,5]]"));
	check_one(CBOR, JSON, BYTES("\x7f\x65strea\x64ming\xff"), BYTES("\"streaming\""));
	check_one(CBOR, JSON, BYTES("\xd9\xd9\xf7\x81\x01"), BYTES("[1]"));
}
END_TEST

START_TEST(test_what_json_cannot_say)
{
	static const struct {
		const char *data;
		size_t size;
	} bad[] = {
#define BAD(text) {text, sizeof(text) - 1}
		BAD("\x41\x00"),                     /* bytes */
		BAD("\x5f\x41\x00\xff"),             /* in pieces */
		BAD("\xf9\x7e\x00"),                 /* NaN */
		BAD("\xf9\x7c\x00"),                 /* infinity */
		BAD("\xf7"),                         /* undefined */
		BAD("\xc1\x00"),                     /* a tag */
		BAD("\xa1\x01\x02"),                 /* a key that is no text */
		BAD("\xa2\x61\x61\x01\x61\x61\x02"), /* one that stands there twice */
		BAD("\xa1\x62\x61\x00\x01"),         /* one that jansson cannot hold */
		BAD("\x1b\xff\xff\xff\xff\xff\xff\xff\xff"),
		BAD("\x3b\xff\xff\xff\xff\xff\xff\xff\xff"),
		/* and broken ones */
		BAD(""),
		BAD("\x82\x01"),
		BAD("\x01\x01"),
		BAD("\xff"),
		BAD("\x7f\x41\x00\xff"),
		BAD("\x61\xff"),
		BAD("\x9a\xff\xff\xff\xff"),
		BAD("\xbf\x61\x61\xff"),
		BAD("\x9f"),
#undef BAD
	};
	struct tg_bytes got;

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(convert_payload(CBOR, JSON, of(bad[i].data, bad[i].size), LIMIT, &got) == -EBADMSG, "%zu",
			      i);
	ck_assert_int_eq(convert_payload(JSON, CBOR, BYTES("[1"), LIMIT, &got), -EBADMSG);
	ck_assert_int_eq(convert_payload(JSON, CBOR, BYTES("{\"a\":1,\"a\":2}"), LIMIT, &got), -EBADMSG);
	ck_assert_int_eq(convert_payload(JSON, CBOR, BYTES("18446744073709551616"), LIMIT, &got), -EBADMSG);
	ck_assert_int_eq(convert_payload(JSON, CBOR, of(NULL, 0), LIMIT, &got), -EBADMSG);
	ck_assert_int_eq(convert_payload(JSON, SENML_CBOR, BYTES("[]"), LIMIT, &got), -ENOTSUP);
	ck_assert_int_eq(convert_payload(CBOR, JSON, BYTES("\x83\x01\x02\x03"), 6, &got), -EMSGSIZE);
}
END_TEST

START_TEST(test_bounds)
{
	static char deep[4096], many[4 + (1 << 19)];
	struct tg_bytes got;
	json_t *root;

	memset(deep, 0x81, sizeof(deep) - 1);
	ck_assert_int_eq(tree_of_cbor(of(deep, sizeof(deep)), TREE_LOOSE, &root), -E2BIG);
	ck_assert_int_eq(convert_payload(CBOR, JSON, of(deep, sizeof(deep)), LIMIT, &got), -EBADMSG);
	memset(deep, '[', 2048);
	memset(deep + 2048, ']', 2048);
	ck_assert_int_eq(convert_payload(JSON, CBOR, of(deep, sizeof(deep)), LIMIT, &got), -EBADMSG);
	memcpy(many, "\x9a\x00\x08\x00", 4);
	ck_assert_int_eq(tree_of_cbor(of(many, sizeof(many)), TREE_LOOSE, &root), -E2BIG);
}
END_TEST

START_TEST(test_loose)
{
	static const char cbor[] = "\x86\x43\x01\x02\x03\xf9\x7e\x00\xf9\x7c\x00\xf9\xfc\x00"
				   "\x1b\xff\xff\xff\xff\xff\xff\xff\xff\x3b\xff\xff\xff\xff\xff\xff\xff\xff";
	json_t *root = NULL;
	char *text;

	ck_assert_int_eq(tree_of_cbor(BYTES(cbor), TREE_LOOSE, &root), 0);
	text = json_dumps(root, JSON_COMPACT);
	ck_assert_str_eq(text, "[\"AQID\",\"NaN\",\"Infinity\",\"-Infinity\",\"18446744073709551615\","
			       "\"-18446744073709551616\"]");
	free(text);
	json_decref(root);
}
END_TEST

START_TEST(test_senml)
{
	const struct tg_bytes json =
		BYTES("[{\"bn\":\"urn:dev:1\",\"u\":\"Cel\",\"v\":21.5},{\"n\":\"b\",\"vd\":\"AQI\"}]");
	const struct tg_bytes cbor = BYTES("\x82\xa3\x21\x69urn:dev:1\x01\x63"
					   "Cel\x02\xf9\x4d\x60\xa2\x00\x61"
					   "b\x08\x42\x01\x02");
	int32_t formats[CONVERT_MOST];
	struct tg_bytes got;

	check_one(SENML_JSON, SENML_CBOR, json, cbor);
	check_one(SENML_CBOR, SENML_JSON, cbor, json);
	check_one(SENML_JSON, JSON, json, json);
	check_one(SENML_CBOR, CBOR, cbor, cbor);
	ck_assert_int_eq(convert_payload(SENML_JSON, SENML_CBOR, BYTES("[{\"u\":\"Cel\"}]"), LIMIT, &got), -EBADMSG);
	ck_assert_uint_eq(convert_formats(SENML_JSON, formats), 3);
	ck_assert_int_eq(formats[0], SENML_JSON);
	ck_assert_int_eq(formats[1], SENML_CBOR);
	ck_assert_int_eq(formats[2], JSON);
	ck_assert_uint_eq(convert_formats(TG_FORMAT_NONE, formats), 1);
	ck_assert_int_eq(formats[0], TG_FORMAT_NONE);
	ck_assert_uint_eq(convert_formats(42, formats), 1);
}
END_TEST

static uint32_t number(uint32_t *seed)
{
	return *seed = *seed * 1664525u + 1013904223u;
}

/* What is read of broken CBOR is whole JSON, and becomes the same again. */
START_TEST(test_mutations)
{
	static const char whole[] =
		"\xa3\x61\x61\x9f\x01\x20\xf9\x3e\x00\xff\x61\x62\xbf\x61\x63\x7f\x62xy\x61z\xff\xff"
		"\x61\x64\x83\xf5\xf6\x1b\x00\x00\x00\x01\x00\x00\x00\x00";
	uint32_t seed = 7, good = 0;

	for (int i = 0; i < 200000; i++) {
		struct tg_bytes json = {NULL, 0}, cbor = {NULL, 0}, again = {NULL, 0};
		char mutated[sizeof(whole) - 1];
		size_t size = sizeof(mutated) - (number(&seed) >> 28 == 0);

		memcpy(mutated, whole, sizeof(mutated));
		for (uint32_t k = number(&seed) >> 30; k < 3; k++)
			mutated[(number(&seed) >> 8) % sizeof(mutated)] = (char)(number(&seed) >> 24);
		if (convert_payload(CBOR, JSON, of(mutated, size), LIMIT, &json) < 0)
			continue;
		good++;
		ck_assert_int_eq(convert_payload(JSON, CBOR, json, LIMIT, &cbor), 0);
		ck_assert_int_eq(convert_payload(CBOR, JSON, cbor, LIMIT, &again), 0);
		ck_assert_uint_eq(again.size, json.size);
		ck_assert_mem_eq(again.data, json.data, json.size);
		free((void *)(uintptr_t)json.data);
		free((void *)(uintptr_t)cbor.data);
		free((void *)(uintptr_t)again.data);
	}
	ck_assert_uint_gt(good, 1000);
}
END_TEST

SUITE_MAIN("convert", test_json_and_cbor, test_what_json_cannot_say, test_bounds, test_loose, test_senml,
	   test_mutations)
