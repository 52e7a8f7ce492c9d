/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config.h"

#include <errno.h>
#include <inttypes.h>
#include <string.h>

#include "base/clock.h"
#include "core/config_internal.h"

struct config *config_ref(struct config *config)
{
	config->refs++;
	return config;
}

void config_unref(struct config *config)
{
	if (!config || --config->refs > 0)
		return;
	for (size_t i = 0; i < config->endpoints_count; i++)
		config_endpoint_done(&config->endpoints[i]);
	for (size_t i = 0; i < config->routes_count; i++)
		config_route_done(&config->routes[i]);
	for (size_t i = 0; i < config->profiles_count; i++)
		config_profile_done(&config->profiles[i]);
	for (size_t i = 0; i <= SCHEMA_LOG; i++)
		config_section_done(&config->groups[i]);
	for (size_t i = 0; i < config->sources_count; i++) {
		free(config->sources[i]->label);
		free(config->sources[i]);
	}
	free(config->endpoints);
	free(config->routes);
	free(config->profiles);
	free(config->sources);
	free(config->file);
	free(config->folder);
	free(config);
}

/* The folder that the file is in, from the root on, without resolving links. */
static char *folder_of(const char *file)
{
	CLEANUP_FREE char *here = getcwd(NULL, 0);
	const char *slash = strrchr(file, '/');
	int size = slash ? (int)(slash - file) : 0;
	char *folder = NULL;

	if (*file == '/')
		return strndup(file, size ? (size_t)size : 1);
	if (asprintf(&folder, "%s%s%.*s", here ? here : ".", size ? "/" : "", size, file) < 0)
		return NULL;
	return folder;
}

static int config_new(const char *file, struct config **ret_config)
{
	CLEANUP(config_unrefp) struct config *config = calloc(1, sizeof(*config));

	if (!config)
		return -ENOMEM;
	config->refs = 1;
	config->file = strdup(file);
	config->folder = folder_of(file);
	if (!config->file || !config->folder)
		return -ENOMEM;
	*ret_config = config;
	config = NULL;
	return 0;
}

static enum tg_log_level read_level(const struct config_section *log)
{
	static const char *const names[] = {"error", "warning", "notice", "info", "debug"};
	const char *level = config_section_text(log, "level");

	for (unsigned i = 0; i < sizeof(names) / sizeof(names[0]); i++)
		if (strcmp(names[i], level) == 0)
			return (enum tg_log_level)(TG_LOG_ERROR + i);
	return TG_LOG_INFO;
}

static void read_groups(struct config *config)
{
	const struct config_section *limits = &config->groups[SCHEMA_LIMITS], *store = &config->groups[SCHEMA_STORE];
	const struct config_section *clock = &config->groups[SCHEMA_CLOCK];

	config->gateway = config_section_text(&config->groups[SCHEMA_GATEWAY], "name");
	config->site = config_section_text(&config->groups[SCHEMA_GATEWAY], "site");
	config->crypto = config_section_text(&config->groups[SCHEMA_GATEWAY], "crypto");
	config->master_key = config_section_text(&config->groups[SCHEMA_GATEWAY], "master_key");
	config->key_overlap_us = config_section_int(&config->groups[SCHEMA_GATEWAY], "key_overlap_s") * CLOCK_S_US;
	config->device_certificate_us =
		config_section_int(&config->groups[SCHEMA_GATEWAY], "device_certificate_days") * 86400 * CLOCK_S_US;
	config->log_level = read_level(&config->groups[SCHEMA_LOG]);
	config->outbox = config_outbox_read(&config->groups[SCHEMA_OUTBOX], NULL);
	config->store = (struct config_store){
		.disk_bytes = config_section_int(store, "disk_bytes"),
		.reserve_bytes = config_section_int(store, "reserve_bytes"),
		.mirror = config_section_bool(store, "mirror"),
	};
	config->clock = (struct config_clock){
		.wait_for_sync = config_section_bool(clock, "wait_for_sync"),
		.sync_deadline_us = config_section_int(clock, "sync_deadline_s") * CLOCK_S_US,
		.believe_after_us = config_section_int(clock, "believe_after_s") * CLOCK_S_US,
	};
	config->certificates.urgent_us =
		config_section_int(&config->groups[SCHEMA_CERTIFICATES], "urgent_days") * 86400 * CLOCK_S_US;
	config->limits = (struct config_limits){
		.payload_max_bytes = (size_t)config_section_int(limits, "payload_max_bytes"),
		.records_max = (size_t)config_section_int(limits, "records_max"),
		.commands_per_device = (size_t)config_section_int(limits, "commands_per_device"),
		.commands = (size_t)config_section_int(limits, "commands"),
		.commands_bytes = (size_t)config_section_int(limits, "commands_bytes"),
		.command_expiry_s = (uint32_t)config_section_int(limits, "command_expiry_s"),
		.rate = (uint32_t)config_section_int(limits, "rate"),
		.burst = (uint32_t)config_section_int(limits, "burst"),
		.stop_deadline_us = config_section_int(limits, "stop_deadline_s") * CLOCK_S_US,
		.heartbeat_us = config_section_int(limits, "heartbeat_ms") * CLOCK_MS_US,
		.restart_min_us = config_section_int(limits, "restart_min_ms") * CLOCK_MS_US,
		.restart_max_us = config_section_int(limits, "restart_max_ms") * CLOCK_MS_US,
		.readings = {.count = (size_t)config_section_int(limits, "readings_max"),
			     .bytes = (size_t)config_section_int(limits, "readings_bytes"),
			     .share_percent = (unsigned)config_section_int(limits, "readings_share"),
			     .observers = (size_t)config_section_int(limits, "observers_max")},
		.trace_events = (size_t)config_section_int(limits, "trace_events"),
		.reading_max_age_s = (uint32_t)config_section_int(limits, "reading_max_age_s"),
	};
}

