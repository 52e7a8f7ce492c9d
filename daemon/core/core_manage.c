/* SPDX-License-Identifier: Apache-2.0 */

/* The commands that change or explain how the gateway runs. */

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/config_print.h"
#include "core/core_inside.h"
#include "core/method.h"
#include "core/schema.h"

int64_t core_held(const struct core *core)
{
	int64_t held = 0;

	for (const struct endpoint *e = core->endpoints; e; e = e->next)
		held += e->outbox ? ledger_held(e->account) : 0;
	return held;
}

static void command_config(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	bool defaults = json_is_true(json_object_get(request, "defaults"));
	const struct descriptor *const *list = NULL;
	size_t size = 0, count = descriptor_set_list(core->adapters, (const struct descriptor *const **)&list);
	char *text = NULL;
	FILE *out = open_memstream(&text, &size);

	if (!out) {
		control_fail(call, "failed", "out of memory");
		return;
	}
	if (defaults)
		schema_print_defaults(out, list, count);
	else
		config_print(core->config, out);
	if (fclose(out) == 0)
		control_reply(call, json_pack("{s:o,s:o}", "file", control_text(bytes_text(core->config->file)), "text",
					      control_text(bytes_of(text, size))));
	else
		control_fail(call, "failed", "out of memory");
	free(text);
}

struct routes_test {
	json_t *steps;
	const char *refused; /* why the device's profile keeps the message from every route; NULL: it does not */
	const char *profile; /* its name; NULL: the endpoint knows no devices */
	int32_t format;
};

/* The content format that the route gives the payload: a media type, or a number. */
static json_t *format_of(const struct config_route *route, int32_t format)
{
	int32_t result = transform_format(&route->transform, format);
	const char *type = config_format_type(result);

	if (result == TG_FORMAT_NONE)
		return json_string("none");
	return *type ? json_string(type) : json_sprintf("%d", (int)result);
}

static void add_step(void *arg, const struct router_target *target, enum router_step step, bool goes)
{
	const struct routes_test *test = arg;
	const struct config_route *route = target->route;
	const struct config_transform *rule = &route->transform;
	struct tg_bytes address = test->refused ? bytes_of(NULL, 0) : target->address;
	const char *method = target->method ? method_name(target->method) : "POST";
	json_array_append_new(
		test->steps, json_pack("{s:s,s:s,s:o,s:s,s:b,s:s*,s:o,s:b,s:b}", "route", route->name, "to",
				       config_section_text(&route->settings, "to"), "address", control_text(address),
				       "step", test->refused ? test->refused : router_step_text(step), "goes",
				       goes && !test->refused, "profile", test->profile, "format",
				       format_of(route, test->format), "split", rule->split, "resolve", rule->resolve));
	if (goes && !test->refused && route->source_device)
		json_object_set_new(json_array_get(test->steps, json_array_size(test->steps) - 1), "source",
				    control_text(target->device));
	if (goes && !test->refused && route->command.wanted) {
		json_t *last = json_array_get(test->steps, json_array_size(test->steps) - 1);

		json_object_set_new(last, "device", control_text(target->to_device));
		json_object_set_new(last, "method", json_string(method));
	}
}

static void command_routes_test(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *from = json_string_value(json_object_get(request, "endpoint"));
	const char *device = json_string_value(json_object_get(request, "device"));
	const char *path = json_string_value(json_object_get(request, "path"));
	const char *format = json_string_value(json_object_get(request, "format"));
	const struct config_endpoint *endpoint = from ? config_endpoint(core->config, from) : NULL;
	struct routes_test test = {.format = TG_FORMAT_NONE};
	json_t *steps;

	if (!endpoint) {
		control_fail(call, "unknown", "there is no endpoint \"%s\"", from ? from : "");
		return;
	}
	if (!device || !path || !*device || strlen(device) > TG_DEVICE_MAX || strlen(path) > TG_PATH_MAX) {
		control_fail(call, "invalid", "a device of 1 to %u bytes and a path of up to %u are wanted",
			     TG_DEVICE_MAX, TG_PATH_MAX);
		return;
	}
	if (format && config_format_parse(format, &test.format) < 0) {
		control_fail(call, "invalid", "\"%s\" is neither a known media type nor a number", format);
		return;
	}
	test.steps = steps = json_array();
	path += *path == '/';
	if (endpoint->descriptor->flags & TG_DEVICES)
		test.refused = core_profile_refuses_path(core, from, device, path, &test.profile);
	router_test(core->router, (size_t)(endpoint - core->config->endpoints),
		    &(struct router_message){TG_TELEMETRY, bytes_text(device), bytes_text(path), test.format, 0, false},
		    add_step, &test);
	control_reply(call, steps);
}

static void command_reload(void *arg, struct control_call *call, const json_t *request)
{
	json_t *report = NULL;
	int r = core_reload_now(arg, &report);

	(void)request;
	if (r >= 0) {
		control_reply(call, report);
		return;
	}
	control_fail(call, "invalid", "the running configuration stays as it is:\n%s",
		     json_string_value(json_object_get(report, "errors")));
	json_decref(report);
}

void core_check_drain(struct core *core)
{
	struct control_call *call = core->drain;
	int64_t held = core_held(core);

	if (!call || (held > 0 && loop_now_us(core->loop) < core->drain_until_us))
		return;
	core->drain = NULL;
	control_reply(call, json_pack("{s:s,s:I}", "state", core->state == CORE_STOPPING ? "stopping" : "draining",
				      "held", (json_int_t)held));
}

static void command_drain(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	bool on = json_is_true(json_object_get(request, "on"));
	json_int_t wait_ms = json_integer_value(json_object_get(request, "wait_ms"));

	if (core->state != CORE_RUNNING && core->state != CORE_DRAINING) {
		control_fail(call, "failed", "the gateway is starting or stopping");
		return;
	}
	if (on != (core->state == CORE_DRAINING))
		log_notice(on ? "draining: new messages are refused until drain is switched off"
			      : "takes messages in again");
	core->state = on ? CORE_DRAINING : CORE_RUNNING;
	if (!on || core->drain || wait_ms <= 0 || wait_ms > 60000) {
		control_reply(call, json_pack("{s:s,s:I}", "state", on ? "draining" : "running", "held",
					      (json_int_t)core_held(core)));
		return;
	}
	core->drain = call;
	core->drain_until_us = loop_now_us(core->loop) + wait_ms * CLOCK_MS_US;
	core_check_drain(core);
}

const struct control_command core_commands[] = {{"status", core_command_status},
						{"sessions", core_command_sessions},
						{"outbox", core_command_outbox},
						{"commands", core_command_commands},
						{"audit", core_command_audit},
						{"device-add", core_command_device_add},
						{"device-list", core_command_device_list},
						{"device-show", core_command_device_show},
						{"device-revoke", core_command_device_revoke},
						{"device-profile", core_command_device_profile},
						{"device-certificate", core_command_device_certificate},
						{"device-ca", core_command_device_ca},
						{"device-import", core_command_device_import},
						{"device-rekey", core_command_device_rekey},
						{"device-rotate", core_command_device_rotate},
						{"profiles", core_command_profiles},
						{"readings", core_command_readings},
						{"certs-renew", core_command_certs_renew},
						{"certs-renewals", core_command_certs_renewals},
						{"tail", core_command_tail},
						{"explain", core_command_explain},
						{"config", command_config},
						{"config-trial", core_command_config_trial},
						{"routes-test", command_routes_test},
						{"reload", command_reload},
						{"drain", command_drain},
						{"clock-accept", core_command_clock_accept},
						{"certs", core_command_certs},
						{NULL, NULL}};
