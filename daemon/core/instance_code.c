/* SPDX-License-Identifier: Apache-2.0 */

/* Which code a process runs, and which would be started in its place. */

#include <string.h>

#include "core/instance.h"

static bool has_code(const struct instance *instance)
{
	return instance->supervisor->events->code != NULL;
}

/* What would be started now. Where that cannot be told nothing is like it. */
static int read_code(const struct instance *instance, char ret_code[CODE_SIZE])
{
	const struct supervisor *supervisor = instance->supervisor;

	ret_code[0] = '\0';
	return has_code(instance) ? supervisor->events->code(supervisor->arg, instance->endpoint, ret_code) : 0;
}

bool instance_is_current(const struct instance *instance)
{
	char code[CODE_SIZE];

	return !has_code(instance) || (read_code(instance, code) >= 0 && strcmp(code, instance->code) == 0);
}

/* What it was started with can be trusted: the process cannot write there. */
bool instance_take_code(struct instance *instance)
{
	if (!has_code(instance))
		return true;
	return read_code(instance, instance->code) >= 0 &&
	       code_is_kept(instance->supervisor->settings.run_dir, instance->endpoint, instance->worker,
			    instance->code);
}

void instance_keep_code(struct instance *instance)
{
	int r = read_code(instance, instance->code);

	if (r >= 0 && has_code(instance))
		r = code_keep(instance->supervisor->settings.run_dir, instance->endpoint, instance->worker,
			      instance->code);
	if (r < 0)
		log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = instance->endpoint},
				 "which code it runs cannot be told (%s); it will not outlive a restart", strerror(-r));
}
