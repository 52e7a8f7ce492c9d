/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>

#include "core/config_internal.h"
#include "core/suggest.h"

static const struct {
	const char *name;
	uint32_t code;
} methods[] = {{"GET", TG_METHOD_GET},       {"POST", TG_METHOD_POST},   {"PUT", TG_METHOD_PUT},
	       {"DELETE", TG_METHOD_DELETE}, {"FETCH", TG_METHOD_FETCH}, {"PATCH", TG_METHOD_PATCH},
	       {"iPATCH", TG_METHOD_IPATCH}};

enum { METHODS_COUNT = sizeof(methods) / sizeof(methods[0]) };

/* A row of methods, and those that may stand there. */
struct methods_row {
	const char *name;
	uint32_t possible;
	const char *problem;
};

static const struct methods_row handing_in = {
	"methods", PROFILE_METHODS_USUAL | PROFILE_METHOD(TG_METHOD_PATCH) | PROFILE_METHOD(TG_METHOD_IPATCH),
	"which hands nothing in; POST, PUT, PATCH and iPATCH do"};
static const struct methods_row commanding = {
	"command_methods", UINT32_MAX, "which is no method; GET, POST, PUT, DELETE, FETCH, PATCH and iPATCH are"};

static void free_paths(struct pattern **paths, size_t count)
{
	for (size_t i = 0; i < count; i++)
		pattern_free(paths[i]);
	free(paths);
}

void config_profile_done(struct config_profile *profile)
{
	free_paths(profile->paths, profile->profile.paths_count);
	free_paths(profile->command_paths, profile->profile.command_paths_count);
	for (size_t i = 0; i < profile->profile.reads_count; i++) {
		free(profile->reads[i].device);
		pattern_free(profile->reads[i].path);
	}
	free(profile->reads);
	free(profile->formats);
	config_section_done(&profile->settings);
}

/* What was not given, or is 0, is the gateway's; nothing gets larger than that. */
static int64_t narrowed(const struct config_profile *profile, const char *name, int64_t gateway)
{
	int64_t own = config_section_int(&profile->settings, name);

	return own && (own < gateway || gateway == 0) ? own : gateway;
}

static void read_limits(const struct config *config, struct config_profile *profile)
{
	const struct config_limits *limits = &config->limits;
	struct profile *p = &profile->profile;
	int64_t burst = config_section_int(&profile->settings, "burst");

	p->payload_max_bytes = (size_t)narrowed(profile, "payload_max_bytes", (int64_t)limits->payload_max_bytes);
	p->rate = (uint32_t)narrowed(profile, "rate", limits->rate);
	/* Without a rate the gateway has no burst of its own either, only a default for those who give a rate. */
	p->burst = (uint32_t)(burst && limits->rate == 0 ? burst : narrowed(profile, "burst", limits->burst));
	p->outbox_share = (uint8_t)config_section_int(&profile->settings, "outbox_share");
	p->commands = config_section_bool(&profile->settings, "commands");
}

static void complain(const struct config_load *load, const struct config_profile *profile, const char *where,
		     const char *name, const char *problem)
{
	const struct config_value *value = config_section_value(&profile->settings, name);

	config_problem_error(load->problems, value->source, value->line, "%s: \"%s\" %s", where, name, problem);
}

static uint32_t read_method(const struct config_load *load, const char *where, const char *text,
			    const struct config_value *value, const struct methods_row *row)
{
	struct suggest suggest;

	suggest_begin(&suggest, text);
	for (size_t i = 0; i < METHODS_COUNT; i++) {
		if (!(row->possible & PROFILE_METHOD(methods[i].code)))
			continue;
		suggest_offer(&suggest, methods[i].name);
		if (strcmp(methods[i].name, text) == 0)
			return PROFILE_METHOD(methods[i].code);
	}
	config_problem_error(load->problems, value->source, value->line, "%s: \"%s\" has \"%s\", %s%s%s%s", where,
			     row->name, text, row->problem, suggest_best(&suggest) ? "; did you mean \"" : "",
			     suggest_best(&suggest) ? suggest_best(&suggest) : "", suggest_best(&suggest) ? "\"?" : "");
	return 0;
}

