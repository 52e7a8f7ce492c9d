/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/device_certificate.h"
#include "ctl/out.h"
#include "ctl/table.h"

/* What the device has to know, for whoever sets it up; see tidegatectl(1). */
static void write_key(FILE *file, const json_t *result)
{
	fprintf(file,
		"# How this device proves who it is (DTLS, pre-shared key). Keep it secret.\n"
		"gateway = %s\nendpoint = %s\nidentity = %s\nkey = %s\n",
		ctl_text(result, "gateway"), ctl_text(result, "endpoint"), ctl_text(result, "identity"),
		ctl_text(result, "key"));
}

static void show_overlap(const json_t *result)
{
	const char *until = ctl_text(result, "old_key_until");

	if (*until)
		printf("\nThe old key is good until the new one has been used, at the latest until %s.\n", until);
}

static int show_key(const struct ctl *ctl, json_t *result, const char *path)
{
	if (path)
		json_object_del(result, "key");
	if (ctl_print_json(ctl, result))
		return CTL_GOOD;
	printf("device    %s\n", ctl_text(result, "device"));
	if (strcmp(ctl_text(result, "proof"), "psk") != 0) {
		printf("\nIt is let in with a certificate that bears the name \"%s\" (SAN URI or DNS, else CN)\nunder "
		       "an "
		       "authority that its endpoint trusts.\n",
		       ctl_text(result, "identity"));
		return CTL_GOOD;
	}
	printf("identity  %s\n", ctl_text(result, "identity"));
	if (path)
		printf("\nThe key is in \"%s\" and nowhere else: put it into the device now.\n", path);
	else
		printf("key       %s\n\nThis is the only time that the key is shown: put it into the device now.\n",
		       ctl_text(result, "key"));
	show_overlap(result);
	return CTL_GOOD;
}

/* Asks for a new key and puts it where it belongs. */
static int ask_for_key(struct ctl *ctl, json_t *request, const char *path)
{
	struct out out;
	json_t *result;
	int r;

	if (!out_open(&out, path)) {
		json_decref(request);
		return CTL_FAILED;
	}
	r = ctl_ask(ctl, request, &result);
	if (r != CTL_GOOD) {
		out_drop(&out);
		return r;
	}
	if (out.file)
		write_key(out.file, result);
	if (out_keep(&out))
		r = show_key(ctl, result, path);
	else
		r = CTL_FAILED;
	if (r == CTL_FAILED)
		fputs("The device is enrolled, and its key is lost: give it another one with tidegatectl device "
		      "rotate.\n",
		      stderr);
	json_decref(result);
	return r;
}

static const char add_usage[] =
	"device add wants a name and one of --psk, --certificate --out FILE, --csr FILE and --enrol-only";

static int add_with_certificate(struct ctl *ctl, struct certificate_wish *wish)
{
	if (ctl->argc != 1 || (!wish->request && !wish->out))
		return ctl_bad_usage(ctl, add_usage);
	wish->device = ctl->argv[0];
	return ctl_certificate_ask(ctl, wish);
}

int ctl_device_add(struct ctl *ctl)
{
	bool psk = ctl_flag(ctl, "--psk"), enrol_only = ctl_flag(ctl, "--enrol-only"),
	     certificate = ctl_flag(ctl, "--certificate"), bad = false;
	struct certificate_wish wish = {.endpoint = ctl_option(ctl, "--endpoint", &bad),
					.profile = ctl_option(ctl, "--profile", &bad),
					.request = ctl_option(ctl, "--csr", &bad),
					.out = ctl_option(ctl, "--out", &bad)};

	certificate |= wish.request != NULL;
	if (bad || psk + enrol_only + certificate != 1 || (enrol_only && wish.out))
		return ctl_bad_usage(ctl, add_usage);
	if (certificate)
		return add_with_certificate(ctl, &wish);
	if (ctl->argc != 1)
		return ctl_bad_usage(ctl, "device add wants one name");
	return ask_for_key(ctl,
			   json_pack("{s:s,s:s,s:s,s:s*,s:s*}", "command", "device-add", "device", ctl->argv[0],
				     "proof", psk ? "psk" : "certificate", "endpoint", wish.endpoint, "profile",
				     wish.profile),
			   wish.out);
}

