/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration that comes into force for a while, and stays where it is confirmed. */

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/config_files.h"

enum { CONFIRM_S = 120, CONFIRM_MAX_S = 3600 };

static int failed(const char *what, int r)
{
	fprintf(stderr, "tidegatectl: %s (%s)%s\n", what, strerror(-r),
		r == -EACCES || r == -EPERM || r == -EROFS ? "\nOnly who may write the configuration can do this, "
							     "usually root."
							   : "");
	return CTL_FAILED;
}

/* The gateway that answers has to be the one whose file this is. */
static int is_of_gateway(struct ctl *ctl, const char *file)
{
	CLEANUP_FREE char *ours = realpath(file, NULL);
	json_t *answer;
	int r;

	if (!ours)
		return failed(file, -errno);
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "config-trial"), &answer);
	if (r != CTL_GOOD)
		return r;
	if (strcmp(ctl_text(answer, "file"), ours) != 0) {
		fprintf(stderr, "tidegatectl: the gateway runs by \"%s\", not by \"%s\": say so with --config\n",
			ctl_text(answer, "file"), ours);
		r = CTL_FAILED;
	}
	json_decref(answer);
	return r;
}

/* Takes --config, and opens the files. */
static int begin(struct ctl *ctl, struct config_files *files, struct trial *ret_trial)
{
	bool bad = false;
	const char *file = ctl_option(ctl, "--config", &bad);
	int r;

	if (bad)
		return ctl_bad_usage(ctl, "--config wants the gateway's configuration");
	if (!file)
		file = TG_CONFIG_FILE;
	r = is_of_gateway(ctl, file);
	if (r != CTL_GOOD)
		return r;
	r = config_files_open(files, file);
	if (r == -EBUSY) {
		fputs("tidegatectl: somebody else changes the configuration just now\n", stderr);
		return CTL_FAILED;
	}
	if (r >= 0)
		r = config_files_state(files, ret_trial);
	return r < 0 ? failed("the configuration cannot be looked at", r) : CTL_GOOD;
}

/* Whether the gateway runs by what is on trial; else it is said why it may not be kept. */
static int check_in_force(struct ctl *ctl)
{
	json_t *answer;
	int r = ctl_ask(ctl, json_pack("{s:s}", "command", "config-trial"), &answer);

	if (r != CTL_GOOD)
		return r;
	if (strcmp(ctl_text(answer, "state"), "pending") != 0 || !json_is_true(json_object_get(answer, "in_force"))) {
		fputs("tidegatectl: the gateway does not run by the configuration on trial, its log says why: "
		      "nothing is kept that was not tried\n",
		      stderr);
		r = CTL_FAILED;
	}
	json_decref(answer);
	return r;
}

/* Of the same form as for a reload, with how long the trial lasts beside it. */
static int reload(struct ctl *ctl, const char *done, long lasts_s)
{
	json_t *report;
	int r = ctl_ask(ctl, json_pack("{s:s}", "command", "reload"), &report);

	if (r == CTL_GOOD && lasts_s) {
		r = check_in_force(ctl);
		if (r != CTL_GOOD)
			json_decref(report);
	}
	if (r != CTL_GOOD)
		return r;
	if (lasts_s)
		json_object_set_new(report, "confirm_s", json_integer(lasts_s));
	if (!ctl_print_json(ctl, report)) {
		if (lasts_s)
			ctl_print_changes(report);
		puts(done);
	}
	json_decref(report);
	return r;
}

static bool is_name(const char *as, const char *main)
{
	static const char folder[] = "conf.d/", ending[] = ".conf";
	const char *name = as + strlen(folder);
	size_t size = strlen(as);

	if (strcmp(as, main) == 0)
		return true;
	return size > strlen(folder) + strlen(ending) && strncmp(as, folder, strlen(folder)) == 0 &&
	       !strchr(name, '/') && *name != '.' && size < NAME_MAX && strcmp(as + size - strlen(ending), ending) == 0;
}

