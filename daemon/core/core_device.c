/* SPDX-License-Identifier: Apache-2.0 */

/* The commands about devices: who is enrolled. */

#include "core/core_device.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"

const char *core_device_proof(enum device_proof proof)
{
	return proof == DEVICE_PSK ? "psk" : "certificate";
}

static int tell(struct instance *instance, const struct device *device)
{
	struct frame frame = {.type = FRAME_DEVICE, .device = {bytes_text(device->name)}};

	if (strcmp(instance_endpoint(instance), device->endpoint) != 0 ||
	    instance_state(instance) != INSTANCE_RUNNING || instance_send(instance, &frame) >= 0)
		return 0;
	supervisor_kill(instance, "could not be told that a device was changed");
	return 1;
}

static int tell_instance(void *arg, struct instance *instance)
{
	tell(instance, arg);
	return 0;
}

/* A process that is not running now is told as soon as it is. */
void core_device_end(struct core *core, const struct device *device)
{
	struct device copy = *device;

	if (device->revoked)
		core_command_device_gone(core, device);

	supervisor_each(core->supervisor, tell_instance, &copy);
}

static int tell_if_changed(void *arg, struct device *device)
{
	return device->changed ? tell(arg, device) : 0;
}

void core_devices_tell(struct core *core, struct instance *instance)
{
	devices_each(core->devices, tell_if_changed, instance);
}

static json_t *time_of(int64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (wall_us == 0)
		return json_string("");
	clock_format(wall_us, text);
	return json_string(text);
}

json_t *core_device_describe(const struct device *device)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:b,s:o,s:I,s:I}", "device", device->name, "identity",
			 device->name, "proof", core_device_proof(device->proof), "state",
			 device->revoked ? "revoked" : "active", "endpoint", device->endpoint, "profile",
			 device->profile, "created", time_of(device->created_wall_us), "changed",
			 time_of(device->changed_wall_us), "last_seen", time_of(device->seen_wall_us), "rotating",
			 device->next_generation != 0, "old_key_until", time_of(device->overlap_until_wall_us),
			 "accepted", (json_int_t)device->accepted, "refused", (json_int_t)device->refused);
}

/* The one endpoint that authenticates devices, or NULL where none or several do. */
static const char *only_device_endpoint(const struct core *core)
{
	const char *found = NULL;

	for (const struct endpoint *e = core->endpoints; e; e = e->next) {
		if (!(e->config->descriptor->flags & TG_DEVICES))
			continue;
		if (found)
			return NULL;
		found = e->name;
	}
	return found;
}

const char *core_device_endpoint(struct core *core, const char *name, char *ret_problem, size_t room)
{
	const struct endpoint *endpoint;

	if (!name || !*name)
		name = only_device_endpoint(core);
	endpoint = name ? core_endpoint(core, name) : NULL;
	if (endpoint && endpoint->config->descriptor->flags & TG_DEVICES)
		return endpoint->name;
	if (!name)
		snprintf(ret_problem, room, "say which endpoint the device uses, by --endpoint");
	else if (!endpoint)
		snprintf(ret_problem, room, "there is no endpoint \"%s\"", name);
	else
		snprintf(ret_problem, room, "endpoint \"%s\" (%s) does not authenticate devices", name,
			 endpoint->config->descriptor->name);
	return NULL;
}

json_t *core_device_with_key(const struct core *core, const struct device *device, const struct secret *key)
{
	char hex[2 * SECRET_MAX + 1] = "";
	json_t *result;

	secret_to_hex(key, hex);
	result = json_pack("{s:s,s:s,s:s,s:s,s:s,s:o,s:s*}", "device", device->name, "identity", device->name, "proof",
			   core_device_proof(device->proof), "endpoint", device->endpoint, "gateway",
			   core->config->gateway, "old_key_until", time_of(device->overlap_until_wall_us), "key",
			   key->size ? hex : NULL);
	explicit_bzero(hex, sizeof(hex));
	return result;
}

static const char *already_enrolled(struct core *core, const char *name)
{
	const struct device *device = devices_find(core->devices, bytes_text(name));

	if (!device || !device->revoked)
		return "";
	return device->proof == DEVICE_CERTIFICATE ? " and revoked for good; give it another name"
						   : " and revoked; to let it in again with a new key: tidegatectl "
						     "device rotate";
}

