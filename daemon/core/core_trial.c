/* SPDX-License-Identifier: Apache-2.0 */

/* A configuration on trial ends by itself. */

#include <stdio.h>
#include <stdlib.h>

#include "base/clock.h"
#include "core/core_inside.h"
#include "core/events.h"

static const int64_t again_us = 60 * CLOCK_S_US;

/* Called with the configuration that is now the running one. */
void core_trial_apply(struct core *core)
{
	static const struct log_fields begun = {.event = EVENT_CONFIG_TRIAL}, over = {.event = EVENT_CONFIG_BACK};
	const struct config *config = core->config;
	bool before = core->trial_until_us != 0;

	core->trial_until_us = 0;
	if (config->trial.state == TRIAL_PENDING && config->trial_read) {
		core->trial_until_us = loop_now_us(core->loop) + config->trial.left_us;
		log_fields_write(LOG_LEVEL_NOTICE, &begun,
				 "a configuration is on trial: in %lld s the one before comes back, unless it is "
				 "confirmed: tidegatectl config confirm",
				 (long long)(config->trial.left_us / CLOCK_S_US));
	} else if (config->trial.state == TRIAL_OVER && (before || core->state == CORE_STARTING)) {
		log_fields_write(LOG_LEVEL_WARNING, &over,
				 "the configuration that was on trial was not confirmed: the one before is in force");
	} else if (before) {
		log_notice("the configuration is not on trial any more");
	}
}

void core_trial_tick(struct core *core)
{
	if (core->trial_until_us == 0 || loop_now_us(core->loop) < core->trial_until_us)
		return;
	/* Where the one before cannot be taken now, the running one stays until then. */
	core->trial_until_us = loop_now_us(core->loop) + again_us;
	core_reload(core);
}

static json_int_t left_s(struct core *core)
{
	int64_t left_us = core->trial_until_us - loop_now_us(core->loop);

	return left_us > 0 ? (json_int_t)((left_us + CLOCK_S_US - 1) / CLOCK_S_US) : 0;
}

json_t *core_trial_describe(struct core *core, json_t *problems)
{
	static const char *const names[] = {"none", "pending", "over", "confirmed"};
	const struct config *config = core->config;
	char problem[256] = "";

	if (config->trial.state == TRIAL_PENDING && config->trial_read)
		snprintf(problem, sizeof(problem),
			 "a configuration is on trial for %lld s more, then the one before comes back: tidegatectl "
			 "config confirm keeps it",
			 (long long)left_s(core));
	else if (config->trial.state == TRIAL_PENDING)
		snprintf(problem, sizeof(problem),
			 "the configuration on trial had errors at the start, the one before is in force: tidegatectl "
			 "config revert takes it away");
	else if (config->trial.state == TRIAL_OVER)
		snprintf(problem, sizeof(problem),
			 "the configuration that was on trial was not confirmed, the one before is in force: "
			 "tidegatectl config revert takes it away");
	if (*problem)
		json_array_append_new(problems, json_string(problem));
	return json_pack("{s:s,s:I,s:b}", "state", names[config->trial.state], "left_s", left_s(core), "in_force",
			 config->trial_read);
}

void core_command_config_trial(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	CLEANUP_FREE char *file = realpath(core->config->file, NULL);
	json_t *problems = json_array(), *answer = core_trial_describe(core, problems);

	(void)request;
	json_decref(problems);
	json_object_set_new(answer, "file", json_string(file ? file : core->config->file));
	control_reply(call, answer);
}
