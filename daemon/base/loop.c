/* SPDX-License-Identifier: Apache-2.0 */
#define SD_JOURNAL_SUPPRESS_LOCATION
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <systemd/sd-daemon.h>
#include <systemd/sd-event.h>
#include <systemd/sd-journal.h>

struct posted {
	struct posted *next;
	loop_call_fn *fn;
	void *arg;
};

struct loop {
	sd_event *event;
	bool exiting;
	int exit_code;
	int post_fd;
	sd_event_source *post_source;
	pthread_mutex_t post_lock; /* guards the two below */
	struct posted *post_first;
	struct posted **post_last;
};

struct loop_io {
	sd_event_source *source;
	loop_io_fn *fn;
	void *arg;
};

struct loop_timer {
	sd_event_source *source;
	loop_call_fn *fn;
	void *arg;
	bool idle;
};

struct loop_folder {
	sd_event_source *source;
	loop_call_fn *fn;
	void *arg;
};

struct loop_signal {
	sd_event_source *source;
	loop_signal_fn *fn;
	void *arg;
};

static struct posted *take_posted(struct loop *loop)
{
	struct posted *first;

	pthread_mutex_lock(&loop->post_lock);
	first = loop->post_first;
	loop->post_first = NULL;
	loop->post_last = &loop->post_first;
	pthread_mutex_unlock(&loop->post_lock);
	return first;
}

static int on_posted(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct posted *next;
	uint64_t count;

	(void)source;
	(void)revents;
	if (read(fd, &count, sizeof(count)) < 0 && errno != EAGAIN)
		return -errno;
	for (struct posted *p = take_posted(arg); p; p = next) {
		next = p->next;
		p->fn(p->arg);
		free(p);
	}
	return 0;
}

int loop_new(struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	pthread_mutex_init(&loop->post_lock, NULL);
	loop->post_last = &loop->post_first;
	loop->post_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	r = loop->post_fd < 0 ? -errno : sd_event_new(&loop->event);
	if (r >= 0)
		r = sd_event_add_io(loop->event, &loop->post_source, loop->post_fd, EPOLLIN, on_posted, loop);
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	struct posted *next;

	if (!loop)
		return;
	for (struct posted *p = take_posted(loop); p; p = next) {
		next = p->next;
		free(p);
	}
	sd_event_source_disable_unref(loop->post_source);
	sd_event_unref(loop->event);
	if (loop->post_fd >= 0)
		close(loop->post_fd);
	pthread_mutex_destroy(&loop->post_lock);
	free(loop);
}

int loop_run(struct loop *loop)
{
	loop->exiting = false;
	while (!loop->exiting) {
		int r = sd_event_run(loop->event, UINT64_MAX);

		if (r < 0)
			return r;
	}
	return loop->exit_code;
}

void loop_exit(struct loop *loop, int code)
{
	loop->exit_code = code;
	loop->exiting = true;
}

int loop_turn(struct loop *loop, int64_t wait_us)
{
	return sd_event_run(loop->event, wait_us > 0 ? (uint64_t)wait_us : 0);
}

int64_t loop_now_us(struct loop *loop)
{
	uint64_t now = 0;

	sd_event_now(loop->event, CLOCK_MONOTONIC, &now);
	return (int64_t)now;
}

static uint32_t to_epoll(uint32_t events)
{
	return (events & LOOP_READABLE ? EPOLLIN : 0u) | (events & LOOP_WRITABLE ? EPOLLOUT : 0u);
}

static int on_io(sd_event_source *source, int fd, uint32_t revents, void *arg)
{
	struct loop_io *io = arg;

	(void)source;
	io->fn(io->arg, fd,
	       (revents & EPOLLIN ? LOOP_READABLE : 0u) | (revents & EPOLLOUT ? LOOP_WRITABLE : 0u) |
		       (revents & (EPOLLERR | EPOLLHUP) ? LOOP_BROKEN : 0u));
	return 0;
}

