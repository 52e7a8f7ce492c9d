/* SPDX-License-Identifier: Apache-2.0 */

/* The commands about devices. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"

static const char *proof_name(enum device_proof proof)
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
static void tell_all(struct core *core, const char *name)
{
	struct device *device = devices_find(core->devices, bytes_text(name));

	supervisor_each(core->supervisor, tell_instance, device);
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

static json_t *describe(const struct device *device)
{
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:o,s:o,s:o,s:I,s:I}", "device", device->name, "identity",
			 device->name, "proof", proof_name(device->proof), "state",
			 device->revoked ? "revoked" : "active", "endpoint", device->endpoint, "profile",
			 device->profile, "created", time_of(device->created_wall_us), "changed",
			 time_of(device->changed_wall_us), "last_seen", time_of(device->seen_wall_us), "accepted",
			 (json_int_t)device->accepted, "refused", (json_int_t)device->refused);
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

/* The endpoint that the request names or means; on failure the call has been answered. */
static const char *wanted_endpoint(struct core *core, struct control_call *call, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "endpoint"));
	const struct endpoint *endpoint;

	if (!name)
		name = only_device_endpoint(core);
	endpoint = name ? core_endpoint(core, name) : NULL;
	if (!name)
		control_fail(call, "invalid", "say which endpoint the device uses: --endpoint NAME");
	else if (!endpoint)
		control_fail(call, "unknown", "there is no endpoint \"%s\"", name);
	else if (!(endpoint->config->descriptor->flags & TG_DEVICES))
		control_fail(call, "invalid", "endpoint \"%s\" (%s) does not authenticate devices", name,
			     endpoint->config->descriptor->name);
	else
		return name;
	return NULL;
}

static json_t *with_key(const struct device *device, const struct secret *key)
{
	char hex[2 * SECRET_MAX + 1] = "";
	json_t *result;

	for (size_t i = 0; i < key->size; i++)
		snprintf(hex + 2 * i, 3, "%02x", key->data[i]);
	result = json_pack("{s:s,s:s,s:s,s:s,s:s*}", "device", device->name, "identity", device->name, "proof",
			   proof_name(device->proof), "endpoint", device->endpoint, "key", key->size ? hex : NULL);
	explicit_bzero(hex, sizeof(hex));
	return result;
}

static void answer_change(struct core *core, struct control_call *call, const char *name, const struct secret *key,
			  int r)
{
	const struct device *device = devices_find(core->devices, bytes_text(name));

	if (r >= 0)
		control_reply(call, with_key(device, key));
	else if (r == -EEXIST)
		control_fail(call, "exists", "\"%s\" is enrolled already%s", name,
			     !device->revoked                      ? ""
			     : device->proof == DEVICE_CERTIFICATE ? " and revoked for good; give it another name"
								   : " and revoked; to let it in again with a new key: "
								     "tidegatectl device rotate");
	else if (r == -ENOENT)
		control_fail(call, "unknown", "no device \"%s\" is enrolled", name);
	else if (r == -EINVAL)
		control_fail(call, "invalid",
			     "\"%s\" cannot be a device's name: 1 to %u bytes of UTF-8 without control characters",
			     name, TG_DEVICE_MAX);
	else if (r == -EDOM)
		control_fail(call, "invalid", "a profile's name has up to %d bytes of UTF-8 without control characters",
			     DEVICE_PROFILE_MAX);
	else if (r == -EOPNOTSUPP)
		control_fail(call, "invalid", "\"%s\" has no pre-shared key; it proves itself by its certificate",
			     name);
	else
		control_fail(call, "failed", "the registry could not be written (%s)", strerror(-r));
}

void core_command_device_add(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	const char *proof = json_string_value(json_object_get(request, "proof"));
	const char *profile = json_string_value(json_object_get(request, "profile"));
	CLEANUP_SECRET struct secret key = {.size = 0};
	const char *endpoint;
	bool psk;
	int r = 0;

	if (!name || !proof || (strcmp(proof, "psk") != 0 && strcmp(proof, "certificate") != 0)) {
		control_fail(call, "invalid", "a name and a proof, psk or certificate, are wanted");
		return;
	}
	endpoint = wanted_endpoint(core, call, request);
	if (!endpoint)
		return;
	psk = strcmp(proof, "psk") == 0;
	if (psk)
		r = trust_make_key(&key);
	if (r >= 0)
		r = devices_add(core->devices,
				&(struct device_enrolment){.name = name,
							   .endpoint = endpoint,
							   .proof = psk ? DEVICE_PSK : DEVICE_CERTIFICATE,
							   .key = psk ? &key : NULL,
							   .profile = profile ? profile : ""},
				clock_wall_us());
	if (r >= 0)
		log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.endpoint = endpoint, .device = name},
				 "device \"%s\" enrolled with a %s", name, psk ? "pre-shared key" : "certificate");
	answer_change(core, call, name, &key, r);
}

static int append_device(void *arg, struct device *device)
{
	return json_array_append_new(arg, describe(device));
}

void core_command_device_list(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	json_t *list = json_array();

	(void)request;
	if (devices_each(core->devices, append_device, list) < 0) {
		json_decref(list);
		list = NULL;
	}
	control_reply(call, list);
}

void core_command_device_show(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	const struct device *device = name ? devices_find(core->devices, bytes_text(name)) : NULL;

	if (device)
		control_reply(call, describe(device));
	else
		control_fail(call, "unknown", "no device \"%s\" is enrolled", name ? name : "");
}

void core_command_device_revoke(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	struct secret none = {.size = 0};
	int r = devices_revoke(core->devices, name ? name : "", clock_wall_us());

	if (r >= 0) {
		tell_all(core, name);
		log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "device \"%s\" revoked", name);
	}
	answer_change(core, call, name ? name : "", &none, r);
}

void core_command_device_rotate(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	CLEANUP_SECRET struct secret key = {.size = 0};
	int r = trust_make_key(&key);

	if (r >= 0)
		r = devices_rotate(core->devices, name ? name : "", &key, clock_wall_us());
	if (r >= 0) {
		tell_all(core, name);
		log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "device \"%s\" has a new key",
				 name);
	}
	answer_change(core, call, name ? name : "", &key, r);
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
	r = devices_set_profile(core->devices, name, profile, clock_wall_us());
	if (r < 0) {
		answer_change(core, call, name, &(struct secret){.size = 0}, r);
		return;
	}
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "device \"%s\" has %s%s%s", name,
			 *profile ? "the profile \"" : "no profile of its own", profile, *profile ? "\"" : "");
	control_reply(call, describe(devices_find(core->devices, bytes_text(name))));
}
