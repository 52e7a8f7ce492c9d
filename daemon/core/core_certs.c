/* SPDX-License-Identifier: Apache-2.0 */

/* The watch over certificates (certs.h) in the running gateway: when it looks, and whom it tells. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/certs_report.h"
#include "core/core_inside.h"
#include "core/events.h"

#define ROUND_US (3600 * CLOCK_S_US)

struct core_certs {
	struct certs *certs;
	bool soon;
	bool peers_soon;
	int64_t due_us;      /* the next round over all files */
	int64_t judge_at_us; /* guarded time of the next change of state */
	struct log_limit peers_log;
};

int core_certs_new(struct core *core)
{
	core->certs = calloc(1, sizeof(*core->certs));
	if (!core->certs)
		return -ENOMEM;
	core->certs->soon = true;
	core->certs->peers_log = (struct log_limit){.span_us = 60 * CLOCK_S_US, .burst = 20};
	return certs_new(&core->certs->certs);
}

void core_certs_free(struct core *core)
{
	if (core->certs)
		certs_free(core->certs->certs);
	free(core->certs);
	core->certs = NULL;
}

void core_certs_soon(struct core *core)
{
	if (core->certs)
		core->certs->soon = true;
}

void core_certs_file_changed(struct core *core, const char *endpoint, const char *path)
{
	(void)endpoint;
	(void)path;
	core_certs_soon(core);
}

/* What the operators in the cloud are told. */
static json_t *notice_of(struct core *core, const struct certs_item *item, enum certs_state before)
{
	char until[CLOCK_TEXT_SIZE], now[CLOCK_TEXT_SIZE], words[CERTS_WORDS_SIZE], who[TRUST_X509_NAME_SIZE];

	clock_format_seconds(item->facts.until_wall_us, until);
	clock_format_seconds(core_now_wall_us(core), now);
	certs_words(item, item->state, words);
	certs_who(item, who);
	words[320] = '\0'; /* a notice is small */
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:s}", "notice", "certificate", "site",
			 core->config->site, "gateway", core->config->gateway, "time", now, "endpoint", item->endpoint,
			 "what", certs_role_name(item->role), "state", certs_state_name(item->state), "before",
			 certs_state_name(before), "until", *item->problem ? "" : until, "text", words);
}

static int send_notice(void *arg, struct instance *instance)
{
	const struct frame *frame = arg;

	if (instance_state(instance) == INSTANCE_RUNNING && instance_send(instance, frame) < 0)
		log_fields_write(LOG_LEVEL_DEBUG, &(struct log_fields){.endpoint = instance_endpoint(instance)},
				 "could not be told of a certificate");
	return 0;
}

static void tell_sinks(struct core *core, const struct certs_item *item, enum certs_state before,
		       struct instance *instance)
{
	json_t *notice = notice_of(core, item, before);
	CLEANUP_FREE char *text = notice ? json_dumps(notice, JSON_COMPACT) : NULL;
	struct frame frame = {.type = FRAME_NOTICE, .text = {.text = bytes_text(text)}};

	json_decref(notice);
	if (!text || strlen(text) > FRAME_TEXT_MAX)
		return;
	if (instance)
		send_notice(&frame, instance);
	else if (core->supervisor)
		supervisor_each(core->supervisor, send_notice, &frame);
}

static void on_change(void *arg, const struct certs_item *item, enum certs_state before)
{
	static const char *const events[CERTS_STATES] = {EVENT_CERTIFICATE_FINE,    EVENT_CERTIFICATE_RENEW,
							 EVENT_CERTIFICATE_URGENT,  EVENT_CERTIFICATE_EARLY,
							 EVENT_CERTIFICATE_EXPIRED, EVENT_CERTIFICATE_UNUSABLE};
	struct core *core = arg;
	bool peer = item->role >= CERTS_DEVICE;
	const struct log_fields fields = {.endpoint = *item->endpoint ? item->endpoint : NULL,
					  .device = item->role == CERTS_DEVICE ? item->place : NULL,
					  .event = events[item->state]};
	enum log_level level = item->state <= CERTS_RENEW            ? LOG_LEVEL_NOTICE
			       : item->state == CERTS_URGENT || peer ? LOG_LEVEL_WARNING
								     : LOG_LEVEL_ERROR;
	char words[CERTS_WORDS_SIZE], remedy[CERTS_WORDS_SIZE];
	unsigned left_out = 0;

	tell_sinks(core, item, before, NULL);
	if (peer && !log_limit_pass(&core->certs->peers_log, loop_now_us(core->loop), &left_out))
		return;
	certs_words(item, item->state, words);
	certs_remedy(item, item->state, remedy);
	log_fields_write(level, &fields, "%s is %s: %s%s%s", certs_role_name(item->role), certs_state_name(item->state),
			 words, *remedy ? "; " : "", remedy);
	if (left_out)
		log_warning("%u lines on certificates of peers left out", left_out);
}

