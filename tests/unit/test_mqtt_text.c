/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "common/fill.h"
#include "common/url.h"
#include "mqtt/text.h"

static void expect_expanded(const char *format, const char *wanted)
{
	const char *const names[] = {"site", "plant-7", "gateway", "hall-3", "none", "", NULL};
	char *text = fill_names(format, names);

	if (wanted)
		ck_assert_str_eq(text, wanted);
	else
		ck_assert_ptr_null(text);
	free(text);
}

START_TEST(names_in_braces_are_replaced)
{
	expect_expanded("{site}/{gateway}/status", "plant-7/hall-3/status");
	expect_expanded("{none}x", "x");
	expect_expanded("plain", "plain");
	expect_expanded("", "");
	expect_expanded("a}b", "a}b");
	expect_expanded("{device}", NULL);
	expect_expanded("{site", NULL);
	expect_expanded("{}", NULL);
}
END_TEST

START_TEST(json_text_is_escaped)
{
	char *text = text_json("a\"b\\c\n\x1f gr\xc3\xbc");

	ck_assert_str_eq(text, "\"a\\\"b\\\\c\\u000a\\u001f gr\xc3\xbc\"");
	free(text);
}
END_TEST

static const struct url_scheme scheme = {.name = "mqtt", .port = 1883, .tls_port = 8883};

START_TEST(brokers_are_written_as_urls)
{
	static const struct {
		const char *text, *host;
		uint16_t port;
		bool tls, address;
	} rows[] = {
		{"mqtts://broker.example.com", "broker.example.com", 8883, true, false},
		{"mqtts://broker.example.com:443", "broker.example.com", 443, true, false},
		{"mqtt://10.0.0.1", "10.0.0.1", 1883, false, true},
		{"mqtts://[2001:db8::1]", "2001:db8::1", 8883, true, true},
		{"mqtts://[::1]:65535", "::1", 65535, true, true},
	};
	struct url url;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(url_parse(rows[i].text, &scheme, &url), 0);
		ck_assert_str_eq(url.host, rows[i].host);
		ck_assert_uint_eq(url.port, rows[i].port);
		ck_assert_int_eq(url.tls, rows[i].tls);
		ck_assert_int_eq(url.address, rows[i].address);
		ck_assert_str_eq(url.text, rows[i].text);
		url_done(&url);
	}
}
END_TEST

START_TEST(what_is_no_broker_is_refused)
{
	static const char *const rows[] = {
		"",
		"broker",
		"http://broker",
		"mqtts://",
		"mqtts://:8883",
		"mqtts://b:",
		"mqtts://b:0",
		"mqtts://b:65536",
		"mqtts://b:-1",
		"mqtts://b:8883x",
		"mqtts://b/topic",
		"mqtts://u@b",
		"mqtts://[::1",
		"mqtts://[b]",
		"mqtts://[10.0.0.1]",
		"mqtts://::1",
		"mqtts://[::1]88",
		"mqtts://b b:8883",
		"mqtts://b:00008883",
		"MQTTS://b",
	};
	char large[400] = "mqtts://";
	struct url url;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(url_parse(rows[i], &scheme, &url) < 0, "%s", rows[i]);
	memset(large + 8, 'a', 254);
	ck_assert_int_lt(url_parse(large, &scheme, &url), 0);
	large[8 + 253] = '\0';
	ck_assert_int_eq(url_parse(large, &scheme, &url), 0);
	url_done(&url);
}
END_TEST

SUITE_MAIN("mqtt_text", names_in_braces_are_replaced, json_text_is_escaped, brokers_are_written_as_urls,
	   what_is_no_broker_is_refused)
