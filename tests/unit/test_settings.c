/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/bytes.h"
#include "endpoint/settings.h"

static const struct tg_setting rows[] = {
	{.name = "secure", .type = TG_BOOL},
	{.name = "idle", .type = TG_INT, .flags = TG_LIVE},
	{.name = "listen", .type = TG_LIST},
	{.name = "key", .type = TG_KEY_FILE},
	{.name = "mode", .type = TG_CHOICE, .flags = TG_LIVE},
	{.name = NULL},
};

static int put(struct settings *settings, const char *name, uint32_t index, const char *value)
{
	return settings_put(settings, bytes_text(name), index, bytes_text(value));
}

static int file_with(const char *text)
{
	int fd = memfd_create("setting", MFD_CLOEXEC);

	ck_assert_int_ge(fd, 0);
	ck_assert_int_eq(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

START_TEST(values_come_back)
{
	CLEANUP(settings_freep) struct settings *s = NULL;

	ck_assert_int_eq(settings_new(rows, &s), 0);
	ck_assert(!settings_bool(s, "secure"));
	ck_assert_str_eq(settings_text(s, "mode"), "");
	ck_assert_ptr_null(settings_item(s, "listen", 0));
	ck_assert_int_eq(put(s, "secure", 0, "true"), 0);
	ck_assert_int_eq(put(s, "idle", 0, "-9007199254740993"), 0);
	ck_assert_int_eq(put(s, "mode", 0, "modern"), 0);
	ck_assert_int_eq(put(s, "listen", 0, "a"), 0);
	ck_assert_int_eq(put(s, "listen", 1, "b"), 0);
	ck_assert(settings_bool(s, "secure"));
	ck_assert_int_eq(settings_int(s, "idle"), INT64_C(-9007199254740993));
	ck_assert_str_eq(settings_text(s, "mode"), "modern");
	ck_assert_str_eq(settings_item(s, "listen", 0), "a");
	ck_assert_str_eq(settings_item(s, "listen", 1), "b");
	ck_assert_ptr_null(settings_item(s, "listen", 2));
}
END_TEST

START_TEST(bad_values_are_refused)
{
	CLEANUP(settings_freep) struct settings *s = NULL;

	ck_assert_int_eq(settings_new(rows, &s), 0);
	ck_assert_int_eq(put(s, "unknown", 0, "1"), -ENOENT);
	ck_assert_int_eq(put(s, "secure", 0, "yes"), -EINVAL);
	ck_assert_int_eq(put(s, "idle", 0, ""), -EINVAL);
	ck_assert_int_eq(put(s, "idle", 0, "12x"), -EINVAL);
	ck_assert_int_eq(put(s, "idle", 0, "99999999999999999999"), -EINVAL);
	ck_assert_int_eq(put(s, "mode", 1, "modern"), -EINVAL);
	ck_assert_int_eq(put(s, "listen", 1, "second first"), -EINVAL);
	ck_assert_int_eq(settings_put(s, bytes_text("mode"), 0, bytes_of("a\0b", 3)), -EINVAL);
	ck_assert_int_eq(settings_put_file(s, bytes_text("mode"), file_with(""), 0), -EINVAL);
	ck_assert_int_eq(settings_put_file(s, bytes_text("other"), file_with(""), 0), -ENOENT);
	ck_assert_int_eq(put(s, "mode", 0, "modern"), 0);
	ck_assert_int_eq(put(s, "mode", 0, "again"), -EINVAL);
	ck_assert_str_eq(settings_text(s, "mode"), "modern");
}
END_TEST

START_TEST(a_list_is_bounded)
{
	CLEANUP(settings_freep) struct settings *s = NULL;

	ck_assert_int_eq(settings_new(rows, &s), 0);
	for (uint32_t i = 0; i < SETTINGS_ITEMS_MAX; i++)
		ck_assert_int_eq(put(s, "listen", i, "x"), 0);
	ck_assert_int_eq(put(s, "listen", SETTINGS_ITEMS_MAX, "x"), -E2BIG);
}
END_TEST

START_TEST(sockets_are_found_by_entry_and_number)
{
	CLEANUP(settings_freep) struct settings *s = NULL;
	int fds[3], again;

	ck_assert_int_eq(settings_new(rows, &s), 0);
	ck_assert_int_eq(settings_socket(s, "listen", 0, 0), -ENOENT);
	ck_assert_int_eq(settings_put_socket(s, bytes_text("mode"), 0, file_with("")), -EINVAL);
	ck_assert_int_eq(settings_put_socket(s, bytes_text("other"), 0, file_with("")), -ENOENT);
	for (unsigned i = 0; i < 3; i++) {
		fds[i] = file_with((const char *const[]){"a", "b", "c"}[i]);
		ck_assert_int_eq(settings_put_socket(s, bytes_text("listen"), i > 0, fds[i]), 0);
	}
	for (unsigned i = 0; i < 3; i++) {
		char text[2] = "";

		again = settings_socket(s, "listen", i > 0, i > 0 ? i - 1 : 0);
		ck_assert_int_ge(again, 0);
		ck_assert_int_ne(again, fds[i]);
		ck_assert_int_eq(pread(again, text, 1, 0), 1);
		ck_assert_int_eq(text[0], "abc"[i]);
		close(again);
	}
	ck_assert_int_eq(settings_socket(s, "listen", 0, 1), -ENOENT);
	ck_assert_int_eq(settings_socket(s, "listen", 1, 2), -ENOENT);
}
END_TEST

START_TEST(a_file_reads_from_its_start_each_time)
{
	CLEANUP(settings_freep) struct settings *s = NULL;
	char text[8] = "";
	int fd;

	ck_assert_int_eq(settings_new(rows, &s), 0);
	ck_assert_int_eq(settings_file(s, "key"), -ENOENT);
	ck_assert_int_eq(settings_put_file(s, bytes_text("key"), -1, -EACCES), 0);
	ck_assert_int_eq(settings_file(s, "key"), -EACCES);
	ck_assert_int_eq(settings_put_file(s, bytes_text("key"), file_with("secret"), 0), 0);
	for (int i = 0; i < 2; i++) {
		fd = settings_file(s, "key");
		ck_assert_int_ge(fd, 0);
		memset(text, 0, sizeof(text));
		ck_assert_int_eq(read(fd, text, sizeof(text) - 1), 6);
		ck_assert_str_eq(text, "secret");
		close(fd);
	}
}
END_TEST

START_TEST(a_reload_changes_live_rows_only)
{
	CLEANUP(settings_freep) struct settings *old = NULL, *s = NULL;

	ck_assert_int_eq(settings_new(rows, &old), 0);
	ck_assert_int_eq(settings_new(rows, &s), 0);
	ck_assert_int_eq(put(old, "secure", 0, "true"), 0);
	ck_assert_int_eq(put(old, "idle", 0, "1"), 0);
	ck_assert_int_eq(put(old, "listen", 0, "a"), 0);
	ck_assert_int_eq(put(s, "secure", 0, "true"), 0);
	ck_assert_int_eq(put(s, "idle", 0, "2"), 0);
	ck_assert_ptr_nonnull(settings_keep_fixed(s, old));
	ck_assert_str_eq(settings_item(s, "listen", 0), "a");
	ck_assert_int_eq(settings_int(s, "idle"), 2);
	ck_assert(settings_bool(s, "secure"));
}
END_TEST

START_TEST(an_undeclared_read_ends_the_process)
{
	CLEANUP(settings_freep) struct settings *s = NULL;

	ck_assert_int_eq(settings_new(rows, &s), 0);
	settings_int(s, "secure");
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");
	SRunner *runner;
	int failed;

	tcase_add_test(tcase, values_come_back);
	tcase_add_test(tcase, bad_values_are_refused);
	tcase_add_test(tcase, a_list_is_bounded);
	tcase_add_test(tcase, sockets_are_found_by_entry_and_number);
	tcase_add_test(tcase, a_file_reads_from_its_start_each_time);
	tcase_add_test(tcase, a_reload_changes_live_rows_only);
	tcase_add_test_raise_signal(tcase, an_undeclared_read_ends_the_process, SIGABRT);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
