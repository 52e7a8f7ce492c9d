/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/audit_box.h"
#include "ctl/audit_process.h"
#include "ctl/command.h"
#include "ctl/table.h"
#include "wire/audit_line.h"

/* The part behind the point counts as a number: 5.2 is before 5.10. */
static int by_provision(const void *a, const void *b)
{
	const json_t *const *x = a, *const *y = b;
	int major[2] = {0}, minor[2] = {0};

	sscanf(ctl_text(*x, "provision"), "%d.%d", &major[0], &minor[0]);
	sscanf(ctl_text(*y, "provision"), "%d.%d", &major[1], &minor[1]);
	if (major[0] != major[1])
		return major[0] - major[1];
	return minor[0] != minor[1] ? minor[0] - minor[1] : strcmp(ctl_text(*x, "id"), ctl_text(*y, "id"));
}

static json_t *sorted(const json_t *lines)
{
	size_t count = json_array_size(lines), i;
	json_t **list = calloc(count + 1, sizeof(*list)), *result = json_array(), *line;

	if (!list)
		abort();
	json_array_foreach(lines, i, line) list[i] = line;
	qsort(list, count, sizeof(*list), by_provision);
	for (i = 0; i < count; i++)
		json_array_append(result, list[i]);
	free(list);
	return result;
}

static long long count_of(const json_t *lines, const char *state)
{
	const json_t *line;
	long long count = 0;
	size_t i;

	json_array_foreach(lines, i, line) count += strcmp(ctl_text(line, "state"), state) == 0;
	return count;
}

static const char *colour(const char *state)
{
	if (strcmp(state, "ok") == 0)
		return table_green();
	return strcmp(state, "fail") == 0 ? table_red() : table_bold();
}

static void print_line(const json_t *line)
{
	const char *state = ctl_text(line, "state");
	const json_t *note;
	size_t i;

	printf("%s%-8s%s %-5s %s%s%s\n", colour(state), state, table_plain(), ctl_text(line, "provision"), table_bold(),
	       ctl_text(line, "sentence"), table_plain());
	json_array_foreach(json_object_get(line, "evidence"), i, note)
		printf("               %s\n", json_is_string(note) ? json_string_value(note) : "?");
	if (*ctl_text(line, "advice"))
		printf("            -> %s\n", ctl_text(line, "advice"));
}

static void print_below(const json_t *below)
{
	static const char *const titles[] = {"SINCE", "WHAT", "WHO", "ENDPOINT", "WHY", "HOW", NULL};
	const json_t *entry;
	struct table table;
	size_t i;

	if (json_array_size(below) == 0)
		return;
	puts("\nBelow the policy, oldest first:");
	table_init(&table, titles);
	json_array_foreach(below, i, entry)
	{
		table_row(&table);
		table_cell(&table, 0, "%.19s", ctl_text(entry, "since"));
		table_cell(&table, 1, "%s", ctl_text(entry, "what"));
		table_cell(&table, 2, "%s", ctl_text(entry, "name"));
		table_cell(&table, 3, "%s", ctl_text(entry, "endpoint"));
		table_cell(&table, 4, "%s", ctl_text(entry, "reason"));
		table_cell(&table, 5, "%s", ctl_text(entry, "evidence"));
	}
	table_print(&table);
	table_done(&table);
}

static void print_report(const json_t *report, const json_t *lines)
{
	const json_t *line;
	size_t i;

	printf("%s%s%s  tidegate %s, %.19sZ, by the provisions of ETSI EN 303 645\n\n", table_bold(),
	       ctl_text(report, "gateway"), table_plain(), ctl_text(report, "version"), ctl_text(report, "time"));
	json_array_foreach(lines, i, line) print_line(line);
	print_below(json_object_get(report, "below"));
	putchar('\n');
	for (enum audit_state s = 0; s < AUDIT_STATES; s++)
		printf("%s%lld %s", s ? ", " : "", count_of(lines, audit_state_name(s)), audit_state_name(s));
	putchar('\n');
}

/* What anything at the socket may have sent. */
static json_t *take_lines(json_t *report)
{
	json_t *lines = json_object_get(report, "lines");

	return json_is_array(lines) ? json_copy(lines) : json_array();
}

int ctl_audit(struct ctl *ctl)
{
	bool offline = ctl_flag(ctl, "--no-updates");
	json_t *report, *lines, *all, *counts, *processes, *sockets;
	bool failed;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "audit takes --no-updates or nothing");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "audit"), &report);
	if (r != CTL_GOOD)
		return r;
	all = take_lines(report);
	audit_box_socket(all, ctl->run_dir);
	processes = json_array();
	sockets = json_array();
	audit_processes(all, json_object_get(report, "processes"), processes, sockets);
	json_object_set_new(report, "processes", processes);
	json_object_set_new(report, "sockets", sockets);
	audit_box_reports(all);
	if (!offline)
		audit_box_updates(all);
	lines = sorted(all);
	failed = count_of(lines, audit_state_name(AUDIT_FAIL)) > 0;
	counts = json_object();
	for (enum audit_state s = 0; s < AUDIT_STATES; s++)
		json_object_set_new(counts, audit_state_name(s), json_integer(count_of(lines, audit_state_name(s))));
	json_object_set(report, "lines", lines);
	json_object_set_new(report, "counts", counts);
	if (!ctl_print_json(ctl, report))
		print_report(report, lines);
	json_decref(all);
	json_decref(lines);
	json_decref(report);
	return failed ? CTL_UNWELL : CTL_GOOD;
}
