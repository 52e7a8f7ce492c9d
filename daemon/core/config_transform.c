/* SPDX-License-Identifier: Apache-2.0 */

/* What a route makes of payloads: the rows `format`, `split` and `resolve`. */

#include <errno.h>
#include <string.h>

#include "core/config_internal.h"
#include "core/transform.h"
#include "format/senml.h"

static enum config_form form_of(const char *word)
{
	if (strcmp(word, "senml-json") == 0)
		return CONFIG_FORM_SENML_JSON;
	if (strcmp(word, "senml-cbor") == 0)
		return CONFIG_FORM_SENML_CBOR;
	return strcmp(word, "json-envelope") == 0 ? CONFIG_FORM_ENVELOPE : CONFIG_FORM_RAW;
}

/* A route that reads SenML takes nothing else, whether it says so or not. */
static int read_formats(const struct config_load *load, const char *where, struct config_route *route)
{
	const struct config_value *value = config_section_value(&route->settings, "formats");

	if (value->count > 0) {
		for (size_t i = 0; i < route->formats_count; i++)
			if (!transform_takes(&route->transform, route->formats[i])) {
				config_problem_error(load->problems, value->source, value->line,
						     "%s: \"formats\" has another one than application/senml+json and "
						     "application/senml+cbor, but the route reads SenML",
						     where);
				break;
			}
		return 0;
	}
	free(route->formats);
	route->formats = calloc(2, sizeof(*route->formats));
	if (!route->formats)
		return -ENOMEM;
	route->formats[0] = SENML_FORMAT_JSON;
	route->formats[1] = SENML_FORMAT_CBOR;
	route->formats_count = 2;
	return 0;
}

int config_transform_read(const struct config_load *load, const char *where, struct config_route *route)
{
	const struct config_section *limits = &load->config->groups[SCHEMA_LIMITS];

	route->transform = (struct config_transform){
		.form = form_of(config_section_text(&route->settings, "format")),
		.split = config_section_bool(&route->settings, "split"),
		.resolve = config_section_bool(&route->settings, "resolve"),
		.records_max = (size_t)config_section_int(limits, "records_max"),
	};
	load->config->transforms |= transform_wanted(&route->transform);
	return transform_takes(&route->transform, TG_FORMAT_NONE) ? 0 : read_formats(load, where, route);
}
