/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

/* The inside of one instance, shared by supervisor.c (policy: when to start, kill, restart), supervisor_stop.c (the end of all),
 * instance.c (one process) and leaving.c (those that are to end). */

#include "base/backoff.h"
#include "core/supervisor.h"
#include "wire/link.h"

struct supervisor {
	struct loop *loop;
	struct supervisor_settings settings;
	const struct supervisor_events *events;
	void *arg;
	int listen_fd;
	struct loop_io *listen_io;
	struct loop_timer *tick;
	int64_t tick_us; /* when it is due */
	struct instance *first;
	struct leaving *leaving;
	uint32_t last_id;
	bool stopping;
	int64_t stop_at_us;
	bool told_stopped;
	char *socket_path;
};

struct instance {
	struct instance *next;
	struct supervisor *supervisor;
	uint32_t id;
	uint32_t generation;
	char *endpoint;
	unsigned worker;
	int64_t heartbeat_us;
	enum instance_state state;
	pid_t pid; /* 0: none */
	int pid_fd;
	struct loop_io *pid_io;
	struct link *link;
	struct backoff backoff;
	int64_t start_at_us; /* WAITING: when to start */
	int64_t since_us;    /* in this state; of the start while it is joined */
	int64_t ping_us;     /* when the last PING left */
	int64_t pong_us;     /* when the process last proved that it lives */
	unsigned restarts;
	bool removed;
	bool left;            /* stays behind for another core */
	char code[CODE_SIZE]; /* that it was started with */
	char problem[256];
	void *user;
};

/* A process that belongs to no instance any more: it has been told to end, and is watched until it has. */
struct leaving {
	struct leaving *prev, *next;
	struct supervisor *supervisor;
	pid_t pid;
	int pid_fd;
	struct loop_io *io;
	int64_t kill_at_us; /* 0: it was killed */
};

/* Ownership: takes `pid_fd`, also on failure. */
int leaving_new(struct supervisor *supervisor, pid_t pid, int pid_fd, int64_t kill_at_us) WARN_UNUSED;
/* Asks a process of an earlier core to end. Ownership: as leaving_new. */
void leaving_ask(struct supervisor *supervisor, pid_t pid, int pid_fd);
void leaving_free(struct leaving *leaving);
bool leaving_has(const struct supervisor *supervisor, pid_t pid);
/* At the end: waits a moment for those that were killed, so that they hold no lock and no port any more, and forgets all. */
void leaving_await(struct supervisor *supervisor, int timeout_ms);
/* Kills those that took too long. */
void leaving_watch_over(struct supervisor *supervisor, int64_t now_us);

/* Takes the lock file's living holder over, or starts a process. Errors: -EBUSY: the holder is leaving, later; -errno of
 * the start. */
int instance_begin(struct instance *instance) WARN_UNUSED;
/* The process has connected. Ownership: takes `fd`. */
int instance_join(struct instance *instance, int fd) WARN_UNUSED;
/* Ends link and process at once; tells nobody. */
void instance_end(struct instance *instance);
/* Ends the link once everything was said, and lets the process be. Blocks: until it has read what was said, at most a moment. */
void instance_part(struct instance *instance);

/* instance_code.c. Whether it runs what would be started in its place now. */
bool instance_is_current(const struct instance *instance);
/* The same for a process that an earlier core has started. What was kept of it can be trusted: it cannot write there itself. */
bool instance_take_code(struct instance *instance);
/* Before the start of a process. One of which nothing could be kept does not outlive the core, which is logged. */
void instance_keep_code(struct instance *instance);
void instance_free(struct instance *instance);
/* The pid that holds this lock file in the run folder, 0: nobody. */
pid_t instance_lock_holder(const char *run_dir, const char *file_name);
void instance_set_state(struct instance *instance, enum instance_state state);

/* supervisor_stop.c: tells the owner when all have stopped that are to stop. */
void supervisor_check_stopped(struct supervisor *supervisor);

/* What supervisor.c hears from instance.c. */
void supervisor_on_running(struct instance *instance);
void supervisor_on_link_closed(struct instance *instance, int reason);
void supervisor_on_exit(struct instance *instance);

#endif
