/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/table.h"

static int show_key(const struct ctl *ctl, const json_t *result)
{
	if (ctl_print_json(ctl, result))
		return CTL_GOOD;
	printf("device    %s\n", ctl_text(result, "device"));
	if (strcmp(ctl_text(result, "proof"), "psk") == 0) {
		printf("identity  %s\nkey       %s\n", ctl_text(result, "identity"), ctl_text(result, "key"));
		fputs("\nThis is the only time that the key is shown: put it into the device now.\n", stdout);
	} else {
		printf("\nIt is let in with a certificate under the device CA that bears the name \"%s\"\n(SAN URI or "
		       "DNS, else CN).\n",
		       ctl_text(result, "identity"));
	}
	return CTL_GOOD;
}

int ctl_device_add(struct ctl *ctl)
{
	bool psk = ctl_flag(ctl, "--psk"), certificate = ctl_flag(ctl, "--certificate"), bad = false;
	const char *endpoint = ctl_option(ctl, "--endpoint", &bad), *profile = ctl_option(ctl, "--profile", &bad);
	json_t *request, *result;
	int r;

	if (bad || psk == certificate)
		return ctl_bad_usage(ctl, "device add wants a name and one of --psk and --certificate");
	if (ctl->argc != 1)
		return ctl_bad_usage(ctl, "device add wants one name");
	request = json_pack("{s:s,s:s,s:s,s:s*,s:s*}", "command", "device-add", "device", ctl->argv[0], "proof",
			    psk ? "psk" : "certificate", "endpoint", endpoint, "profile", profile);
	r = ctl_ask(ctl, request, &result);
	if (r != CTL_GOOD)
		return r;
	r = show_key(ctl, result);
	json_decref(result);
	return r;
}

int ctl_device_list(struct ctl *ctl)
{
	static const char *const titles[] = {"DEVICE",    "PROOF",    "STATE",   "ENDPOINT", "PROFILE",
					     "LAST SEEN", "ACCEPTED", "REFUSED", NULL};
	struct table table;
	json_t *result;
	size_t i;
	json_t *device;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "device list takes no words");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "device-list"), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		table_init(&table, titles);
		json_array_foreach(result, i, device)
		{
			const char *seen = ctl_text(device, "last_seen");

			table_row(&table);
			table_cell(&table, 0, "%s", ctl_text(device, "device"));
			table_cell(&table, 1, "%s", ctl_text(device, "proof"));
			table_cell(&table, 2, "%s", ctl_text(device, "state"));
			table_cell(&table, 3, "%s", ctl_text(device, "endpoint"));
			table_cell(&table, 4, "%s", *ctl_text(device, "profile") ? ctl_text(device, "profile") : "-");
			table_cell(&table, 5, "%s", *seen ? seen : "never since start");
			table_cell(&table, 6, "%lld", ctl_number(device, "accepted"));
			table_cell(&table, 7, "%lld", ctl_number(device, "refused"));
		}
		table_print(&table);
		table_done(&table);
		if (json_array_size(result) == 0)
			puts("No device is enrolled yet. Add one: tidegatectl device add NAME --psk");
	}
	json_decref(result);
	return CTL_GOOD;
}

/* Sends {"command": command, "device": the one word}. */
static int ask_about_one(struct ctl *ctl, const char *command, json_t **ret_result)
{
	if (ctl->argc != 1)
		return ctl_bad_usage(ctl, "one device's name is wanted");
	return ctl_ask(ctl, json_pack("{s:s,s:s}", "command", command, "device", ctl->argv[0]), ret_result);
}

int ctl_device_show(struct ctl *ctl)
{
	static const char *const keys[] = {"device",  "proof",   "identity", "state",     "endpoint",
					   "profile", "created", "changed",  "last_seen", NULL};
	json_t *result;
	int r = ask_about_one(ctl, "device-show", &result);

	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		for (const char *const *key = keys; *key; key++)
			printf("%-10s%s\n", *key, *ctl_text(result, *key) ? ctl_text(result, *key) : "-");
		printf("%-10s%lld\n%-10s%lld\n", "accepted", ctl_number(result, "accepted"), "refused",
		       ctl_number(result, "refused"));
	}
	json_decref(result);
	return CTL_GOOD;
}

int ctl_device_revoke(struct ctl *ctl)
{
	json_t *result;
	int r = ask_about_one(ctl, "device-revoke", &result);

	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		printf("\"%s\" is revoked, its sessions have been ended\n", ctl_text(result, "device"));
	json_decref(result);
	return CTL_GOOD;
}

int ctl_device_rotate(struct ctl *ctl)
{
	json_t *result;
	int r = ask_about_one(ctl, "device-rotate", &result);

	if (r != CTL_GOOD)
		return r;
	r = show_key(ctl, result);
	json_decref(result);
	return r;
}

int ctl_device_profile(struct ctl *ctl)
{
	json_t *result;
	int r;

	if (ctl->argc != 2)
		return ctl_bad_usage(ctl, "a device's name and a profile's are wanted, \"\" for none");
	r = ctl_ask(ctl,
		    json_pack("{s:s,s:s,s:s}", "command", "device-profile", "device", ctl->argv[0], "profile",
			      ctl->argv[1]),
		    &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		printf("device    %s\nprofile   %s\n", ctl_text(result, "device"),
		       *ctl_text(result, "profile") ? ctl_text(result, "profile") : "by its name");
	json_decref(result);
	return CTL_GOOD;
}
