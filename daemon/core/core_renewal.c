/* SPDX-License-Identifier: Apache-2.0 */

/* Joins the renewal of certificates with the endpoints, their processes and their outboxes. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "core/core_inside.h"
#include "core/renewal_slots.h"
#include "wire/crypto.h"

static int64_t wall_us(void *arg)
{
	const struct endpoint *endpoint = arg;

	return core_now_wall_us(endpoint->core);
}

static bool is_configured(const struct endpoint *endpoint, struct instance *instance)
{
	return strcmp(instance_endpoint(instance), endpoint->name) == 0 && instance_is_configured(instance);
}

static int give_one(void *arg, struct instance *instance)
{
	struct {
		struct endpoint *endpoint;
		unsigned count;
	} *giving = arg;

	if (!is_configured(giving->endpoint, instance))
		return 0;
	if (core_endpoint_configure(giving->endpoint, instance) < 0)
		supervisor_kill(instance, "could not be given its new certificate");
	giving->count++;
	return 0;
}

static unsigned give(void *arg)
{
	struct {
		struct endpoint *endpoint;
		unsigned count;
	} giving = {arg, 0};

	supervisor_each(giving.endpoint->core->supervisor, give_one, &giving);
	return giving.count;
}

static void changed(void *arg)
{
	const struct endpoint *endpoint = arg;

	core_certs_soon(endpoint->core);
}

static bool link_up(void *arg)
{
	const struct endpoint *endpoint = arg;

	return endpoint->sink != NULL;
}

static bool flows(void *arg, int64_t since_us)
{
	const struct endpoint *endpoint = arg;
	struct outbox_stats stats;

	outbox_stats(endpoint->outbox, &stats);
	return stats.held == 0 || stats.last_confirmed_us > since_us;
}

static int has_certificate(void *arg, struct device *device)
{
	const struct endpoint *endpoint = arg;

	return device->proof == DEVICE_CERTIFICATE && !device->revoked && strcmp(device->endpoint, endpoint->name) == 0;
}

static bool has_certificates(void *arg)
{
	struct endpoint *endpoint = arg;

	return devices_each(endpoint->core->devices, has_certificate, endpoint) != 0;
}

static const struct renewal_ops renewal_ops = {wall_us, give, changed, link_up, flows, has_certificates};

static bool is_wanted(const struct config_endpoint *config)
{
	return *config_section_text(&config->common, "est") ||
	       config_section_count(&config->common, "renew_command") > 0;
}

/* An earlier renewal's certificate stays in use also where nobody renews it any more. */
static bool has_slot(const struct endpoint *endpoint)
{
	char path[RENEWAL_PATH_MAX];

	snprintf(path, sizeof(path), "%s/pki/%s/current.pem", endpoint->core->places->state_dir, endpoint->name);
	return access(path, F_OK) == 0;
}

static const char *setting_text(const struct config_endpoint *config, const char *name)
{
	return config_section_value(&config->settings, name) ? config_section_text(&config->settings, name) : "";
}

/* The program and its arguments, ended by NULL. Ownership: free the array. */
static int make_command(const struct config_section *common, const char ***ret_command)
{
	size_t count = config_section_count(common, "renew_command");

	*ret_command = count ? calloc(count + 1, sizeof(**ret_command)) : NULL;
	for (size_t i = 0; i < count && *ret_command; i++)
		(*ret_command)[i] = config_section_item(common, "renew_command", i);
	return count && !*ret_command ? -ENOMEM : 0;
}

static void read_settings(const struct endpoint *endpoint, const char *const *command,
			  struct renewal_settings *ret_settings)
{
	const struct config_endpoint *config = endpoint->config;
	const struct config_section *common = &config->common;
	const char *trust = config_section_text(common, "est_trust"),
		   *subject = config_section_text(common, "est_subject");

