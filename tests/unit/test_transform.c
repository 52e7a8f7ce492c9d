/* SPDX-License-Identifier: Apache-2.0 */
#include "core/transform.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "suite.h"

enum { JSON = 50, SENML_JSON = 110, SENML_CBOR = 112 };

#define PACK "[{\"bn\":\"a/\",\"n\":\"b\",\"v\":1},{\"n\":\"c\",\"v\":2}]"

static const struct envelope_source source = {"hall-3", "plant-7", "field"};
static const uint8_t parent[16] = {0x01, 0x98, 0x11, 0x22, 0x33, 0x44, 0x75, 0x66,
				   0x81, 0x02, 0x03, 0x04, 0x05, 0x06, 0xff, 0xfe};

static const struct message *make(const char *payload, size_t size, int32_t format)
{
	struct message parts = {.kind = TG_TELEMETRY,
				.content_format = format,
				.time_wall_us = 1777863721123456,
				.device = bytes_text("pump-1"),
				.path = bytes_text("t/\"1\""),
				.payload = bytes_of(payload, size)};
	struct message *message;

	memcpy(parts.id, parent, sizeof(parent));
	message = message_new(&parts);
	ck_assert_ptr_nonnull(message);
	return message;
}

static int apply(const struct config_transform *rule, const char *payload, int32_t format,
		 struct transform_result *result)
{
	const struct message *message = make(payload, strlen(payload), format);
	int r = transform_apply(rule, &source, message, result);

	message_unref(message);
	return r;
}

static void expect(const struct transform_result *result, size_t place, int32_t format, const char *payload)
{
	const struct message *message = result->messages[place];

	ck_assert_int_eq(message->content_format, format);
	ck_assert_msg(bytes_equal(message->payload, bytes_text(payload)), "wanted %s\n   got %.*s", payload,
		      BYTES_ARG(message->payload));
	ck_assert(bytes_equal(message->device, bytes_text("pump-1")));
	ck_assert_int_eq(message->time_wall_us, 1777863721123456);
}

START_TEST(test_what_is_wanted)
{
	static const struct {
		struct config_transform rule;
		bool wanted, reads_senml;
		int32_t of_json, of_senml;
	} rows[] = {
		{{CONFIG_FORM_RAW, false, false, 8}, false, false, JSON, SENML_JSON},
		{{CONFIG_FORM_RAW, true, false, 8}, true, true, JSON, SENML_JSON},
		{{CONFIG_FORM_RAW, false, true, 8}, true, true, JSON, SENML_JSON},
		{{CONFIG_FORM_SENML_JSON, false, false, 8}, true, true, SENML_JSON, SENML_JSON},
		{{CONFIG_FORM_SENML_CBOR, false, false, 8}, true, true, SENML_CBOR, SENML_CBOR},
		{{CONFIG_FORM_ENVELOPE, false, false, 8}, true, false, JSON, JSON},
		{{CONFIG_FORM_ENVELOPE, true, false, 8}, true, true, JSON, JSON},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(transform_wanted(&rows[i].rule), rows[i].wanted);
		ck_assert_int_eq(transform_takes(&rows[i].rule, JSON), !rows[i].reads_senml);
		ck_assert_int_eq(transform_takes(&rows[i].rule, TG_FORMAT_NONE), !rows[i].reads_senml);
		ck_assert(transform_takes(&rows[i].rule, SENML_JSON));
		ck_assert(transform_takes(&rows[i].rule, SENML_CBOR));
		ck_assert_int_eq(transform_format(&rows[i].rule, JSON), rows[i].of_json);
		ck_assert_int_eq(transform_format(&rows[i].rule, SENML_JSON), rows[i].of_senml);
	}
}
END_TEST

