/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/table.h"

static void print_lines(const json_t *lines, const char *title)
{
	json_t *line;
	size_t i;

	if (json_array_size(lines) == 0)
		return;
	printf("%s\n", title);
	json_array_foreach(lines, i, line) printf("  %s\n", json_is_string(line) ? json_string_value(line) : "?");
}

int ctl_config(struct ctl *ctl)
{
	bool defaults = ctl_flag(ctl, "--defaults");
	json_t *result;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "config takes --defaults or nothing");
	r = ctl_ask(ctl, json_pack("{s:s,s:b}", "command", "config", "defaults", defaults), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		fputs(ctl_text(result, "text"), stdout);
	json_decref(result);
	return CTL_GOOD;
}

/* The address, or what keeps the message from going there. */
static const char *why_not(const json_t *route)
{
	if (json_is_true(json_object_get(route, "goes")))
		return ctl_text(route, "address");
	return *ctl_text(route, "address") ? "(a route before it has taken it)" : ctl_text(route, "step");
}

/* What the payload is where it goes, and what was done to it. */
static void add_format(struct table *table, unsigned column, const json_t *route)
{
	table_cell(table, column, "%s%s%s", ctl_text(route, "format"),
		   json_is_true(json_object_get(route, "resolve")) ? ", resolved" : "",
		   json_is_true(json_object_get(route, "split")) ? ", split" : "");
}

int ctl_routes_test(struct ctl *ctl)
{
	static const char *const titles[] = {"ROUTE", "GOES", "TO", "ADDRESS", "FORMAT", NULL};
	struct table table;
	json_t *result, *route;
	bool any = false;
	size_t i;
	int r;

	if (ctl->argc != 3 && ctl->argc != 4)
		return ctl_bad_usage(ctl, "routes test wants an endpoint, a device, a path, and may have a format");
	r = ctl_ask(ctl,
		    json_pack("{s:s,s:s,s:s,s:s,s:s*}", "command", "routes-test", "endpoint", ctl->argv[0], "device",
			      ctl->argv[1], "path", ctl->argv[2], "format", ctl->argc == 4 ? ctl->argv[3] : NULL),
		    &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		table_init(&table, titles);
		json_array_foreach(result, i, route)
		{
			bool goes = json_is_true(json_object_get(route, "goes"));

			table_row(&table);
			table_cell(&table, 0, "%s", ctl_text(route, "route"));
			table_cell(&table, 1, "%s", goes ? "yes" : "no");
			table_cell(&table, 2, "%s", ctl_text(route, "to"));
			if (goes && *ctl_text(route, "method"))
				table_cell(&table, 3, "%s of \"%s\" %s", ctl_text(route, "method"),
					   ctl_text(route, "device"), why_not(route));
			else if (goes && *ctl_text(route, "source"))
				table_cell(&table, 3, "%s as \"%s\"", why_not(route), ctl_text(route, "source"));
			else
				table_cell(&table, 3, "%s", why_not(route));
			if (goes)
				add_format(&table, 4, route);
			any |= goes;
		}
		table_print(&table);
		if (!any)
			puts("No route takes it.");
		table_done(&table);
	}
	json_decref(result);
	return CTL_GOOD;
}

void ctl_print_changes(const json_t *report)
{
	const json_t *applied = json_object_get(report, "applied"), *waiting = json_object_get(report, "waiting");

	print_lines(applied, "Applied:");
	print_lines(waiting, "Waits for a restart of the gateway:");
	if (json_array_size(applied) + json_array_size(waiting) == 0)
		puts("No setting has changed; certificates and keys were read again.");
}

int ctl_reload(struct ctl *ctl)
{
	json_t *result;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "reload takes no words");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "reload"), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		ctl_print_changes(result);
	json_decref(result);
	return CTL_GOOD;
}

/* One line that is written over while it waits. */
static void print_progress(long long held)
{
	if (isatty(STDERR_FILENO))
		fprintf(stderr, "\r%lld held … ", held);
}

/* Asks for the state until all is out or the time is over; the gateway answers each question after a moment of its own. */
static int wait_drained(struct ctl *ctl, long timeout_s, json_t **ret_result)
{
	int64_t end = clock_now_us() + timeout_s * CLOCK_S_US;

	for (;;) {
		int r = ctl_ask(ctl, json_pack("{s:s,s:b,s:i}", "command", "drain", "on", 1, "wait_ms", 500),
				ret_result);

		if (r != CTL_GOOD)
			return r;
		if (ctl_number(*ret_result, "held") == 0)
			return CTL_GOOD;
		print_progress(ctl_number(*ret_result, "held"));
		if (clock_now_us() >= end)
			return CTL_FAILED;
		json_decref(*ret_result);
	}
}

int ctl_drain(struct ctl *ctl)
{
	bool off = ctl_flag(ctl, "--off"), bad = false;
	const char *timeout = ctl_option(ctl, "--timeout", &bad);
	long timeout_s = timeout ? ctl_whole(timeout, 0) : 60;
	json_t *result = NULL;
	int r;

	if (bad || ctl->argc || timeout_s < 0 || (off && timeout))
		return ctl_bad_usage(ctl, "drain takes --timeout SECONDS or --off");
	r = off ? ctl_ask(ctl, json_pack("{s:s,s:b}", "command", "drain", "on", 0), &result)
		: wait_drained(ctl, timeout_s, &result);
	if (!result)
		return r;
	if (isatty(STDERR_FILENO) && !off)
		fputc('\n', stderr);
	if (!ctl_print_json(ctl, result)) {
		if (off)
			puts("The gateway takes readings in again.");
		else if (r == CTL_GOOD)
			puts("Nothing is held any more. The gateway refuses new readings until: tidegatectl drain "
			     "--off");
		else
			printf("%lld messages are still held. New readings are refused until: tidegatectl drain "
			       "--off\n",
			       ctl_number(result, "held"));
	}
	json_decref(result);
	return r;
}
