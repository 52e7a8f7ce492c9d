/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BASE_LOOP_H
#define BASE_LOOP_H

/*
 * The event loop of all three programs, and the one door to libsystemd: sd-event, sd_notify and the journal.
 *
 * Everything here belongs to one thread, but loop_post. A source (struct loop_io, loop_timer …) is owned by whoever made it and
 * ends with its _free, which accepts NULL and may be called from within its own callback.
 */

#include <signal.h>
#include <stdint.h>

#include "base/cleanup.h"
#include "base/log.h"

struct loop;
struct loop_io;
struct loop_timer;
struct loop_signal;
struct loop_folder;

/* The numbers of enum tg_ready. */
enum loop_ready { LOOP_READABLE = 1, LOOP_WRITABLE = 2, LOOP_BROKEN = 4 };

typedef void loop_io_fn(void *arg, int fd, uint32_t ready);
typedef void loop_call_fn(void *arg);
typedef void loop_signal_fn(void *arg, int signal);

int loop_new(struct loop **ret_loop) WARN_UNUSED;
void loop_free(struct loop *loop);

/* Runs until loop_exit, which is called from within. Returns the exit's code, or a negative errno. Can be run again. */
int loop_run(struct loop *loop) WARN_UNUSED;
void loop_exit(struct loop *loop, int code);

/* One turn of a loop that loop_run does not run: waits up to `wait_us` for something and hands it out. Returns whether there
 * was something, or a negative errno. */
int loop_turn(struct loop *loop, int64_t wait_us) WARN_UNUSED;

/* Monotonic time of this turn. Units: microseconds. */
int64_t loop_now_us(struct loop *loop);

/* Calls `fn` when `fd` is ready for `events`; LOOP_BROKEN comes unasked. The descriptor is not owned. */
int loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg,
		struct loop_io **ret_io) WARN_UNUSED;
int loop_io_set(struct loop_io *io, uint32_t events);
void loop_io_free(struct loop_io *io);

/* A one-shot timer, stopped at first. `at_us` 0 stops it. */
int loop_timer_new(struct loop *loop, loop_call_fn *fn, void *arg, struct loop_timer **ret_timer) WARN_UNUSED;
void loop_timer_set(struct loop_timer *timer, int64_t at_us);
void loop_timer_free(struct loop_timer *timer);

/* Like a timer, but fires (after any loop_timer_set with at_us other than 0) behind everything that is ready already, and
 * before anything that gets ready later: the place to send what was collected as one batch, and no flood can starve it. */
int loop_idle_new(struct loop *loop, loop_call_fn *fn, void *arg, struct loop_timer **ret_timer) WARN_UNUSED;

/* Blocks the signal and calls `fn` from the loop instead. */
int loop_signal_new(struct loop *loop, int signal, loop_signal_fn *fn, void *arg,
		    struct loop_signal **ret_signal) WARN_UNUSED;
void loop_signal_free(struct loop_signal *signal);

/* Calls `fn` when something in the folder was made, written, moved, removed, or the folder itself was. What it was must be looked at;
 * what happens on another machine (NFS), or behind a symbolic link in the path, is not seen. Errors: -ENOENT, -ENOTDIR,
 * -ENOSPC: too many watches. */
int loop_folder_new(struct loop *loop, const char *path, loop_call_fn *fn, void *arg,
		    struct loop_folder **ret_folder) WARN_UNUSED;
void loop_folder_free(struct loop_folder *folder);

/* Runs `fn` in the loop's thread soon, in the order posted. Any thread. Errors: -ENOMEM: not posted. */
int loop_post(struct loop *loop, loop_call_fn *fn, void *arg) WARN_UNUSED;

/* sd_notify(3): "READY=1", "STATUS=…"; nothing happens outside of systemd. */
void loop_notify(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* The sockets that the service manager holds for this process (sd_listen_fds(3)): returns how many there are from *ret_first on, and
 * their names (FileDescriptorName=). The second time, and outside of systemd, there are none.
 * Ownership: descriptors, names and the array, which is NULL where there are none, are the caller's. Errors: -errno. */
int loop_sockets(int *ret_first, char ***ret_names) WARN_UNUSED;

/* The time within which "WATCHDOG=1" has to be told again, 0 where there is no watchdog. Units: microseconds. */
int64_t loop_watchdog_us(void);

/* The sink for log_set_sink: the journal with fields where standard error is connected to it, else standard error. */
void log_to_system(void *arg, enum log_level level, const struct log_fields *fields, const char *text);

#endif
