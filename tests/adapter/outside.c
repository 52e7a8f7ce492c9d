/* SPDX-License-Identifier: Apache-2.0 */

/* The least adapter there can be, as its author would begin: a sink that confirms everything. */

#include <errno.h>
#include <stdlib.h>
#include <tidegate/adapter.h>

#ifndef MAJOR
#define MAJOR TG_ADAPTER_MAJOR
#endif

struct outside {
	const struct tg_host *host;
};

static int outside_open(const struct tg_host *host, void **ret_state)
{
	struct outside *outside = malloc(sizeof(*outside));

	if (!outside)
		return -ENOMEM;
	outside->host = host;
	*ret_state = outside;
	return 0;
}

static int outside_start(void *state)
{
	struct outside *outside = state;

	outside->host->link(outside->host, TG_LINK_UP, outside->host->setting_text(outside->host, "greeting"));
	return 0;
}

static int outside_deliver(void *state, const struct tg_delivery *delivery)
{
	struct outside *outside = state;

	outside->host->delivered(outside->host, delivery->ticket, TG_CONFIRMED, NULL);
	return 0;
}

static void outside_close(void *state)
{
	free(state);
}

static const struct tg_setting settings[] = {
	{"greeting", TG_TEXT, TG_LIVE, "", "hello", 0, 80, NULL, "said when the link is up"},
	{0},
};

const struct tg_adapter tidegate_adapter = {
	.major = MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(tidegate_adapter),
	.roles = TG_SINK,
	.name = "outside",
	.version = "0.1",
	.summary = "built outside of the tree",
	.settings = settings,
	.open = outside_open,
	.start = outside_start,
	.deliver = outside_deliver,
	.close = outside_close,
};