static uint32_t read_methods(const struct config_load *load, const char *where, const struct config_profile *profile,
			     const struct methods_row *row)
{
	const struct config_value *value = config_section_value(&profile->settings, row->name);
	uint32_t used = 0;

	for (size_t i = 0; i < value->count; i++)
		used |= read_method(load, where, value->items[i], value, row);
	return used;
}

/* Returns 1 where there is a pattern, 0 where the text is none. */
static int read_path(const struct config_load *load, const char *where, const char *text,
		     const struct config_profile *profile, const char *name, struct pattern **ret_path)
{
	bool site = *config_section_text(&load->config->groups[SCHEMA_GATEWAY], "site");
	char problem[PATTERN_PROBLEM_SIZE];
	int r = pattern_new_match(text, false, ret_path, problem);

	if (r == -EINVAL)
		complain(load, profile, where, name, problem);
	if (r < 0)
		return r == -EINVAL ? 0 : r;
	if (pattern_uses(*ret_path, PATTERN_FORMAT))
		complain(load, profile, where, name, "uses {format}; which formats are taken is said in \"formats\"");
	if (!site && pattern_uses(*ret_path, PATTERN_SITE))
		complain(load, profile, where, name, "uses {site}, but the gateway has no \"site\"");
	return 1;
}

static int read_paths(const struct config_load *load, const char *where, const struct config_profile *profile,
		      const char *name, struct pattern ***ret_paths, size_t *ret_count)
{
	const struct config_value *value = config_section_value(&profile->settings, name);
	struct pattern **paths = calloc(value->count + 1, sizeof(*paths));
	int r = paths ? 0 : -ENOMEM;

	*ret_paths = paths;
	for (size_t i = 0; i < value->count && r >= 0; i++) {
		r = read_path(load, where, value->items[i], profile, name, &paths[*ret_count]);
		*ret_count += r > 0;
	}
	return r;
}

/* DEVICE/PATH. What is given to a route has no value here. */
static int read_one_read(const struct config_load *load, const char *where, const char *text,
			 struct config_profile *profile)
{
	struct profile_read *read = &profile->reads[profile->profile.reads_count];
	const char *slash = strchr(text, '/');
	int r;

	if (!slash || slash == text || !slash[1] || strchr(slash, '*')) {
		complain(
			load, profile, where, "reads",
			"wants DEVICE/PATH; '*' stands for characters of the device's name, of the path \"{name}\" for "
			"a segment and a last \"{path}\" for the rest");
		return 0;
	}
	r = read_path(load, where, slash + 1, profile, "reads", &read->path);
	if (r <= 0)
		return r;
	read->device = strndup(text, (size_t)(slash - text));
	profile->profile.reads_count++;
	for (int given = 0; given < PATTERN_FORMAT; given++) {
		if (!pattern_uses(read->path, (enum pattern_given)given))
			continue;
		complain(load, profile, where, "reads", "uses a given name, which stands for nothing there");
		break;
	}
	return read->device ? 0 : -ENOMEM;
}

static int read_reads(const struct config_load *load, const char *where, struct config_profile *profile)
{
	const struct config_value *value = config_section_value(&profile->settings, "reads");
	int r = 0;

	profile->reads = calloc(value->count + 1, sizeof(*profile->reads));
	if (!profile->reads)
		return -ENOMEM;
	for (size_t i = 0; i < value->count && r >= 0; i++)
		r = read_one_read(load, where, value->items[i], profile);
	profile->profile.reads = profile->reads;
	return r;
}

static int read_rules(const struct config_load *load, const char *where, struct config_profile *profile)
{
	struct profile *p = &profile->profile;
	int r;

	p->methods = read_methods(load, where, profile, &handing_in);
	p->command_methods = read_methods(load, where, profile, &commanding);
	r = read_paths(load, where, profile, "paths", &profile->paths, &p->paths_count);
	if (r >= 0)
		r = read_paths(load, where, profile, "command_paths", &profile->command_paths, &p->command_paths_count);
	if (r >= 0)
		r = read_reads(load, where, profile);
	p->paths = profile->paths;
	p->command_paths = profile->command_paths;
	return r;
}