START_TEST(test_one_keeps_its_id)
{
	static const uint8_t cbor[] = {0x82, 0xa3, 0x21, 0x62, 'a',  '/', 0x00, 0x61, 'b',
				       0x02, 0x01, 0xa2, 0x00, 0x61, 'c', 0x02, 0x02};
	const struct config_transform to_cbor = {CONFIG_FORM_SENML_CBOR, false, false, 8};
	const struct config_transform to_json = {CONFIG_FORM_SENML_JSON, false, false, 8};
	struct transform_result result;

	ck_assert_int_eq(apply(&to_cbor, PACK, SENML_JSON, &result), 0);
	ck_assert_uint_eq(result.count, 1);
	ck_assert_int_eq(result.messages[0]->content_format, SENML_CBOR);
	ck_assert(bytes_equal(result.messages[0]->payload, bytes_of(cbor, sizeof(cbor))));
	ck_assert_mem_eq(result.messages[0]->id, parent, sizeof(parent));
	transform_done(&result);
	ck_assert_int_eq(apply(&to_json, "[ {\"v\":1.10, \"n\":\"a\"} ]", SENML_JSON, &result), 0);
	expect(&result, 0, SENML_JSON, "[ {\"v\":1.10, \"n\":\"a\"} ]");
	ck_assert_mem_eq(result.messages[0]->id, parent, sizeof(parent));
	transform_done(&result);
}
END_TEST

START_TEST(test_split_makes_ids)
{
	const struct config_transform rule = {CONFIG_FORM_SENML_JSON, true, false, 8};
	struct transform_result result, again;

	ck_assert_int_eq(apply(&rule, PACK, SENML_JSON, &result), 0);
	ck_assert_int_eq(apply(&rule, PACK, SENML_JSON, &again), 0);
	ck_assert_uint_eq(result.count, 2);
	expect(&result, 0, SENML_JSON, "[{\"bn\":\"a/\",\"n\":\"b\",\"v\":1}]");
	expect(&result, 1, SENML_JSON, "[{\"bn\":\"a/\",\"n\":\"c\",\"v\":2}]");
	for (size_t i = 0; i < 2; i++) {
		const uint8_t *id = result.messages[i]->id;

		ck_assert(uuid_is_v7(id));
		ck_assert_mem_eq(id, again.messages[i]->id, UUID_SIZE);
		ck_assert_mem_eq(id, parent, 8); /* the same moment */
		ck_assert_int_ne(memcmp(id, parent, UUID_SIZE), 0);
	}
	ck_assert_int_lt(memcmp(result.messages[0]->id, result.messages[1]->id, UUID_SIZE), 0);
	transform_done(&again);
	transform_done(&result);
}
END_TEST

START_TEST(test_resolve_takes_the_time_of_the_message)
{
	const struct config_transform rule = {CONFIG_FORM_SENML_JSON, true, true, 8};
	struct transform_result result;

	ck_assert_int_eq(
		apply(&rule, "[{\"n\":\"a\",\"v\":1},{\"n\":\"b\",\"t\":-0.123456,\"v\":2}]", SENML_JSON, &result), 0);
	ck_assert_uint_eq(result.count, 2);
	expect(&result, 0, SENML_JSON, "[{\"n\":\"b\",\"t\":1777863721,\"v\":2}]");
	expect(&result, 1, SENML_JSON, "[{\"n\":\"a\",\"t\":1777863721.123456,\"v\":1}]");
	transform_done(&result);
}
END_TEST

#define HEAD                                                                                                           \
	"{\"id\":\"01981122-3344-7566-8102-03040506fffe\",\"gateway\":\"hall-3\",\"site\":\"plant-7\","                \
	"\"endpoint\":\"field\",\"device\":\"pump-1\",\"path\":\"t/"                                                   \
	"\\\"1\\\"\",\"time\":\"2026-05-04T03:02:01.123456Z\""

START_TEST(test_envelope)
{
	static const struct {
		const char *payload;
		int32_t format;
		const char *rest;
	} rows[] = {
		{"{\"t\": 21.50}", 50,
		 ",\"format\":50,\"type\":\"application/json\",\"encoding\":\"json\",\"payload\":{\"t\": 21.50}}"},
		{"12345678901234567890", 50,
		 ",\"format\":50,\"type\":\"application/"
		 "json\",\"encoding\":\"json\",\"payload\":12345678901234567890}"},
		{"{\"t\":", 50,
		 ",\"format\":50,\"type\":\"application/json\",\"encoding\":\"text\",\"payload\":\"{\\\"t\\\":\"}"},
		{"", 50, ",\"format\":50,\"type\":\"application/json\",\"encoding\":\"text\",\"payload\":\"\"}"},
		{PACK, 110,
		 ",\"format\":110,\"type\":\"application/senml+json\",\"encoding\":\"json\",\"payload\":" PACK "}"},
		{"21.5", TG_FORMAT_NONE, ",\"encoding\":\"text\",\"payload\":\"21.5\"}"},
		{"\xff", TG_FORMAT_NONE, ",\"encoding\":\"base64\",\"payload\":\"/w==\"}"},
		{"a\nb", 0, ",\"format\":0,\"type\":\"text/plain\",\"encoding\":\"text\",\"payload\":\"a\\nb\"}"},
		{"abc", 60,
		 ",\"format\":60,\"type\":\"application/cbor\",\"encoding\":\"base64\",\"payload\":\"YWJj\"}"},
		{"abc", 65000, ",\"format\":65000,\"encoding\":\"base64\",\"payload\":\"YWJj\"}"},
	};
	const struct config_transform rule = {CONFIG_FORM_ENVELOPE, false, false, 8};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct transform_result result;
		char wanted[1024];

		snprintf(wanted, sizeof(wanted), HEAD "%s", rows[i].rest);
		ck_assert_int_eq(apply(&rule, rows[i].payload, rows[i].format, &result), 0);
		ck_assert_uint_eq(result.count, 1);
		expect(&result, 0, JSON, wanted);
		ck_assert_mem_eq(result.messages[0]->id, parent, sizeof(parent));
		transform_done(&result);
	}
}
END_TEST