int loop_io_new(struct loop *loop, int fd, uint32_t events, loop_io_fn *fn, void *arg, struct loop_io **ret_io)
{
	struct loop_io *io = calloc(1, sizeof(*io));
	int r;

	if (!io)
		return -ENOMEM;
	io->fn = fn;
	io->arg = arg;
	r = sd_event_add_io(loop->event, &io->source, fd, to_epoll(events), on_io, io);
	if (r < 0) {
		free(io);
		return r;
	}
	*ret_io = io;
	return 0;
}

int loop_io_set(struct loop_io *io, uint32_t events)
{
	return sd_event_source_set_io_events(io->source, to_epoll(events));
}

void loop_io_free(struct loop_io *io)
{
	if (!io)
		return;
	sd_event_source_disable_unref(io->source);
	free(io);
}

static int on_time(sd_event_source *source, uint64_t usec, void *arg)
{
	struct loop_timer *timer = arg;

	(void)source;
	(void)usec;
	timer->fn(timer->arg);
	return 0;
}

static int on_idle(sd_event_source *source, void *arg)
{
	struct loop_timer *timer = arg;

	(void)source;
	timer->fn(timer->arg);
	return 0;
}

static int new_timer(struct loop *loop, bool idle, loop_call_fn *fn, void *arg, struct loop_timer **ret_timer)
{
	struct loop_timer *timer = calloc(1, sizeof(*timer));
	int r;

	if (!timer)
		return -ENOMEM;
	timer->fn = fn;
	timer->arg = arg;
	timer->idle = idle;
	r = idle ? sd_event_add_defer(loop->event, &timer->source, on_idle, timer)
		 : sd_event_add_time(loop->event, &timer->source, CLOCK_MONOTONIC, 0, 1, on_time, timer);
	if (r >= 0)
		r = sd_event_source_set_enabled(timer->source, SD_EVENT_OFF);
	if (r < 0) {
		loop_timer_free(timer);
		return r;
	}
	*ret_timer = timer;
	return 0;
}

int loop_timer_new(struct loop *loop, loop_call_fn *fn, void *arg, struct loop_timer **ret_timer)
{
	return new_timer(loop, false, fn, arg, ret_timer);
}

int loop_idle_new(struct loop *loop, loop_call_fn *fn, void *arg, struct loop_timer **ret_timer)
{
	return new_timer(loop, true, fn, arg, ret_timer);
}

void loop_timer_set(struct loop_timer *timer, int64_t at_us)
{
	if (at_us && !timer->idle)
		sd_event_source_set_time(timer->source, (uint64_t)at_us);
	sd_event_source_set_enabled(timer->source, at_us ? SD_EVENT_ONESHOT : SD_EVENT_OFF);
}

void loop_timer_free(struct loop_timer *timer)
{
	if (!timer)
		return;
	sd_event_source_disable_unref(timer->source);
	free(timer);
}

static int on_signal(sd_event_source *source, const struct signalfd_siginfo *info, void *arg)
{
	struct loop_signal *signal = arg;

	(void)source;
	signal->fn(signal->arg, (int)info->ssi_signo);
	return 0;
}

int loop_signal_new(struct loop *loop, int signal, loop_signal_fn *fn, void *arg, struct loop_signal **ret_signal)
{
	struct loop_signal *made = calloc(1, sizeof(*made));
	sigset_t set;
	int r;

	if (!made)
		return -ENOMEM;
	made->fn = fn;
	made->arg = arg;
	sigemptyset(&set);
	sigaddset(&set, signal);
	pthread_sigmask(SIG_BLOCK, &set, NULL);
	r = sd_event_add_signal(loop->event, &made->source, signal, on_signal, made);
	if (r < 0) {
		free(made);
		return r;
	}
	*ret_signal = made;
	return 0;
}

void loop_signal_free(struct loop_signal *signal)
{
	if (!signal)
		return;
	sd_event_source_disable_unref(signal->source);
	free(signal);
}

