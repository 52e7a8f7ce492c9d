/* SPDX-License-Identifier: Apache-2.0 */

/* The gateway's own authority for devices, and the certificates that it signs. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_device.h"
#include "core/trust_ca.h"

enum { TRUST_FILE_MAX = 256 * 1024 };

struct authority {
	struct trust_ca *ca; /* NULL: locked */
	size_t size;
	uint8_t certificate[TRUST_CA_MAX];
};

static int make_authority(struct core *core, struct authority *ret_authority)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	int r = devices_is_locked(core->devices)
			? -ENOKEY
			: trust_ca_new(core->config->gateway, core_now_wall_us(core), &ret_authority->ca);

	if (r >= 0)
		r = trust_ca_key(ret_authority->ca, &key);
	if (r >= 0)
		r = trust_ca_certificate(ret_authority->ca, ret_authority->certificate,
					 sizeof(ret_authority->certificate));
	if (r < 0)
		return r;
	ret_authority->size = (size_t)r;
	r = devices_set_authority(core->devices, &key, bytes_of(ret_authority->certificate, ret_authority->size));
	if (r >= 0)
		log_notice(
			"made an authority for devices; devices with its certificates are let in where `trust` holds "
			"what tidegatectl device ca prints");
	return r;
}

/* Made at its first use. Ownership: trust_ca_free(ret_authority->ca), also behind an error. */
static int find_authority(struct core *core, struct authority *ret_authority)
{
	CLEANUP_SECRET struct secret key = {.size = 0};
	int r = devices_authority(core->devices, &key, ret_authority->certificate, sizeof(ret_authority->certificate));

	if (r == -ENOENT)
		return make_authority(core, ret_authority);
	if (r < 0)
		return r;
	ret_authority->size = (size_t)r;
	return trust_ca_load(&key, bytes_of(ret_authority->certificate, ret_authority->size), &ret_authority->ca);
}

/* Whether the file that the endpoint trusts holds the authority; *ret_path is that file, "" where it has no such setting. */
static bool is_trusted(struct core *core, const char *name, struct tg_bytes certificate, const char **ret_path)
{
	const struct endpoint *endpoint = core_endpoint(core, name);
	const struct config_value *value = endpoint ? config_section_value(&endpoint->config->settings, "trust") : NULL;
	CLEANUP_FREE char *data = malloc(TRUST_FILE_MAX);
	CLEANUP_CLOSE int fd = -1;
	struct stat st;
	ssize_t size;

	*ret_path = value && value->text ? value->text : "";
	if (!**ret_path || !data)
		return false;
	fd = open(*ret_path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0 || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))
		return false;
	size = read(fd, data, TRUST_FILE_MAX);
	return size > 0 && trust_is_among(certificate, bytes_of(data, (size_t)size));
}

static json_t *describe(struct core *core, const struct device *device, const struct trust_issued *issued,
			const struct authority *authority)
{
	struct tg_bytes certificate = bytes_of(authority->certificate, authority->size);
	CLEANUP_PEM struct trust_pem pem = {.text = NULL};
	char until[CLOCK_TEXT_SIZE];
	const char *path;
	bool trusted = is_trusted(core, device->endpoint, certificate, &path);

	if (trust_pem_of(certificate, &pem) < 0)
		return NULL;
	clock_format(issued->until_wall_us, until);
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s*,s:s,s:b,s:s}", "device", device->name, "identity",
			 device->name, "proof", "certificate", "endpoint", device->endpoint, "gateway",
			 core->config->gateway, "until", until, "certificate", issued->certificate.text, "private_key",
			 issued->key.text, "authority", pem.text, "trusted", trusted, "trust", path);
}

/* Enrols the device unless it is there already, as `again` says. */
static int enrol(struct core *core, const struct device_enrolment *enrolment, bool again)
{
	const struct device *device = devices_find(core->devices, bytes_text(enrolment->name));

	if (!again)
		return devices_add(core->devices, enrolment, core_now_wall_us(core));
	if (!device)
		return -ENOENT;
	return device->proof != DEVICE_CERTIFICATE || device->revoked ? -EEXIST : 0;
}

static void issue(struct core *core, struct control_call *call, const struct device_enrolment *enrolment, bool again,
		  const char *request)
{
	struct authority authority = {.ca = NULL};
	struct trust_issued issued = {.until_wall_us = 0};
	const struct trust_wish wish = {.name = enrolment->name,
					.request = bytes_text(request),
					.now_wall_us = core_now_wall_us(core),
					.lifetime_us = core->config->device_certificate_us};
	const char *problem = NULL;
	int r = find_authority(core, &authority);

	if (r >= 0)
		r = trust_ca_issue(authority.ca, &wish, &issued, &problem);
	if (r >= 0) {
		problem = NULL;
		r = enrol(core, enrolment, again);
	}
	if (r >= 0) {
		log_fields_write(LOG_LEVEL_NOTICE, &(struct log_fields){.device = enrolment->name},
				 "device \"%s\" has a certificate of the gateway's own authority", enrolment->name);
		control_reply(call, describe(core, devices_find(core->devices, bytes_text(enrolment->name)), &issued,
					     &authority));
	} else if (problem) {
		control_fail(call, r == -EINVAL ? "invalid" : "failed", "%s", problem);
	} else if (r == -EEXIST && again) {
		control_fail(call, "invalid", "\"%s\" has a pre-shared key, or is revoked", enrolment->name);
	} else {
		core_device_fail(core, call, enrolment->name, r);
	}
	trust_issued_done(&issued);
	trust_ca_free(authority.ca);
}

void core_command_device_certificate(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const char *profile = json_string_value(json_object_get(request, "profile"));
	const json_t *wanted = json_object_get(request, "request");
	bool again = json_is_true(json_object_get(request, "again"));
	struct device_enrolment enrolment = {.name = json_string_value(json_object_get(request, "device")),
					     .proof = DEVICE_CERTIFICATE,
					     .profile = profile ? profile : ""};
	char problem[CORE_DEVICE_PROBLEM];

	if (!enrolment.name || (wanted && !json_is_string(wanted))) {
		control_fail(call, "invalid", "a device's name is wanted, and text as a request");
		return;
	}
	if (!again)
		enrolment.endpoint = core_device_endpoint(core, json_string_value(json_object_get(request, "endpoint")),
							  problem, sizeof(problem));
	if (!again && !enrolment.endpoint) {
		control_fail(call, "invalid", "%s", problem);
		return;
	}
	issue(core, call, &enrolment, again, json_string_value(wanted));
}

void core_command_device_ca(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	struct authority authority = {.ca = NULL};
	CLEANUP_PEM struct trust_pem pem = {.text = NULL};
	int r = devices_authority(core->devices, NULL, authority.certificate, sizeof(authority.certificate));

	(void)request;
	if (r >= 0)
		authority.size = (size_t)r;
	else if (r == -ENOENT)
		r = make_authority(core, &authority);
	if (r >= 0)
		r = trust_pem_of(bytes_of(authority.certificate, authority.size), &pem);
	trust_ca_free(authority.ca);
	if (r < 0)
		core_device_fail(core, call, "", r);
	else
		control_reply(call, json_pack("{s:s}", "text", pem.text));
}
