/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/table.h"

const char *ctl_profile_origin(const char *from)
{
	if (strcmp(from, "registry") == 0)
		return "(named in the registry)";
	if (strcmp(from, "name") == 0)
		return "(its pattern matches the device's name)";
	if (strcmp(from, "default") == 0)
		return "(for all that have no other)";
	if (strcmp(from, "missing") == 0)
		return "(NOT CONFIGURED: nothing is taken of this device)";
	return "";
}

/* The entries with ", " between, cut where the column would get too wide for a terminal. */
static void join(const json_t *list, const char *empty, char *text, size_t size)
{
	const json_t *entry;
	size_t i, used = 0;

	snprintf(text, size, "%s", json_array_size(list) ? "" : empty);
	json_array_foreach(list, i, entry)
	{
		const char *word = json_string_value(entry) ? json_string_value(entry) : "?";
		size_t length = strlen(word) + (i ? 2 : 0);

		if (used + length + sizeof(" …") > size) {
			snprintf(text + used, size - used, " …");
			return;
		}
		snprintf(text + used, size - used, "%s%s", i ? ", " : "", word);
		used += length;
	}
}

static void add_profile(struct table *table, const json_t *profile)
{
	char text[48];

	table_row(table);
	table_cell(table, 0, "%s", ctl_text(profile, "profile"));
	table_cell(table, 1, "%lld", ctl_number(profile, "enrolled"));
	join(json_object_get(profile, "devices"), "-", text, sizeof(text));
	table_cell(table, 2, "%s", text);
	join(json_object_get(profile, "paths"), "all", text, sizeof(text));
	table_cell(table, 3, "%s", text);
	join(json_object_get(profile, "methods"), "all", text, sizeof(text));
	table_cell(table, 4, "%s", text);
	join(json_object_get(profile, "formats"), "all", text, sizeof(text));
	table_cell(table, 5, "%s", text);
	table_cell(table, 6, "%lld", ctl_number(profile, "payload_max_bytes"));
	if (ctl_number(profile, "rate"))
		table_cell(table, 7, "%lld/s, burst %lld", ctl_number(profile, "rate"), ctl_number(profile, "burst"));
	else
		table_cell(table, 7, "no limit");
	table_cell(table, 8, "%lld %%", ctl_number(profile, "outbox_share"));
}

/* What goes to the devices. */
static void add_rights(struct table *table, const json_t *profile)
{
	bool commands = json_is_true(json_object_get(profile, "commands"));
	char text[48];

	table_row(table);
	table_cell(table, 0, "%s", ctl_text(profile, "profile"));
	join(json_object_get(profile, "command_methods"), "all", text, sizeof(text));
	table_cell(table, 1, "%s", commands ? text : "no");
	join(json_object_get(profile, "command_paths"), "all", text, sizeof(text));
	table_cell(table, 2, "%s", commands ? text : "-");
	join(json_object_get(profile, "reads"), "its own", text, sizeof(text));
	table_cell(table, 3, "%s", text);
}

static void print_tables(const json_t *profiles)
{
	static const char *const titles[] = {"PROFILE", "DEVICES", "NAMES", "PATHS", "METHODS",
					     "FORMATS", "BYTES",   "RATE",  "SHARE", NULL};
	static const char *const rights[] = {"PROFILE", "COMMANDS", "TO PATHS", "READS", NULL};
	const json_t *profile;
	struct table table;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(profiles, i, profile) add_profile(&table, profile);
	table_print(&table);
	table_done(&table);
	printf("\n");
	table_init(&table, rights);
	json_array_foreach(profiles, i, profile) add_rights(&table, profile);
	table_print(&table);
	table_done(&table);
}

int ctl_profiles(struct ctl *ctl)
{
	json_t *result;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "profiles takes no words");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "profiles"), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		print_tables(json_object_get(result, "profiles"));
		if (ctl_number(result, "missing"))
			printf("\n%s! %lld devices have a profile that is not configured: nothing is taken of them%s\n",
			       table_red(), ctl_number(result, "missing"), table_plain());
	}
	json_decref(result);
	return CTL_GOOD;
}