static int on_folder(sd_event_source *source, const struct inotify_event *event, void *arg)
{
	struct loop_folder *folder = arg;

	(void)source;
	(void)event;
	folder->fn(folder->arg);
	return 0;
}

int loop_folder_new(struct loop *loop, const char *path, loop_call_fn *fn, void *arg, struct loop_folder **ret_folder)
{
	const uint32_t mask = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ATTRIB |
			      IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR;
	struct loop_folder *folder = calloc(1, sizeof(*folder));
	int r;

	if (!folder)
		return -ENOMEM;
	folder->fn = fn;
	folder->arg = arg;
	r = sd_event_add_inotify(loop->event, &folder->source, path, mask, on_folder, folder);
	if (r < 0) {
		free(folder);
		return r;
	}
	*ret_folder = folder;
	return 0;
}

void loop_folder_free(struct loop_folder *folder)
{
	if (!folder)
		return;
	sd_event_source_disable_unref(folder->source);
	free(folder);
}

int loop_post(struct loop *loop, loop_call_fn *fn, void *arg)
{
	struct posted *p = malloc(sizeof(*p));
	bool wake;

	if (!p)
		return -ENOMEM;
	*p = (struct posted){.fn = fn, .arg = arg};
	pthread_mutex_lock(&loop->post_lock);
	wake = !loop->post_first;
	*loop->post_last = p;
	loop->post_last = &p->next;
	pthread_mutex_unlock(&loop->post_lock);
	if (wake && write(loop->post_fd, &(uint64_t){1}, sizeof(uint64_t)) < 0)
		assert(errno == EAGAIN);
	return 0;
}

void loop_notify(const char *format, ...)
{
	char text[512];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	sd_notify(0, text);
}

int loop_sockets(int *ret_first, char ***ret_names)
{
	*ret_first = SD_LISTEN_FDS_START;
	return sd_listen_fds_with_names(1, ret_names);
}

int64_t loop_watchdog_us(void)
{
	uint64_t usec = 0;

	return sd_watchdog_enabled(0, &usec) > 0 ? (int64_t)usec : 0;
}

/* Whether standard error is the socket that the service manager named in JOURNAL_STREAM. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long device, inode;
	struct stat st;

	return stream && sscanf(stream, "%llu:%llu", &device, &inode) == 2 && fstat(STDERR_FILENO, &st) == 0 &&
	       st.st_dev == device && st.st_ino == inode;
}

struct journal_entry {
	struct iovec vec[8];
	char text[8][1200];
	int n;
};

static void journal_add(struct journal_entry *entry, const char *name, const char *value)
{
	int length;

	if (!value)
		return;
	length = snprintf(entry->text[entry->n], sizeof(entry->text[0]), "%s=%s", name, value);
	if (length < 0)
		return;
	if ((size_t)length >= sizeof(entry->text[0]))
		length = (int)sizeof(entry->text[0]) - 1;
	entry->vec[entry->n] = (struct iovec){.iov_base = entry->text[entry->n], .iov_len = (size_t)length};
	entry->n++;
}

void log_to_system(void *arg, enum log_level level, const struct log_fields *fields, const char *text)
{
	static const char *const names[] = {"", "", "", "error: ", "warning: ", "", "", "debug: "};
	struct journal_entry entry = {.n = 0};
	const char *who = fields->endpoint;

	(void)arg;
	if (!stderr_is_journal()) {
		fprintf(stderr, "%s%s%s%s\n", names[level & 7], who ? who : "", who ? ": " : "", text);
		return;
	}
	journal_add(&entry, "PRIORITY", (const char[]){(char)('0' + level), 0});
	journal_add(&entry, "TG_ENDPOINT", fields->endpoint);
	journal_add(&entry, "TG_DEVICE", fields->device);
	journal_add(&entry, "TG_ROUTE", fields->route);
	journal_add(&entry, "TG_MESSAGE", fields->message);
	journal_add(&entry, "MESSAGE_ID", fields->event);
	journal_add(&entry, "MESSAGE", text);
	sd_journal_sendv(entry.vec, entry.n);
}
