/* SPDX-License-Identifier: Apache-2.0 */

/* Keys of the registry: sealed in its files, two of them during a rotation. */

#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/database.h"
#include "core/devices.h"

static char state_dir[64];
static struct devices *devices;
static const struct secret master = {.size = 32, .data = "a master key, as good as any 32b"};
static const struct secret wrong = {.size = 32, .data = "another key, and as good as that"};
static const struct secret first = {.size = 16, .data = "the 1st key of a"};
static const struct secret second = {.size = 16, .data = "the 2nd key of a"};
static const struct secret third = {.size = 16, .data = "the 3rd key of a"};

static void open_registry(void)
{
	devices_free(devices);
	devices = NULL;
	ck_assert_int_ge(devices_new(state_dir, &devices), 0);
}

static void open_and_unlock(void)
{
	open_registry();
	ck_assert_int_ge(devices_unlock(devices, &master), 0);
}

static void set_up(void)
{
	snprintf(state_dir, sizeof(state_dir), "%s", "/tmp/tidegate-keys-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state_dir));
	open_and_unlock();
}

static void tear_down(void)
{
	char command[128];

	devices_free(devices);
	devices = NULL;
	snprintf(command, sizeof(command), "rm -r %s", state_dir);
	ck_assert_int_eq(system(command), 0);
}

static int add(const char *name, const struct secret *key)
{
	const struct device_enrolment enrolment = {name, "field", key ? DEVICE_PSK : DEVICE_CERTIFICATE, key, ""};

	return devices_add(devices, &enrolment, 1);
}

/* Which key the next look-up gets: 1, 2 or 3, or its error. */
static int look_up(uint64_t *ret_generation)
{
	static const struct secret *const keys[] = {&first, &second, &third};
	struct secret got;
	int r = devices_key(devices, bytes_text("a"), &got, ret_generation);

	for (int i = 0; i < 3 && r >= 0; i++)
		if (bytes_equal(secret_bytes(&got), secret_bytes(keys[i])))
			return i + 1;
	return r < 0 ? r : 0;
}

static int next_key(void)
{
	uint64_t generation;

	return look_up(&generation);
}

static uint64_t generation_of(const char *name)
{
	return devices_find(devices, bytes_text(name))->generation;
}

/* Whether the bytes, or their hexadecimal digits, stand in any file of the folder. */
static bool lies_around(const struct secret *key)
{
	char command[512], hex[65] = "", text[65] = "";

	for (size_t i = 0; i < key->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", key->data[i]);
	memcpy(text, key->data, key->size);
	snprintf(command, sizeof(command), "grep -rlaiF -e '%s' -e %s %s", text, hex, state_dir);
	return system(command) == 0;
}

START_TEST(no_file_gives_a_key_away)
{
	ck_assert_int_ge(add("a", &first), 0);
	ck_assert(!lies_around(&first));
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 2, 2), 0);
	open_and_unlock();
	ck_assert(!lies_around(&first));
	ck_assert(!lies_around(&second));
	ck_assert(!lies_around(&master));
	ck_assert_int_eq(next_key(), 1);
}
END_TEST

static void make_older_registry(void)
{
	static const char *const names[] = {"devices.db", "devices-mirror.db"};
	static const struct database_settings settings = {.exclusive = true};
	char path[128];

	tear_down();
	ck_assert_int_eq(mkdir(state_dir, 0700), 0);
	for (size_t i = 0; i < 2; i++) {
		struct database *database;

		snprintf(path, sizeof(path), "%s/%s", state_dir, names[i]);
		ck_assert_int_ge(database_open(path, &settings, &database), 0);
		ck_assert_int_ge(database_exec(database,
					       "CREATE TABLE device (name TEXT PRIMARY KEY, endpoint TEXT NOT NULL, "
					       "proof INTEGER NOT NULL, key BLOB, revoked INTEGER NOT NULL, created "
					       "INTEGER NOT NULL, changed INTEGER NOT NULL) WITHOUT ROWID;"
					       "INSERT INTO device VALUES ('a', 'field', 1, 'the 1st key of a', 0, 5, "
					       "6), ('c', 'field', 2, NULL, 0, 5, 6), ('r', 'field', 1, 'the 3rd key "
					       "of a', 1, 5, 6)"),
				 0);
		database_close(database);
	}
}

