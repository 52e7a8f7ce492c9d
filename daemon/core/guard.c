/* SPDX-License-Identifier: Apache-2.0 */
#include "core/guard.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"

#define DAY_US  (INT64_C(86400) * CLOCK_S_US)
#define YEAR_US (INT64_C(365) * DAY_US)
/* What a clock may be put right by without a word: NTP at its first answer, a real-time clock that drifts. */
#define STEP_US (INT64_C(300) * CLOCK_S_US)
/* A box may have lain on a shelf for so long; a clock that is further on without synchronisation is taken for broken. */
#define AHEAD_US (5 * YEAR_US)
/* A file of the state folder that is further on than this from the build date is not ours, or damaged. */
#define ABSURD_US (50 * YEAR_US)

static int64_t most(int64_t a, int64_t b)
{
	return a > b ? a : b;
}

/* Nothing is believed that is before this. */
static int64_t hard_floor(const struct guard *guard)
{
	return most(guard->build_wall_us, guard->seen.synchronised_wall_us);
}

static int64_t sane(int64_t seen_wall_us, int64_t build_wall_us)
{
	return seen_wall_us < build_wall_us || seen_wall_us > build_wall_us + ABSURD_US ? 0 : seen_wall_us;
}

void guard_init(struct guard *guard, const struct guard_settings *settings, int64_t build_wall_us,
		const struct guard_seen *seen, int64_t now_us)
{
	*guard = (struct guard){.settings = *settings,
				.build_wall_us = build_wall_us,
				.started_us = now_us,
				.state = GUARD_FREE,
				.base_us = now_us};
	guard->seen.synchronised_wall_us = sane(seen->synchronised_wall_us, build_wall_us);
	guard->seen.wall_us = most(sane(seen->wall_us, build_wall_us), guard->seen.synchronised_wall_us);
	guard->base_wall_us = most(build_wall_us, guard->seen.wall_us);
}

void guard_set(struct guard *guard, const struct guard_settings *settings)
{
	guard->settings = *settings;
}

int64_t guard_now(const struct guard *guard, int64_t now_us)
{
	return most(guard->base_wall_us + (now_us - guard->base_us), hard_floor(guard));
}

static struct guard_report believe(struct guard *guard, const struct guard_look *look, bool synchronised)
{
	int64_t before_us = guard_now(guard, look->now_us), step_us = look->wall_us - before_us;
	bool doubted = guard->state > GUARD_FREE;
	struct guard_report report = {GUARD_QUIET, before_us, look->wall_us};

	if (doubted)
		report.news = GUARD_RIGHT;
	else if (step_us < -STEP_US || (step_us > STEP_US && guard->believed)) /* how long it was off, nobody knows */
		report.news = GUARD_MOVED;
	guard->state = synchronised ? GUARD_SYNCHRONISED : GUARD_FREE;
	guard->believed = true;
	guard->base_wall_us = look->wall_us;
	guard->base_us = look->now_us;
	guard->doubted_at_us = 0;
	if (synchronised)
		guard->seen.synchronised_wall_us = most(guard->seen.synchronised_wall_us, look->wall_us);
	guard->seen.wall_us = look->wall_us;
	return report;
}

/* Tells once that the clock is not believed, and again when it says something else. */
static struct guard_report doubt(struct guard *guard, const struct guard_look *look, enum guard_state state)
{
	struct guard_report report = {GUARD_DOUBTED, guard_now(guard, look->now_us), look->wall_us};
	int64_t distance_us = look->wall_us - look->now_us, moved_us = distance_us - guard->doubted_us;

	if (guard->doubted_at_us && moved_us <= STEP_US && moved_us >= -STEP_US) {
		report.news = guard->state == state ? GUARD_QUIET : GUARD_DOUBTED;
	} else {
		guard->doubted_at_us = look->now_us ? look->now_us : 1;
		guard->doubted_us = distance_us;
	}
	guard->state = state;
	return report;
}

