/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>

#include "base/bytes.h"
#include "endpoint/round.h"
#include "suite.h"

static const struct tg_setting rows[] = {
	{.name = "listen", .type = TG_LIST},
	{.name = "key", .type = TG_KEY_FILE},
	{.name = "trust", .type = TG_FILE},
	{.name = NULL},
};

static int add(struct round *round, const char *name, uint32_t index, const char *value)
{
	const struct frame_setting setting = {.name = bytes_text(name), .index = index, .value = bytes_text(value)};

	return round_add(round, &setting, -1);
}

static int add_file(struct round *round, const char *name, int fd, int error)
{
	const struct frame_setting setting = {
		.name = bytes_text(name), .file = 1, .file_error = error, .value = bytes_text("/etc/some.pem")};

	return round_add(round, &setting, fd);
}

static bool is_open(int fd)
{
	return fcntl(fd, F_GETFD) >= 0;
}

START_TEST(a_round_becomes_settings)
{
	CLEANUP(settings_freep) struct settings *settings = NULL;
	int fd = memfd_create("key", MFD_CLOEXEC), own;
	struct round round;
	struct tg_bytes name;

	round_init(&round);
	ck_assert_int_eq(add(&round, "listen", 0, "a"), 0);
	ck_assert_int_eq(add_file(&round, "key", fd, 0), 0);
	ck_assert_int_eq(add_file(&round, "trust", -1, -EACCES), 0);
	ck_assert_int_eq(add(&round, "listen", 1, "b"), 0);
	ck_assert_int_eq(round_build(&round, rows, &settings, &name), 0);
	round_done(&round);
	ck_assert(is_open(fd));
	ck_assert_str_eq(settings_item(settings, "listen", 1), "b");
	ck_assert_str_eq(settings_text(settings, "key"), "/etc/some.pem");
	ck_assert_int_eq(settings_file(settings, "trust"), -EACCES);
	own = settings_file(settings, "key");
	ck_assert_int_ge(own, 0);
	ck_assert_int_ne(own, fd);
	close(own);
}
END_TEST

START_TEST(a_wrong_one_is_named_and_nothing_leaks)
{
	struct settings *settings;
	int first = memfd_create("a", MFD_CLOEXEC), second = memfd_create("b", MFD_CLOEXEC);
	struct round round;
	struct tg_bytes name;

	round_init(&round);
	ck_assert_int_eq(add_file(&round, "key", first, 0), 0);
	ck_assert_int_eq(add_file(&round, "listen", second, 0), 0); /* a list is no file */
	ck_assert_int_eq(round_build(&round, rows, &settings, &name), -EINVAL);
	ck_assert(bytes_equal(name, bytes_text("listen")));
	round_done(&round);
	ck_assert(!is_open(first) && !is_open(second));
	ck_assert_int_eq(add(&round, "colour", 0, "red"), 0);
	ck_assert_int_eq(round_build(&round, rows, &settings, &name), -ENOENT);
	ck_assert(bytes_equal(name, bytes_text("colour")));
	round_done(&round);
}
END_TEST

START_TEST(a_round_is_bounded)
{
	static char value[FRAME_VALUE_MAX + 1];
	struct round round;
	unsigned n = 0;
	int fd;

	memset(value, 'x', FRAME_VALUE_MAX);
	round_init(&round);
	while (add(&round, "listen", n, value) >= 0 && n < 10000)
		n++;
	ck_assert_uint_gt(n, 900);
	ck_assert_uint_lt(n, 1100);
	round_done(&round);
	for (n = 0; n < ROUND_FILES_MAX; n++)
		ck_assert_int_eq(add_file(&round, "key", fcntl(0, F_DUPFD_CLOEXEC, 3), 0), 0);
	fd = fcntl(0, F_DUPFD_CLOEXEC, 3);
	ck_assert_int_eq(add_file(&round, "key", fd, 0), -EMSGSIZE);
	ck_assert(!is_open(fd));
	round_done(&round);
}
END_TEST

SUITE_MAIN("round", a_round_becomes_settings, a_wrong_one_is_named_and_nothing_leaks, a_round_is_bounded)