static int apply(struct ctl *ctl, struct config_files *files, int from, const char *as, long lasts_s)
{
	char done[200];
	int r;

	r = config_files_drop(files); /* one whose time is over */
	if (r >= 0)
		r = config_files_try(files, from, as, lasts_s * CLOCK_S_US);
	if (r < 0)
		return failed("the configuration cannot be put on trial", r);
	snprintf(done, sizeof(done),
		 "On trial for %ld s. To keep it: tidegatectl config confirm\nTo end it now: tidegatectl config revert",
		 lasts_s);
	r = reload(ctl, done, lasts_s);
	if (r != CTL_GOOD && config_files_drop(files) < 0)
		fputs("tidegatectl: what was tried cannot be taken away; it counts for nothing when its time is over\n",
		      stderr);
	return r;
}

int ctl_config_apply(struct ctl *ctl)
{
	CLEANUP(config_files_closep) struct config_files files = {.folder = -1};
	bool bad = false;
	const char *seconds = ctl_option(ctl, "--confirm", &bad), *as = ctl_option(ctl, "--as", &bad);
	long lasts_s = seconds ? ctl_whole(seconds, 1) : CONFIRM_S;
	CLEANUP_CLOSE int from = -1;
	struct trial trial;
	int r;

	if (bad || lasts_s < 1 || lasts_s > CONFIRM_MAX_S)
		return ctl_bad_usage(ctl, "--confirm wants seconds, 1 to 3600");
	r = begin(ctl, &files, &trial);
	if (r != CTL_GOOD)
		return r;
	if (ctl->argc != 1)
		return ctl_bad_usage(ctl, "config apply wants one file");
	if (as && !is_name(as, files.name))
		return ctl_bad_usage(ctl, "--as wants conf.d/NAME.conf, or the name of the main file");
	if (trial.state == TRIAL_PENDING) {
		fprintf(stderr,
			"tidegatectl: another configuration is on trial for %lld s more: confirm or revert that "
			"first\n",
			(long long)(trial.left_us / CLOCK_S_US));
		return CTL_FAILED;
	}
	from = open(ctl->argv[0], O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return failed(ctl->argv[0], -errno);
	return apply(ctl, &files, from, as ? as : files.name, lasts_s);
}

int ctl_config_confirm(struct ctl *ctl)
{
	CLEANUP(config_files_closep) struct config_files files = {.folder = -1};
	struct trial trial;
	int r = begin(ctl, &files, &trial);

	if (r != CTL_GOOD)
		return r;
	if (ctl->argc)
		return ctl_bad_usage(ctl, "config confirm takes --config or nothing");
	if (trial.state != TRIAL_PENDING) {
		fputs(trial.state == TRIAL_OVER ? "tidegatectl: too late, the configuration before is in force again\n"
						: "tidegatectl: no configuration is on trial\n",
		      stderr);
		return CTL_FAILED;
	}
	r = check_in_force(ctl);
	if (r != CTL_GOOD)
		return r;
	r = config_files_keep(&files);
	if (r < 0)
		return failed("the configuration cannot be put into place", r);
	return reload(ctl, "The configuration stays; the one before is kept in the folder previous/ beside it.", 0);
}

int ctl_config_revert(struct ctl *ctl)
{
	CLEANUP(config_files_closep) struct config_files files = {.folder = -1};
	struct trial trial;
	int r = begin(ctl, &files, &trial);

	if (r != CTL_GOOD)
		return r;
	if (ctl->argc)
		return ctl_bad_usage(ctl, "config revert takes --config or nothing");
	if (trial.state == TRIAL_NONE) {
		fputs("tidegatectl: no configuration is on trial\n", stderr);
		return CTL_FAILED;
	}
	r = config_files_drop(&files);
	if (r < 0)
		return failed("what is on trial cannot be taken away", r);
	return reload(ctl, "The configuration before is in force.", 0);
}
