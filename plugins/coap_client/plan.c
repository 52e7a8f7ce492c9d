/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

enum { MS_US = 1000, S_US = 1000000 };

static size_t list_size(const struct tg_host *host, const char *name)
{
	size_t size = 0;

	while (host->setting_item(host, name, size))
		size++;
	return size;
}

static void complain(const struct tg_host *host, const char *list, const char *entry, const char *problem)
{
	host->log(host, TG_LOG_ERROR, NULL, "'%s' entry '%s': %s", list, entry, problem);
}

const struct texts_device *plan_device(const struct plan *plan, const char *name)
{
	for (size_t i = 0; i < plan->n_devices; i++)
		if (strcmp(plan->devices[i].name, name) == 0)
			return &plan->devices[i];
	return NULL;
}

/* Returns the number of entries that are wrong. */
static unsigned read_devices(const struct tg_host *host, struct plan *plan)
{
	bool insecure = host->setting_bool(host, "insecure");
	unsigned wrong = 0;
	const char *entry;

	for (size_t i = 0; (entry = host->setting_item(host, "devices", i)) != NULL; i++) {
		struct texts_device *device = &plan->devices[plan->n_devices];
		const char *problem = texts_device(entry, device);

		if (!problem && plan_device(plan, device->name))
			problem = "there is an entry for this device already";
		if (!problem && !device->secure && !insecure && !oscore_file_find(&plan->oscore, device->name))
			problem = "coap:// is without any security, and wants insecure = true or a context in 'oscore'";
		if (problem) {
			complain(host, "devices", entry, problem);
			wrong++;
		} else {
			plan->n_devices++;
		}
	}
	return wrong;
}

static bool is_double(const struct plan *plan, const struct texts_resource *resource)
{
	for (size_t i = 0; i < plan->n_resources; i++)
		if (strcmp(plan->resources[i].name, resource->name) == 0 &&
		    strcmp(plan->resources[i].path, resource->path) == 0)
			return true;
	return false;
}

static unsigned read_resources(const struct tg_host *host, const char *list, bool timed, struct plan *plan)
{
	unsigned wrong = 0;
	const char *entry;

	for (size_t i = 0; (entry = host->setting_item(host, list, i)) != NULL; i++) {
		struct texts_resource *resource = &plan->resources[plan->n_resources];
		const char *problem = texts_resource(entry, timed, resource);

		if (!problem && !plan_device(plan, resource->name))
			problem = "there is no such device in 'devices'";
		if (!problem && is_double(plan, resource))
			problem = "this resource stands there twice";
		if (problem) {
			complain(host, list, entry, problem);
			wrong++;
		} else {
			plan->n_resources++;
		}
	}
	return wrong;
}

static unsigned check_discover(const struct tg_host *host, const struct plan *plan)
{
	char name[TEXTS_NAME];
	unsigned wrong = 0;
	const char *entry;

	for (size_t i = 0; (entry = host->setting_item(host, "discover", i)) != NULL; i++) {
		const char *problem = texts_name(entry, name);

		if (!problem && strcmp(name, entry) != 0)
			problem = "wanted is one name, or \"*\"";
		if (!problem && strcmp(name, "*") != 0 && !plan_device(plan, name))
			problem = "there is no such device in 'devices'";
		if (problem) {
			complain(host, "discover", entry, problem);
			wrong++;
		}
	}
	return wrong;
}

bool plan_discovers(const struct tg_host *host, const char *name)
{
	const char *entry;

	for (size_t i = 0; (entry = host->setting_item(host, "discover", i)) != NULL; i++)
		if (strcmp(entry, "*") == 0 || strcmp(entry, name) == 0)
			return true;
	return false;
}

static void read_limits(const struct tg_host *host, struct plan_limits *ret_limits)
{
	*ret_limits = (struct plan_limits){
		.timing = {.ack_timeout_ms = (uint32_t)host->setting_int(host, "ack_timeout_ms"),
			   .retransmissions = (uint16_t)host->setting_int(host, "retransmissions")},
		.answer_us = host->setting_int(host, "answer_s") * S_US,
		.handshake_us = host->setting_int(host, "handshake_s") * S_US,
		.backoff_min_us = host->setting_int(host, "backoff_min_ms") * MS_US,
		.backoff_max_us = host->setting_int(host, "backoff_max_s") * S_US,
		.body_bytes = (size_t)host->setting_int(host, "body_bytes"),
		.fallback_poll_s = (uint32_t)host->setting_int(host, "fallback_poll_s"),
		.discover_s = (uint32_t)host->setting_int(host, "discover_s"),
		.discover_poll_s = (uint32_t)host->setting_int(host, "discover_poll_s"),
		.discover_most = (uint32_t)host->setting_int(host, "discover_most"),
		.revalidate = host->setting_bool(host, "revalidate"),
	};
}

int plan_read(const struct tg_host *host, struct plan **ret_plan)
{
	size_t n_resources = list_size(host, "observe") + list_size(host, "poll");
	struct plan *plan = calloc(1, sizeof(*plan));
	const char *identity = host->setting_text(host, "psk_identity");
	unsigned wrong;

	if (!plan)
		return -ENOMEM;
	plan->devices = calloc(list_size(host, "devices") + 1, sizeof(*plan->devices));
	plan->resources = calloc(n_resources + 1, sizeof(*plan->resources));
	plan->psk_identity = strdup(identity[0] ? identity : host->gateway(host));
	if (!plan->devices || !plan->resources || !plan->psk_identity) {
		plan_free(plan);
		return -ENOMEM;
	}
	wrong = plan_oscore_read(host, plan);
	wrong += read_devices(host, plan);
	wrong += plan_oscore_check(host, plan);
	wrong += read_resources(host, "observe", false, plan);
	wrong += read_resources(host, "poll", true, plan);
	wrong += check_discover(host, plan);
	if (wrong > 0) {
		plan_free(plan);
		return -EINVAL;
	}
	read_limits(host, &plan->limits);
	*ret_plan = plan;
	return 0;
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	free(plan->devices);
	free(plan->resources);
	free(plan->psk_identity);
	oscore_file_free(&plan->oscore);
	free(plan);
}
