/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_WORK_H
#define CORE_RENEWAL_WORK_H

/* One child process for a while: tidegate-renew, or the operator's own program. What it says is read up to a limit, and when its time is
 * over it is killed, with all that it started. */

#include <stdbool.h>
#include <sys/types.h>
#include <tidegate/message.h>

#include "base/loop.h"

struct renewal_work;

enum { RENEWAL_WORK_FILES = 8, RENEWAL_WORK_FIRST_FD = 3 };

struct renewal_order {
	const char *const *argv;       /* ends with NULL; the first is the path of the program */
	const char *folder;            /* to work in; NULL: ours */
	const char *endpoint;          /* for the environment of an operator's program; NULL: it is ours */
	struct tg_bytes input;         /* for its standard input */
	int files[RENEWAL_WORK_FILES]; /* become 3, 4 …; stay the caller's */
	unsigned n_files;
	bool errors_too; /* what it says on standard error is wanted, too */
	int64_t time_us;
};

/* `status` as of waitpid(2), or -ETIME: it was killed because its time was over. `said` is lent. The work is gone afterwards. */
typedef void renewal_work_fn(void *arg, int status, struct tg_bytes said);

/* Starts it. `done` is called once, unless the work is freed before. Errors: -errno. */
int renewal_work_new(struct loop *loop, const struct renewal_order *order, renewal_work_fn *done, void *arg,
		     struct renewal_work **ret_work) WARN_UNUSED;
/* Kills it. Accepts NULL. Blocks: for a moment, until it is gone. */
void renewal_work_free(struct renewal_work *work);

pid_t renewal_work_pid(const struct renewal_work *work);

#endif
