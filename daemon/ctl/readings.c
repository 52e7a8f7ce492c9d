/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>

#include "ctl/command.h"
#include "ctl/table.h"

static void print_readings(const json_t *readings, bool payload)
{
	static const char *const titles[] = {"DEVICE", "PATH",      "AGE",     "FRESH FOR", "FORMAT",
					     "BYTES",  "OBSERVERS", "PAYLOAD", NULL};
	static const char *const without[] = {"DEVICE", "PATH",  "AGE",       "FRESH FOR",
					      "FORMAT", "BYTES", "OBSERVERS", NULL};
	struct table table;
	json_t *reading;
	char age[32];
	size_t i;

	table_init(&table, payload ? titles : without);
	json_array_foreach(readings, i, reading)
	{
		ctl_age(ctl_number(reading, "age_ms"), age);
		table_row(&table);
		table_cell(&table, 0, "%s", ctl_text(reading, "device"));
		table_cell(&table, 1, "%s", ctl_text(reading, "path"));
		table_cell(&table, 2, "%s", age);
		table_cell(&table, 3, "%lld s", ctl_number(reading, "fresh_s"));
		table_cell(&table, 4, "%s", ctl_text(reading, "format"));
		table_cell(&table, 5, "%lld", ctl_number(reading, "bytes"));
		table_cell(&table, 6, "%lld", ctl_number(reading, "observers"));
		if (payload)
			table_cell(&table, 7, "%s%s", ctl_text(reading, "payload"),
				   json_is_true(json_object_get(reading, "cut")) ? " …" : "");
	}
	table_print(&table);
	table_done(&table);
}

int ctl_readings(struct ctl *ctl)
{
	bool bad = false, payload = ctl_flag(ctl, "--payload");
	const char *count = ctl_option(ctl, "--count", &bad);
	long most = count ? ctl_whole(count, 1) : 0;
	const char *device = ctl->argc == 1 ? ctl->argv[0] : NULL;
	json_t *result, *readings;
	int r;

	if (bad || ctl->argc > 1 || most < 0)
		return ctl_bad_usage(ctl, "readings takes one device's name at most, --payload and --count N");
	r = ctl_ask(ctl,
		    json_pack("{s:s,s:s*,s:b,s:I}", "command", "readings", "device", device, "payload", payload,
			      "count", (json_int_t)most),
		    &result);
	if (r != CTL_GOOD)
		return r;
	readings = json_object_get(result, "readings");
	if (!ctl_print_json(ctl, result)) {
		if (json_array_size(readings))
			print_readings(readings, payload);
		else
			puts(device ? "Nothing is kept of this device." : "No reading is kept.");
		if (ctl_number(result, "more"))
			printf("… and %lld more, older ones (--count)\n", ctl_number(result, "more"));
	}
	json_decref(result);
	return CTL_GOOD;
}
