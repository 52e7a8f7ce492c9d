/* SPDX-License-Identifier: Apache-2.0 */

/* The registry on a disk that has room for it, but not for its mirror, or for neither. */

#include <check.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/database.h"
#include "core/devices.h"
#include "suite.h"

#define S_US INT64_C(1000000)

static char state_dir[64];
static struct devices *devices;
static const struct secret master = {.size = 32, .data = "a master key, as good as any 32b"};
static const struct secret next_master = {.size = 32, .data = "another key, and as good as that"};
static const struct secret key = {.size = 16, .data = "the 1st key of a"};

static int unlock_with(const struct secret *with)
{
	devices_free(devices);
	devices = NULL;
	ck_assert_int_ge(devices_new(state_dir, &devices), 0);
	return devices_unlock(devices, with);
}

static const char *path_of(const char *name)
{
	static char path[128];

	snprintf(path, sizeof(path), "%s/%s", state_dir, name);
	return path;
}

static off_t size_of(const char *name)
{
	struct stat st;

	ck_assert_int_eq(stat(path_of(name), &st), 0);
	return st.st_size;
}

/* No file grows beyond that; 0: as it likes. */
static void limit(off_t size)
{
	struct rlimit limit;

	ck_assert_int_eq(getrlimit(RLIMIT_FSIZE, &limit), 0);
	limit.rlim_cur = size ? (rlim_t)size : limit.rlim_max;
	ck_assert_int_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
}

static int add(const char *name)
{
	const struct device_enrolment enrolment = {name, "field", DEVICE_PSK, &key, "", false};

	return devices_add(devices, &enrolment, 1);
}

static bool has(const char *name)
{
	struct secret got;
	uint64_t generation;

	return devices_key(devices, bytes_text(name), &got, &generation) >= 0 &&
	       bytes_equal(secret_bytes(&got), secret_bytes(&key));
}

/* Something in the mirror that the registry does not have: what takes it away makes the mirror's log the longer one. */
static void pad_mirror(void)
{
	static const struct database_settings settings = {.exclusive = true};
	struct database *database;

	devices_free(devices);
	devices = NULL;
	ck_assert_int_ge(database_open(path_of("devices-mirror.db"), &settings, &database), 0);
	ck_assert_int_ge(database_exec(database, "INSERT INTO value (name, value) VALUES ('pad', zeroblob(400000))"),
			 0);
	database_close(database);
}

static void begin(void)
{
	signal(SIGXFSZ, SIG_IGN);
	snprintf(state_dir, sizeof(state_dir), "%s", "/tmp/tidegate-mirror-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state_dir));
	ck_assert_int_ge(unlock_with(&master), 0);
	ck_assert_int_ge(add("a"), 0);
	pad_mirror();
	ck_assert_int_ge(unlock_with(&master), 0);
	ck_assert(!devices_is_behind(devices));
	ck_assert_int_gt(size_of("devices-mirror.db-wal"), size_of("devices.db-wal") + 300000);
}

static void end(void)
{
	char command[128];

	limit(0);
	devices_free(devices);
	devices = NULL;
	snprintf(command, sizeof(command), "rm -r %s", state_dir);
	ck_assert_int_eq(system(command), 0);
}

static void lose_the_registry(void)
{
	FILE *file;

	devices_free(devices);
	devices = NULL;
	file = fopen(path_of("devices.db"), "r+e");
	ck_assert_ptr_nonnull(file);
	for (int i = 0; i < 8192; i++)
		fputc(0xa5, file);
	ck_assert_int_eq(fclose(file), 0);
}

/* What the caller is told is what the registry on disk says, whatever became of the mirror. */
START_TEST(a_new_master_key_without_the_mirror)
{
	begin();
	limit(size_of("devices-mirror.db-wal"));
	ck_assert_int_eq(devices_rekey(devices, &next_master), 0);
	ck_assert(devices_is_behind(devices));
	ck_assert(has("a"));
	ck_assert_int_ge(add("b"), 0);
	limit(0);
	ck_assert_int_ge(unlock_with(&next_master), 0);
	ck_assert(!devices_is_behind(devices));
	ck_assert(has("a") && has("b"));
	lose_the_registry();
	ck_assert_int_ge(unlock_with(&next_master), 0);
	ck_assert(has("a") && has("b"));
	end();
}
END_TEST

START_TEST(the_mirror_follows_when_there_is_room)
{
	begin();
	limit(size_of("devices-mirror.db-wal"));
	ck_assert_int_ge(add("b"), 0);
	ck_assert_int_ge(devices_revoke(devices, "a", 2), 0);
	ck_assert(devices_is_behind(devices));
	devices_catch_up(devices, 100 * S_US);
	ck_assert(devices_is_behind(devices));
	limit(0);
	devices_catch_up(devices, 101 * S_US); /* too soon */
	ck_assert(devices_is_behind(devices));
	devices_catch_up(devices, 110 * S_US);
	ck_assert(!devices_is_behind(devices));
	lose_the_registry();
	ck_assert_int_ge(unlock_with(&master), 0);
	ck_assert(has("b") && !has("a"));
	ck_assert(devices_find(devices, bytes_text("a"))->revoked);
	end();
}
END_TEST

START_TEST(it_opens_without_room_for_the_mirror)
{
	begin();
	pad_mirror();
	limit(8192);
	ck_assert_int_ge(unlock_with(&master), 0);
	ck_assert(devices_is_behind(devices));
	ck_assert(has("a"));
	limit(0);
	devices_catch_up(devices, 100 * S_US);
	ck_assert(!devices_is_behind(devices));
	end();
}
END_TEST

START_TEST(what_fails_has_changed_nothing)
{
	begin();
	limit(4096); /* not one page */
	ck_assert_int_lt(add("b"), 0);
	ck_assert_int_lt(devices_rekey(devices, &next_master), 0);
	ck_assert_int_lt(devices_revoke(devices, "a", 2), 0);
	ck_assert(has("a"));
	ck_assert_ptr_null(devices_find(devices, bytes_text("b")));
	limit(0);
	ck_assert_int_lt(unlock_with(&next_master), 0);
	ck_assert_int_ge(unlock_with(&master), 0);
	ck_assert(has("a"));
	ck_assert_uint_eq(devices_count(devices), 1);
	ck_assert_int_ge(add("b"), 0);
	end();
}
END_TEST

SUITE_MAIN("devices_mirror", a_new_master_key_without_the_mirror, the_mirror_follows_when_there_is_room,
	   it_opens_without_room_for_the_mirror, what_fails_has_changed_nothing)
