/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_GUARD_H
#define CORE_GUARD_H

/*
 * Decides what time it is on a box whose clock may be wrong. What it says goes on with the monotonic clock from the last time of
 * day that was believed, and is never before the newest of the build date and the last synchronised time seen, so that a clock
 * that says 1970 or 2099 makes no certificate expired or not yet valid. Pure: the clocks are read by the caller.
 *
 * A clock that the kernel calls synchronised is believed at once, unless it is before what a synchronised clock said earlier. One
 * that is not is believed
 *   - at the start, or after it was known to be wrong, where it is not before what was seen last and not years beyond;
 *   - as long as it keeps step with the monotonic clock, within jump_us;
 *   - after a jump, once it has held for believe_after_us, so that a clock set by hand is right in the end; never years beyond.
 */

#include <stdbool.h>
#include <stdint.h>

struct guard_settings {
	int64_t believe_after_us;
	int64_t sync_deadline_us; /* 0: synchronisation is not waited for; else how long after the start, before the clock is believed
				     without */
};

/* What is kept over a restart. 0: nothing was seen. Units: microseconds since 1970. */
struct guard_seen {
	int64_t synchronised_wall_us; /* the last time of a synchronised clock */
	int64_t wall_us;              /* the last time at all: a synchronised clock may be before it */
};

enum guard_state {
	GUARD_SYNCHRONISED, /* the clock is believed, for the kernel says so */
	GUARD_FREE,         /* believed, though not synchronised */
	GUARD_WAITING,      /* not believed before it is synchronised, or the deadline has passed */
	GUARD_JUMPED,       /* not believed before it has held for a while */
	GUARD_BEHIND,       /* not believed: before the last time seen */
	GUARD_AHEAD         /* not believed: years beyond the last time seen */
};

struct guard {
	struct guard_settings settings;
	struct guard_seen seen;
	int64_t build_wall_us;
	int64_t started_us;
	enum guard_state state;
	bool believed; /* a clock was, since the start; else what guard_now says comes from a floor */
	int64_t base_wall_us;
	int64_t base_us;       /* monotonic time of base_wall_us */
	int64_t doubted_us;    /* of a clock that is not believed: its distance to the monotonic clock */
	int64_t doubted_at_us; /* since when it keeps that */
};

/* One look at the clocks. */
struct guard_look {
	int64_t now_us;
	int64_t wall_us;
	bool synchronised;
};

enum guard_news {
	GUARD_QUIET,
	GUARD_DOUBTED, /* the clock is not believed, see `state` */
	GUARD_MOVED,   /* it is believed, and what guard_now says has jumped */
	GUARD_RIGHT    /* it was not believed, and is now */
};

struct guard_report {
	enum guard_news news;
	int64_t from_wall_us; /* what guard_now would have said without this look */
	int64_t to_wall_us;   /* what the clock says */
};

/* `seen` may hold anything that a damaged file held: what makes no sense is left out. */
void guard_init(struct guard *guard, const struct guard_settings *settings, int64_t build_wall_us,
		const struct guard_seen *seen, int64_t now_us);
void guard_set(struct guard *guard, const struct guard_settings *settings);

/* Takes a look in, once a second and whenever a clock was set. */
struct guard_report guard_look(struct guard *guard, const struct guard_look *look);

/* The time of day to go by. Units: microseconds since 1970. */
int64_t guard_now(const struct guard *guard, int64_t now_us);

/* The clock as it is now is believed, because somebody says so who knows; only the build date stands against it.
 * Errors: -ERANGE. */
int guard_accept(struct guard *guard, int64_t now_us, int64_t wall_us);

/* What is to be kept now. */
struct guard_seen guard_seen(const struct guard *guard, int64_t now_us);

/* As text for STATE/clock, and back. Errors: -EINVAL: it is not what was written. */
enum { GUARD_TEXT_SIZE = 160 };
void guard_seen_format(const struct guard_seen *seen, char ret_text[GUARD_TEXT_SIZE]);
int guard_seen_parse(const char *text, struct guard_seen *ret_seen) __attribute__((warn_unused_result));

#endif
