/* SPDX-License-Identifier: Apache-2.0 */
#include "wake.h"

#include <errno.h>
#include <sys/eventfd.h>
#include <unistd.h>

static void on_rung(void *arg, int fd, uint32_t ready)
{
	struct wake *wake = arg;
	eventfd_t count;

	(void)ready;
	eventfd_read(fd, &count);
	/* Before the call: what happens during it rings again. */
	atomic_store(&wake->rung, false);
	wake->fn(wake->arg);
}

int wake_init(struct wake *wake, const struct tg_host *host, tg_call_fn *fn, void *arg)
{
	wake->host = host;
	wake->fn = fn;
	wake->arg = arg;
	wake->watch = NULL;
	atomic_init(&wake->rung, false);
	wake->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	return wake->fd < 0 ? -errno : host->watch(host, wake->fd, TG_READABLE, on_rung, wake, &wake->watch);
}

void wake_done(struct wake *wake)
{
	if (!wake->host)
		return;
	wake->host->unwatch(wake->watch);
	if (wake->fd >= 0)
		close(wake->fd);
	wake->fd = -1;
	wake->watch = NULL;
}

void wake_ring(struct wake *wake)
{
	if (!atomic_exchange(&wake->rung, true))
		eventfd_write(wake->fd, 1);
}
