/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/command.h"

int ctl_clock_accept(struct ctl *ctl)
{
	json_t *result;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "clock accept takes no words");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "clock-accept"), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		printf("%s is the time now\n", ctl_text(result, "time"));
	json_decref(result);
	return CTL_GOOD;
}
