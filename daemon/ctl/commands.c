/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/table.h"

static void print_commands(const json_t *commands)
{
	static const char *const titles[] = {"ENDPOINT", "DEVICE",     "METHOD", "PATH", "STATE",
					     "SINCE",    "EXPIRES IN", "BYTES",  "ID",   NULL};
	struct table table;
	json_t *command;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(commands, i, command)
	{
		table_row(&table);
		table_cell(&table, 0, "%s", ctl_text(command, "endpoint"));
		table_cell(&table, 1, "%s", ctl_text(command, "device"));
		table_cell(&table, 2, "%s", ctl_text(command, "method"));
		table_cell(&table, 3, "%s", ctl_text(command, "path"));
		table_cell(&table, 4, "%s", ctl_text(command, "state"));
		table_cell(&table, 5, "%.19s", ctl_text(command, "since"));
		table_cell(&table, 6, "%lld s", ctl_number(command, "expires_s"));
		table_cell(&table, 7, "%lld", ctl_number(command, "bytes"));
		table_cell(&table, 8, "%s", ctl_text(command, "id"));
	}
	table_print(&table);
	table_done(&table);
}

int ctl_commands_list(struct ctl *ctl)
{
	const char *device = ctl->argc == 1 ? ctl->argv[0] : NULL;
	json_t *result;
	int r;

	if (ctl->argc > 1)
		return ctl_bad_usage(ctl, "commands takes one device's name at most");
	r = ctl_ask(ctl, json_pack("{s:s,s:s*}", "command", "commands", "device", device), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		if (json_array_size(result) > 0)
			print_commands(result);
		else
			puts(device ? "Nothing waits for this device." : "No command waits for a device.");
	}
	json_decref(result);
	return CTL_GOOD;
}
