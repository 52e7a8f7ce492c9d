/* SPDX-License-Identifier: Apache-2.0 */

/* All about one device in one answer: who it is, whether it is there, what came of it, which way that takes, what happened to it. */

#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/table.h"

/* As ctl_ask, for what may well be missing: NULL, and nothing is said. */
static json_t *ask_quietly(struct ctl *ctl, json_t *request)
{
	int r = client_send(&ctl->client, request);
	json_t *answer = r >= 0 ? client_receive(&ctl->client, 30000, &r) : NULL, *result;

	result = json_is_true(json_object_get(answer, "ok")) ? json_incref(json_object_get(answer, "result")) : NULL;
	json_decref(answer);
	return result;
}

static json_t *ask_about(struct ctl *ctl, const char *command, const char *device)
{
	return ask_quietly(ctl, json_pack("{s:s,s:s}", "command", command, "device", device));
}

/* Where each path of the device's last readings goes by the routes as they are now. */
static json_t *ask_ways(struct ctl *ctl, const char *endpoint, const char *device, const json_t *readings)
{
	json_t *ways = json_array();
	const json_t *reading;
	size_t i;

	json_array_foreach(readings, i, reading)
	{
		const char *path = ctl_text(reading, "path");
		json_t *routes = ask_quietly(ctl, json_pack("{s:s,s:s,s:s,s:s}", "command", "routes-test", "endpoint",
							    endpoint, "device", device, "path", path));

		if (routes)
			json_array_append_new(ways, json_pack("{s:s,s:o}", "path", path, "routes", routes));
	}
	return ways;
}

static void print_device(const json_t *device, const char *name)
{
	if (!device) {
		printf("%s%s%s  is not in the registry\n", table_bold(), name, table_plain());
		return;
	}
	printf("%s%s%s  %s, for endpoint \"%s\", profile \"%s\"%s%s\n", table_bold(), name, table_plain(),
	       ctl_text(device, "state"), ctl_text(device, "endpoint"), ctl_text(device, "profile"),
	       *ctl_text(device, "last_seen") ? ", last seen " : ", not seen since the gateway started",
	       ctl_text(device, "last_seen"));
}

static void print_sessions(const json_t *sessions)
{
	const json_t *session;
	size_t i;

	if (json_array_size(sessions) == 0)
		puts("It has no session.");
	json_array_foreach(sessions, i, session)
		printf("Session from %s since %s: %s, %s.\n", ctl_text(session, "peer"), ctl_text(session, "since"),
		       ctl_text(session, "version"), ctl_text(session, "cipher"));
}

static void print_ways(const json_t *ways)
{
	const json_t *way, *route;
	size_t i, j;

	if (json_array_size(ways))
		puts("\nWhere its paths go:");
	json_array_foreach(ways, i, way)
	{
		json_array_foreach(json_object_get(way, "routes"), j, route)
		{
			bool goes = json_is_true(json_object_get(route, "goes"));

			printf("  /%s  %s \"%s\": %s%s%s\n", ctl_text(way, "path"), goes ? "by route" : "not by",
			       ctl_text(route, "route"), goes ? ctl_text(route, "to") : ctl_text(route, "step"),
			       goes ? " " : "", goes ? ctl_text(route, "address") : "");
		}
	}
}

static void print_events(const json_t *events, long long kept)
{
	const json_t *event;
	size_t i;

	if (json_array_size(events) == 0) {
		printf("\nNothing happened to its messages among the last %lld of all.\n", kept);
		return;
	}
	puts("\nWhat happened:");
	json_array_foreach(events, i, event)
	{
		fputs("  ", stdout);
		ctl_event_print(event);
	}
}

static json_t *gather(struct ctl *ctl, const char *name)
{
	json_t *device = ask_about(ctl, "device-show", name), *kept = ask_about(ctl, "readings", name);
	json_t *sessions = ask_about(ctl, "sessions", name), *commands = ask_about(ctl, "commands", name);
	json_t *readings = json_incref(json_object_get(kept, "readings")), *ways;

	ways = ask_ways(ctl, ctl_text(device, "endpoint"), name, readings);
	json_decref(kept);
	return json_pack("{s:s,s:o*,s:o*,s:o*,s:o*,s:o}", "name", name, "device", device, "sessions", sessions,
			 "readings", readings, "commands", commands, "ways", ways);
}

int ctl_explain(struct ctl *ctl)
{
	json_t *all, *events;
	int r;

	if (ctl->argc != 1)
		return ctl_bad_usage(ctl, "explain wants one device's name");
	r = ctl_ask(ctl, json_pack("{s:s,s:s}", "command", "explain", "device", ctl->argv[0]), &events);
	if (r != CTL_GOOD)
		return r;
	all = gather(ctl, ctl->argv[0]);
	json_object_set(all, "events", json_object_get(events, "events"));
	if (!ctl_print_json(ctl, all)) {
		ctl_clean(all);
		print_device(json_object_get(all, "device"), ctl_text(all, "name"));
		print_sessions(json_object_get(all, "sessions"));
		if (json_array_size(json_object_get(all, "commands")))
			printf("%zu commands wait for it (tidegatectl commands %s).\n",
			       json_array_size(json_object_get(all, "commands")), ctl_text(all, "name"));
		print_ways(json_object_get(all, "ways"));
		print_events(json_object_get(all, "events"), ctl_number(events, "kept"));
	}
	json_decref(events);
	json_decref(all);
	return CTL_GOOD;
}
