/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_INSIDE_H
#define CORE_RENEWAL_INSIDE_H

/* What the files of the module renewal share: renewal.c (when), renewal_order.c (how a new pair is made), renewal_trial.c (whether it
 * works), renewal_report.c (what is said of it). */

#include "core/renewal.h"
#include "core/renewal_slots.h"
#include "core/renewal_work.h"

enum renewal_state {
	RENEWAL_WAITING, /* for the day, or for the next try */
	RENEWAL_ASKING,  /* a child makes the new pair */
	RENEWAL_READY,   /* the candidate waits for its trial */
	RENEWAL_TRYING,  /* the endpoint uses the candidate */
	RENEWAL_BACK     /* it has the old one back; does that one work? */
};

struct renewal {
	struct loop *loop;
	const char *program;
	char *endpoint;
	const struct renewal_ops *ops;
	void *arg;
	struct renewal_settings settings; /* its texts are ours */
	char **command;
	struct renewal_slots slots;
	struct renewal_pair configured, current, candidate;
	int64_t looked_us; /* when the files were read last */
	enum renewal_state state;
	bool wanted; /* begin, due or not */
	unsigned failures;
	int64_t next_us; /* monotonic: not before; 0: at once */
	int64_t until_us;
	int64_t trial_us; /* when it began */
	bool was_down;
	bool is_down;     /* the link, as far as was seen */
	int64_t down_us;  /* since when */
	int64_t up_us;    /* when the link came up again; 0: it did not */
	unsigned untaken; /* processes that have not yet taken the candidate over */
	bool taken;       /* all have */
	struct renewal_work *work;
	unsigned work_step;
	char problem[640]; /* of the last try */
	char report[1024];
};

/* renewal.c. Reads the files again. */
void renewal_look(struct renewal *renewal);
int64_t renewal_now_s(const struct renewal *renewal);
/* The pair in use, apart from a trial; NULL: none is usable. */
const struct renewal_pair *renewal_used(const struct renewal *renewal);
struct renewal_life renewal_life_of(const struct renewal *renewal, const struct renewal_pair *pair);
/* A try has come to nothing; the next comes later: after `asked_s` where a server said so (0: it did not). */
void renewal_failed(struct renewal *renewal, int64_t asked_s, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* There is a candidate. */
void renewal_made(struct renewal *renewal);

/* renewal_order.c. Starts what makes a new pair; failures are told by renewal_failed. */
void renewal_ask(struct renewal *renewal);

/* renewal_trial.c. One turn of READY, TRYING and BACK. */
void renewal_try(struct renewal *renewal);

/* renewal_report.c. */
void renewal_log(const struct renewal *renewal, enum log_level level, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
enum { RENEWAL_DAY_SIZE = 24 };
const char *renewal_day(int64_t wall_s, char ret_text[RENEWAL_DAY_SIZE]);

#endif
