/* SPDX-License-Identifier: Apache-2.0 */

/* The audit of the box: who is let in by what, what lies on the disk, and how outages are met. */

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/textfile.h"
#include "core/core_audit.h"

struct census {
	unsigned psk, certificate, revoked;
};

static int count_device(void *arg, struct device *device)
{
	struct census *census = arg;

	if (device->revoked)
		census->revoked++;
	else if (device->proof == DEVICE_PSK)
		census->psk++;
	else
		census->certificate++;
	return 0;
}

static void check_passwords(struct core *core, json_t *lines)
{
	struct census census = {0};
	json_t *evidence;

	devices_each(core->devices, count_device, &census);
	evidence = audit_line(lines, "passwords", "5.1", AUDIT_OK, NULL,
			      "there are no default passwords; each device has a key or a certificate of its own");
	audit_note(evidence, "%u devices with a pre-shared key of their own, %u with a certificate, %u revoked",
		   census.psk, census.certificate, census.revoked);
	audit_note(evidence,
		   "the gateway has no password to log in with; tidegatectl goes by the control socket's mode");
}

static void check_master_key(struct core *core, json_t *lines)
{
	const char *given = core->config->master_key;
	bool own = !*given, locked = devices_is_locked(core->devices), sealed = devices_is_sealed(core->devices);
	char path[1024];
	struct stat st;
	json_t *evidence;
	enum audit_state state;

	snprintf(path, sizeof(path), "%s%s", own ? core->places->state_dir : given, own ? "/master.key" : "");
	state = locked || !sealed || *core->registry_problem ? AUDIT_FAIL : own ? AUDIT_WARN : AUDIT_OK;
	evidence = audit_line(
		lines, "master-key", "5.4", state,
		state == AUDIT_WARN ? "hand the master key over by LoadCredentialEncrypted= of the unit, and "
				      "set gateway.master_key"
				    : "put the right master key in its place and reload",
		state == AUDIT_OK     ? "devices' keys are sealed under a master key from outside of the state "
					"folder"
		: state == AUDIT_WARN ? "devices' keys are sealed, but the master key lies on the same disk"
				      : "devices' keys are not sealed, or cannot be opened");
	audit_note(evidence, "master key: %s", path);
	if (stat(path, &st) == 0)
		audit_note(evidence, "mode %04o, owner %u", (unsigned)st.st_mode & 07777u, (unsigned)st.st_uid);
	if (*core->registry_problem)
		audit_note(evidence, "%s", core->registry_problem);
}

struct files_look {
	const char *endpoint;
	json_t *evidence;
	unsigned count, bad, unseen;
};

static bool is_secret(const struct config_endpoint *endpoint, const char *name)
{
	for (const struct tg_setting *row = endpoint->settings.rows; row && row->name; row++)
		if (strcmp(row->name, name) == 0)
			return row->type == TG_KEY_FILE;
	return false;
}

