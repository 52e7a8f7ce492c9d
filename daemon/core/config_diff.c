/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdarg.h>
#include <string.h>

#include "core/config_internal.h"

struct diff {
	config_change_fn *fn;
	void *arg;
	const char *endpoint;
	enum config_effect effect; /* of a row that is not live */
	int count;
	bool out_of_memory;
};

static const char *effect_text(enum config_effect effect)
{
	switch (effect) {
	case CONFIG_LIVE:
		return "live";
	case CONFIG_RESTART_ENDPOINT:
		return "waits for a restart of the endpoint";
	case CONFIG_RESTART_GATEWAY:
		return "waits for a restart of the gateway";
	}
	return "";
}

static void tell(struct diff *diff, enum config_effect effect, const char *format, ...)
	__attribute__((format(printf, 3, 4)));

static void tell(struct diff *diff, enum config_effect effect, const char *format, ...)
{
	CLEANUP_FREE char *what = NULL, *text = NULL;
	struct config_change change = {.effect = effect, .endpoint = diff->endpoint};
	va_list args;
	int written;

	va_start(args, format);
	written = vasprintf(&what, format, args);
	va_end(args);
	if (written < 0)
		what = NULL;
	if (!what || asprintf(&text, "%s (%s)", what, effect_text(effect)) < 0) {
		text = NULL;
		diff->out_of_memory = true;
		return;
	}
	change.text = text;
	diff->count++;
	diff->fn(diff->arg, &change);
}

static const struct tg_setting *row_of(const struct config_section *section, const struct config_value *value)
{
	return &section->rows[value - section->values];
}

static void tell_values(struct diff *diff, const char *where, const struct tg_setting *row,
			const struct config_value *before, const struct config_value *after)
{
	CLEANUP_FREE char *old = config_value_format(row, before), *now = config_value_format(row, after);

	if (!old || !now)
		diff->out_of_memory = true;
	else
		tell(diff, row->flags & TG_LIVE ? CONFIG_LIVE : diff->effect, "%s: %s %s -> %s", where, row->name, old,
		     now);
}

/* Rows that only one of the two has come and go with the adapter's version; only those that both have can be compared. */
static void compare_sections(struct diff *diff, const char *where, const struct config_section *before,
			     const struct config_section *after)
{
	for (size_t i = 0; i < after->count; i++) {
		const struct tg_setting *row = &after->rows[i];
		const struct config_value *old = config_section_value(before, row->name);

		if (old && row_of(before, old)->type == row->type && !config_value_same(row, old, &after->values[i]))
			tell_values(diff, where, row, old, &after->values[i]);
	}
}

static void compare_endpoint(struct diff *diff, const struct config_endpoint *before,
			     const struct config_endpoint *after)
{
	char where[128], outbox[160];

	snprintf(where, sizeof(where), "endpoint %s", after->name);
	snprintf(outbox, sizeof(outbox), "%s: outbox", where);
	diff->endpoint = after->name;
	diff->effect = CONFIG_RESTART_ENDPOINT;
	compare_sections(diff, where, &before->common, &after->common);
	compare_sections(diff, outbox, &before->own_outbox, &after->own_outbox);
	if (strcmp(before->adapter, after->adapter) == 0)
		compare_sections(diff, where, &before->settings, &after->settings);
	diff->endpoint = NULL;
}

static void compare_endpoints(struct diff *diff, const struct config *before, const struct config *after)
{
	for (size_t i = 0; i < before->endpoints_count; i++) {
		const struct config_endpoint *old = &before->endpoints[i];

		diff->endpoint = old->name;
		if (!config_endpoint(after, old->name))
			tell(diff, CONFIG_LIVE, "endpoint %s: removed", old->name);
	}
	for (size_t i = 0; i < after->endpoints_count; i++) {
		const struct config_endpoint *now = &after->endpoints[i];
		const struct config_endpoint *old = config_endpoint(before, now->name);

		diff->endpoint = now->name;
		if (old)
			compare_endpoint(diff, old, now);
		else
			tell(diff, CONFIG_LIVE, "endpoint %s: added", now->name);
	}
	diff->endpoint = NULL;
}

/* Whether the routes that both have stand in another order. */
static bool is_reordered(const struct config *before, const struct config *after)
{
	const struct config_route *last = NULL;

	for (size_t i = 0; i < after->routes_count; i++) {
		const struct config_route *old = config_route(before, after->routes[i].name);

		if (old && last && old < last)
			return true;
		last = old ? old : last;
	}
	return false;
}

static void compare_routes(struct diff *diff, const struct config *before, const struct config *after)
{
	char where[128];

	diff->effect = CONFIG_LIVE;
	for (size_t i = 0; i < before->routes_count; i++)
		if (!config_route(after, before->routes[i].name))
			tell(diff, CONFIG_LIVE, "route %s: removed", before->routes[i].name);
	for (size_t i = 0; i < after->routes_count; i++) {
		const struct config_route *now = &after->routes[i], *old = config_route(before, now->name);

		snprintf(where, sizeof(where), "route %s", now->name);
		if (old)
			compare_sections(diff, where, &old->settings, &now->settings);
		else
			tell(diff, CONFIG_LIVE, "%s: added", where);
	}
	if (is_reordered(before, after))
		tell(diff, CONFIG_LIVE, "routes: another order");
}

/* The one that is built in counts like one that was given: another default is a change. */
static void compare_profiles(struct diff *diff, const struct config *before, const struct config *after)
{
	const struct config_profile *last = NULL;
	bool reordered = false;
	char where[128];

	diff->effect = CONFIG_LIVE;
	for (size_t i = 0; i < before->profiles_count; i++)
		if (!config_profile(after, before->profiles[i].profile.name))
			tell(diff, CONFIG_LIVE, "profile %s: removed", before->profiles[i].profile.name);
	for (size_t i = 0; i < after->profiles_count; i++) {
		const struct config_profile *now = &after->profiles[i];
		const struct config_profile *old = config_profile(before, now->profile.name);

		snprintf(where, sizeof(where), "profile %s", now->profile.name);
		if (old)
			compare_sections(diff, where, &old->settings, &now->settings);
		else
			tell(diff, CONFIG_LIVE, "%s: added", where);
		if (!old || now->profile.devices_count == 0)
			continue; /* where it stands says nothing */
		reordered |= last && old < last;
		last = old;
	}
	if (reordered)
		tell(diff, CONFIG_LIVE, "profiles: another order");
}

int config_diff(const struct config *before, const struct config *after, config_change_fn *fn, void *arg)
{
	struct diff diff = {.fn = fn, .arg = arg, .effect = CONFIG_RESTART_GATEWAY};

	for (int place = SCHEMA_GATEWAY; place <= SCHEMA_LOG; place++)
		compare_sections(&diff, schema_section((enum schema_place)place)->one, &before->groups[place],
				 &after->groups[place]);
	compare_endpoints(&diff, before, after);
	compare_routes(&diff, before, after);
	compare_profiles(&diff, before, after);
	return diff.out_of_memory ? -ENOMEM : diff.count;
}
