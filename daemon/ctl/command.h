/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_COMMAND_H
#define CTL_COMMAND_H

/* What tidegatectl can do, as a table; each command makes a request and shows the answer. */

#include <stdbool.h>
#include <stdint.h>

#include "ctl/client.h"

/* Exit codes that scripts can use. */
enum ctl_exit {
	CTL_GOOD = 0,
	CTL_FAILED = 1,     /* the gateway refused or could not */
	CTL_USAGE = 2,      /* the command line makes no sense */
	CTL_NO_GATEWAY = 3, /* nobody answers at the control socket */
	CTL_UNWELL = 4      /* status, audit: something needs an operator */
};

struct ctl {
	struct client client;
	const char *run_dir;
	bool json;
	int argc; /* what stands behind the command's words */
	char **argv;
};

struct ctl_command {
	const char *words; /* "device add" */
	const char *usage; /* what follows them */
	const char *help;  /* one line */
	int (*run)(struct ctl *ctl);
	bool alone; /* runs without a gateway, and makes no connection */
};

/* Ends with words NULL. */
extern const struct ctl_command ctl_commands[];

int ctl_status(struct ctl *ctl);
int ctl_sessions(struct ctl *ctl);
int ctl_outbox(struct ctl *ctl);
int ctl_commands_list(struct ctl *ctl);
int ctl_device_add(struct ctl *ctl);
int ctl_device_list(struct ctl *ctl);
int ctl_device_show(struct ctl *ctl);
int ctl_device_revoke(struct ctl *ctl);
int ctl_device_rotate(struct ctl *ctl);
int ctl_device_certificate(struct ctl *ctl);
int ctl_device_ca(struct ctl *ctl);
int ctl_device_import(struct ctl *ctl);
int ctl_device_export(struct ctl *ctl);
int ctl_device_rekey(struct ctl *ctl);
int ctl_device_profile(struct ctl *ctl);
int ctl_profiles(struct ctl *ctl);
int ctl_readings(struct ctl *ctl);
int ctl_certs_renew(struct ctl *ctl);
int ctl_audit(struct ctl *ctl);
int ctl_tail(struct ctl *ctl);
int ctl_config(struct ctl *ctl);
int ctl_config_apply(struct ctl *ctl);
int ctl_config_confirm(struct ctl *ctl);
int ctl_config_revert(struct ctl *ctl);
int ctl_routes_test(struct ctl *ctl);
int ctl_reload(struct ctl *ctl);
int ctl_drain(struct ctl *ctl);
int ctl_clock_accept(struct ctl *ctl);
int ctl_certs(struct ctl *ctl);
int ctl_diag(struct ctl *ctl);
int ctl_setup(struct ctl *ctl);
int ctl_explain(struct ctl *ctl);

/* Sends the request (takes it) and returns the whole answer, having said what went wrong where there is none.
 * Returns CTL_GOOD with *ret_result (the caller's), or an exit code. */
int ctl_ask(struct ctl *ctl, json_t *request, json_t **ret_result);
/* Asks for all devices, some at a time, and calls `fn` for each in the order of their names. Returns an exit code. */
int ctl_devices_each(struct ctl *ctl, void (*fn)(void *arg, json_t *device), void *arg);
/* Where --json was given: prints the result as it is and returns true. */
bool ctl_print_json(const struct ctl *ctl, const json_t *result);
/* The value of the option, taken out of the arguments; NULL: not given. *ret_usage is set where its value is missing. */
const char *ctl_option(struct ctl *ctl, const char *name, bool *ret_usage);
bool ctl_flag(struct ctl *ctl, const char *name);
/* A whole number from `lowest` to a million. Errors: -1. */
long ctl_whole(const char *text, long lowest);
/* Says that the words behind the command make no sense. */
int ctl_bad_usage(const struct ctl *ctl, const char *problem);

/* For people: whatever could move the cursor of a terminal, in any text of the answer, becomes '?'. What devices and brokers chose
 * stands there. Line ends stay in texts of several lines: the member "text", and what is PEM. */
void ctl_clean(json_t *answer);

/* Where a device's profile comes from, in words. */
const char *ctl_profile_origin(const char *from);

/* One event of a message, on a line. */
void ctl_event_print(const json_t *event);

/* "250 ms", "3 min" … */
void ctl_age(long long ms, char ret_text[32]);

/* What a reload has changed, and what waits for a restart. */
void ctl_print_changes(const json_t *report);

/* Shortcuts for reading answers: "" or 0 where there is none. */
const char *ctl_text(const json_t *object, const char *key);
long long ctl_number(const json_t *object, const char *key);

#endif