START_TEST(test_refusals)
{
	const struct config_transform senml = {CONFIG_FORM_SENML_CBOR, true, true, 2};
	struct transform_result result;

	ck_assert_int_eq(apply(&senml, "[{\"n\":\"a\"}]", SENML_JSON, &result), -EBADMSG);
	ck_assert_str_eq(result.problem, "record 1: has no value");
	transform_done(&result);
	ck_assert_int_eq(apply(&senml, "[{\"n\":\"a\",\"v\":1,\"t\":-2e9}]", SENML_JSON, &result), -EBADMSG);
	ck_assert_str_eq(result.problem, "record 1, label \"t\": is a time too long ago");
	transform_done(&result);
	ck_assert_int_eq(apply(&senml, "[{},{},{}]", SENML_JSON, &result), -EBADMSG);
	ck_assert_str_eq(result.problem, "the pack has more than 2 records");
	transform_done(&result);
	ck_assert_int_eq(apply(&senml, "{}", JSON, &result), -ENOTSUP);
	ck_assert_uint_eq(result.count, 0);
	transform_done(&result);
}
END_TEST

START_TEST(test_bad_path)
{
	const struct config_transform rule = {CONFIG_FORM_ENVELOPE, false, false, 8};
	const struct message *good = make("x", 1, 0);
	struct message parts = *good;
	struct transform_result result;
	struct message *bad;

	parts.path = bytes_text("a\xff");
	bad = message_new(&parts);
	ck_assert_int_eq(transform_apply(&rule, &source, bad, &result), -EBADMSG);
	ck_assert_str_eq(result.problem, "the path is not UTF-8");
	transform_done(&result);
	message_unref(bad);
	message_unref(good);
}
END_TEST

/* A long base in each of many records: what goes on is bounded, whatever came. */
START_TEST(test_results_are_bounded)
{
	const struct config_transform rule = {CONFIG_FORM_SENML_JSON, true, false, 16384};
	const struct config_transform envelope = {CONFIG_FORM_ENVELOPE, false, false, 8};
	size_t room = 1000000, size;
	char *payload = malloc(room);
	const struct message *message;
	struct transform_result result;

	memset(payload, 'x', room);
	size = (size_t)snprintf(payload, room, "[{\"bn\":\"a\",\"bcomment\":\"");
	payload[size] = 'x';
	size += 1000;
	for (unsigned i = 0; i < 8000; i++)
		size += (size_t)snprintf(payload + size, room - size, "%s\"v\":%u}", i ? ",{" : "\",", i);
	size += (size_t)snprintf(payload + size, room - size, "]");
	message = make(payload, size, SENML_JSON);
	ck_assert_int_eq(transform_apply(&rule, &source, message, &result), -EMSGSIZE);
	transform_done(&result);
	message_unref(message);
	memset(payload, 'x', room);
	message = make(payload, room, SENML_CBOR);
	ck_assert_int_eq(transform_apply(&envelope, &source, message, &result), -EMSGSIZE);
	transform_done(&result);
	message_unref(message);
	free(payload);
}
END_TEST

SUITE_MAIN("transform", test_what_is_wanted, test_one_keeps_its_id, test_split_makes_ids,
	   test_resolve_takes_the_time_of_the_message, test_envelope, test_refusals, test_bad_path,
	   test_results_are_bounded)
