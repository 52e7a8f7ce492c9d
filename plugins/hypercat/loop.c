/* SPDX-License-Identifier: Apache-2.0 */
#include "loop.h"

#include <errno.h>
#include <event2/event.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

/* How often libevent looks for timeouts, and how many turns it may take before others have theirs. */
enum { TICK_US = 200000, TURNS_MAX = 8 };

struct loop {
	const struct tg_host *host;
	struct event_base *base;
	int fd;
	struct tg_watch *watch;
	struct tg_timer *tick;
	struct tg_timer *idle;
};

static bool has_work(const struct loop *loop)
{
	return event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ACTIVE) > 0;
}

static void run(struct loop *loop)
{
	int64_t now_us = loop->host->now_us(loop->host);
	int turns = 0;

	do
		(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
	while (has_work(loop) && ++turns < TURNS_MAX);
	if (has_work(loop))
		loop->host->timer_set(loop->idle, now_us + 1);
	if (event_base_get_num_events(loop->base, EVENT_BASE_COUNT_ADDED) > 0)
		loop->host->timer_set(loop->tick, now_us + TICK_US);
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	(void)fd;
	(void)ready;
	run(arg);
}

static void on_timer(void *arg)
{
	run(arg);
}

static void on_probe(evutil_socket_t fd, short what, void *arg)
{
	(void)fd;
	(void)what;
	(void)arg;
}

static bool is_readable(int fd)
{
	struct pollfd it = {.fd = fd, .events = POLLIN};

	return poll(&it, 1, 0) == 1 && it.revents == POLLIN;
}

/* Readable with an event that is ready, and not without it: then it is the descriptor that libevent waits with. */
static int prove(const struct loop *loop)
{
	int probe = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
	struct event *event;
	bool good;

	if (probe < 0)
		return -errno;
	event = event_new(loop->base, probe, EV_READ | EV_PERSIST, on_probe, NULL);
	good = event && !is_readable(loop->fd) && event_add(event, NULL) == 0 && is_readable(loop->fd) &&
	       event_del(event) == 0 && !is_readable(loop->fd);
	if (event)
		event_free(event);
	close(probe);
	return good ? 0 : -ENOSYS;
}

static struct event_base *base_new(void)
{
	struct event_config *config = event_config_new();
	struct event_base *base = NULL;

	/* One thread, and nothing from the environment. */
	if (config && event_config_require_features(config, EV_FEATURE_O1) == 0 &&
	    event_config_set_flag(config, EVENT_BASE_FLAG_NOLOCK | EVENT_BASE_FLAG_IGNORE_ENV) == 0)
		base = event_base_new_with_config(config);
	if (config)
		event_config_free(config);
	return base;
}

int loop_new(const struct tg_host *host, struct loop **ret_loop)
{
	struct loop *loop = calloc(1, sizeof(*loop));
	int r;

	if (!loop)
		return -ENOMEM;
	loop->host = host;
	loop->fd = eventfd(0, EFD_CLOEXEC); /* the lowest number that is free: the next one to be opened has it again */
	if (loop->fd >= 0)
		close(loop->fd);
	loop->base = base_new();
	r = loop->base ? prove(loop) : -ENOMEM;
	if (r >= 0)
		r = host->timer_new(host, on_timer, loop, &loop->tick);
	if (r >= 0)
		r = host->idle_new(host, on_timer, loop, &loop->idle);
	if (r < 0) {
		loop_free(loop);
		return r;
	}
	*ret_loop = loop;
	return 0;
}

void loop_free(struct loop *loop)
{
	if (!loop)
		return;
	loop->host->unwatch(loop->watch);
	loop->host->timer_free(loop->tick);
	loop->host->timer_free(loop->idle);
	if (loop->base) {
		for (int i = 0; i < TURNS_MAX; i++) /* what was freed ends there */
			(void)event_base_loop(loop->base, EVLOOP_NONBLOCK);
		event_base_free(loop->base);
	}
	free(loop);
}

struct event_base *loop_base(struct loop *loop)
{
	return loop->base;
}

int loop_start(struct loop *loop)
{
	loop_touch(loop);
	return loop->host->watch(loop->host, loop->fd, TG_READABLE, on_ready, loop, &loop->watch);
}

void loop_touch(struct loop *loop)
{
	loop->host->timer_set(loop->idle, loop->host->now_us(loop->host) + 1);
}
