/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/database.h"
#include "core/devices.h"

static char state_dir[64];
static const struct secret master = {.size = 32, .data = "a master key, as good as any 32b"};

static void set_up(void)
{
	snprintf(state_dir, sizeof(state_dir), "%s", "/tmp/tidegate-devices-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state_dir));
}

static void tear_down(void)
{
	char command[128];

	snprintf(command, sizeof(command), "rm -r %s", state_dir);
	ck_assert_int_eq(system(command), 0);
}

static struct devices *reopen(struct devices *devices)
{
	struct devices *opened = NULL;

	devices_free(devices);
	ck_assert_int_ge(devices_new(state_dir, &opened), 0);
	ck_assert_int_ge(devices_unlock(opened, &master), 0);
	return opened;
}

static void fill_with_garbage(const char *name)
{
	char path[128];
	FILE *file;

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	file = fopen(path, "r+");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 8192; i++)
		fputc(0xa5, file);
	ck_assert_int_eq(fclose(file), 0);
}

static struct secret key_of(const char *text)
{
	struct secret key;

	ck_assert_int_ge(secret_set(&key, bytes_text(text)), 0);
	return key;
}

static int add(struct devices *devices, const char *name, enum device_proof proof, const struct secret *key,
	       int64_t wall_us)
{
	const struct device_enrolment enrolment = {name, "field", proof, key, ""};

	return devices_add(devices, &enrolment, wall_us);
}

static int get(struct devices *devices, const char *name, struct secret *ret_key)
{
	uint64_t generation;

	return devices_key(devices, bytes_text(name), ret_key, &generation);
}

START_TEST(adds_and_remembers)
{
	struct devices *devices = reopen(NULL);
	struct secret key = key_of("0123456789abcdef"), got;
	const struct device *device;

	ck_assert_int_ge(add(devices, "pump-1", DEVICE_PSK, &key, 5), 0);
	ck_assert_int_ge(add(devices, "pump-2", DEVICE_CERTIFICATE, NULL, 6), 0);
	ck_assert_int_eq(add(devices, "pump-1", DEVICE_PSK, &key, 7), -EEXIST);
	devices = reopen(devices);
	ck_assert_uint_eq(devices_count(devices), 2);
	device = devices_find(devices, bytes_text("pump-1"));
	ck_assert_ptr_nonnull(device);
	ck_assert_str_eq(device->endpoint, "field");
	ck_assert_int_eq(device->proof, DEVICE_PSK);
	ck_assert_int_eq(device->created_wall_us, 5);
	ck_assert_int_ge(get(devices, "pump-1", &got), 0);
	ck_assert_uint_eq(got.size, key.size);
	ck_assert_mem_eq(got.data, key.data, key.size);
	ck_assert_int_eq(get(devices, "pump-2", &got), -ENOENT);
	ck_assert_int_eq(get(devices, "nobody", &got), -ENOENT);
	ck_assert_ptr_null(devices_find(devices, bytes_text("pump")));
	devices_free(devices);
}
END_TEST

START_TEST(revokes_and_rotates)
{
	struct devices *devices = reopen(NULL);
	struct secret first = key_of("first"), second = key_of("second"), got;

	ck_assert_int_ge(add(devices, "a", DEVICE_PSK, &first, 1), 0);
	ck_assert_int_ge(add(devices, "c", DEVICE_CERTIFICATE, NULL, 1), 0);
	ck_assert_int_ge(devices_revoke(devices, "a", 2), 0);
	ck_assert_int_eq(get(devices, "a", &got), -ENOENT);
	devices = reopen(devices);
	ck_assert(devices_find(devices, bytes_text("a"))->revoked);
	ck_assert_int_eq(add(devices, "a", DEVICE_PSK, &second, 3), -EEXIST);
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 0, 4, 4), 0);
	ck_assert(!devices_find(devices, bytes_text("a"))->revoked);
	ck_assert_int_ge(get(devices, "a", &got), 0);
	ck_assert_uint_eq(got.size, 6);
	ck_assert_int_eq(devices_rotate(devices, "c", &second, 0, 4, 4), -EOPNOTSUPP);
	ck_assert_int_eq(devices_rotate(devices, "b", &second, 0, 4, 4), -ENOENT);
	ck_assert_int_eq(devices_revoke(devices, "b", 4), -ENOENT);
	devices_free(devices);
}
END_TEST

START_TEST(refuses_bad_names)
{
	struct devices *devices = reopen(NULL);
	char longest[TG_DEVICE_MAX + 2];

	memset(longest, 'x', sizeof(longest));
	longest[TG_DEVICE_MAX + 1] = 0;
	ck_assert_int_eq(add(devices, "", DEVICE_CERTIFICATE, NULL, 1), -EINVAL);
	ck_assert_int_eq(add(devices, "a\nb", DEVICE_CERTIFICATE, NULL, 1), -EINVAL);
	ck_assert_int_eq(add(devices, "a\xc2\x9b", DEVICE_CERTIFICATE, NULL, 1), -EINVAL);
	ck_assert_int_eq(add(devices, "\xff", DEVICE_CERTIFICATE, NULL, 1), -EINVAL);
	ck_assert_int_eq(add(devices, longest, DEVICE_CERTIFICATE, NULL, 1), -EINVAL);
	longest[TG_DEVICE_MAX] = 0;
	ck_assert_int_ge(add(devices, longest, DEVICE_CERTIFICATE, NULL, 1), 0);
	ck_assert_int_ge(add(devices, "a/+/# 'küche'", DEVICE_CERTIFICATE, NULL, 1), 0);
	ck_assert_uint_eq(devices_count(devices), 2);
	devices_free(devices);
}
END_TEST

