/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_SUPERVISOR_H
#define CORE_SUPERVISOR_H

/*
 * Starts one process for each worker of each endpoint, lets it join, listens to its heartbeat and starts it again when it dies,
 * hangs or sends nonsense. Knows nothing of messages: frames go to the owner.
 *
 * An instance is the place for one such process; it stays while processes come and go. A process that an earlier core started
 * and that still holds its lock file is adopted when it joins instead of being started anew, so DTLS sessions outlive the core; but
 * not one that runs other code than would be started now (code.h), which is ended first.
 * Who connects is checked: same user, and the very process that was started or that holds the lock.
 */

#include <stdbool.h>
#include <sys/types.h>

#include "base/loop.h"
#include "core/code.h"
#include "wire/frame.h"

struct supervisor;
struct instance;

enum instance_state {
	INSTANCE_WAITING,  /* for the next start, after a failure */
	INSTANCE_STARTING, /* started or adopted, not joined */
	INSTANCE_JOINED,   /* said HELLO, opens its adapter */
	INSTANCE_RUNNING,  /* said STARTED */
	INSTANCE_STOPPING,
	INSTANCE_STOPPED
};

struct supervisor_events {
	/* A process has joined: send its SETTINGs and CONFIGURED. Errors: a negative return ends the process. */
	int (*configure)(void *arg, struct instance *instance);
	void (*running)(void *arg, struct instance *instance);
	/* The process, or the link to it, is gone; was it running? Comes twice where the link is lost before the process ends. */
	void (*gone)(void *arg, struct instance *instance, bool was_running);
	/* Any frame that the supervisor does not see to itself. Errors: a negative return counts as a bad frame. */
	int (*frame)(void *arg, struct instance *instance, const struct frame *frame);
	/* Every instance has stopped, or is to be left (supervisor_stop, supervisor_leave). */
	void (*stopped)(void *arg);
	/* Which code a process of this endpoint would run now (code_identity). NULL: all code counts as the same. Errors: -errno. */
	int (*code)(void *arg, const char *endpoint, char ret_code[CODE_SIZE]);
};

struct supervisor_settings {
	const char *run_dir;
	const char *program;
	const char *adapter_dir;
	int64_t backoff_min_us;
	int64_t backoff_max_us;
};

/* Opens the socket that endpoints join at. Ownership: the strings stay the caller's until supervisor_free. */
int supervisor_new(struct loop *loop, const struct supervisor_settings *settings,
		   const struct supervisor_events *events, void *arg, struct supervisor **ret_supervisor) WARN_UNUSED;
/* Parts from those that are to be left, kills what else still runs, and tells nobody. Blocks: up to a second, for those to end. */
void supervisor_free(struct supervisor *supervisor);

/* Starts an instance, or adopts its living process. Units: `heartbeat_us`: after that long without an answer it counts as hung. */
int supervisor_add(struct supervisor *supervisor, const char *endpoint, unsigned worker,
		   int64_t heartbeat_us) WARN_UNUSED;
/* New times for what is there and for what comes. */
void supervisor_set_times(struct supervisor *supervisor, int64_t backoff_min_us, int64_t backoff_max_us,
			  int64_t heartbeat_us);
/* Ends all processes of this endpoint and forgets them. `gone` is called for each. */
void supervisor_remove(struct supervisor *supervisor, const char *endpoint);
/* Ends living processes of an earlier core that belong to no instance. */
void supervisor_end_strangers(struct supervisor *supervisor);

/* Asks all processes to finish within `deadline_us`, kills them then; `stopped` is called when the last is gone. */
void supervisor_stop(struct supervisor *supervisor, int64_t deadline_us);
/* The same, but those that run, and whose code is what would be started now, stay with their links until supervisor_free, and go on
 * without us: another core will adopt them. A supervisor_stop that comes later ends them as well. */
void supervisor_leave(struct supervisor *supervisor, int64_t deadline_us);
/* Whether the watch over the processes is kept: it looks after them in time, and what does not answer has been killed. */
bool supervisor_is_awake(struct supervisor *supervisor);
/* Kills the process: it has broken the rules. It is started again with backoff. */
void supervisor_kill(struct instance *instance, const char *why);

/* Calls `fn` for each instance; ends at the first non-zero return and gives it back. */
int supervisor_each(struct supervisor *supervisor, int (*fn)(void *arg, struct instance *instance), void *arg);
struct instance *supervisor_find(struct supervisor *supervisor, uint32_t id); /* NULL: no such */
/* Whether this process is one of ours: it may not use the control socket. */
bool supervisor_owns(struct supervisor *supervisor, pid_t pid);

int instance_send(struct instance *instance, const struct frame *frame) WARN_UNUSED;
/* Ownership: `fd` is closed in any case. */
int instance_send_fd(struct instance *instance, const struct frame *frame, int fd) WARN_UNUSED;
/* Whether so much waits for its process already that the rest is kept for what cannot wait: verdicts and look-ups. */
bool instance_is_behind(const struct instance *instance);

uint32_t instance_id(const struct instance *instance);
/* Changes with each new link: what was asked over an earlier one is not to be answered over this. */
uint32_t instance_generation(const struct instance *instance);
const char *instance_endpoint(const struct instance *instance);
unsigned instance_worker(const struct instance *instance);
enum instance_state instance_state(const struct instance *instance);
/* Whether it has had its settings: of what changes from then on it has to be told, also while it still opens its adapter. */
bool instance_is_configured(const struct instance *instance);
const char *instance_state_name(const struct instance *instance);
pid_t instance_pid(const struct instance *instance);
unsigned instance_restarts(const struct instance *instance);
const char *instance_problem(const struct instance *instance); /* why it last ended, or "" */
/* The owner's pointer. */
void *instance_user(const struct instance *instance);
void instance_set_user(struct instance *instance, void *user);

#endif