	/* The operator's own program may work with any authority: what it made is held against a trust only where one is named. */
	if (!*trust && !command)
		trust = setting_text(config, "trust");
	*ret_settings = (struct renewal_settings){
		.certificate = setting_text(config, "certificate"),
		.key = setting_text(config, "key"),
		.url = config_section_text(common, "est"),
		.trust = trust,
		.username = config_section_text(common, "est_username"),
		.password = config_section_text(common, "est_password"),
		.crypto = crypto_policy(config->crypto)->policy,
		.common_name = *subject ? subject : endpoint->core->config->gateway,
		.command = command,
		.server = config->descriptor->needs & TG_NEED_LISTEN,
		.sink = endpoint->outbox != NULL,
		.percent = (unsigned)config_section_int(common, "renew_percent"),
		.trial_us = config_section_int(common, "renew_trial_s") * CLOCK_S_US,
	};
}

static int apply(struct endpoint *endpoint)
{
	const struct core *core = endpoint->core;
	struct renewal_settings settings;
	const char **command;
	int r = make_command(&endpoint->config->common, &command);

	if (r < 0)
		return r;
	read_settings(endpoint, command, &settings);
	if (endpoint->renewal)
		r = renewal_set(endpoint->renewal, &settings);
	else
		r = renewal_new(core->loop, core->places->state_dir, core->places->renew_program, endpoint->name,
				&settings, &renewal_ops, endpoint, &endpoint->renewal);
	free(command);
	return r;
}

void core_renewal_apply(struct endpoint *endpoint)
{
	const struct config_endpoint *config = endpoint->config;
	bool possible = config->enabled && config_section_value(&config->settings, "certificate") &&
			config_section_value(&config->settings, "key");
	int r;

	if (!possible || (!is_wanted(config) && !has_slot(endpoint))) {
		renewal_free(endpoint->renewal);
		endpoint->renewal = NULL;
		return;
	}
	r = apply(endpoint);
	if (r < 0)
		log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = endpoint->name},
				 "its certificate cannot be renewed (%s)", strerror(-r));
}

int core_renewal_open(struct endpoint *endpoint, const char *setting)
{
	if (!endpoint->renewal || (strcmp(setting, "certificate") != 0 && strcmp(setting, "key") != 0))
		return -ENOENT;
	return renewal_open(endpoint->renewal);
}

void core_renewal_tick(struct core *core)
{
	int64_t now = loop_now_us(core->loop);

	if (now < core->renewal_us || core->state == CORE_STOPPING)
		return;
	core->renewal_us = now + CLOCK_S_US;
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->renewal && !e->removed)
			renewal_tick(e->renewal);
	}
}

json_t *core_renewal_status(struct core *core, json_t *problems)
{
	json_t *list = json_array();

	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		const char *problem;

		if (!e->renewal || e->removed || !is_wanted(e->config))
			continue;
		json_array_append_new(list, renewal_describe(e->renewal));
		problem = problems ? renewal_problem(e->renewal) : NULL;
		if (problem)
			json_array_append_new(problems, json_string(problem));
	}
	return list;
}

bool core_renewal_owns(struct core *core, pid_t pid)
{
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->renewal && renewal_owns(e->renewal, pid))
			return true;
	}
	return false;
}

void core_command_certs_renewals(void *arg, struct control_call *call, const json_t *request)
{
	(void)request;
	control_reply(call, core_renewal_status(arg, NULL));
}

void core_command_certs_renew(void *arg, struct control_call *call, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "endpoint"));
	const struct endpoint *endpoint = name ? core_endpoint(arg, name) : NULL;

	if (!endpoint || endpoint->removed)
		control_fail(call, "unknown", "there is no endpoint \"%s\"", name ? name : "");
	else if (!endpoint->renewal || !is_wanted(endpoint->config))
		control_fail(call, "invalid",
			     "nothing says how the certificate of \"%s\" is renewed: set \"est\" or \"renew_command\"",
			     name);
	else if (renewal_begin(endpoint->renewal) == -EALREADY)
		control_fail(call, "exists", "the renewal of the certificate of \"%s\" is under way already", name);
	else
		control_reply(call, renewal_describe(endpoint->renewal));
}
