/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/devices_master.h"
#include "core/trust.h"
#include "core/trust_seal.h"

static const struct secret key = {.size = 32, .data = "thirty-two bytes that nobody has"};
static const struct secret other = {.size = 32, .data = "thirty-two bytes that others have"};

START_TEST(decoys_are_steady_and_unlike)
{
	struct trust *trust, *another;
	struct secret a, again, b, elsewhere;

	ck_assert_int_ge(trust_new(&trust), 0);
	ck_assert_int_ge(trust_new(&another), 0);
	ck_assert_int_ge(trust_decoy_key(trust, bytes_text("a"), &a), 0);
	ck_assert_int_ge(trust_decoy_key(trust, bytes_text("a"), &again), 0);
	ck_assert_int_ge(trust_decoy_key(trust, bytes_text(""), &b), 0);
	ck_assert_int_ge(trust_decoy_key(another, bytes_text("a"), &elsewhere), 0);
	ck_assert_uint_eq(a.size, 16);
	ck_assert_mem_eq(a.data, again.data, 16);
	ck_assert_mem_ne(a.data, b.data, 16);
	ck_assert_mem_ne(a.data, elsewhere.data, 16);
	trust_free(trust);
	trust_free(another);
}
END_TEST

START_TEST(seals_and_opens)
{
	uint8_t clear[64], sealed[sizeof(clear) + TRUST_SEAL_EXTRA], again[sizeof(sealed)], got[sizeof(clear)];
	struct tg_bytes context = bytes_text("row 1");

	memset(clear, 'k', sizeof(clear));
	for (size_t size = 0; size <= sizeof(clear); size++) {
		size_t sealed_size = size + TRUST_SEAL_EXTRA;

		ck_assert_int_ge(trust_seal(&key, context, bytes_of(clear, size), sealed), 0);
		ck_assert_int_ge(trust_seal(&key, context, bytes_of(clear, size), again), 0);
		ck_assert_mem_ne(sealed, again, sealed_size);
		ck_assert_ptr_null(memmem(sealed, sealed_size, "kkkk", 4));
		ck_assert_int_eq(trust_unseal(&key, context, bytes_of(sealed, sealed_size), got), (int)size);
		ck_assert_mem_eq(got, clear, size);
	}
}
END_TEST

START_TEST(opens_nothing_else)
{
	uint8_t sealed[16 + TRUST_SEAL_EXTRA], got[sizeof(sealed)];
	const struct secret short_key = {.size = 16};

	ck_assert_int_ge(trust_seal(&key, bytes_text("row 1"), bytes_text("0123456789abcdef"), sealed), 0);
	ck_assert_int_eq(trust_unseal(&other, bytes_text("row 1"), bytes_of(sealed, sizeof(sealed)), got),
			 -EKEYREJECTED);
	ck_assert_int_eq(trust_unseal(&key, bytes_text("row 2"), bytes_of(sealed, sizeof(sealed)), got), -EKEYREJECTED);
	ck_assert_int_eq(trust_unseal(&key, bytes_text(""), bytes_of(sealed, sizeof(sealed)), got), -EKEYREJECTED);
	ck_assert_int_eq(trust_unseal(&short_key, bytes_text("row 1"), bytes_of(sealed, sizeof(sealed)), got),
			 -EKEYREJECTED);
	ck_assert_int_lt(trust_seal(&short_key, bytes_text("row 1"), bytes_text("x"), got), 0);
	for (size_t size = 0; size < sizeof(sealed); size++)
		ck_assert_int_eq(trust_unseal(&key, bytes_text("row 1"), bytes_of(sealed, size), got), -EKEYREJECTED);
	for (size_t bit = 0; bit < 8 * sizeof(sealed); bit++) {
		memset(got, 0xee, sizeof(got));
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
		ck_assert_int_eq(trust_unseal(&key, bytes_text("row 1"), bytes_of(sealed, sizeof(sealed)), got),
				 -EKEYREJECTED);
		ck_assert_ptr_null(memmem(got, sizeof(got), "0123", 4));
		sealed[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	ck_assert_int_eq(trust_unseal(&key, bytes_text("row 1"), bytes_of(sealed, sizeof(sealed)), got), 16);
}
END_TEST

static char folder[64], path[96];

static void set_up(void)
{
	snprintf(folder, sizeof(folder), "%s", "/tmp/tidegate-master-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/master.key", folder);
}

static void tear_down(void)
{
	unlink(path);
	ck_assert_int_eq(rmdir(folder), 0);
}

static void write_file(const char *text, size_t size, mode_t mode)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, size), (ssize_t)size);
	ck_assert_int_eq(fchmod(fd, mode), 0);
	close(fd);
}

#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

START_TEST(a_master_key_is_a_file)
{
	struct secret got = {.size = 0};
	struct stat st;

	ck_assert_int_eq(devices_master_read(path, &got), -ENOENT);
	ck_assert_int_ge(devices_master_write(path, &key), 0);
	ck_assert_int_eq(devices_master_write(path, &other), -EEXIST);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	ck_assert_int_ge(devices_master_read(path, &got), 0);
	ck_assert(bytes_equal(secret_bytes(&got), secret_bytes(&key)));
	write_file(HEX, 64, 0400);
	ck_assert_int_ge(devices_master_read(path, &got), 0);
	ck_assert_uint_eq(got.data[31], 0x1f);
	write_file("0123456789ABCDEF0123456789abcdef", 32, 0600);
	ck_assert_int_ge(devices_master_read(path, &got), 0);
	ck_assert_mem_eq(got.data, "0123456789ABCDEF", 16);
}
END_TEST

START_TEST(what_is_no_master_key)
{
	static const struct {
		const char *text;
		mode_t mode;
		int error;
	} rows[] = {
		{"", 0600, -EINVAL},
		{"\n", 0600, -EINVAL},
		{HEX "0", 0600, -EINVAL},
		{HEX "\n\n\n", 0600, -EINVAL},
		{"g00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0600, -EINVAL},
		{" 00102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f", 0600, -EINVAL},
		{HEX, 0640, -EPERM},
		{HEX, 0604, -EPERM},
	};
	struct secret got = {.size = 0};

	write_file(rows[_i].text, strlen(rows[_i].text), rows[_i].mode);
	ck_assert_int_eq(devices_master_read(path, &got), rows[_i].error);
	ck_assert_uint_eq(got.size, 0);
	ck_assert_int_eq(devices_master_read(folder, &got), -EINVAL);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("trust");
	TCase *tcase = tcase_create("seal"), *file = tcase_create("file");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_test(tcase, decoys_are_steady_and_unlike);
	tcase_add_test(tcase, seals_and_opens);
	tcase_add_test(tcase, opens_nothing_else);
	suite_add_tcase(suite, tcase);
	tcase_add_checked_fixture(file, set_up, tear_down);
	tcase_add_test(file, a_master_key_is_a_file);
	tcase_add_loop_test(file, what_is_no_master_key, 0, 8);
	suite_add_tcase(suite, file);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
