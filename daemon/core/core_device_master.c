/* SPDX-License-Identifier: Apache-2.0 */

/* The master key of the registry: where it comes from, and what happens without it. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_device.h"
#include "core/devices_master.h"
#include "core/trust_seal.h"

enum { PATH_TEXT = 1024 };

/* `own`: the file that the gateway makes for itself. `next`: the one that it writes first when that is to change. */
struct places {
	bool own;
	char path[PATH_TEXT];
	char next[PATH_TEXT];
};

static int find_places(const struct core *core, struct places *ret_places)
{
	const char *given = core->config->master_key, *state = core->places->state_dir;
	int size;

	ret_places->own = !*given;
	size = *given ? snprintf(ret_places->path, PATH_TEXT, "%s", given)
		      : snprintf(ret_places->path, PATH_TEXT, "%s/master.key", state);
	if (size >= PATH_TEXT || snprintf(ret_places->next, PATH_TEXT, "%s/master.key.new", state) >= PATH_TEXT)
		return -ENAMETOOLONG;
	return 0;
}

/* Never half a file in that place, whenever the power goes. */
static int write_own(const struct places *places, const struct secret *key)
{
	int r;

	if (unlink(places->next) < 0 && errno != ENOENT)
		return -errno;
	r = devices_master_write(places->next, key);
	return r < 0 ? r : devices_master_move(places->next, places->path);
}

static int make_own(struct core *core, const struct places *places)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	int r = trust_random(&key, TRUST_SEAL_KEY);

	if (r >= 0)
		r = write_own(places, &key);
	if (r >= 0)
		r = devices_unlock(core->devices, &key);
	if (r >= 0)
		log_notice("made a master key for the registry of devices: \"%s\"; keep a copy of it in another place "
			   "than copies of the registry",
			   places->path);
	return r;
}

/* The power went while the master key was changed: the registry was sealed under the next one already. */
static int take_next(struct core *core, const struct places *places)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	int r = devices_master_read(places->next, &key);

	if (r >= 0)
		r = devices_unlock(core->devices, &key);
	return r < 0 ? r : devices_master_move(places->next, places->path);
}

static int unlock(struct core *core, const struct places *places)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	bool was_locked = devices_is_locked(core->devices);
	int r = devices_master_read(places->path, &key);

	if (r == -ENOENT && places->own && !devices_is_sealed(core->devices))
		return make_own(core, places);
	if (r >= 0)
		r = devices_unlock(core->devices, &key);
	if (r < 0 && places->own && take_next(core, places) >= 0)
		return 0;
	if (r >= 0 && places->own && was_locked)
		unlink(places->next); /* of a change that came to nothing before this start */
	return r;
}

void core_devices_unlock(struct core *core)
{
	struct places places;
	bool was_locked = devices_is_locked(core->devices);
	int r = find_places(core, &places);

	if (r >= 0)
		r = unlock(core, &places);
	if (r >= 0) {
		if (was_locked && *core->registry_problem)
			log_notice("the registry is open again: devices with pre-shared keys are let in");
		core->registry_problem[0] = '\0';
		return;
	}
	snprintf(core->registry_problem, sizeof(core->registry_problem), "master key \"%s\": %s", places.path,
		 devices_master_problem(r));
	log_error("%s; %s", core->registry_problem,
		  was_locked ? "devices with pre-shared keys are turned away, nothing is lost: put the right key there "
			       "and reload"
			     : "the gateway goes on until it is stopped: put the right key there before");
}

/* A key of the operator's, or NULL: one is made. */
static int new_key(const json_t *given, struct secret *ret_key)
{
	const char *hex = json_string_value(given);

	if (!given)
		return trust_random(ret_key, TRUST_SEAL_KEY);
	return hex ? devices_master_parse(hex, strlen(hex), ret_key) : -EINVAL;
}

/* The next file is there before the registry is changed, and in its place behind that. It stays where the change failed: a write that
 * the disk did not confirm may stand there all the same at the next start, which knows which of the two opens the registry. */
static int rekey(struct core *core, const struct places *places, const struct secret *key)
{
	int r;

	if (devices_is_locked(core->devices))
		return -ENOKEY;
	if (!places->own)
		return devices_rekey(core->devices, key);
	if (unlink(places->next) < 0 && errno != ENOENT)
		return -errno;
	r = devices_master_write(places->next, key);
	if (r < 0)
		return r;
	r = devices_rekey(core->devices, key);
	return r < 0 ? r : devices_master_move(places->next, places->path);
}

void core_command_device_rekey(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const json_t *given = json_object_get(request, "key");
	CLEANUP_SECRET struct secret key = {.size = 0};
	struct places places;
	int r = find_places(core, &places);

	if (r >= 0 && !places.own && !given) {
		control_fail(call, "invalid",
			     "the master key is the operator's (\"%s\"): say which file holds the new one",
			     places.path);
		return;
	}
	if (r >= 0)
		r = new_key(given, &key);
	if (r == -EINVAL) {
		control_fail(call, "invalid", "a master key has 64 hexadecimal digits");
		return;
	}
	if (r >= 0)
		r = rekey(core, &places, &key);
	if (r < 0) {
		core_device_fail(core, call, "", r);
		return;
	}
	core_tickets_save(core);
	log_notice("the registry is sealed under a new master key");
	control_reply(call, json_pack("{s:I,s:s,s:b}", "devices", (json_int_t)devices_count(core->devices), "file",
				      places.path, "own", places.own));
}
