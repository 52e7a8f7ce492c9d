/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <string.h>

#include "amqp/address.h"
#include "base/bytes.h"

START_TEST(a_path_is_address_and_subject)
{
	static const struct {
		const char *address, *subject, *path;
	} rows[] = {
		{"hall", "", "hall"},
		{"/amq/queue/hall", "", "amq/queue/hall"},
		{"/amq/queue/hall", "pump-7/temp", "amq/queue/hall/pump-7/temp"},
		{"hall", "/temp", "hall/temp"},
		{"100%", "a%2Fb", "100%25/a%252Fb"},
		{"/exchange/readings/#", "x", "exchange/readings/#/x"},
		{"/", "x", "/x"},
	};
	char path[64];

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_bytes address = bytes_text(rows[i].address), subject = bytes_text(rows[i].subject);
		size_t size = address_path_size(address, subject);

		ck_assert_uint_eq(size, strlen(rows[i].path));
		address_path(address, subject, path);
		ck_assert_mem_eq(path, rows[i].path, size);
	}
}
END_TEST

START_TEST(patterns_say_what_is_received_from)
{
	static const struct {
		const char *address, *pattern;
		bool may;
	} rows[] = {
		{"hall", "hall", true},
		{"hall", "hall/temp", true}, /* a subject may give the rest */
		{"hall", "**", true},
		{"hall", "*", true},
		{"hall", "*/temp", true},
		{"hall", "depot", false},
		{"/amq/queue/hall", "amq/queue/hall/**", true},
		{"/amq/queue/hall", "amq/queue/**", true},
		{"/amq/queue/hall", "amq/queue/depot/**", false},
		{"/amq/queue/hall", "amq/queue", false},
		{"/amq/queue/hall", "amq/*/hall", true},
		{"a%b", "a%25b", true},
		{"a%b", "a%b", false},
		{"hall", "hal", false},
		{"hal", "hall", false},
	};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(address_may_match(rows[i].address, rows[i].pattern) == rows[i].may, "%s, %s",
			      rows[i].address, rows[i].pattern);
}
END_TEST

SUITE_MAIN("amqp_address", a_path_is_address_and_subject, patterns_say_what_is_received_from)
