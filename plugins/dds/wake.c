/* SPDX-License-Identifier: Apache-2.0 */
#include "wake.h"

void wake_init(struct wake *wake, const struct tg_host *host, tg_call_fn *fn, void *arg)
{
	wake->host = host;
	wake->fn = fn;
	wake->arg = arg;
	atomic_init(&wake->rung, false);
}

static void on_rung(void *arg)
{
	struct wake *wake = arg;

	/* Before the call: what happens during it rings again. */
	atomic_store(&wake->rung, false);
	wake->fn(wake->arg);
}

void wake_ring(struct wake *wake)
{
	if (atomic_exchange(&wake->rung, true))
		return;
	if (wake->host->post(wake->host, on_rung, wake) < 0)
		atomic_store(&wake->rung, false); /* no memory: the next ring tries again */
}
