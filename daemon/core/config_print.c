/* SPDX-License-Identifier: Apache-2.0 */
#include "core/config_print.h"

#include <stdlib.h>

#include "core/config.h"
#include "core/schema.h"

static void print_section(const struct config_section *section, const char *indent, FILE *out)
{
	for (size_t i = 0; i < section->count; i++) {
		const struct config_value *value = &section->values[i];
		CLEANUP_FREE char *text = config_value_format(&section->rows[i], value);

		fprintf(out, "%s%s = %s;", indent, section->rows[i].name, text ? text : "?");
		if (value->source)
			fprintf(out, "  # %s:%u\n", value->source->label, value->line);
		else
			fputs("  # default\n", out);
	}
}

static void print_endpoint(const struct config_endpoint *endpoint, FILE *out)
{
	fputs("  {\n", out);
	print_section(&endpoint->common, "    ", out);
	print_section(&endpoint->settings, "    ", out);
	if (endpoint->descriptor->roles & TG_SINK) {
		fputs("    outbox: {\n", out);
		print_section(&endpoint->own_outbox, "      ", out);
		fputs("    };\n", out);
	}
	fputs("  }", out);
}

static void print_entry(const struct config_section *settings, bool last, FILE *out)
{
	fputs("  {\n", out);
	print_section(settings, "    ", out);
	fputs(last ? "  }\n" : "  },\n", out);
}

void config_print(const struct config *config, FILE *out)
{
	for (int place = SCHEMA_GATEWAY; place < SCHEMA_ENDPOINT; place++) {
		fprintf(out, "%s: {\n", schema_section((enum schema_place)place)->name);
		print_section(&config->groups[place], "  ", out);
		fputs("};\n\n", out);
	}
	fputs("endpoints: (\n", out);
	for (size_t i = 0; i < config->endpoints_count; i++) {
		print_endpoint(&config->endpoints[i], out);
		fputs(i + 1 < config->endpoints_count ? ",\n" : "\n", out);
	}
	fputs(");\n\nroutes: (\n", out);
	for (size_t i = 0; i < config->routes_count; i++)
		print_entry(&config->routes[i].settings, i + 1 == config->routes_count, out);
	fputs(");\n\nprofiles: (\n", out);
	for (size_t i = 0; i < config_profiles_given(config); i++)
		print_entry(&config->profiles[i].settings, i + 1 == config_profiles_given(config), out);
	fputs(");\n", out);
}
