/* SPDX-License-Identifier: Apache-2.0 */
#include "plan.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "address.h"
#include "wildcard.h"

enum { MS_US = 1000, S_US = 1000000, TYPE_MAX = 128 };

static size_t list_size(const struct tg_host *host, const char *name)
{
	size_t size = 0;

	while (host->setting_item(host, name, size))
		size++;
	return size;
}

static int complain(const struct tg_host *host, const char *list, const char *entry, const char *problem)
{
	host->log(host, TG_LOG_ERROR, NULL, "'%s' entry '%s': %s", list, entry, problem);
	return -EINVAL;
}

static int read_roots(const struct tg_host *host, struct plan *plan)
{
	const char *entry;
	int r = 0;

	plan->roots = calloc(list_size(host, "catalogues") + 1, sizeof(*plan->roots));
	if (!plan->roots)
		return -ENOMEM;
	for (size_t i = 0; (entry = host->setting_item(host, "catalogues", i)) != NULL; i++) {
		int error = href_parse(entry, NULL, &plan->roots[plan->n_roots]);

		if (error == -EPROTONOSUPPORT)
			r = complain(host, "catalogues", entry, "is not https://");
		else if (error < 0)
			r = complain(host, "catalogues", entry, "is not of the form https://host[:port]/path");
		else
			plan->n_roots++;
	}
	if (r >= 0 && plan->n_roots == 0) {
		host->log(host, TG_LOG_ERROR, NULL, "'catalogues' is empty: there is nothing to harvest");
		return -EINVAL;
	}
	return r;
}

/* "host", "host:port", "::1" or "[::1]:port": as the place of an address, by the same rules. */
static int read_host(const char *entry, struct plan_host *ret_host)
{
	const char *colon = strchr(entry, ':');
	bool is_bare_v6 = entry[0] != '[' && colon && strchr(colon + 1, ':');
	char text[HREF_HOST_MAX + 16];
	struct href href = {.text = NULL};
	const char *end = strrchr(entry, ']');
	int r;

	if (strlen(entry) > HREF_HOST_MAX || strpbrk(entry, "/?#@"))
		return -EINVAL;
	memcpy(text, "https://[", 9);
	memcpy(text + 8 + is_bare_v6, entry, strlen(entry) + 1);
	if (is_bare_v6)
		memcpy(text + 9 + strlen(entry), "]", 2);
	r = href_parse(text, NULL, &href);
	if (r < 0)
		return r;
	ret_host->name = strdup(href.host);
	ret_host->port = !is_bare_v6 && strchr(end ? end : entry, ':') ? href.port : 0;
	href_done(&href);
	return ret_host->name ? 0 : -ENOMEM;
}

static int read_hosts(const struct tg_host *host, struct plan *plan)
{
	const char *entry;
	int r = 0;

	plan->hosts = calloc(list_size(host, "hosts") + 1, sizeof(*plan->hosts));
	if (!plan->hosts)
		return -ENOMEM;
	for (size_t i = 0; (entry = host->setting_item(host, "hosts", i)) != NULL; i++) {
		if (read_host(entry, &plan->hosts[plan->n_hosts]) < 0)
			r = complain(host, "hosts", entry, "is no host name or address, with or without a port");
		else
			plan->n_hosts++;
	}
	return r;
}

/* "REL VAL", or REL alone. */
static int read_pairs(const struct tg_host *host, const char *list, struct plan_pair **ret_pairs, size_t *ret_n)
{
	struct plan_pair *pairs = calloc(list_size(host, list) + 1, sizeof(*pairs));
	const char *entry;
	int r = pairs ? 0 : -ENOMEM;

	*ret_pairs = pairs;
	for (size_t i = 0; r >= 0 && (entry = host->setting_item(host, list, i)) != NULL; i++) {
		size_t size = strcspn(entry, " ");
		const char *val = entry + size + strspn(entry + size, " ");

		if (size == 0)
			r = complain(host, list, entry, "is not of the form \"REL VAL\"");
		pairs[i].rel = strndup(entry, size);
		pairs[i].val = strdup(*val ? val : "*");
		if (!pairs[i].rel || !pairs[i].val)
			r = -ENOMEM;
		*ret_n = i + 1;
	}
	return r;
}