static void look_at_secret(struct files_look *look, const char *name, const char *path)
{
	struct stat st;

	look->count++;
	if (stat(path, &st) < 0) {
		look->unseen++;
		audit_note(look->evidence, "%s of \"%s\": %s: %s", name, look->endpoint, path, strerror(errno));
		return;
	}
	look->bad += (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	audit_note(look->evidence, "%s of \"%s\": %s: mode %04o, owner %u%s", name, look->endpoint, path,
		   (unsigned)st.st_mode & 07777u, (unsigned)st.st_uid,
		   st.st_mode & (S_IRWXG | S_IRWXO) ? ": MAY BE READ BY OTHERS" : "");
}

static void check_key_files(struct core *core, json_t *lines)
{
	struct files_look look = {.evidence = json_array()};
	enum audit_state state;
	json_t *evidence;

	for (size_t i = 0; i < core->config->endpoints_count; i++) {
		const struct config_endpoint *endpoint = &core->config->endpoints[i];

		look.endpoint = endpoint->name;
		for (size_t j = 0; j < endpoint->settings.count; j++) {
			const struct config_value *value = &endpoint->settings.values[j];

			if (is_secret(endpoint, endpoint->settings.rows[j].name) && value->text && *value->text)
				look_at_secret(&look, endpoint->settings.rows[j].name, value->text);
		}
	}
	state = look.bad ? AUDIT_FAIL : look.unseen ? AUDIT_UNKNOWN : AUDIT_OK;
	evidence = audit_line(lines, "key-files", "5.4", state, "chmod 0600, and think of the key as known to others",
			      "%u of %u key files may be read by others than their owner", look.bad, look.count);
	json_array_extend(evidence, look.evidence);
	json_decref(look.evidence);
}

/* Whether the disk that the file lies on is encrypted by the device mapper: 1, 0, or -1: it cannot be seen. */
static int is_encrypted(const char *path)
{
	CLEANUP_FREE char *uuid = NULL;
	char name[96];
	struct stat st;

	if (stat(path, &st) < 0 || major(st.st_dev) == 0)
		return -1;
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u", major(st.st_dev), minor(st.st_dev));
	if (access(name, F_OK) < 0)
		return -1;
	snprintf(name, sizeof(name), "/sys/dev/block/%u:%u/dm/uuid", major(st.st_dev), minor(st.st_dev));
	uuid = textfile_read(name);
	return uuid && strncmp(uuid, "CRYPT-", 6) == 0;
}

static void check_state_folder(struct core *core, json_t *lines)
{
	const char *folder = core->places->state_dir;
	int encrypted = is_encrypted(folder);
	enum audit_state state;
	json_t *evidence;
	struct stat st;

	if (stat(folder, &st) < 0)
		st = (struct stat){.st_mode = 0777};
	state = st.st_mode & (S_IRWXG | S_IRWXO) ? AUDIT_FAIL : AUDIT_OK;
	evidence = audit_line(lines, "state-folder", "5.4", state, "chmod 0700",
			      state == AUDIT_OK ? "nobody but the gateway's user can enter the state folder"
						: "others can enter the state folder");
	audit_note(evidence, "%s: mode %04o, owner %u", folder, (unsigned)st.st_mode & 07777u, (unsigned)st.st_uid);
	state = encrypted > 0 ? AUDIT_OK : encrypted == 0 ? AUDIT_WARN : AUDIT_UNKNOWN;
	evidence = audit_line(
		lines, "personal-data", "5.8", state,
		"encrypt the disk where the box can be carried away: messages that wait lie on it as they came",
		encrypted > 0    ? "messages that wait lie on an encrypted disk"
		: encrypted == 0 ? "messages that wait lie readable on the disk"
				 : "whether messages that wait lie on an encrypted disk cannot be seen");
	audit_note(evidence, "%lld messages are held now; payloads are never logged", (long long)core_held(core));
}

static bool is_foreign(const char *path, json_t *evidence)
{
	struct stat st;
	bool bad;

	if (stat(path, &st) < 0)
		return false;
	bad = st.st_mode & (S_IWGRP | S_IWOTH) || (st.st_uid != 0 && st.st_uid == geteuid());
	if (bad)
		audit_note(evidence, "%s: mode %04o, owner %u", path, (unsigned)st.st_mode & 07777u,
			   (unsigned)st.st_uid);
	return bad;
}

static void check_programs(struct core *core, json_t *lines)
{
	json_t *notes = json_array(), *evidence;
	char program[1024] = "", path[2048];
	unsigned looked = 3, bad = 0;
	DIR *folder = opendir(core->places->adapter_dir);

	if (readlink("/proc/self/exe", program, sizeof(program) - 1) > 0)
		bad += is_foreign(program, notes);
	bad += is_foreign(core->places->endpoint_program, notes);
	bad += is_foreign(core->places->adapter_dir, notes);
	for (struct dirent *entry; folder && (entry = readdir(folder));) {
		size_t length = strlen(entry->d_name);

		if (length < 4 || strcmp(entry->d_name + length - 3, ".so") != 0)
			continue;
		snprintf(path, sizeof(path), "%s/%s", core->places->adapter_dir, entry->d_name);
		bad += is_foreign(path, notes);
		looked++;
	}
	if (folder)
		closedir(folder);
	evidence = audit_line(
		lines, "programs", "5.7", bad ? AUDIT_WARN : AUDIT_OK,
		"install the package: its files belong to root, and dpkg --verify tells when one was changed",
		"%u of %u programs and adapters could be changed by others than root", bad, looked);
	json_array_extend(evidence, notes);
	json_decref(notes);
	audit_note(evidence, "%s, %s, %s", program, core->places->endpoint_program, core->places->adapter_dir);
}

static void check_outages(struct core *core, json_t *lines)
{
	const struct config_store *config = &core->config->store;
	struct store_stats stats;
	enum audit_state state;
	json_t *evidence;

	store_stats(core->store, &stats);
	state = stats.error < 0 ? AUDIT_FAIL : !config->mirror || stats.set_aside ? AUDIT_WARN : AUDIT_OK;
	evidence = audit_line(lines, "outages", "5.9", state,
			      state == AUDIT_FAIL ? "look at the disk: what waits cannot be written"
						  : "set store.mirror = true; look at the disk if it damages files",
			      state == AUDIT_OK     ? "messages are kept over outages and power cuts, in two files"
			      : state == AUDIT_WARN ? "messages are kept over outages, with less care than possible"
						    : "messages cannot be kept on disk");
	audit_note(evidence, "store.mirror = %s; the registry always has one", config->mirror ? "true" : "false");
	audit_note(evidence, "%lld of %lld bytes used; %lld damaged files set aside since the start",
		   (long long)stats.used_bytes, (long long)stats.limit_bytes, (long long)stats.set_aside);
	audit_note(evidence, "watchdog of the service manager: %s", core->watchdog_us ? "on" : "off");
}

static void check_clock(struct core *core, json_t *lines)
{
	json_t *problems = json_array(), *clock = core_clock_describe(core, problems), *evidence;
	bool believed = json_is_true(json_object_get(clock, "believed"));

	evidence = audit_line(lines, "clock", "5.9", believed ? AUDIT_OK : AUDIT_WARN,
			      "set the clock, or say that it is right: tidegatectl clock accept",
			      believed ? "the clock is believed" : "the clock is not believed");
	audit_note(evidence, "%s; used: %s, the system says: %s", json_string_value(json_object_get(clock, "state")),
		   json_string_value(json_object_get(clock, "time")),
		   json_string_value(json_object_get(clock, "system")));
	json_decref(clock);
	json_decref(problems);
}

/* Sums of the endpoints' counters by the beginnings of their names. */
struct sums {
	struct core *core;
	json_int_t failed, malformed;
	unsigned restarts;
};

static int add_counters(void *arg, struct instance *instance)
{
	const struct process *process = instance_user(instance);
	struct sums *sums = arg;
	const struct config_endpoint *endpoint;

	sums->restarts += instance_restarts(instance);
	endpoint = process ? config_endpoint(sums->core->config, instance_endpoint(instance)) : NULL;
	for (size_t i = 0; endpoint && i < process->n_counters && i < endpoint->descriptor->counters_count; i++) {
		const char *name = endpoint->descriptor->counters[i];

		if (strncmp(name, "failed_", 7) == 0)
			sums->failed += process->counters[i];
		else if (strcmp(name, "malformed") == 0)
			sums->malformed += process->counters[i];
	}
	return 0;
}

static void check_watchfulness(struct core *core, json_t *lines)
{
	struct sums sums = {.core = core};
	json_t *evidence;
	uint64_t refused = 0;

	supervisor_each(core->supervisor, add_counters, &sums);
	for (size_t i = 1; i <= TG_UNKNOWN_DEVICE; i++)
		refused += core->refused[i];
	evidence = audit_line(lines, "telemetry", "5.10", AUDIT_OK, NULL,
			      "failed handshakes and refused messages are counted by reason, and logged");
	audit_note(evidence, "since the start: %lld handshakes failed, %llu messages refused, %zu sessions live",
		   (long long)sums.failed, (unsigned long long)refused, sessions_count(core->sessions));
	evidence = audit_line(lines, "input", "5.13", AUDIT_OK, NULL,
			      "what comes from devices is checked twice, in the endpoint's process and in the core");
	audit_note(evidence,
		   "since the start: %lld malformed datagrams dropped, endpoint processes started again %u times",
		   (long long)sums.malformed, sums.restarts);
}

static void check_setup(struct core *core, json_t *lines)
{
	struct config_problems problems;
	json_t *evidence;

	config_problems_init(&problems);
	config_warn(core->config, &problems);
	evidence = audit_line(lines, "setup", "5.12", problems.count ? AUDIT_WARN : AUDIT_OK,
			      "tidegated --check says the same; mend it and reload",
			      problems.count ? "%zu thing(s) in the configuration may not be meant"
					     : "the configuration holds nothing that may not be meant",
			      problems.count);
	for (size_t i = 0; i < problems.count; i++)
		audit_note(evidence, "%s", problems.list[i].text);
	if (problems.count == 0)
		audit_note(evidence, "%s", core->config->file);
	config_problems_done(&problems);
}

static void check_deletion(struct core *core, json_t *lines)
{
	json_t *evidence = audit_line(
		lines, "deletion", "5.11", AUDIT_WARN,
		"stop the gateway and remove the state folder to delete everything; single messages cannot be deleted",
		"all data lies in one folder; messages of one device cannot be deleted by themselves");

	audit_note(evidence, "%s", core->places->state_dir);
	audit_note(evidence,
		   "a delivered message is deleted at once; a revoked device's keys are forgotten, its name stays");
}

void core_audit_box(struct core *core, json_t *lines)
{
	check_passwords(core, lines);
	check_master_key(core, lines);
	check_key_files(core, lines);
	check_state_folder(core, lines);
	check_programs(core, lines);
	check_outages(core, lines);
	check_clock(core, lines);
	check_watchfulness(core, lines);
	check_deletion(core, lines);
	check_setup(core, lines);
}
