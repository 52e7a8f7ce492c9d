/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/csv.h"

enum { PAGE = 200 };

int ctl_devices_each(struct ctl *ctl, void (*fn)(void *arg, json_t *device), void *arg)
{
	char after[1024] = "";
	size_t count = PAGE;

	while (count == PAGE) {
		json_t *page, *device;
		const char *last;
		size_t i;
		int r = ctl_ask(ctl,
				json_pack("{s:s,s:i,s:s*}", "command", "device-list", "limit", PAGE, "after",
					  *after ? after : NULL),
				&page);

		if (r != CTL_GOOD)
			return r;
		json_array_foreach(page, i, device) fn(arg, device);
		count = json_array_size(page);
		last = count > 0 ? ctl_text(json_array_get(page, count - 1), "device") : "";
		if (strcmp(last, after) <= 0)
			count = 0;
		snprintf(after, sizeof(after), "%s", last);
		json_decref(page);
	}
	return CTL_GOOD;
}

static void write_device(void *arg, json_t *device)
{
	static const char *const columns[] = {"device", "endpoint", "proof", "key", "profile", "state"};
	FILE *file = arg;

	for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++) {
		if (i > 0)
			putc(',', file);
		csv_write(file, i == 3 ? "" : ctl_text(device, columns[i]));
	}
	putc('\n', file);
}

int ctl_device_export(struct ctl *ctl)
{
	if (ctl->argc)
		return ctl_bad_usage(ctl, "device export takes no words");
	puts("name,endpoint,proof,key,profile,state");
	return ctl_devices_each(ctl, write_device, stdout);
}