START_TEST(seals_an_older_registry)
{
	make_older_registry();
	open_registry();
	ck_assert(lies_around(&first));
	ck_assert(!devices_is_sealed(devices));
	ck_assert_int_eq(next_key(), -ENOKEY);
	ck_assert_int_ge(devices_unlock(devices, &master), 0);
	ck_assert(devices_is_sealed(devices));
	ck_assert_uint_eq(devices_count(devices), 3);
	ck_assert_int_eq(next_key(), 1);
	ck_assert_uint_ne(generation_of("a"), 0);
	ck_assert(!lies_around(&first));
	ck_assert(!lies_around(&third));
	open_and_unlock();
	ck_assert_int_eq(next_key(), 1);
	ck_assert(!lies_around(&first));
}
END_TEST

START_TEST(the_wrong_master_key_opens_nothing)
{
	struct secret got;
	uint64_t generation;

	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(add("c", NULL), 0);
	open_registry();
	ck_assert(devices_is_locked(devices));
	ck_assert_int_eq(devices_unlock(devices, &wrong), -EKEYREJECTED);
	ck_assert(devices_is_locked(devices));
	ck_assert_int_eq(next_key(), -ENOKEY);
	ck_assert_int_eq(devices_key(devices, bytes_text("nobody"), &got, &generation), -ENOKEY);
	ck_assert_int_eq(add("b", &second), -ENOKEY);
	ck_assert_int_eq(devices_rotate(devices, "a", &second, 100, 2, 2), -ENOKEY);
	ck_assert_int_eq(devices_rekey(devices, &wrong), -ENOKEY);
	/* Certificates, profiles and revocation need no key. */
	ck_assert_int_ge(add("d", NULL), 0);
	ck_assert_int_ge(devices_set_profile(devices, "a", "meters", 3), 0);
	ck_assert_int_ge(devices_revoke(devices, "c", 3), 0);
	ck_assert_int_ge(devices_unlock(devices, &master), 0);
	ck_assert_int_eq(next_key(), 1);
	ck_assert_int_eq(devices_unlock(devices, &wrong), -EKEYREJECTED);
	ck_assert_int_eq(next_key(), 1);
}
END_TEST

START_TEST(a_new_master_key_seals_all_anew)
{
	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 2, 2), 0);
	ck_assert_int_ge(devices_rekey(devices, &wrong), 0);
	ck_assert_int_eq(next_key(), 1);
	ck_assert_int_eq(next_key(), 2);
	open_registry();
	ck_assert_int_eq(devices_unlock(devices, &master), -EKEYREJECTED);
	ck_assert_int_ge(devices_unlock(devices, &wrong), 0);
	ck_assert_int_eq(next_key(), 1);
	ck_assert_int_eq(next_key(), 2);
	ck_assert(!lies_around(&first));
	ck_assert(!lies_around(&second));
}
END_TEST

/* A row that somebody moved, or a key that somebody put back, does not open. */
START_TEST(a_key_belongs_to_its_row)
{
	static const char *const changes[] = {
		"UPDATE device SET key = (SELECT key FROM device WHERE name = 'b') WHERE name = 'a'",
		"UPDATE device SET endpoint = 'other' WHERE name = 'a'",
		"UPDATE device SET generation = generation + 1 WHERE name = 'a'",
		"UPDATE device SET key = x'00' WHERE name = 'a'",
		"UPDATE device SET key = NULL WHERE name = 'a'",
	};
	static const struct database_settings settings = {.exclusive = true};
	struct database *database;
	char path[128];

	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(add("b", &second), 0);
	devices_free(devices);
	devices = NULL;
	snprintf(path, sizeof(path), "%s/devices.db", state_dir);
	ck_assert_int_ge(database_open(path, &settings, &database), 0);
	ck_assert_int_ge(database_exec(database, changes[_i]), 0);
	database_close(database);
	open_and_unlock();
	ck_assert_int_eq(next_key(), -EKEYREJECTED);
	ck_assert_int_eq(devices_rekey(devices, &wrong), _i == 4 ? 0 : -EKEYREJECTED);
}
END_TEST

