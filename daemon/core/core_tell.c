/* SPDX-License-Identifier: Apache-2.0 */

/* What happens to messages is told to those who watch, and kept for a while for those who ask later (trace.h). */

#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/uuid.h"
#include "core/core_inside.h"
#include "core/trace.h"

static json_t *describe(const struct trace_event *event)
{
	char id[UUID_TEXT_SIZE] = "", time[CLOCK_TEXT_SIZE];
	json_t *object;

	if (event->id)
		uuid_format(event->id, id);
	clock_format(event->time_wall_us, time);
	object = json_pack("{s:s,s:s,s:o,s:o,s:o*,s:o,s:o*,s:s}", "time", time, "what", event->what, "device",
			   control_text(event->device), "path", control_text(event->path), "to",
			   event->to.size ? control_text(event->to) : NULL, "address", control_text(event->address),
			   "reason", event->reason.size ? control_text(event->reason) : NULL, "id", id);
	if (object && event->id)
		json_object_set_new(object, "bytes", json_integer((json_int_t)event->payload_bytes));
	return object;
}

void core_tell(struct core *core, const char *what, struct tg_bytes device, struct tg_bytes path,
	       const struct message *message, const char *to, struct tg_bytes address, const char *reason)
{
	const struct trace_event event = {.what = what,
					  .time_wall_us = core_now_wall_us(core),
					  .device = device,
					  .path = path,
					  .to = to ? bytes_text(to) : bytes_of(NULL, 0),
					  .address = address,
					  .reason = reason ? bytes_text(reason) : bytes_of(NULL, 0),
					  .id = message ? message->id : NULL,
					  .payload_bytes = message ? message->payload.size : 0};
	CLEANUP_FREE char *name = NULL;
	json_t *object;

	trace_add(core->trace, &event);
	if (!control_has_streams(core->control))
		return;
	name = bytes_to_text(device);
	object = describe(&event);
	if (object)
		control_publish(core->control, name, object);
}

void core_tell_apply(struct core *core)
{
	int r = trace_set_count(core->trace, core->config->limits.trace_events);

	if (r < 0)
		log_warning("the events for tidegatectl explain keep their old number (%s)", strerror(-r));
}

void core_command_tail(void *arg, struct control_call *call, const json_t *request)
{
	(void)arg;
	control_stream(call, json_string_value(json_object_get(request, "device")));
}

static int add_event(void *arg, const struct trace_event *event)
{
	json_array_append_new(arg, describe(event));
	return 0;
}

void core_command_explain(void *arg, struct control_call *call, const json_t *request)
{
	const char *device = json_string_value(json_object_get(request, "device"));
	json_t *events = json_array();
	struct core *core = arg;

	if (!device) {
		json_decref(events);
		control_fail(call, "usage", "which device?");
		return;
	}
	trace_each(core->trace, bytes_text(device), add_event, events);
	control_reply(call,
		      json_pack("{s:o,s:I}", "events", events, "kept", (json_int_t)core->config->limits.trace_events));
}
