/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>

#include "core/config_internal.h"
#include "core/devices_master.h"

static void warn_file(const struct config_endpoint *endpoint, const struct config_section *section, size_t place,
		      struct config_problems *problems)
{
	const struct tg_setting *row = &section->rows[place];
	const struct config_value *value = &section->values[place];
	struct stat st;

	if (!value->text || !*value->text)
		return;
	if (stat(value->text, &st) < 0) {
		config_problem_warning(problems, value->source, value->line, "endpoint \"%s\": \"%s\": %s: %s",
				       endpoint->name, row->name, value->text, strerror(errno));
		return;
	}
	if (!S_ISREG(st.st_mode))
		config_problem_warning(problems, value->source, value->line,
				       "endpoint \"%s\": \"%s\": %s is not a regular file", endpoint->name, row->name,
				       value->text);
	else if (row->type == TG_KEY_FILE && st.st_mode & (S_IRWXG | S_IRWXO))
		config_problem_warning(
			problems, value->source, value->line,
			"endpoint \"%s\": \"%s\": %s may be read by others and will be refused (mode %04o, "
			"wanted 0600)",
			endpoint->name, row->name, value->text, st.st_mode & 07777u);
}

static void warn_endpoint(const struct config_endpoint *endpoint, struct config_problems *problems)
{
	for (size_t i = 0; i < endpoint->settings.count; i++) {
		const struct tg_setting *row = &endpoint->settings.rows[i];
		const struct config_value *value = &endpoint->settings.values[i];

		if (row->flags & TG_ABSENT && value->source)
			config_problem_warning(problems, value->source, value->line,
					       "endpoint \"%s\": \"%s\": a library that adapter %s was built with "
					       "is too old for it, or was built without it",
					       endpoint->name, row->name, endpoint->descriptor->name);
		if (row->type == TG_FILE || row->type == TG_KEY_FILE)
			warn_file(endpoint, &endpoint->settings, i, problems);
		else if (row->type == TG_BOOL && strcmp(row->name, "insecure") == 0 && value->boolean)
			config_problem_warning(
				problems, value->source, value->line,
				"endpoint \"%s\": is insecure: anybody on its network can read, forge and "
				"drop messages",
				endpoint->name);
	}
	for (size_t i = 0; i < endpoint->common.count; i++) {
		if (endpoint->common.rows[i].type == TG_FILE || endpoint->common.rows[i].type == TG_KEY_FILE)
			warn_file(endpoint, &endpoint->common, i, problems);
	}
	if (!endpoint->enabled)
		config_problem_warning(problems, endpoint->source, endpoint->line,
				       "endpoint \"%s\": is not enabled, its routes are left out", endpoint->name);
}

static bool is_used(const struct config *config, size_t place)
{
	for (size_t i = 0; i < config->routes_count; i++)
		if (config->routes[i].from == place || config->routes[i].to == place)
			return true;
	return false;
}

/* Whether nothing gets past `route` that `later` could take. */
static bool takes_all_of(const struct config_route *route, const struct config_route *later)
{
	return route->from == later->from && !route->goes_on && route->enabled && route->formats_count == 0 &&
	       config_section_count(&route->settings, "devices") == 0 &&
	       route->payload_max_bytes >= later->payload_max_bytes && pattern_covers(route->match, later->match);
}

static void warn_route(const struct config *config, size_t place, struct config_problems *problems)
{
	const struct config_route *route = &config->routes[place];
	const struct config_value *address = config_section_value(&route->settings, "address");
	char reserved = pattern_reserved_literal(route->address);

	for (size_t i = 0; i < place; i++) {
		if (!takes_all_of(&config->routes[i], route))
			continue;
		config_problem_warning(problems, route->source, route->line,
				       "route \"%s\": never matches, route \"%s\" before it takes everything",
				       route->name, config->routes[i].name);
		break;
	}
	if (reserved)
		config_problem_warning(
			problems, address->source, address->line,
			"route \"%s\": \"address\" has a '%c', which has a meaning of its own in %s addresses",
			route->name, reserved, config->endpoints[route->to].adapter);
	if (route->impersonate)
		config_problem_warning(
			problems, route->source, route->line,
			"route \"%s\": impersonate: whoever can send to endpoint \"%s\" can speak as any "
			"enrolled device",
			route->name, config->endpoints[route->from].name);
	if (route->payload_max_bytes > config->limits.payload_max_bytes)
		config_problem_warning(problems, route->source, route->line,
				       "route \"%s\": takes larger payloads than the gateway (%zu bytes)", route->name,
				       config->limits.payload_max_bytes);
}

