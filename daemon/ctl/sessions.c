/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/table.h"

static void print_sessions(const json_t *sessions)
{
	static const char *const titles[] = {"ENDPOINT", "DEVICE", "PEER",  "SINCE", "VERSION",
					     "CIPHER",   "GROUP",  "PROOF", NULL};
	static const char *const keys[] = {"endpoint", "device", "peer",  "since", "version",
					   "cipher",   "group",  "proof", NULL};
	struct table table;
	json_t *session;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(sessions, i, session)
	{
		table_row(&table);
		for (unsigned column = 0; keys[column]; column++) {
			const char *text = ctl_text(session, keys[column]);

			table_cell(&table, column, "%s", *text ? text : "-");
		}
	}
	table_print(&table);
	table_done(&table);
}

int ctl_sessions(struct ctl *ctl)
{
	const char *device = ctl->argc == 1 ? ctl->argv[0] : NULL;
	json_t *result;
	int r;

	if (ctl->argc > 1)
		return ctl_bad_usage(ctl, "sessions takes one device's name at most");
	r = ctl_ask(ctl, json_pack("{s:s,s:s*}", "command", "sessions", "device", device), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		print_sessions(result);
		if (json_array_size(result) == 0)
			puts(device ? "This device has no session." : "Nobody has a session.");
	}
	json_decref(result);
	return CTL_GOOD;
}
