/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_VIEWS_INSIDE_H
#define HYPERCAT_VIEWS_INSIDE_H

/* What views.c, which has the readers, and views_round.c, which asks the core for what one may see, share. */

#include "views.h"

enum phase { IDLE, READINGS, DEVICES, PAUSE };

/* One reader's. */
struct shelf {
	struct shelf *prev, *next; /* the one that was used last comes last */
	struct views *views;
	struct view *view;  /* NULL: none yet */
	struct view *fresh; /* is being listed from the beginning, NULL: it is not */
	uint64_t generation;
	uint64_t fresh_generation;
	bool fresh_known; /* fresh_generation is */
	uint64_t after;   /* where the next page begins */
	enum phase phase;
	bool busy; /* others are being told */
	uint64_t token;
	int64_t used_us;
	int64_t relisted_us; /* 0: never */
	int64_t resume_us;   /* the end of PAUSE */
	int64_t asked_us;    /* when it was brought up to date last */
	uint64_t *waiting;
	size_t waiting_count;
	size_t late; /* those at the end that came while the core was being asked: once more for them */
	struct follower *followers;
	char reader[TG_DEVICE_MAX + 1];
};

struct views {
	const struct tg_host *host;
	struct views_limits limits;
	struct views_events events;
	void *arg;
	struct shelf *shelves;
	size_t count;
	size_t bytes;
	uint64_t tokens;
	struct tg_timer *timer;
};

/* The core is asked for what is new, or for all of it. */
void views_begin(struct shelf *shelf);
/* Returns whether there was one to drop, that nobody needs, but not this one. */
bool views_drop_oldest(struct views *views, const struct shelf *but);
void views_set_timer(struct views *views);
/* Whether two generations are of one run of the core, whose ETags can be compared. */
bool views_same_run(uint64_t one, uint64_t other);

#endif