static void read_limits(const struct tg_host *host, struct plan_limits *ret_limits)
{
	*ret_limits = (struct plan_limits){
		.harvest_us = host->setting_int(host, "harvest_interval_s") * S_US,
		.poll_us = host->setting_int(host, "poll_interval_s") * S_US,
		.timeout_us = host->setting_int(host, "timeout_s") * S_US,
		.retry_min_us = host->setting_int(host, "backoff_min_ms") * MS_US,
		.retry_max_us = host->setting_int(host, "backoff_max_s") * S_US,
		.jitter = (unsigned)host->setting_int(host, "jitter_percent"),
		.catalogue_bytes = (size_t)host->setting_int(host, "catalogue_max_bytes"),
		.body_bytes = (size_t)host->setting_int(host, "body_bytes"),
		.depth = (unsigned)host->setting_int(host, "depth_max"),
		.catalogues = (size_t)host->setting_int(host, "catalogues_max"),
		.items = (size_t)host->setting_int(host, "items_max"),
		.items_of_host = (size_t)host->setting_int(host, "items_of_host"),
		.concurrency = (unsigned)host->setting_int(host, "concurrency"),
		.concurrency_of_host = (unsigned)host->setting_int(host, "concurrency_of_host"),
	};
}

int plan_read(const struct tg_host *host, struct plan **ret_plan)
{
	struct plan *plan = calloc(1, sizeof(*plan));
	int results[4];

	if (!plan)
		return -ENOMEM;
	plan->host = host;
	results[0] = read_roots(host, plan);
	results[1] = read_hosts(host, plan);
	results[2] = read_pairs(host, "take", &plan->take, &plan->n_take);
	results[3] = read_pairs(host, "leave", &plan->leave, &plan->n_leave);
	plan->host_in_path = host->setting_bool(host, "host_in_path");
	plan->repeat_unchanged = host->setting_bool(host, "repeat_unchanged");
	read_limits(host, &plan->limits);
	for (size_t i = 0; i < sizeof(results) / sizeof(results[0]); i++) {
		if (results[i] < 0) {
			plan_free(plan);
			return results[i];
		}
	}
	*ret_plan = plan;
	return 0;
}

static void pairs_free(struct plan_pair *pairs, size_t n)
{
	for (size_t i = 0; i < n; i++) {
		free(pairs[i].rel);
		free(pairs[i].val);
	}
	free(pairs);
}

void plan_free(struct plan *plan)
{
	if (!plan)
		return;
	for (size_t i = 0; i < plan->n_roots; i++)
		href_done(&plan->roots[i]);
	for (size_t i = 0; i < plan->n_hosts; i++)
		free(plan->hosts[i].name);
	free(plan->roots);
	free(plan->hosts);
	pairs_free(plan->take, plan->n_take);
	pairs_free(plan->leave, plan->n_leave);
	free(plan);
}

bool plan_is_root_place(const struct plan *plan, const struct href *href)
{
	for (size_t i = 0; i < plan->n_roots; i++)
		if (plan->roots[i].port == href->port && strcmp(plan->roots[i].host, href->host) == 0)
			return true;
	return false;
}

bool plan_allows_place(const struct plan *plan, const struct href *href)
{
	for (size_t i = 0; i < plan->n_hosts; i++)
		if ((plan->hosts[i].port == 0 || plan->hosts[i].port == href->port) &&
		    strcmp(plan->hosts[i].name, href->host) == 0)
			return true;
	return plan_is_root_place(plan, href);
}

const char *plan_address_objection(const struct plan *plan, const struct sockaddr *address, socklen_t size)
{
	const char *objection = address_objection(address);

	for (size_t i = 0; i < plan->n_hosts; i++)
		if (address_equals(address, plan->hosts[i].name))
			return NULL;
	if (!objection && address_is_own(address, size))
		objection = "this machine's own";
	return objection;
}

static bool pairs_match(const struct plan_pair *wanted, size_t n, const struct catalogue_item *item)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < item->n_pairs; k++)
			if (wildcard_match(wanted[i].rel, item->pairs[k].rel) &&
			    wildcard_match(wanted[i].val, item->pairs[k].val))
				return true;
	return false;
}

bool plan_wants_item(const struct plan *plan, const struct catalogue_item *item)
{
	if (item->content_type && !plan_wants_type(plan, item->content_type))
		return false;
	return (plan->n_take == 0 || pairs_match(plan->take, plan->n_take, item)) &&
	       !pairs_match(plan->leave, plan->n_leave, item);
}

bool plan_wants_type(const struct plan *plan, const char *type)
{
	char bare[TYPE_MAX];
	size_t size = strcspn(type, "; ");
	const char *entry;
	bool any = false;

	if (size >= sizeof(bare))
		return false;
	memcpy(bare, type, size);
	bare[size] = '\0';
	for (size_t i = 0; (entry = plan->host->setting_item(plan->host, "content_types", i)) != NULL; i++) {
		if (wildcard_match(entry, bare))
			return true;
		any = true;
	}
	return !any;
}

bool plan_wants_path(const struct plan *plan, const char *path)
{
	const char *pattern;

	for (size_t i = 0; (pattern = plan->host->route(plan->host, i)) != NULL; i++)
		if (wildcard_match_path(pattern, path))
			return true;
	return false;
}
