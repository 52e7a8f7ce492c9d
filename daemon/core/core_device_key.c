/* SPDX-License-Identifier: Apache-2.0 */

/* The commands about devices' keys: revoke, rotate, and what follows of a rotation by itself. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_device.h"

void core_command_device_revoke(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *name = json_string_value(json_object_get(request, "device"));
	const struct device *device;
	int r = devices_revoke(core->devices, name ? name : "", core_now_wall_us(core));

	if (r < 0) {
		core_device_fail(core, call, name ? name : "", r);
		return;
	}
	device = devices_find(core->devices, bytes_text(name));
	core_device_end(core, device);
	core_readings_revoked(core, name);
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "device \"%s\" revoked", name);
	control_reply(call, core_device_with_key(core, device, &(struct secret){.size = 0}));
}

static void finish(struct core *core, struct control_call *call, const char *name)
{
	const struct device *device;
	int r = devices_finish(core->devices, name, core_now_wall_us(core));

	if (r < 0) {
		core_device_fail(core, call, name, r);
		return;
	}
	device = devices_find(core->devices, bytes_text(name));
	core_device_end(core, device);
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "the old key of \"%s\" is over", name);
	control_reply(call, core_device_with_key(core, device, &(struct secret){.size = 0}));
}

static void rotate(struct core *core, struct control_call *call, const char *name, bool now)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	int64_t overlap_us = now ? 0 : core->config->key_overlap_us;
	const struct device *device;
	int r = trust_make_key(&key);

	if (r >= 0)
		r = devices_rotate(core->devices, name, &key, overlap_us, loop_now_us(core->loop),
				   core_now_wall_us(core));
	if (r < 0) {
		core_device_fail(core, call, name, r);
		return;
	}
	device = devices_find(core->devices, bytes_text(name));
	if (!device->overlap_until_wall_us)
		core_device_end(core, device);
	core_readings_apply(core); /* it may have been revoked before */
	log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = name}, "device \"%s\" has a new key%s", name,
			 device->overlap_until_wall_us ? ", the old one is good for a while" : "");
	control_reply(call, core_device_with_key(core, device, &key));
}

void core_command_device_rotate(void *arg, struct control_call *call, const json_t *request)
{
	const char *name = json_string_value(json_object_get(request, "device"));

	if (json_is_true(json_object_get(request, "finish")))
		finish(arg, call, name ? name : "");
	else
		rotate(arg, call, name ? name : "", json_is_true(json_object_get(request, "now")));
}

void core_device_session(struct endpoint *endpoint, const struct frame_session_begun *begun)
{
	struct core *core = endpoint->core;
	const struct device *device = devices_find(core->devices, begun->device);
	unsigned left_out;
	int r;

	if (begun->proof != TG_PROOF_PSK || !device || strcmp(device->endpoint, endpoint->name) != 0)
		return;
	r = devices_worked(core->devices, begun->device, begun->generation);
	if (r > 0)
		log_fields_write(LOG_LEVEL_NOTICE,
				 &(struct log_fields){.endpoint = endpoint->name, .device = device->name},
				 "device \"%s\" uses its new key, the old one is over", device->name);
	else if (r < 0 && log_limit_pass(&core->registry_log, loop_now_us(core->loop), &left_out))
		log_error("the registry could not be written (%s), an old key goes on", strerror(-r));
}

static int is_of_old_key(void *arg, const struct session *session)
{
	const struct device *device = arg;

	return strcmp(session->device, device->name) == 0 && session->key_generation != device->generation;
}

static void on_expired(void *arg, const struct device *device, bool unused)
{
	struct core *core = arg;
	struct device copy = *device;

	if (unused)
		log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.device = device->name},
				 "the old key of \"%s\" is over, and its new one was never used", device->name);
	if (unused || sessions_each(core->sessions, is_of_old_key, &copy))
		core_device_end(core, device);
}

void core_devices_tick(struct core *core)
{
	unsigned left_out;
	int r = devices_expire(core->devices, loop_now_us(core->loop), core_now_wall_us(core), on_expired, core);

	if (r < 0 && log_limit_pass(&core->registry_log, loop_now_us(core->loop), &left_out))
		log_error("the registry could not be written (%s), old keys go on", strerror(-r));
	devices_catch_up(core->devices, loop_now_us(core->loop));
}