static void check_groups(const struct config_load *load)
{
	const struct config *config = load->config;
	const struct config_value *value = config_section_value(&config->groups[SCHEMA_LIMITS], "restart_min_ms");
	const struct config_value *highest = config_section_value(&config->groups[SCHEMA_LIMITS], "restart_max_ms");

	if (config->limits.restart_min_us <= config->limits.restart_max_us)
		return;
	if (!value->source)
		value = highest;
	config_problem_error(load->problems, value->source, value->line,
			     "limits: \"restart_min_ms\" is larger than \"restart_max_ms\"");
}

static int load_all(struct config_load *load)
{
	int r = config_load_files(load);

	if (r < 0)
		return r;
	read_groups(load->config);
	check_groups(load);
	r = config_load_profiles(load);
	if (r >= 0)
		r = config_load_endpoints(load);
	return r < 0 ? r : config_load_routes(load);
}

/* *with_trial: whether a configuration on trial counts; returns whether one did. */
static int load_files(const char *file, bool *with_trial, struct descriptor_set *adapters,
		      struct config_problems *problems, struct config **ret_config)
{
	struct config_load load = {.adapters = adapters, .problems = problems};
	size_t errors = problems->errors;
	int r;

	r = config_new(file, &load.config);
	if (r >= 0)
		r = config_trial_look(load.config);
	if (r >= 0) {
		load.config->trial_read &= *with_trial;
		*with_trial = load.config->trial_read;
		r = load_all(&load);
	}
	if (r >= 0 && problems->errors > errors)
		r = -EINVAL;
	config_problems_sort(problems);
	for (size_t i = 0; i < load.roots_count; i++)
		config_node_free(load.roots[i]);
	for (size_t i = 0; i < SCHEMA_PLACES; i++)
		free(load.entries[i]);
	free(load.roots);
	if (r < 0) {
		config_unref(load.config);
		return r;
	}
	*ret_config = load.config;
	return 0;
}

int config_load(const char *file, struct descriptor_set *adapters, struct config_problems *problems,
		struct config **ret_config)
{
	bool trial = true;

	return load_files(file, &trial, adapters, problems, ret_config);
}

int config_load_start(const char *file, struct descriptor_set *adapters, struct config_problems *problems,
		      struct config **ret_config)
{
	bool trial = true;
	int r = load_files(file, &trial, adapters, problems, ret_config);

	if (r != -EINVAL || !trial)
		return r;
	config_problems_done(problems);
	config_problems_init(problems);
	trial = false;
	r = load_files(file, &trial, adapters, problems, ret_config);
	if (r >= 0)
		config_problem_warning(problems, NULL, 0,
				       "the configuration on trial has errors: the one before is used");
	return r;
}

const struct config_endpoint *config_endpoint(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->endpoints_count; i++)
		if (strcmp(config->endpoints[i].name, name) == 0)
			return &config->endpoints[i];
	return NULL;
}

const struct config_route *config_route(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->routes_count; i++)
		if (strcmp(config->routes[i].name, name) == 0)
			return &config->routes[i];
	return NULL;
}

static int each_value(const struct tg_setting *row, const struct config_value *value, config_setting_fn *fn, void *arg)
{
	char number[24];
	int r = 0;

	switch (row->type) {
	case TG_BOOL:
		return fn(arg, row->name, 0, value->boolean ? "true" : "false", false);
	case TG_INT:
		snprintf(number, sizeof(number), "%" PRId64, value->number);
		return fn(arg, row->name, 0, number, false);
	case TG_LIST:
		for (size_t i = 0; i < value->count && r >= 0; i++)
			r = fn(arg, row->name, (uint32_t)i, value->items[i], false);
		return r;
	default:
		return fn(arg, row->name, 0, value->text, row->type == TG_FILE || row->type == TG_KEY_FILE);
	}
}

int config_each_setting(const struct config_endpoint *endpoint, config_setting_fn *fn, void *arg)
{
	int r = 0;

	for (size_t i = 0; i < endpoint->settings.count && r >= 0; i++)
		r = each_value(&endpoint->settings.rows[i], &endpoint->settings.values[i], fn, arg);
	return r < 0 ? r : 0;
}