static void warn_larger(const struct config_profile *profile, const char *name, int64_t gateway,
			struct config_problems *problems)
{
	const struct config_value *value = config_section_value(&profile->settings, name);

	if (gateway > 0 && value->number > gateway)
		config_problem_warning(problems, value->source, value->line,
				       "profile \"%s\": \"%s\" is more than the gateway's, which counts (%lld)",
				       profile->profile.name, name, (long long)gateway);
}

static bool takes_every_device(const struct profile *profile)
{
	for (size_t i = 0; i < profile->devices_count; i++)
		if (strspn(profile->devices[i], "*") == strlen(profile->devices[i]) && *profile->devices[i])
			return true;
	return false;
}

static void warn_profile(const struct config *config, size_t place, struct config_problems *problems)
{
	const struct config_profile *profile = &config->profiles[place];
	const struct config_limits *limits = &config->limits;

	warn_larger(profile, "payload_max_bytes", (int64_t)limits->payload_max_bytes, problems);
	warn_larger(profile, "rate", limits->rate, problems);
	warn_larger(profile, "burst", limits->rate ? limits->burst : 0, problems);
	for (size_t i = 0; i < place && profile->profile.devices_count; i++) {
		if (!takes_every_device(&config->profiles[i].profile))
			continue;
		config_problem_warning(problems, profile->source, profile->line,
				       "profile \"%s\": no device gets it by its name, profile \"%s\" before it takes "
				       "them all",
				       profile->profile.name, config->profiles[i].profile.name);
		break;
	}
}

/* Without it, or with a wrong one, the gateway starts, but lets no device with a pre-shared key in. */
static void warn_master_key(const struct config *config, struct config_problems *problems)
{
	const struct config_value *value = config_section_value(&config->groups[SCHEMA_GATEWAY], "master_key");
	CLEANUP_SECRET struct secret key = {.size = 0};
	int r = value && value->text && *value->text ? devices_master_read(value->text, &key) : 0;

	if (r < 0)
		config_problem_warning(problems, value->source, value->line, "gateway: \"master_key\": %s: %s",
				       value->text, devices_master_problem(r));
}

void config_warn(const struct config *config, struct config_problems *problems)
{
	warn_master_key(config, problems);
	if (config->endpoints_count == 0)
		config_problem_warning(problems, config->sources[0], 0, "no endpoints: the gateway has nothing to do");
	for (size_t i = 0; i < config->endpoints_count; i++) {
		const struct config_endpoint *endpoint = &config->endpoints[i];

		warn_endpoint(endpoint, problems);
		if (!is_used(config, i))
			config_problem_warning(problems, endpoint->source, endpoint->line,
					       "endpoint \"%s\": no route comes from it or goes to it", endpoint->name);
	}
	for (size_t i = 0; i < config->routes_count; i++)
		warn_route(config, i, problems);
	for (size_t i = 0; i < config_profiles_given(config); i++)
		warn_profile(config, i, problems);
	config_problems_sort(problems);
}

static const char *base_name(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? slash + 1 : file;
}

static void print_count(FILE *out, const char *before, size_t count, const char *one)
{
	fprintf(out, "%s%zu %s%s", before, count, one, count == 1 ? "" : "s");
}

static void print_good(const struct config *config, FILE *out)
{
	print_count(out, "good: ", config->endpoints_count, "endpoint");
	print_count(out, ", ", config->routes_count, "route");
	if (config_profiles_given(config))
		print_count(out, ", ", config_profiles_given(config), "profile");
	if (config->sources_count > 1)
		print_count(out, ", ", config->sources_count, "file");
	fputc('\n', out);
}

int config_check(const char *file, const struct config_places *places, FILE *out)
{
	CLEANUP(descriptor_set_freep) struct descriptor_set *adapters = NULL;
	CLEANUP(config_unrefp) struct config *config = NULL;
	struct config_problems problems;
	int r;

	r = descriptor_set_new(places->endpoint_program, places->adapter_dir, &adapters);
	if (r < 0)
		return r;
	config_problems_init(&problems);
	r = config_load_start(file, adapters, &problems, &config);
	if (r >= 0)
		config_warn(config, &problems);
	config_problems_print(&problems, out);
	fprintf(out, "%s: ", base_name(file));
	if (r >= 0)
		print_good(config, out);
	else if (problems.errors)
		print_count(out, "", problems.errors, "error");
	else
		fputs(strerror(-r), out);
	if (r < 0)
		fputc('\n', out);
	config_problems_done(&problems);
	return r;
}
