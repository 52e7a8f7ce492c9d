/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/resolver.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>

#include "confine/resolve.h"

struct resolver {
	int fd;
	struct loop_io *io;
	loop_call_fn *on_changed;
	void *arg;
};

static bool is_ours(const char *name)
{
	static const char *const names[] = {"resolv.conf", "hosts", "nsswitch.conf", "gai.conf", "host.conf"};

	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (strcmp(name, names[i]) == 0)
			return true;
	}
	return false;
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	_Alignas(struct inotify_event) char events[4096];
	struct resolver *resolver = arg;
	bool changed = false;
	ssize_t n = read(fd, events, sizeof(events));

	(void)ready;
	for (ssize_t at = 0; at < n;) {
		const struct inotify_event *event = (const struct inotify_event *)(const void *)(events + at);

		changed |= event->len > 0 && is_ours(event->name);
		at += (ssize_t)(sizeof(*event) + event->len);
	}
	if (changed)
		resolver->on_changed(resolver->arg);
}

int resolver_new(struct loop *loop, const char *folder, loop_call_fn *on_changed, void *arg,
		 struct resolver **ret_resolver)
{
	struct resolver *resolver = calloc(1, sizeof(*resolver));
	int r = 0;

	if (!resolver)
		return -ENOMEM;
	resolve_prepare();
	resolver->on_changed = on_changed;
	resolver->arg = arg;
	resolver->fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	if (resolver->fd < 0 || inotify_add_watch(resolver->fd, folder, IN_MOVED_TO | IN_CREATE) < 0)
		r = -errno;
	if (r >= 0)
		r = loop_io_new(loop, resolver->fd, LOOP_READABLE, on_ready, resolver, &resolver->io);
	if (r < 0) {
		resolver_free(resolver);
		return r;
	}
	*ret_resolver = resolver;
	return 0;
}

void resolver_free(struct resolver *resolver)
{
	if (!resolver)
		return;
	loop_io_free(resolver->io);
	if (resolver->fd >= 0)
		close(resolver->fd);
	free(resolver);
}