START_TEST(two_keys_take_turns)
{
	uint64_t old, new;

	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 2, 2), 0);
	ck_assert_int_eq(look_up(&old), 1);
	ck_assert_int_eq(look_up(&new), 2);
	ck_assert_uint_ne(old, new);
	ck_assert_uint_eq(generation_of("a"), old);
	ck_assert_int_eq(next_key(), 1);
	/* The old key works: it is tried first from then on. */
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), old), 0);
	ck_assert_int_eq(next_key(), 1);
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), old), 0);
	ck_assert_int_eq(next_key(), 1);
	ck_assert_int_eq(next_key(), 2);
	/* The new key works: it is the only one. */
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), new), 1);
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), new), 0);
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), old), 0);
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(next_key(), 2);
	ck_assert_uint_eq(generation_of("a"), new);
	open_and_unlock();
	for (int i = 0; i < 4; i++)
		ck_assert_int_eq(next_key(), 2);
}
END_TEST

/* Whoever else looks up the identity in between changes nothing of which key is taken to have worked. */
START_TEST(a_stranger_in_between_retires_no_key)
{
	uint64_t old, new;

	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 2, 2), 0);
	ck_assert_int_eq(look_up(&old), 1); /* the device */
	ck_assert_int_eq(look_up(&new), 2); /* the stranger */
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), old), 0);
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), 0), 0);
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), new + 1), 0);
	ck_assert_int_eq(devices_worked(devices, bytes_text("nobody"), new), 0);
	ck_assert_uint_eq(devices_find(devices, bytes_text("a"))->next_generation, new);
}
END_TEST

struct expired {
	unsigned count;
	unsigned unused;
};

static void on_expired(void *arg, const struct device *device, bool unused)
{
	struct expired *expired = arg;

	ck_assert_uint_eq(device->next_generation, 0);
	expired->count++;
	expired->unused += unused;
}

static struct expired expire(int64_t wall_us)
{
	struct expired expired = {0};

	ck_assert_int_ge(devices_expire(devices, wall_us, wall_us, on_expired, &expired), 0);
	return expired;
}

START_TEST(the_overlap_ends)
{
	uint64_t old, new;

	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(add("b", &first), 0);
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 1000, 1000), 0);
	ck_assert_int_ge(devices_rotate(devices, "b", &second, 300, 1000, 1000), 0);
	open_and_unlock();
	ck_assert_uint_eq(expire(1099).count, 0);
	ck_assert_int_eq(look_up(&old), 1);
	ck_assert_int_eq(look_up(&new), 2);
	ck_assert_uint_eq(expire(1100).unused, 1);
	ck_assert_int_eq(next_key(), 2);
	ck_assert_int_eq(next_key(), 2);
	ck_assert_uint_eq(generation_of("a"), new);
	ck_assert(devices_find(devices, bytes_text("a"))->changed);
	/* Sessions of the old key live on until then, also where the new one was used. */
	ck_assert_int_eq(
		devices_worked(devices, bytes_text("b"), devices_find(devices, bytes_text("b"))->next_generation), 1);
	ck_assert_uint_eq(expire(1299).count, 0);
	ck_assert(!devices_find(devices, bytes_text("b"))->changed);
	ck_assert_uint_eq(expire(1300).count, 1);
	ck_assert(devices_find(devices, bytes_text("b"))->changed);
	ck_assert_uint_eq(expire(9999).count, 0);
	open_and_unlock();
	ck_assert_uint_eq(expire(9999).count, 0);
	ck_assert_int_eq(next_key(), 2);
}
END_TEST

