/* SPDX-License-Identifier: Apache-2.0 */

/* Packs that break a rule, and the line that says which. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "format/senml.h"
#include "suite.h"

#define COUNT(a)    (sizeof(a) / sizeof((a)[0]))
#define CBOR(bytes) (bytes), sizeof(bytes) - 1

static const char *const json_rows[][2] = {
	{"", "the pack is not JSON (line 1, column 0)"},
	{"[", "the pack is not JSON (line 1, column 1)"},
	{"[{\"n\":\"a\",\"v\":1}] x", "record 1: is not JSON (line 1, column 19)"},
	{"[{\"n\":\"a\",\"v\":1},\n{\"n\":\"b\",\"v\":}]", "record 2: is not JSON (line 2, column 14)"},
	{"[{\"n\":\"a\",\"v\":NaN}]", "record 1: is not JSON (line 1, column 17)"},
	{"[{\"n\":\"a\",\"vs\":\"\xff\"}]", "record 1: is not UTF-8"},
	{"{\"n\":\"a\",\"v\":1}", "the pack is not a list"},
	{"[]", "the pack has no record"},
	{"[1]", "record 1: is not an object"},
	{"[{\"n\":\"a\",\"v\":1},[]]", "record 2: is not an object"},
	{"[{}]", "record 1: is empty"},
	{"[{\"n\":\"a\",\"v\":1e400}]", "record 1: has a number out of range"},
	{"[{\"n\":\"a\",\"v\":1,\"v\":2}]", "record 1, label \"v\": stands there twice"},
	{"[{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"n\":\"b\"}]", "record 2, label \"n\": stands there twice"},
	{"[{\"n\":\"a\",\"v\":null}]", "record 1, label \"v\": has no value that SenML knows"},
	{"[{\"n\":\"a\",\"v\":[1]}]", "record 1, label \"v\": has no value that SenML knows"},
	{"[{\"n\":\"a\",\"v\":1,\"x\":{\"y\":1}}]", "record 1, label \"x\": has no value that SenML knows"},
	{"[{\"n\":\"a\",\"v\":\"1\"}]", "record 1, label \"v\": must be a number"},
	{"[{\"n\":\"a\",\"v\":true}]", "record 1, label \"v\": must be a number"},
	{"[{\"n\":\"a\",\"vb\":1}]", "record 1, label \"vb\": must be true or false"},
	{"[{\"n\":\"a\",\"vs\":1}]", "record 1, label \"vs\": must be a text"},
	{"[{\"n\":7,\"v\":1}]", "record 1, label \"n\": must be a text"},
	{"[{\"n\":\"a\",\"vd\":1}]", "record 1, label \"vd\": must be data"},
	{"[{\"n\":\"a\",\"vd\":\"aGkgCg==\"}]", "record 1, label \"vd\": is not base64url without padding"},
	{"[{\"n\":\"a\",\"vd\":\"a+/b\"}]", "record 1, label \"vd\": is not base64url without padding"},
	{"[{\"n\":\"a\",\"t\":\"now\",\"v\":1}]", "record 1, label \"t\": must be a number"},
	{"[{\"n\":\"a\",\"v\":1,\"vs\":\"x\"}]", "record 1, label \"vs\": is a second value"},
	{"[{\"n\":\"a\"}]", "record 1: has no value"},
	{"[{\"bv\":7,\"n\":\"a\"}]", "record 1: has no value"},
	{"[{\"bn\":\"a\"},{\"t\":1}]", "record 2: has no value"},
	{"[{\"v\":1}]", "record 1: has no name, neither \"n\" nor \"bn\""},
	{"[{\"bn\":\"\",\"v\":1}]", "record 1: has no name, neither \"n\" nor \"bn\""},
	{"[{\"n\":\"-a\",\"v\":1}]", "record 1, label \"n\": makes a name that does not begin with a letter or digit"},
	{"[{\"bn\":\"/\",\"n\":\"a\",\"v\":1}]",
	 "record 1, label \"bn\": makes a name that does not begin with a letter or digit"},
	{"[{\"bn\":\"a\",\"v\":1},{\"n\":\"#\",\"v\":1}]",
	 "record 2, label \"n\": has a character that no name may have"},
	{"[{\"n\":\"caf\\u00e9\",\"v\":1}]", "record 1, label \"n\": has a character that no name may have"},
	{"[{\"n\":\"a\\u0000b\",\"v\":1}]", "record 1, label \"n\": has a character that no name may have"},
	{"[{\"bver\":11,\"n\":\"a\",\"v\":1}]", "record 1, label \"bver\": is a version that is not known here"},
	{"[{\"bver\":0,\"n\":\"a\",\"v\":1}]", "record 1, label \"bver\": must be positive"},
	{"[{\"bver\":10.5,\"n\":\"a\",\"v\":1}]", "record 1, label \"bver\": must be a whole number"},
	{"[{\"n\":\"a\",\"v\":1},{\"bver\":5,\"n\":\"a\",\"v\":1}]",
	 "record 2, label \"bver\": is not the version of the records before it"},
	{"[{\"n\":\"a\",\"v\":1,\"x_\":1}]", "record 1, label \"x_\": must be understood, and is not known here"},
	{"[{\"n\":\"a\",\"v\":1,\"\":1}]", "record 1: a label is empty"},
	{"[{\"n\":\"a\",\"v\":1,\"o\\u0007 \\u00e9_\":1}]",
	 "record 1, label \"o????_\": must be understood, and is not known here"},
	{"[{\"n\":\"a\",\"v\":1,\"a-label-that-is-as-long-as-this-one_\":1}]",
	 "record 1, label \"a-label-that-is-as-long-...\": must be understood, and is not known here"},
	{"[{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":1},{\"n\":\"a\",\"v\":1},{\"n\":"
	 "\"a\",\"v\":1}]",
	 "the pack has more than 4 records"},
	{"[1,2,3,4,5]", "record 1: is not an object"},
};

START_TEST(test_json)
{
	for (size_t i = 0; i < COUNT(json_rows); i++) {
		struct senml_pack pack;
		int r;

		senml_init(&pack, 4);
		r = senml_read_json(&pack, bytes_text(json_rows[i][0]));
		ck_assert_msg(r == -EBADMSG, "%s was read (%d)", json_rows[i][0], r);
		ck_assert_msg(strcmp(pack.problem, json_rows[i][1]) == 0, "%s: %s", json_rows[i][0], pack.problem);
		senml_done(&pack);
	}
}
END_TEST

#define A                                                                                                              \
	"\x00\x61"                                                                                                     \
	"a"

static const struct {
	const char *bytes;
	size_t size;
	const char *problem;
} cbor_rows[] = {
	{CBOR(""), "the pack is cut off"},
	{CBOR("\x9f"), "the pack is cut off"},
	{CBOR("\x80"), "the pack has no record"},
	{CBOR("\xa0"), "the pack is not an array"},
	{CBOR("\xff"), "the pack is not an array"},
	{CBOR("\x1c"), "the pack is not CBOR"},
	{CBOR("\x81\x01"), "record 1: is not a map"},
	{CBOR("\x81\xa0"), "record 1: is empty"},
	{CBOR("\x82\xa2" A "\x02\x01"), "the pack is cut off"},
	{CBOR("\x81\xa2" A "\x02"), "record 1, label \"v\": is cut off"},
	{CBOR("\x81\xa2" A), "record 1: is cut off"},
	{CBOR("\x81\xa2" A "\x02\x01\x00"), "the pack has something behind its end"},
	{CBOR("\x9b\xff\xff\xff\xff\xff\xff\xff\xff"), "the pack is cut off"},
	{CBOR("\x81\xbb\xff\xff\xff\xff\xff\xff\xff\xff"), "record 1: is cut off"},
	{CBOR("\x81\xa1\x00\x7b\xff\xff\xff\xff\xff\xff\xff\xff"), "record 1, label \"n\": is cut off"},
	{CBOR("\x81\xa2" A "\x02\xf9\x7e\x00"), "record 1, label \"v\": is not a number (NaN)"},
	{CBOR("\x81\xa2" A "\x02\xf9\x7c\x00"), "record 1, label \"v\": is a number out of range"},
	{CBOR("\x81\xa2" A "\x02\xfb\xff\xf0\x00\x00\x00\x00\x00\x00"),
	 "record 1, label \"v\": is a number out of range"},
	{CBOR("\x81\xa2" A "\x02\xf6"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\xf7"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\x81\x01"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\xc5\x82\x01\x02"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\xc4\x83\x01\x02\x03"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\xc4\x82\xc2\x41\x01\x01"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\xc4\x82\x19\x03\xe8\x01"), "record 1, label \"v\": is a number out of range"},
	{CBOR("\x81\xa2" A "\x02\xc4\x82\x1a\x7f\xff\xff\xff\x01"), "record 1, label \"v\": is a number out of range"},
	{CBOR("\x81\xa2" A "\x02\xc2\x61\x01"), "record 1, label \"v\": has no value that SenML knows"},
	{CBOR("\x81\xa2" A "\x02\x61"
	      "1"),
	 "record 1, label \"v\": must be a number"},
	{CBOR("\x81\xa2" A "\x03\x61\xff"), "record 1, label \"vs\": is not UTF-8"},
	{CBOR("\x81\xa2" A "\x03\x7f\x41\x61\xff"), "record 1, label \"vs\": is not CBOR"},
	{CBOR("\x81\xa2" A "\x08\x62"
	      "aa"),
	 "record 1, label \"vd\": must be data"},
	{CBOR("\x81\xa2" A "\x03\x41\x61"), "record 1, label \"vs\": must be a text"},
	{CBOR("\x81\xa2" A "\x09\x01"), "record 1: has a label that is not known here"},
	{CBOR("\x81\xa2" A "\x26\x01"), "record 1: has a label that is not known here"},
	{CBOR("\x81\xa2" A "\x38\x40\x01"), "record 1: has a label that is not known here"},
	{CBOR("\x81\xa2" A "\xf4\x01"), "record 1: has a label that is neither a number nor a text"},
	{CBOR("\x81\xa2" A "\x61v\x01"), "record 1, label \"v\": is a number in CBOR"},
	{CBOR("\x81\xa3" A "\x02\x01\x62x_\x01"), "record 1, label \"x_\": must be understood, and is not known here"},
	{CBOR("\x81\xa3" A "\x02\x01\x62x\x00\x01"), "record 1, label \"x?\": has a NUL in it"},
	{CBOR("\x81\xa3" A "\x02\x01\x02\x01"), "record 1, label \"v\": stands there twice"},
	{CBOR("\x81\xa3" A "\x02\x01\x20\xf9\x49\x00"), "record 1, label \"bver\": must be a whole number"},
	{CBOR("\x85\xa2" A "\x02\x01\xa2" A "\x02\x01\xa2" A "\x02\x01\xa2" A "\x02\x01\xa2" A "\x02\x01"),
	 "the pack has more than 4 records"},
};

START_TEST(test_cbor)
{
	for (size_t i = 0; i < COUNT(cbor_rows); i++) {
		struct senml_pack pack;
		int r;

		senml_init(&pack, 4);
		r = senml_read_cbor(&pack, bytes_of(cbor_rows[i].bytes, cbor_rows[i].size));
		ck_assert_msg(r == -EBADMSG, "row %zu was read (%d)", i, r);
		ck_assert_msg(strcmp(pack.problem, cbor_rows[i].problem) == 0, "row %zu: %s", i, pack.problem);
		senml_done(&pack);
	}
}
END_TEST

/* 65 labels in one record. */
START_TEST(test_labels_are_bounded)
{
	struct senml_pack pack;
	char json[2048] = "[{\"n\":\"a\",\"v\":1";
	size_t size = strlen(json);

	for (unsigned i = 0; i < SENML_FIELDS_MAX - 1; i++)
		size += (size_t)snprintf(json + size, sizeof(json) - size, ",\"l%u\":%u", i, i);
	snprintf(json + size, sizeof(json) - size, "}]");
	senml_init(&pack, 4);
	ck_assert_int_eq(senml_read_json(&pack, bytes_text(json)), -EBADMSG);
	ck_assert_str_eq(pack.problem, "record 1, label \"l62\": is one label too many");
	senml_done(&pack);
}
END_TEST

/* What a parser would take memory for is counted before. */
START_TEST(test_lists_are_bounded)
{
	struct senml_pack pack;
	char json[128];

	memset(json, '[', sizeof(json));
	senml_init(&pack, 4);
	ck_assert_int_eq(senml_read_json(&pack, bytes_of(json, sizeof(json))), -EBADMSG);
	ck_assert_str_eq(pack.problem, "the pack is full of lists");
	senml_done(&pack);
	memset(json, '{', sizeof(json));
	senml_init(&pack, 4);
	ck_assert_int_eq(senml_read_json(&pack, bytes_of(json, sizeof(json))), -EBADMSG);
	ck_assert_str_eq(pack.problem, "the pack has more than 4 records");
	senml_done(&pack);
}
END_TEST

SUITE_MAIN("senml_broken", test_json, test_cbor, test_labels_are_bounded, test_lists_are_bounded)