static bool has_held(const struct guard *guard, const struct guard_look *look)
{
	int64_t moved_us = look->wall_us - look->now_us - guard->doubted_us;

	return guard->doubted_at_us && moved_us <= STEP_US && moved_us >= -STEP_US &&
	       look->now_us - guard->doubted_at_us >= guard->settings.believe_after_us;
}

struct guard_report guard_look(struct guard *guard, const struct guard_look *look)
{
	int64_t before_us = guard_now(guard, look->now_us), step_us = look->wall_us - before_us;
	bool waiting = guard->settings.sync_deadline_us > 0 &&
		       look->now_us - guard->started_us < guard->settings.sync_deadline_us;

	if (look->wall_us < hard_floor(guard) - STEP_US)
		return doubt(guard, look, GUARD_BEHIND);
	if (look->synchronised)
		return believe(guard, look, true);
	if (step_us > AHEAD_US)
		return doubt(guard, look, GUARD_AHEAD);
	if (!guard->believed && waiting)
		return doubt(guard, look, GUARD_WAITING);
	if (step_us <= STEP_US && step_us >= -STEP_US)
		return believe(guard, look, false);
	if (!guard->believed && step_us > 0)
		return believe(guard, look, false);
	return has_held(guard, look) ? believe(guard, look, false) : doubt(guard, look, GUARD_JUMPED);
}

int guard_accept(struct guard *guard, int64_t now_us, int64_t wall_us)
{
	if (wall_us < guard->build_wall_us || wall_us > guard->build_wall_us + ABSURD_US)
		return -ERANGE;
	if (guard->seen.synchronised_wall_us > wall_us)
		guard->seen.synchronised_wall_us = wall_us;
	believe(guard, &(struct guard_look){now_us, wall_us, false}, false);
	return 0;
}

struct guard_seen guard_seen(const struct guard *guard, int64_t now_us)
{
	struct guard_seen seen = {guard->seen.synchronised_wall_us, guard_now(guard, now_us)};

	if (guard->state == GUARD_SYNCHRONISED)
		seen.synchronised_wall_us = most(seen.synchronised_wall_us, seen.wall_us);
	return seen;
}

/* FNV-1a: shows that a line was torn or a bit has fallen over. Nobody is kept out by it. */
static uint32_t sum_of(const char *text)
{
	uint32_t sum = 2166136261u;

	for (; *text; text++)
		sum = (sum ^ (unsigned char)*text) * 16777619u;
	return sum;
}

static void format_plain(const struct guard_seen *seen, char *text, size_t size)
{
	snprintf(text, size, "tidegate clock 1\nsynchronised %" PRId64 "\nseen %" PRId64 "\n",
		 seen->synchronised_wall_us / CLOCK_S_US, seen->wall_us / CLOCK_S_US);
}

void guard_seen_format(const struct guard_seen *seen, char ret_text[GUARD_TEXT_SIZE])
{
	char plain[GUARD_TEXT_SIZE - 32];

	format_plain(seen, plain, sizeof(plain));
	snprintf(ret_text, GUARD_TEXT_SIZE, "%ssum %08x\n", plain, sum_of(plain));
}

int guard_seen_parse(const char *text, struct guard_seen *ret_seen)
{
	int64_t synchronised_s, seen_s;
	char again[GUARD_TEXT_SIZE];
	struct guard_seen seen;

	if (sscanf(text, "tidegate clock 1\nsynchronised %12" SCNd64 "\nseen %12" SCNd64, &synchronised_s, &seen_s) !=
	    2)
		return -EINVAL;
	seen = (struct guard_seen){synchronised_s * CLOCK_S_US, seen_s * CLOCK_S_US};
	guard_seen_format(&seen, again);
	if (strcmp(text, again) != 0)
		return -EINVAL;
	*ret_seen = seen;
	return 0;
}
