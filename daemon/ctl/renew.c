/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/table.h"

static void print_renewals(const json_t *list)
{
	static const char *const titles[] = {"ENDPOINT",    "BY",  "STATE",    "CERTIFICATE",  "NEED",
					     "VALID UNTIL", "DUE", "FAILURES", "LAST PROBLEM", NULL};
	static const char *const keys[] = {"endpoint", "by", "state", "certificate", "need", "not_after", "due"};
	struct table table;
	json_t *one;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(list, i, one)
	{
		table_row(&table);
		for (unsigned column = 0; column < sizeof(keys) / sizeof(keys[0]); column++)
			table_cell(&table, column, "%s", ctl_text(one, keys[column]));
		table_cell(&table, 7, "%lld", ctl_number(one, "failures"));
		table_cell(&table, 8, "%s", ctl_text(one, "problem"));
	}
	table_print(&table);
	table_done(&table);
}

static int show(struct ctl *ctl)
{
	json_t *result;
	int r = ctl_ask(ctl, json_pack("{s:s}", "command", "certs-renewals"), &result);

	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		if (json_array_size(result) == 0)
			puts("No endpoint's certificate is renewed: none has \"est\" or \"renew_command\".");
		else
			print_renewals(result);
	}
	json_decref(result);
	return CTL_GOOD;
}

int ctl_certs_renew(struct ctl *ctl)
{
	bool status = ctl_flag(ctl, "--status");
	json_t *result;
	int r;

	if (ctl->argc != (status ? 0 : 1))
		return ctl_bad_usage(ctl, "certs renew wants an endpoint, or --status");
	if (status)
		return show(ctl);
	r = ctl_ask(ctl, json_pack("{s:s,s:s}", "command", "certs-renew", "endpoint", ctl->argv[0]), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		printf("A new certificate for \"%s\" is being asked for; tidegatectl certs renew --status shows how it "
		       "goes.\n",
		       ctl->argv[0]);
	json_decref(result);
	return CTL_GOOD;
}