int ctl_device_rotate(struct ctl *ctl)
{
	bool now = ctl_flag(ctl, "--now"), finish = ctl_flag(ctl, "--finish"), bad = false;
	const char *path = ctl_option(ctl, "--out", &bad);
	json_t *request, *result;
	int r;

	if (bad || ctl->argc != 1 || (finish && (now || path)))
		return ctl_bad_usage(ctl, "device rotate wants one name, and --now or --finish or neither");
	request = json_pack("{s:s,s:s,s:b,s:b}", "command", "device-rotate", "device", ctl->argv[0], "now", now,
			    "finish", finish);
	if (!finish)
		return ask_for_key(ctl, request, path);
	r = ctl_ask(ctl, request, &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result))
		printf("\"%s\" has its new key alone, what was begun with the old one has been ended\n",
		       ctl_text(result, "device"));
	json_decref(result);
	return CTL_GOOD;
}

static void add_row(void *arg, json_t *device)
{
	const char *seen = ctl_text(device, "last_seen");
	struct table *table = arg;

	table_row(table);
	table_cell(table, 0, "%s", ctl_text(device, "device"));
	table_cell(table, 1, "%s", ctl_text(device, "proof"));
	table_cell(table, 2, "%s%s", ctl_text(device, "state"),
		   json_is_true(json_object_get(device, "rotating")) ? ", two keys" : "");
	table_cell(table, 3, "%s", ctl_text(device, "endpoint"));
	table_cell(table, 4, "%s", *ctl_text(device, "profile") ? ctl_text(device, "profile") : "-");
	table_cell(table, 5, "%s", *seen ? seen : "never since start");
	table_cell(table, 6, "%lld", ctl_number(device, "accepted"));
	table_cell(table, 7, "%lld", ctl_number(device, "refused"));
}

static void add_json(void *arg, json_t *device)
{
	json_array_append(arg, device);
}

static int list_json(struct ctl *ctl)
{
	json_t *list = json_array();
	int r = ctl_devices_each(ctl, add_json, list);

	if (r == CTL_GOOD)
		ctl_print_json(ctl, list);
	json_decref(list);
	return r;
}

int ctl_device_list(struct ctl *ctl)
{
	static const char *const titles[] = {"DEVICE",    "PROOF",    "STATE",   "ENDPOINT", "PROFILE",
					     "LAST SEEN", "ACCEPTED", "REFUSED", NULL};
	struct table table;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "device list takes no words");
	if (ctl->json)
		return list_json(ctl);
	table_init(&table, titles);
	r = ctl_devices_each(ctl, add_row, &table);
	if (r == CTL_GOOD)
		table_print(&table);
	if (r == CTL_GOOD && table.rows == 1)
		puts("No device is enrolled yet. Add one: tidegatectl device add NAME --psk");
	table_done(&table);
	return r;
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
	static const char *const keys[] = {"device",  "proof",   "identity",  "state",         "endpoint",
					   "created", "changed", "last_seen", "old_key_until", NULL};
	json_t *result;
	int r = ask_about_one(ctl, "device-show", &result);

	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		for (const char *const *key = keys; *key; key++)
			printf("%-15s%s\n", *key, *ctl_text(result, *key) ? ctl_text(result, *key) : "-");
		printf("%-15s%s  %s\n", "profile", ctl_text(result, "profile"),
		       ctl_profile_origin(ctl_text(result, "profile_from")));
		printf("%-15s%lld\n%-15s%lld\n", "accepted", ctl_number(result, "accepted"), "refused",
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