START_TEST(keeps_profiles)
{
	struct devices *devices = reopen(NULL);
	char longest[DEVICE_PROFILE_MAX + 2] = "";

	ck_assert_int_ge(
		devices_add(devices, &(struct device_enrolment){"a", "field", DEVICE_CERTIFICATE, NULL, "meters"}, 1),
		0);
	ck_assert_int_ge(add(devices, "b", DEVICE_CERTIFICATE, NULL, 1), 0);
	devices = reopen(devices);
	ck_assert_str_eq(devices_find(devices, bytes_text("a"))->profile, "meters");
	ck_assert_str_eq(devices_find(devices, bytes_text("b"))->profile, "");
	memset(longest, 'p', DEVICE_PROFILE_MAX);
	ck_assert_int_ge(devices_set_profile(devices, "b", longest, 2), 0);
	ck_assert_int_ge(devices_set_profile(devices, "a", "", 3), 0);
	longest[DEVICE_PROFILE_MAX] = 'p';
	ck_assert_int_eq(devices_set_profile(devices, "b", longest, 4), -EDOM);
	ck_assert_int_eq(devices_set_profile(devices, "b", "a\nb", 4), -EDOM);
	ck_assert_int_eq(devices_set_profile(devices, "c", "", 4), -ENOENT);
	devices = reopen(devices);
	ck_assert_str_eq(devices_find(devices, bytes_text("a"))->profile, "");
	ck_assert_uint_eq(strlen(devices_find(devices, bytes_text("b"))->profile), DEVICE_PROFILE_MAX);
	ck_assert_int_eq(devices_find(devices, bytes_text("b"))->changed_wall_us, 2);
	devices_free(devices);
}
END_TEST

/* Made by the first version. */
START_TEST(opens_an_older_file)
{
	static const char *const names[] = {"devices.db", "devices-mirror.db"};
	struct devices *devices;
	char path[128];

	for (size_t i = 0; i < 2; i++) {
		struct database *database;

		snprintf(path, sizeof(path), "%s/%s", state_dir, names[i]);
		ck_assert_int_ge(database_open(path, &(struct database_settings){.exclusive = true}, &database), 0);
		ck_assert_int_ge(database_exec(database,
					       "CREATE TABLE device (name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, "
					       "proof INTEGER NOT NULL, key BLOB, revoked INTEGER NOT NULL, created "
					       "INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
					       "INSERT INTO device VALUES ('a', 'field', 1, 'key', 0, 5, 6)"),
				 0);
		database_close(database);
	}
	devices = reopen(NULL);
	ck_assert_uint_eq(devices_count(devices), 1);
	ck_assert_str_eq(devices_find(devices, bytes_text("a"))->profile, "");
	ck_assert_int_eq(devices_find(devices, bytes_text("a"))->changed_wall_us, 6);
	devices_free(devices);
}
END_TEST

static void add_two(void)
{
	struct devices *devices = reopen(NULL);
	struct secret key = key_of("k");

	ck_assert_int_ge(add(devices, "a", DEVICE_PSK, &key, 1), 0);
	ck_assert_int_ge(add(devices, "b", DEVICE_PSK, &key, 1), 0);
	devices_free(devices);
}

START_TEST(survives_damage)
{
	static const char *const names[] = {"devices.db", "devices-mirror.db"};
	char pattern[128];
	struct devices *devices;
	glob_t found;

	add_two();
	fill_with_garbage(names[_i]);
	devices = reopen(NULL);
	ck_assert_uint_eq(devices_count(devices), 2);
	devices = reopen(devices);
	ck_assert_uint_eq(devices_count(devices), 2);
	devices_free(devices);
	snprintf(pattern, sizeof(pattern), "%s/%s.corrupt-*", state_dir, names[_i]);
	ck_assert_int_eq(glob(pattern, 0, NULL, &found), 0);
	ck_assert_uint_eq(found.gl_pathc, 1);
	globfree(&found);
}
END_TEST

START_TEST(starts_with_both_damaged)
{
	struct devices *devices;

	add_two();
	fill_with_garbage("devices.db");
	fill_with_garbage("devices-mirror.db");
	devices = reopen(NULL);
	ck_assert_uint_eq(devices_count(devices), 0);
	devices_free(devices);
}
END_TEST

START_TEST(file_is_private)
{
	char path[128];
	struct stat st;

	add_two();
	snprintf(path, sizeof(path), "%s/devices.db", state_dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
	snprintf(path, sizeof(path), "%s/devices-mirror.db", state_dir);
	ck_assert_int_eq(stat(path, &st), 0);
	ck_assert_uint_eq(st.st_mode & 07777, 0600);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices");
	TCase *tcase = tcase_create("registry");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, adds_and_remembers);
	tcase_add_test(tcase, revokes_and_rotates);
	tcase_add_test(tcase, refuses_bad_names);
	tcase_add_test(tcase, keeps_profiles);
	tcase_add_test(tcase, opens_an_older_file);
	tcase_add_loop_test(tcase, survives_damage, 0, 2);
	tcase_add_test(tcase, starts_with_both_damaged);
	tcase_add_test(tcase, file_is_private);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