const char *core_device_problem(struct core *core, const char *name, int error, char ret_text[CORE_DEVICE_PROBLEM])
{
	size_t room = CORE_DEVICE_PROBLEM;

	switch (error) {
	case -EEXIST:
		snprintf(ret_text, room, "\"%s\" is enrolled already%s", name, already_enrolled(core, name));
		return "exists";
	case -ENOENT:
		snprintf(ret_text, room, "no device \"%s\" is enrolled", name);
		return "unknown";
	case -EINVAL:
		snprintf(ret_text, room,
			 "\"%s\" cannot be a device's name: 1 to %u bytes of UTF-8 without control characters", name,
			 TG_DEVICE_MAX);
		return "invalid";
	case -EDOM:
		snprintf(ret_text, room, "a profile's name has up to %d bytes of UTF-8 without control characters",
			 DEVICE_PROFILE_MAX);
		return "invalid";
	case -EOPNOTSUPP:
		snprintf(ret_text, room, "\"%s\" has no pre-shared key; it proves itself by its certificate", name);
		return "invalid";
	case -EALREADY:
		snprintf(ret_text, room, "\"%s\" has one key already", name);
		return "invalid";
	case -ENOKEY:
		snprintf(ret_text, room, "the registry is locked: %s", core->registry_problem);
		return "failed";
	default:
		snprintf(ret_text, room, "the registry could not be written (%s)", strerror(-error));
		return "failed";
	}
}

void core_device_fail(struct core *core, struct control_call *call, const char *name, int error)
{
	char text[CORE_DEVICE_PROBLEM];
	const char *code = core_device_problem(core, name, error, text);

	control_fail(call, code, "%s", text);
}

void core_command_device_add(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	const char *proof = json_string_value(json_object_get(request, "proof"));
	const char *profile = json_string_value(json_object_get(request, "profile"));
	CLEANUP_SECRET struct secret key = {.size = 0};
	struct device_enrolment enrolment = {.name = name, .profile = profile ? profile : ""};
	char problem[CORE_DEVICE_PROBLEM];
	int r = 0;

	if (!name || !proof || (strcmp(proof, "psk") != 0 && strcmp(proof, "certificate") != 0)) {
		control_fail(call, "invalid", "a name and a proof, psk or certificate, are wanted");
		return;
	}
	enrolment.endpoint = core_device_endpoint(core, json_string_value(json_object_get(request, "endpoint")),
						  problem, sizeof(problem));
	if (!enrolment.endpoint) {
		control_fail(call, "invalid", "%s", problem);
		return;
	}
	enrolment.proof = strcmp(proof, "psk") == 0 ? DEVICE_PSK : DEVICE_CERTIFICATE;
	if (enrolment.proof == DEVICE_PSK) {
		enrolment.key = &key;
		r = trust_make_key(&key);
	}
	if (r >= 0)
		r = devices_add(core->devices, &enrolment, core_now_wall_us(core));
	if (r < 0) {
		core_device_fail(core, call, name, r);
		return;
	}
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.endpoint = enrolment.endpoint, .device = name},
			 "device \"%s\" enrolled with a %s", name,
			 enrolment.proof == DEVICE_PSK ? "pre-shared key" : "certificate");
	control_reply(call, core_device_with_key(core, devices_find(core->devices, bytes_text(name)), &key));
}

static int append_device(void *arg, struct device *device)
{
	return json_array_append_new(arg, core_device_describe(device));
}

/* All of them, or `limit` of them behind the name `after`. */
void core_command_device_list(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *after = json_string_value(json_object_get(request, "after"));
	json_int_t limit = json_integer_value(json_object_get(request, "limit"));
	json_t *list = json_array();

	if (devices_page(core->devices, after, limit > 0 ? (size_t)limit : SIZE_MAX, append_device, list) < 0) {
		json_decref(list);
		list = NULL;
	}
	control_reply(call, list);
}

void core_command_device_show(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	struct device *device = name ? devices_find(core->devices, bytes_text(name)) : NULL;
	json_t *object;

	if (device) {
		object = core_device_describe(device);
		core_profile_describe(core, device, object);
		control_reply(call, object);
	} else
		control_fail(call, "unknown", "no device \"%s\" is enrolled", name ? name : "");
}

void core_command_device_profile(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	const char *profile = json_string_value(json_object_get(request, "profile"));
	int r;

	if (!name || !profile) {
		control_fail(call, "invalid", "a device and the name of a profile are wanted");
		return;
	}
	r = devices_set_profile(core->devices, name, profile, core_now_wall_us(core));
	if (r < 0) {
		core_device_fail(core, call, name, r);
		return;
	}
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "device \"%s\" has %s%s%s", name,
			 *profile ? "the profile \"" : "no profile of its own", profile, *profile ? "\"" : "");
	core_readings_apply(core);
	control_reply(call, core_device_describe(devices_find(core->devices, bytes_text(name))));
}
