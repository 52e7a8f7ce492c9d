/* SPDX-License-Identifier: Apache-2.0 */

/* The last reading of a resource, as it was handed in, for GET and HEAD; and readings that a device hands in by POST or PUT. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "common/media.h"
#include "hypercat.h"
#include "wishes.h"

enum { BUSY_S = 5, TAG_SIZE = 24 };

void reading_begin(struct task *task)
{
	const struct tg_host *host = task->hypercat->host;
	const struct target *target = &task->target;
	const struct tg_bytes reader = {.data = task->visitor->name, .size = strlen(task->visitor->name)};
	const struct tg_bytes device = {.data = target->device, .size = target->device_size};
	const struct tg_bytes path = {.data = target->path + target->rest, .size = target->path_size - target->rest};
	int r;

	if (device.size == 0) {
		task_reply(task, 404, NULL);
		return;
	}
	task->state = TASK_READ;
	r = host->read(host, reader, device, path, false, server_ticket(task->client), &task->number);
	if (r == -EMSGSIZE)
		task_reply(task, 404, NULL);
	else if (r < 0)
		task_later(task, 503, BUSY_S, NULL);
}

static void set_fields(struct task *task, const struct tg_reading *reading, const char *tag)
{
	char text[WISHES_DATE_SIZE + 32];

	server_set(task->client, "ETag", tag);
	snprintf(text, sizeof(text), "private, max-age=%u", reading->max_age_s);
	server_set(task->client, "Cache-Control", text);
	server_set(task->client, "Vary", "Accept, Authorization");
	wishes_date(reading->time_wall_us, text);
	server_set(task->client, "Last-Modified", text);
}

void reading_come(struct task *task, const struct tg_reading *reading)
{
	struct client *client = task->client;
	char tag[TAG_SIZE];
	const char *type;
	bool utf8;

	if (reading->verdict != TG_ACCEPTED) {
		task_verdict(task, reading->verdict, reading->max_age_s);
		return;
	}
	type = media_type(reading->content_format, &utf8);
	if (!wishes_accept(server_header(client, "Accept"), type)) {
		task_reply(task, 406, type ? type : "application/octet-stream");
		return;
	}
	task->hypercat->host->count(task->hypercat->host, COUNT_READ, 1);
	snprintf(tag, sizeof(tag), "\"%016llx\"", (unsigned long long)reading->etag);
	set_fields(task, reading, tag);
	if (wishes_has(server_header(client, "If-None-Match"), tag)) {
		task_reply(task, 304, NULL);
		return;
	}
	server_set(client, "Content-Type", type ? type : "application/octet-stream");
	server_set(client, "X-Content-Type-Options", "nosniff");
	server_reply(client, 200, reading->payload, false);
	task_free(task);
}

/* Returns whether the type is one that can be told further. */
static bool get_format(const struct task *task, int32_t *ret_format)
{
	const char *type = server_header(task->client, "Content-Type");

	*ret_format = TG_FORMAT_NONE;
	if (!type || !*type)
		return true;
	*ret_format = media_content_format((struct tg_bytes){.data = type, .size = strlen(type)});
	return *ret_format != TG_FORMAT_NONE;
}

void reading_submit(struct task *task)
{
	const struct tg_host *host = task->hypercat->host;
	struct tg_submission submission = {
		.size = sizeof(submission),
		.kind = TG_TELEMETRY,
		.token = server_ticket(task->client),
		.device = {.data = task->visitor->name, .size = strlen(task->visitor->name)},
		.path = {.data = task->target.path, .size = task->target.path_size},
		.payload = server_body(task->client),
		.method = server_method(task->client) == SERVER_PUT ? TG_METHOD_PUT : TG_METHOD_POST,
	};
	int r;

	if (server_header(task->client, "Content-Encoding") || !get_format(task, &submission.content_format)) {
		task_reply(task, 415, "this Content-Type is not known here");
		return;
	}
	task->state = TASK_SUBMIT;
	r = host->submit(host, &submission);
	if (r == -EMSGSIZE)
		task_reply(task, 413, NULL);
	else if (r < 0)
		task_later(task, 503, BUSY_S, NULL);
	else
		host->count(host, COUNT_SUBMITTED, 1);
}

void reading_verdict(struct task *task, const struct tg_answer *answer)
{
	char words[256];

	if (answer->verdict == TG_ACCEPTED) {
		task_reply(task, 204, NULL);
		return;
	}
	if (answer->verdict == TG_MALFORMED || answer->verdict == TG_WRONG_FORMAT) {
		snprintf(words, sizeof(words), "%.*s", (int)answer->reason.size, (const char *)answer->reason.data);
		task_reply(task, answer->verdict == TG_MALFORMED ? 400 : 415, words);
		return;
	}
	task_verdict(task, answer->verdict, answer->max_age_s);
}
