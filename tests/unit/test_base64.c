/* SPDX-License-Identifier: Apache-2.0 */
#include "base/base64.h"

#include <string.h>

#include "base/bytes.h"
#include "suite.h"

/* RFC 4648 section 10, and the two digits in which the forms differ. */
static const struct {
	const char *bytes;
	const char *plain;
	const char *url;
} rows[] = {
	{"", "", ""},
	{"f", "Zg==", "Zg"},
	{"fo", "Zm8=", "Zm8"},
	{"foo", "Zm9v", "Zm9v"},
	{"foob", "Zm9vYg==", "Zm9vYg"},
	{"fooba", "Zm9vYmE=", "Zm9vYmE"},
	{"foobar", "Zm9vYmFy", "Zm9vYmFy"},
	{"\xfb\xff\xbe", "+/++", "-_--"},
};

START_TEST(test_rows)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct tg_bytes bytes = bytes_text(rows[i].bytes);
		char text[32];
		uint8_t back[32];

		base64_encode(BASE64_PLAIN, bytes, text);
		ck_assert_uint_eq(base64_size(BASE64_PLAIN, bytes.size), strlen(rows[i].plain));
		ck_assert_mem_eq(text, rows[i].plain, strlen(rows[i].plain));
		base64_encode(BASE64_URL, bytes, text);
		ck_assert_uint_eq(base64_size(BASE64_URL, bytes.size), strlen(rows[i].url));
		ck_assert_mem_eq(text, rows[i].url, strlen(rows[i].url));
		ck_assert_uint_le(bytes.size, base64_room(strlen(rows[i].url)));
		ck_assert_int_eq(base64_decode_url(bytes_text(rows[i].url), back), (int)bytes.size);
		ck_assert_mem_eq(back, rows[i].bytes, bytes.size);
	}
}
END_TEST

START_TEST(test_only_one_text_for_the_same_bytes)
{
	static const char *const bad[] = {"Zg==", "Zh", "Zm9=", "Zm9v Zm9v", "Z", "Zm9vY", "+/++", "Zm9vYmE="};
	uint8_t back[32];

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_msg(base64_decode_url(bytes_text(bad[i]), back) < 0, "'%s' was read", bad[i]);
}
END_TEST

SUITE_MAIN("base64", test_rows, test_only_one_text_for_the_same_bytes)