START_TEST(many_overlaps_end_together)
{
	struct expired expired;
	unsigned count = 0;

	for (int i = 0; i < 200; i++) {
		char name[16];

		snprintf(name, sizeof(name), "d%d", i);
		ck_assert_int_ge(add(name, &first), 0);
		ck_assert_int_ge(devices_rotate(devices, name, &second, 100, 1000, 1000), 0);
	}
	while ((expired = expire(1100)).count) {
		ck_assert_uint_eq(expired.count, expired.unused);
		count += expired.count;
	}
	ck_assert_uint_eq(count, 200);
}
END_TEST

START_TEST(rotated_again)
{
	uint64_t old, unused, new;

	ck_assert_int_ge(add("a", &first), 0);
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 1000, 1000), 0);
	ck_assert_int_eq(look_up(&old), 1);
	ck_assert_int_eq(look_up(&unused), 2);
	ck_assert_int_ge(devices_rotate(devices, "a", &third, 100, 1050, 1050), 0);
	ck_assert_int_eq(look_up(&old), 1);
	ck_assert_int_eq(look_up(&new), 3);
	ck_assert_uint_ne(unused, new);
	ck_assert_int_eq(devices_worked(devices, bytes_text("a"), unused), 0);
	ck_assert_uint_eq(expire(1149).count, 0);
	ck_assert_int_eq(devices_finish(devices, "a", 1149), 0);
	ck_assert_int_eq(next_key(), 3);
	ck_assert_int_eq(next_key(), 3);
	ck_assert_int_eq(devices_finish(devices, "a", 1149), -EALREADY);
	ck_assert_int_eq(devices_finish(devices, "b", 1149), -ENOENT);
}
END_TEST

START_TEST(at_once)
{
	uint64_t generations[6];

	ck_assert_int_ge(add("a", &first), 0);
	generations[0] = generation_of("a");
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 1000, 1000), 0);
	generations[1] = devices_find(devices, bytes_text("a"))->next_generation;
	ck_assert_int_ge(devices_rotate(devices, "a", &third, 0, 1001, 1001), 0);
	generations[2] = generation_of("a");
	ck_assert_int_eq(next_key(), 3);
	ck_assert_int_eq(next_key(), 3);
	ck_assert(devices_find(devices, bytes_text("a"))->changed);
	ck_assert_int_ge(devices_rotate(devices, "a", &first, 100, 1002, 1002), 0);
	generations[3] = devices_find(devices, bytes_text("a"))->next_generation;
	ck_assert_int_ge(devices_revoke(devices, "a", 1003), 0);
	generations[4] = generation_of("a");
	ck_assert_int_eq(next_key(), -ENOENT);
	ck_assert_uint_eq(expire(9999).count, 0);
	/* Let in again: its old key is gone, so there is no overlap. */
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 100, 1004, 1004), 0);
	generations[5] = generation_of("a");
	ck_assert_int_eq(next_key(), 2);
	ck_assert_int_eq(next_key(), 2);
	for (size_t i = 0; i < 6; i++)
		for (size_t j = 0; j < i; j++)
			ck_assert_uint_ne(generations[i], generations[j]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("devices_key");
	TCase *tcase = tcase_create("keys");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, no_file_gives_a_key_away);
	tcase_add_test(tcase, seals_an_older_registry);
	tcase_add_test(tcase, the_wrong_master_key_opens_nothing);
	tcase_add_test(tcase, a_new_master_key_seals_all_anew);
	tcase_add_loop_test(tcase, a_key_belongs_to_its_row, 0, 5);
	tcase_add_test(tcase, two_keys_take_turns);
	tcase_add_test(tcase, a_stranger_in_between_retires_no_key);
	tcase_add_test(tcase, the_overlap_ends);
	tcase_add_test(tcase, many_overlaps_end_together);
	tcase_add_test(tcase, rotated_again);
	tcase_add_test(tcase, at_once);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
