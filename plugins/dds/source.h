/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_SOURCE_H
#define DDS_SOURCE_H

/*
 * Takes samples from the topics' readers and hands them in. A sample is taken only while fewer than the window wait for their
 * verdict; those behind it stay in the readers, which hold reliable writers back when they are full. What the gateway cannot take
 * now is kept, as it came, and handed in again in the old order.
 */

#include <sys/queue.h>

#include "bridge.h"
#include "options.h"
#include "out.h"
#include "sample.h"
#include "topics.h"

struct source_slot {
	TAILQ_ENTRY(source_slot) link;
	uint64_t number; /* in the order in which they were taken */
	struct topic *topic;
	struct ddsi_serdata *held; /* NULL: the slot is free */
	enum sample_state state;
	bool has_data;
	int64_t time_ns;
};

TAILQ_HEAD(source_slots, source_slot);

struct source {
	const struct tg_host *host;
	const struct options *options;
	struct topics *topics;
	struct source_slot *slots;
	struct source_slots free;
	struct source_slots again; /* to be handed in again, by number */
	size_t n_waiting;          /* for a verdict */
	size_t n_held;             /* those and `again` */
	uint64_t numbers;
	int64_t resume_us; /* not before */
	bool stopping;
	bool refused; /* while it stops: by a gateway that takes nothing any more */
	bool ended;
	uint64_t quiet_numbers; /* `numbers` at the time below */
	int64_t quiet_since_us; /* while it stops: nothing was in the readers since then */
	struct out document, path;
	struct tg_timer *timer;
	struct tg_timer *turn; /* once for all verdicts of a turn */
	tg_call_fn *stopped;
	void *arg;
};

/* `stopped`: all is handed in that the readers had, after source_stop; or the gateway takes nothing any more. Errors: -ENOMEM; source_done
 * is to be called then, too. */
int source_init(struct source *source, const struct tg_host *host, const struct options *options, struct topics *topics,
		tg_call_fn *stopped, void *arg) __attribute__((warn_unused_result));
/* Before the topics leave the domain. */
void source_done(struct source *source);

/* A reader has something. */
void source_pump(void *source);
void source_verdict(struct source *source, uint64_t token, const struct tg_answer *answer);
/* The options have changed. */
void source_renew(struct source *source);
/* The readers hear nothing from now on, and acknowledge nothing: what they have is all that there will be. */
void source_stop(struct source *source);

#endif