static void read_devices(const struct config_load *load, const char *where, struct config_profile *profile)
{
	const struct config_value *value = config_section_value(&profile->settings, "devices");

	profile->profile.devices = value->items;
	profile->profile.devices_count = value->count;
	if (value->count && strcmp(profile->profile.name, PROFILE_DEFAULT_NAME) == 0)
		complain(load, profile, where, "devices",
			 "has no meaning here: this profile is for all that have no other");
}

static int name_default(struct config_section *settings)
{
	char *name = strdup(PROFILE_DEFAULT_NAME);

	if (!name)
		return -ENOMEM;
	for (size_t i = 0; i < settings->count; i++) {
		if (strcmp(settings->rows[i].name, "name") != 0)
			continue;
		free(settings->values[i].text);
		settings->values[i].text = name;
		return 0;
	}
	free(name);
	return 0;
}

/* `entry` is NULL for the one that is built in. */
static int read_profile(const struct config_load *load, const struct config_entry *entry,
			struct config_profile *profile)
{
	const char *where = entry ? entry->where : PROFILE_DEFAULT_NAME;
	int r = config_section_init(&profile->settings, schema_section(SCHEMA_PROFILE)->rows, load->config->folder);

	if (r >= 0)
		r = entry ? config_section_read(load, &profile->settings, entry) : name_default(&profile->settings);
	if (r < 0)
		return r;
	profile->profile.name = config_section_text(&profile->settings, "name");
	config_check_name(load, where, profile->profile.name, config_section_value(&profile->settings, "name"));
	read_limits(load->config, profile);
	read_devices(load, where, profile);
	r = read_rules(load, where, profile);
	if (r >= 0)
		r = config_formats_read(load, where, &profile->settings, &profile->formats,
					&profile->profile.formats_count);
	profile->profile.formats = profile->formats;
	return r;
}

static void check_unique(const struct config_load *load, const struct config_entry *entry, size_t place)
{
	const struct config_profile *profile = &load->config->profiles[place];
	const struct config_profile *other = config_profile(load->config, profile->profile.name);

	if (*profile->profile.name && other < profile)
		config_problem_error(load->problems, profile->source, profile->line,
				     "%s: there is a profile of this name already, at %s:%u", entry->where,
				     other->source->label, other->line);
}

static int add_default(struct config_load *load)
{
	struct config *config = load->config;

	if (config_profile(config, PROFILE_DEFAULT_NAME))
		return 0;
	return read_profile(load, NULL, &config->profiles[config->profiles_count++]);
}

int config_load_profiles(struct config_load *load)
{
	struct config *config = load->config;
	const struct config_entry *entries = load->entries[SCHEMA_PROFILE];
	size_t count = load->entries_count[SCHEMA_PROFILE];
	int r = 0;

	if (count > CONFIG_PROFILES_MAX) {
		config_problem_error(load->problems, config->sources[0], 0, "%zu profiles, at most %d are possible",
				     count, CONFIG_PROFILES_MAX);
		count = CONFIG_PROFILES_MAX;
	}
	config->profiles = calloc(count + 1, sizeof(*config->profiles));
	if (!config->profiles)
		return -ENOMEM;
	for (size_t i = 0; i < count && r >= 0; i++) {
		config->profiles[i].source = entries[i].node->source;
		config->profiles[i].line = entries[i].node->line;
		config->profiles_count++;
		r = read_profile(load, &entries[i], &config->profiles[i]);
		if (r >= 0)
			check_unique(load, &entries[i], i);
	}
	if (r >= 0)
		r = add_default(load);
	for (size_t i = 1; i < config->profiles_count; i++)
		config->profiles[i - 1].profile.next = &config->profiles[i].profile;
	return r;
}

const struct config_profile *config_profile(const struct config *config, const char *name)
{
	for (size_t i = 0; i < config->profiles_count; i++)
		if (config->profiles[i].profile.name && strcmp(config->profiles[i].profile.name, name) == 0)
			return &config->profiles[i];
	return NULL;
}

size_t config_profiles_given(const struct config *config)
{
	size_t count = config->profiles_count;

	return count > 0 && !config->profiles[count - 1].source ? count - 1 : count;
}
