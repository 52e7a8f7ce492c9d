/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <stdlib.h>
#include <string.h>

#include "ctl/diag_scrub.h"

static void expect(struct scrub *scrub, const char *text, const char *expected)
{
	char *got = scrub_text(scrub, text);

	ck_assert_str_eq(got, expected);
	free(got);
}

START_TEST(what_looks_like_a_secret_goes)
{
	static const char *const rows[][2] = {
		{"", ""},
		{"all is well\n", "all is well\n"},
		{"password=hunter2 next", "password=[removed] next"},
		{"Password: \"hunter2\", more", "Password: \"[removed]\", more"},
		{"{\"token\": \"abc\"}", "{\"token\": \"[removed]\"}"},
		{"run --password hunter2 --host x", "run --password [removed] --host x"},
		{"--token=t", "--token=[removed]"},
		{"db_secret = x;", "db_secret = [removed];"},
		{"password = \"/etc/tidegate/pki/password\";", "password = \"/etc/tidegate/pki/password\";"},
		{"the password is wrong", "the password is wrong"},
		{"TLS_PSK_WITH_AES_128_CCM_8", "TLS_PSK_WITH_AES_128_CCM_8"},
		{"password =\nnext", "password =\nnext"},
		{"key 00112233445566778899aabbccddeeff.", "key [removed]."},
		{"short 00112233445566778899aabbccddeef", "short 00112233445566778899aabbccddeef"},
		{"01890a5d-ac96-774b-bcce-b302099a8057", "01890a5d-ac96-774b-bcce-b302099a8057"},
		{"mqtts://user:pw@broker:8883/", "mqtts://[removed]@broker:8883/"},
		{"mqtts://broker:8883/a@b", "mqtts://broker:8883/a@b"},
		{"a\n-----BEGIN EC PRIVATE KEY-----\nMHc\n-----END EC PRIVATE KEY-----\nb", "a\n[removed]\nb"},
		{"-----BEGIN PRIVATE KEY-----\nMHc\ncut short", "[removed]"},
		{"-----BEGIN CERTIFICATE-----\nMHc\n-----END CERTIFICATE-----\n",
		 "-----BEGIN CERTIFICATE-----\nMHc\n-----END CERTIFICATE-----\n"},
	};
	struct scrub scrub;

	scrub_init(&scrub);
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		expect(&scrub, rows[i][0], rows[i][1]);
	ck_assert_uint_eq(scrub.removed, 10);
	scrub_done(&scrub);
}
END_TEST

START_TEST(what_it_was_told_goes_wherever_it_stands)
{
	struct scrub scrub;

	scrub_init(&scrub);
	scrub_add(&scrub, "correct horse\r\n-----BEGIN X-----\nshort\nbattery staple\n");
	expect(&scrub, "it was correct horse battery staple, short", "it was [removed] [removed], short");
	expect(&scrub, "xcorrect horsex", "x[removed]x");
	expect(&scrub, "correct hors", "correct hors");
	/* The longer one of two goes as a whole. */
	scrub_add(&scrub, "correct horse shoe");
	expect(&scrub, "correct horse shoe", "[removed]");
	ck_assert_uint_eq(scrub.count, 3);
	ck_assert_uint_eq(scrub.removed, 4);
	scrub_done(&scrub);
	ck_assert_uint_eq(scrub.count, 0);
}
END_TEST

SUITE_MAIN("diag_scrub", what_looks_like_a_secret_goes, what_it_was_told_goes_wherever_it_stands)
