/* SPDX-License-Identifier: Apache-2.0 */

/* Reload: all or nothing. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

struct report {
	json_t *applied;
	json_t *waiting;
};

static void add_change(void *arg, const struct config_change *change)
{
	struct report *report = arg;

	json_array_append_new(change->effect == CONFIG_LIVE ? report->applied : report->waiting,
			      control_text(bytes_text(change->text)));
	log_notice("%s", change->text);
}

static void add_errors(const struct config_problems *problems, json_t **ret_report)
{
	char *text = NULL;
	size_t size = 0;
	FILE *out = open_memstream(&text, &size);

	if (out) {
		config_problems_print(problems, out);
		fclose(out);
	}
	*ret_report = json_pack("{s:o}", "errors", control_text(bytes_text(text ? text : "out of memory")));
	free(text);
	for (size_t i = 0; i < problems->count; i++)
		log_error("%s", problems->list[i].text);
	log_error("the configuration was not reloaded; the running one stays as it is");
}

/* Everything that follows a configuration and can fail is made before anything is changed. */
static int take_over(struct core *core, struct config *config, json_t **ret_report)
{
	struct report report = {json_array(), json_array()};
	struct config *before = core->config;
	struct router *router = NULL;
	int r = router_new(config, &router);

	if (r >= 0)
		r = config_diff(before, config, add_change, &report);
	if (r < 0) {
		router_free(router);
		json_decref(report.applied);
		json_decref(report.waiting);
		log_error("the configuration was not reloaded (%s)", strerror(-r));
		*ret_report = json_pack("{s:s}", "errors", strerror(-r));
		return r;
	}
	router_free(core->router);
	core->router = router;
	core->config = config_ref(config);
	core->profile_epoch++;
	core->trial_taken_back = before->trial_read && !config->trial_read;
	log_set_level((enum log_level)config->log_level);
	core_devices_unlock(core);
	core_clock_apply(core);
	core_certs_soon(core);
	r = core_endpoints_apply(core);
	config_unref(before);
	if (r < 0)
		json_array_append_new(report.waiting,
				      json_string("an endpoint that could not be started, see the log"));
	core_profiles_check(core);
	core_readings_apply(core);
	core_tell_apply(core);
	core_trial_apply(core);
	*ret_report = json_pack("{s:o,s:o}", "applied", report.applied, "waiting", report.waiting);
	return 0;
}

int core_reload_now(struct core *core, json_t **ret_report)
{
	struct config_problems problems;
	CLEANUP(config_unrefp) struct config *config = NULL;
	int r;

	if (core->state == CORE_STOPPING) {
		*ret_report = json_pack("{s:s}", "errors", "the gateway is stopping");
		return -ESHUTDOWN;
	}
	if (core->state != CORE_STARTING)
		loop_notify("RELOADING=1");
	config_problems_init(&problems);
	r = config_load(core->places->config_file, core->adapters, &problems, &config);
	if (r >= 0)
		r = take_over(core, config, ret_report);
	else
		add_errors(&problems, ret_report);
	config_problems_done(&problems);
	if (core->state != CORE_STARTING)
		core_notify_ready(core);
	return r;
}

void core_reload(struct core *core)
{
	json_t *report = NULL;
	int r = core_reload_now(core, &report);

	if (r >= 0)
		log_notice("configuration reloaded");
	json_decref(report);
}