static void judge(struct core *core)
{
	struct core_certs *watch = core->certs;

	watch->judge_at_us = certs_judge(watch->certs, core_now_wall_us(core), core->config->certificates.urgent_us,
					 on_change, core);
	watch->peers_soon = false;
}

/* The authority of the registry, once it was made. */
static int collect_authority(struct core *core)
{
	uint8_t certificate[FRAME_CERTIFICATE_MAX];
	struct trust_x509 facts;
	const struct certs_find find = {
		.role = CERTS_OFFICE, .listens = true, .endpoint = "", .place = "devices", .file = "", .facts = &facts};
	int r = devices_authority(core->devices, NULL, certificate, sizeof(certificate));

	if (r <= 0 || trust_x509_read_der(bytes_of(certificate, (size_t)r), &facts) < 0)
		return 0;
	return certs_found(core->certs->certs, &find);
}

static int collect(struct core *core)
{
	struct certs *certs = core->certs->certs;
	int r;

	certs_begin(certs);
	r = certs_collect(certs, core->config, core->places->state_dir, core_now_wall_us(core));
	if (r >= 0)
		r = collect_authority(core);
	certs_end(certs);
	return r;
}

void core_certs_tick(struct core *core)
{
	struct core_certs *watch = core->certs;
	int64_t now_us = loop_now_us(core->loop);

	if (watch->soon || now_us >= watch->due_us) {
		watch->soon = false;
		watch->due_us = now_us + ROUND_US;
		if (collect(core) < 0)
			log_error("the certificates cannot be watched (%s)", strerror(ENOMEM));
		judge(core);
	} else if (watch->peers_soon || core_now_wall_us(core) >= watch->judge_at_us) {
		judge(core);
	}
}

void core_certs_session(struct core *core, const struct session *session)
{
	struct trust_x509 facts;
	const struct certs_find find = {.role = *session->device ? CERTS_DEVICE : CERTS_SERVER,
					.listens = *session->device,
					.endpoint = session->endpoint,
					.place = *session->device ? session->device : session->peer,
					.file = "",
					.facts = &facts};

	if (session->certificate.size == 0 || trust_x509_read_der(session->certificate, &facts) < 0)
		return;
	if (certs_shown(core->certs->certs, &find, core_now_wall_us(core)) >= 0)
		core->certs->peers_soon = true;
}

/* A sink has just begun: it missed what was told before. */
void core_certs_tell(struct core *core, struct instance *instance)
{
	CLEANUP_FREE const struct certs_item **list = NULL;
	size_t count = 0;

	if (certs_list(core->certs->certs, &list, &count) < 0)
		return;
	for (size_t i = 0; i < count; i++) {
		if (list[i]->state != CERTS_FINE && list[i]->role < CERTS_DEVICE)
			tell_sinks(core, list[i], list[i]->state, instance);
	}
}

json_t *core_certs_describe(struct core *core, json_t *problems)
{
	CLEANUP_FREE const struct certs_item **list = NULL;
	char words[CERTS_WORDS_SIZE];
	size_t count = 0, devices = 0;

	if (certs_list(core->certs->certs, &list, &count) < 0)
		count = 0;
	for (size_t i = 0; i < count; i++) {
		if (list[i]->state < CERTS_URGENT)
			continue;
		if (list[i]->role == CERTS_DEVICE) {
			devices++;
			continue;
		}
		certs_words(list[i], list[i]->state, words);
		json_array_append_new(problems, control_text(bytes_text(words)));
	}
	if (devices) {
		snprintf(words, sizeof(words),
			 "%zu device%s with a certificate that has expired or soon will: tidegatectl certs", devices,
			 devices == 1 ? "" : "s");
		json_array_append_new(problems, json_string(words));
	}
	return certs_count(core->certs->certs);
}

void core_command_certs(void *arg, struct control_call *call, const json_t *request)
{
	const char *at = json_string_value(json_object_get(request, "at"));
	struct core *core = arg;
	int64_t wall_us = core_now_wall_us(core), at_wall_us = 0;

	if (at && clock_parse(at, wall_us, &at_wall_us) < 0) {
		control_fail(call, "invalid", "\"%s\" is no date: wanted is 2027-03-01, 2027-03-01T12:00:00Z or +90d",
			     at);
		return;
	}
	core_certs_soon(core);
	core_certs_tick(core);
	control_reply(call,
		      certs_describe(core->certs->certs, wall_us, at_wall_us, core->config->certificates.urgent_us));
}
