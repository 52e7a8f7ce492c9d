/* SPDX-License-Identifier: Apache-2.0 */

/* What waits for devices: for status, and the command that lists it. */

#include <stdio.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "core/core_inside.h"
#include "core/method.h"

json_t *core_mailbox_describe(const struct endpoint *endpoint, json_t *problems)
{
	struct mailbox_stats stats;
	char problem[256];

	mailbox_stats(endpoint->mailbox, &stats);
	if (!ledger_balanced(endpoint->account)) {
		snprintf(problem, sizeof(problem), "the ledger of \"%s\" does not balance", endpoint->name);
		json_array_append_new(problems, json_string(problem));
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I}", "endpoint", endpoint->name, "held",
			 (json_int_t)stats.held, "devices", (json_int_t)stats.devices, "bytes", (json_int_t)stats.bytes,
			 "in_flight", (json_int_t)stats.in_flight, "telling", (json_int_t)stats.telling, "oldest_ms",
			 (json_int_t)(stats.oldest_age_us / CLOCK_MS_US), "delivered", (json_int_t)stats.delivered,
			 "refused", (json_int_t)stats.refused, "expired", (json_int_t)stats.expired, "retried",
			 (json_int_t)stats.retried);
}

struct listing {
	const char *endpoint;
	json_t *list;
};

static void add_command(void *arg, const struct mailbox_item *item, const char *state)
{
	const struct listing *listing = arg;
	char id[UUID_TEXT_SIZE], since[CLOCK_TEXT_SIZE];

	uuid_format(item->message->id, id);
	clock_format(item->message->time_wall_us, since);
	json_array_append_new(listing->list,
			      json_pack("{s:s,s:o,s:s,s:o,s:s,s:s,s:I,s:I,s:s}", "endpoint", listing->endpoint,
					"device", control_text(item->message->device), "method",
					method_name(item->message->method), "path", control_text(item->address),
					"state", state, "since", since, "expires_s", (json_int_t)item->expiry_s,
					"bytes", (json_int_t)item->message->payload.size, "id", id));
}

void core_command_commands(void *arg, struct control_call *call, const json_t *request)
{
	const char *device = json_string_value(json_object_get(request, "device"));
	struct listing listing = {.list = json_array()};
	struct core *core = arg;

	for (const struct endpoint *e = core->endpoints; e; e = e->next) {
		listing.endpoint = e->name;
		if (e->mailbox)
			mailbox_show(e->mailbox, bytes_text(device), add_command, &listing);
	}
	control_reply(call, listing.list);
}
