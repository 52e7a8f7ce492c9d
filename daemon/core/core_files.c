/* SPDX-License-Identifier: Apache-2.0 */

/* The files that endpoints' settings name are taken over when they change, as by a reload of that endpoint alone. */

#include <errno.h>
#include <string.h>

#include "base/clock.h"
#include "core/core_inside.h"

enum { FILES_MAX = 64 }; /* of one endpoint */

static const struct files_times files_times = {
	.settle_us = CLOCK_S_US, .apart_us = 3 * CLOCK_S_US, .look_us = 15 * CLOCK_S_US};

/* Who else wants to know that a file which an endpoint's settings name has new contents. Called before the endpoint gets it. */
static core_files_fn *const files_hooks[] = {core_certs_file_changed, NULL};

static void on_changed(void *arg, const char *group, const char *path)
{
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.endpoint = group},
			 "\"%s\" has changed and is taken over", path);
	for (size_t i = 0; files_hooks[i]; i++)
		files_hooks[i](arg, group, path);
}

static void on_missing(void *arg, const char *group, const char *path)
{
	(void)arg;
	log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = group},
			 "\"%s\" is gone; what was read from it stays in use", path);
}

static void on_settled(void *arg, const char *group)
{
	struct core *core = arg;
	struct endpoint *endpoint = core_endpoint(core, group);

	if (endpoint && !endpoint->removed && core->state != CORE_STOPPING)
		core_endpoint_send_settings(endpoint);
}

static const struct files_events files_events = {on_changed, on_settled, on_missing};

int core_files_new(struct core *core)
{
	return files_new(core->loop, &files_times, &files_events, core, &core->files);
}

struct paths {
	const char *list[FILES_MAX];
	size_t count;
};

static int add_path(void *arg, const char *name, uint32_t index, const char *value, bool file)
{
	struct paths *paths = arg;

	(void)name;
	(void)index;
	if (file && *value && paths->count < FILES_MAX)
		paths->list[paths->count++] = value;
	return 0;
}

static bool is_wanted(void *arg, const char *group)
{
	const struct core *core = arg;
	const struct config_endpoint *endpoint = config_endpoint(core->config, group);

	return endpoint && endpoint->enabled;
}

void core_files_apply(struct core *core)
{
	files_prune(core->files, is_wanted, core);
	for (size_t i = 0; i < core->config->endpoints_count; i++) {
		const struct config_endpoint *endpoint = &core->config->endpoints[i];
		struct paths paths = {.count = 0};
		int r;

		if (!endpoint->enabled)
			continue;
		r = config_each_setting(endpoint, add_path, &paths);
		if (r >= 0)
			r = files_set(core->files, endpoint->name, paths.list, paths.count);
		if (r < 0)
			log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = endpoint->name},
					 "its files are not watched (%s): after a change tidegatectl reload is needed",
					 strerror(-r));
	}
}
