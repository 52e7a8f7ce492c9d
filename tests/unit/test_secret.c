/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/secret.h"
#include "suite.h"

START_TEST(test_holds_and_wipes)
{
	static const struct secret wiped;
	struct secret secret = {0};

	ck_assert_int_eq(secret_set(&secret, bytes_text("0123456789abcdef")), 0);
	ck_assert(bytes_equal(secret_bytes(&secret), bytes_text("0123456789abcdef")));
	secret_wipe(&secret);
	ck_assert_mem_eq(&secret, &wiped, sizeof(secret));
}
END_TEST

START_TEST(test_length_is_bounded)
{
	static const uint8_t key[SECRET_MAX + 1] = {1, 2, 3};
	struct secret secret = {0};

	ck_assert_int_eq(secret_set(&secret, bytes_text("old")), 0);
	ck_assert_int_eq(secret_set(&secret, bytes_of(key, SECRET_MAX + 1)), -EMSGSIZE);
	ck_assert(bytes_equal(secret_bytes(&secret), bytes_text("old")));
	ck_assert_int_eq(secret_set(&secret, bytes_of(key, SECRET_MAX)), 0);
	ck_assert_uint_eq(secret.size, SECRET_MAX);
	ck_assert_int_eq(secret_set(&secret, bytes_of(NULL, 0)), 0);
	ck_assert_uint_eq(secret_bytes(&secret).size, 0);
}
END_TEST

START_TEST(test_hexadecimal)
{
	static const char *const bad[] = {"0", "0g", "zz", " 0", "0x", "00\n"};
	char digits[2 * SECRET_MAX + 3] = "", text[2 * SECRET_MAX + 1];
	struct secret secret = {0};

	ck_assert_int_eq(secret_from_hex(&secret, "00fFA9", 6), 0);
	ck_assert(bytes_equal(secret_bytes(&secret), bytes_of("\x00\xff\xa9", 3)));
	secret_to_hex(&secret, text);
	ck_assert_str_eq(text, "00ffa9");
	ck_assert_int_eq(secret_from_hex(&secret, "", 0), 0);
	ck_assert_uint_eq(secret.size, 0);
	secret_to_hex(&secret, text);
	ck_assert_str_eq(text, "");
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		ck_assert_int_eq(secret_from_hex(&secret, bad[i], strlen(bad[i])), -EINVAL);
	memset(digits, 'a', sizeof(digits) - 1);
	ck_assert_int_eq(secret_from_hex(&secret, digits, 2 * SECRET_MAX), 0);
	secret_to_hex(&secret, text);
	ck_assert_mem_eq(text, digits, 2 * SECRET_MAX);
	ck_assert_int_eq(secret_from_hex(&secret, digits, 2 * SECRET_MAX + 2), -EMSGSIZE);
}
END_TEST

SUITE_MAIN("secret", test_holds_and_wipes, test_length_is_bounded, test_hexadecimal)
