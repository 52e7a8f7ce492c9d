/* SPDX-License-Identifier: Apache-2.0 */

/*
 * The last reading of a resource for GET and HEAD, as it was handed in or in the notation that the reader wants more (convert.h); and
 * readings that a device hands in by POST or PUT.
 */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/media.h"
#include "common/utf8.h"
#include "format/convert.h"
#include "hypercat.h"
#include "wishes.h"

enum { BUSY_S = 5, TAG_SIZE = 40, SHOWN_MAX = 4 * TG_PAYLOAD_MAX };

/* The notations that a reading may be shown in; the first one is its own. */
struct forms {
	int32_t formats[CONVERT_MOST];
	size_t count;
};

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
	wishes_date(reading->time_wall_us, text);
	server_set(task->client, "Last-Modified", text);
}

static const char *type_of(int32_t format)
{
	bool utf8;
	const char *type = media_type(format, &utf8);

	return type ? type : "application/octet-stream";
}

/* The place of the one that is wanted most, of equals the first; -1: none is. */
static int choose(const struct task *task, const struct forms *forms)
{
	const char *accept = server_header(task->client, "Accept");
	unsigned most = 0;
	int best = -1;

	for (size_t i = 0; i < forms->count; i++) {
		unsigned weight = wishes_accept(accept, type_of(forms->formats[i]));

		if (weight > most) {
			most = weight;
			best = (int)i;
		}
	}
	return best;
}

/* Each form has its own. */
static void make_tag(const struct tg_reading *reading, int32_t format, char ret_tag[TAG_SIZE])
{
	char form[16] = "";

	if (format != reading->content_format)
		snprintf(form, sizeof(form), "-%d", format);
	snprintf(ret_tag, TAG_SIZE, "\"%016llx%s\"", (unsigned long long)reading->etag, form);
}

/* Says what there is. */
static void refuse_forms(struct task *task, const struct forms *forms)
{
	char words[CONVERT_MOST * 64] = "";
	size_t size = 0;

	for (size_t i = 0; i < forms->count; i++)
		size += (size_t)snprintf(words + size, sizeof(words) - size, "%s%s", i ? "\n" : "",
					 type_of(forms->formats[i]));
	task_reply(task, 406, words);
}

static void show(struct task *task, int32_t format, struct tg_bytes payload)
{
	server_set(task->client, "Content-Type", type_of(format));
	server_set(task->client, "X-Content-Type-Options", "nosniff");
	server_reply(task->client, 200, payload, false);
	task_free(task);
}

/* Returns whether it was answered: what cannot say all of the reading is none of its forms. */
static bool show_as(struct task *task, const struct tg_reading *reading, int32_t format)
{
	struct tg_bytes payload = reading->payload;
	bool own = format == reading->content_format;
	char tag[TAG_SIZE];
	bool known;

	make_tag(reading, format, tag);
	known = wishes_has(server_header(task->client, "If-None-Match"), tag);
	if (!own && !known &&
	    convert_payload(reading->content_format, format, reading->payload, SHOWN_MAX, &payload) < 0)
		return false;
	set_fields(task, reading, tag);
	if (known)
		task_reply(task, 304, NULL);
	else
		show(task, format, payload);
	if (!own && !known)
		free((void *)(uintptr_t)payload.data);
	return true;
}

/* Answers that wait for their clients to take them have the limit of the views. */
static bool is_crowded(const struct hypercat *hypercat)
{
	return server_all_unsent(hypercat->server) > hypercat->settings.views.bytes;
}

void reading_come(struct task *task, const struct tg_reading *reading)
{
	struct forms forms;
	int best;

	if (reading->verdict != TG_ACCEPTED) {
		task_verdict(task, reading->verdict, reading->max_age_s);
		return;
	}
	if (is_crowded(task->hypercat)) {
		task_later(task, 503, BUSY_S, NULL);
		return;
	}
	server_set(task->client, "Vary", "Accept, Authorization");
	forms.count = convert_formats(reading->content_format, forms.formats);
	while ((best = choose(task, &forms)) >= 0) {
		const struct hypercat *hypercat = task->hypercat;

		if (show_as(task, reading, forms.formats[best])) {
			hypercat->host->count(hypercat->host, COUNT_READ, 1);
			return;
		}
		forms.count--;
		memmove(forms.formats + best, forms.formats + best + 1,
			(forms.count - (size_t)best) * sizeof(forms.formats[0]));
	}
	refuse_forms(task, &forms);
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

/* As over CoAP: links to it would lead elsewhere with dots, and are text. */
static bool is_path(struct tg_bytes path)
{
	const char *data = path.data;

	for (size_t begin = 0, end; begin < path.size; begin = end + 1) {
		for (end = begin; end < path.size && data[end] != '/'; end++)
			;
		if (end > begin && end - begin <= 2 && data[begin] == '.' && data[end - 1] == '.')
			return false;
	}
	return utf8_is_good(path);
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

	if (!is_path(submission.path)) {
		task_reply(task, 400, "a path is UTF-8, without segments of dots");
		return;
	}
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
