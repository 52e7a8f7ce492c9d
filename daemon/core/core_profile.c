/* SPDX-License-Identifier: Apache-2.0 */

/* What the devices' profiles let through, and the commands that show them. */

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

const struct profile *core_profile_of(struct core *core, struct device *device)
{
	return profile_of(&core->config->profiles[0].profile, core->profile_epoch, device->profile, device->name,
			  &device->use);
}

static bool refuse(struct intake_verdict *verdict, enum tg_verdict why, const char *reason)
{
	*verdict = (struct intake_verdict){why, 0, 0, reason};
	return false;
}

static void give_names(const struct core *core, const char *endpoint, struct tg_bytes device,
		       struct tg_bytes ret_given[PATTERN_GIVEN_COUNT])
{
	ret_given[PATTERN_SITE] = bytes_text(core->config->site);
	ret_given[PATTERN_GATEWAY] = bytes_text(core->config->gateway);
	ret_given[PATTERN_DEVICE] = device;
	ret_given[PATTERN_ENDPOINT] = bytes_text(endpoint);
	ret_given[PATTERN_FORMAT] = bytes_of(NULL, 0);
}

bool core_profile_admits(struct core *core, struct device *device, const struct frame_submit *submit,
			 struct intake_verdict *ret_verdict)
{
	const struct profile *profile = core_profile_of(core, device);
	struct tg_bytes given[PATTERN_GIVEN_COUNT];
	const struct profile_request request = {.path = submit->path,
						.method = submit->method,
						.content_format = submit->content_format,
						.payload_bytes = submit->payload.size,
						.given = given};
	const char *reason = NULL;
	enum tg_verdict verdict;
	uint32_t wait_s;

	if (!profile)
		return refuse(ret_verdict, TG_NOT_ALLOWED, "the device's profile is not configured");
	give_names(core, device->endpoint, submit->device, given);
	verdict = profile_judge(profile, &request, &reason);
	if (verdict != TG_ACCEPTED) {
		refuse(ret_verdict, verdict, reason);
		if (verdict == TG_TOO_LARGE)
			ret_verdict->limit_bytes = (uint32_t)profile->payload_max_bytes;
		return false;
	}
	wait_s = profile_take(profile, &device->use, loop_now_us(core->loop));
	if (wait_s == 0)
		return true;
	refuse(ret_verdict, TG_TOO_FAST, "over the rate of this device");
	ret_verdict->max_age_s = wait_s;
	return false;
}

const char *core_profile_refuses_path(struct core *core, const char *endpoint, const char *device, const char *path,
				      const char **ret_profile)
{
	struct device *known = devices_find(core->devices, bytes_text(device));
	struct tg_bytes given[PATTERN_GIVEN_COUNT];
	struct profile_request request = {.path = bytes_text(path), .content_format = TG_FORMAT_NONE, .given = given};
	const struct profile *profile;
	struct profile any_format;
	const char *reason = NULL;

	profile_find(&core->config->profiles[0].profile, known ? known->profile : NULL, device, &profile);
	*ret_profile = profile ? profile->name : known ? known->profile : NULL;
	if (!profile)
		return "the device's profile is not configured";
	any_format = *profile;
	any_format.formats_count = 0;
	give_names(core, endpoint, bytes_text(device), given);
	return profile_judge(&any_format, &request, &reason) == TG_ACCEPTED ? NULL : reason;
}

void core_profile_describe(struct core *core, struct device *device, json_t *object)
{
	const struct profile *profile = core_profile_of(core, device);
	const char *name = profile ? profile->name : device->profile;

	json_object_set_new(object, "profile", control_text(bytes_text(name)));
	json_object_set_new(object, "profile_from", json_string(profile_origin_text(device->use.origin)));
}

struct census {
	struct core *core;
	uint32_t *devices; /* by the profile's place in the configuration */
	json_int_t missing;
};

static int count_device(void *arg, struct device *device)
{
	struct census *census = arg;
	const struct profile *profile = core_profile_of(census->core, device);
	const struct config *config = census->core->config;

	for (size_t i = 0; i < config->profiles_count; i++)
		census->devices[i] += &config->profiles[i].profile == profile;
	census->missing += !profile;
	return 0;
}

void core_profiles_check(struct core *core)
{
	CLEANUP_FREE uint32_t *devices = calloc(core->config->profiles_count, sizeof(*devices));
	struct census census = {core, devices, 0};

	if (!devices)
		return;
	devices_each(core->devices, count_device, &census);
	if (census.missing)
		log_warning("nothing is taken of %lld devices: the profile that the registry names for them is not "
			    "configured (tidegatectl profiles)",
			    (long long)census.missing);
}

static json_t *list_methods(uint32_t used)
{
	static const char *const names[] = {
		[TG_METHOD_GET] = "GET",       [TG_METHOD_POST] = "POST",   [TG_METHOD_PUT] = "PUT",
		[TG_METHOD_DELETE] = "DELETE", [TG_METHOD_FETCH] = "FETCH", [TG_METHOD_PATCH] = "PATCH",
		[TG_METHOD_IPATCH] = "iPATCH"};
	json_t *methods = json_array();

	for (uint32_t code = TG_METHOD_GET; code < sizeof(names) / sizeof(names[0]); code++)
		if (used & PROFILE_METHOD(code))
			json_array_append_new(methods, json_string(names[code]));
	return methods;
}

static json_t *list_texts(const struct config_profile *profile, const char *name)
{
	const struct config_value *value = config_section_value(&profile->settings, name);
	json_t *list = json_array();

	for (size_t i = 0; i < value->count; i++)
		json_array_append_new(list, control_text(bytes_text(value->items[i])));
	return list;
}

static json_t *describe(const struct config_profile *profile, uint32_t devices)
{
	const struct profile *p = &profile->profile;
	uint32_t methods = p->methods ? p->methods : PROFILE_METHODS_USUAL;
	uint32_t command_methods = p->command_methods ? p->command_methods : PROFILE_COMMANDS_USUAL;

	return json_pack("{s:s,s:I,s:b,s:o,s:o,s:o,s:o,s:I,s:I,s:I,s:i,s:b,s:o,s:o,s:o}", "profile", p->name,
			 "enrolled", (json_int_t)devices, "given", profile->source != NULL, "devices",
			 list_texts(profile, "devices"), "paths", list_texts(profile, "paths"), "methods",
			 list_methods(methods), "formats", list_texts(profile, "formats"), "payload_max_bytes",
			 (json_int_t)p->payload_max_bytes, "rate", (json_int_t)p->rate, "burst", (json_int_t)p->burst,
			 "outbox_share", (int)p->outbox_share, "commands", (int)profile_takes_commands(p),
			 "command_paths", list_texts(profile, "command_paths"), "command_methods",
			 list_methods(command_methods), "reads", list_texts(profile, "reads"));
}

void core_command_profiles(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const struct config *config = core->config;
	CLEANUP_FREE uint32_t *devices = calloc(config->profiles_count, sizeof(*devices));
	struct census census = {core, devices, 0};
	json_t *list = json_array();

	(void)request;
	if (!devices) {
		json_decref(list);
		control_fail(call, "failed", "out of memory");
		return;
	}
	devices_each(core->devices, count_device, &census);
	for (size_t i = 0; i < config->profiles_count; i++)
		json_array_append_new(list, describe(&config->profiles[i], devices[i]));
	control_reply(call, json_pack("{s:o,s:I}", "profiles", list, "missing", census.missing));
}
