/* SPDX-License-Identifier: Apache-2.0 */

/* The overlap of two keys on a box whose clock is set. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/bytes.h"
#include "core/devices.h"
#include "suite.h"

#define S_US INT64_C(1000000)

static char state_dir[64];
static struct devices *devices;
static const struct secret master = {.size = 32, .data = "a master key, as good as any 32b"};
static const struct secret first = {.size = 16, .data = "the 1st key of a"};
static const struct secret second = {.size = 16, .data = "the 2nd key of a"};

static void open_and_unlock(void)
{
	devices_free(devices);
	devices = NULL;
	ck_assert_int_ge(devices_new(state_dir, &devices), 0);
	ck_assert_int_ge(devices_unlock(devices, &master), 0);
}

static void begin(void)
{
	const struct device_enrolment enrolment = {"a", "field", DEVICE_PSK, &first, "", false};

	snprintf(state_dir, sizeof(state_dir), "%s", "/tmp/tidegate-clock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(state_dir));
	open_and_unlock();
	ck_assert_int_ge(devices_add(devices, &enrolment, 1), 0);
}

static void end(void)
{
	char command[128];

	devices_free(devices);
	devices = NULL;
	snprintf(command, sizeof(command), "rm -r %s", state_dir);
	ck_assert_int_eq(system(command), 0);
}

static void on_expired(void *arg, const struct device *device, bool unused)
{
	(void)arg;
	ck_assert_str_eq(device->name, "a");
	ck_assert(unused);
}

static bool is_rotating(void)
{
	return devices_find(devices, bytes_text("a"))->next_generation != 0;
}

static void expire_at(int64_t now_s, int64_t wall_s)
{
	ck_assert_int_ge(devices_expire(devices, now_s * S_US, wall_s * S_US, on_expired, NULL), 0);
}

/* The clock is set by so many seconds behind the rotation, forth or back; a restart in between does not matter. */
static void is_as_long(int64_t step_s, bool restart)
{
	const int64_t begin_s = 100000000, wall_s = begin_s + step_s;

	begin();
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 1000 * S_US, 5 * S_US, begin_s * S_US), 0);
	expire_at(10, begin_s + 5);
	expire_at(105, wall_s + 100);
	ck_assert(is_rotating());
	if (restart)
		open_and_unlock();
	expire_at(1004, wall_s + 999);
	ck_assert(is_rotating());
	expire_at(1006, wall_s + 1001);
	ck_assert(!is_rotating());
	end();
}

START_TEST(the_overlap_is_as_long_with_a_clock_that_is_set)
{
	is_as_long(30 * 86400, false);
	is_as_long(30 * 86400, true);
	is_as_long(-2 * 365 * 86400, false);
	is_as_long(-2 * 365 * 86400, true);
}
END_TEST

/* It was set back while the gateway was off. */
START_TEST(a_clock_that_ran_ahead_lengthens_no_overlap)
{
	begin();
	ck_assert_int_ge(devices_rotate(devices, "a", &second, 1000 * S_US, 5 * S_US, 900000000 * S_US), 0);
	for (int64_t begin_s = 0; begin_s < 1000; begin_s += 250) {
		open_and_unlock();
		expire_at(7, 500000000 + begin_s);
		ck_assert(is_rotating());
	}
	expire_at(7 + 251, 500000000 + 1001);
	ck_assert(!is_rotating());
	end();
}
END_TEST

SUITE_MAIN("devices_clock", the_overlap_is_as_long_with_a_clock_that_is_set,
	   a_clock_that_ran_ahead_lengthens_no_overlap)
