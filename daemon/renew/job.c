/* SPDX-License-Identifier: Apache-2.0 */
#include "renew/job.h"

#include <errno.h>
#include <jansson.h>
#include <string.h>

enum { FD_LEAST = 3, FD_MOST = 63, TIMEOUT_MOST_S = 600 };

static const char *const kinds[] = {"enroll", "request", "check"};
static const char *const file_names[JOB_FILES] = {"certificate", "key",    "trust",   "password",
						  "pending",     "result", "request", "answer"};

static int take_kind(const json_t *object, struct job *job)
{
	const char *kind = json_string_value(json_object_get(object, "job"));

	for (unsigned i = 0; kind && i < sizeof(kinds) / sizeof(kinds[0]); i++) {
		if (strcmp(kind, kinds[i]) == 0) {
			job->kind = (enum job_kind)i;
			return 0;
		}
	}
	return -EINVAL;
}

static int take_text(const json_t *object, const char *name, char **ret_text)
{
	const char *text = json_string_value(json_object_get(object, name));

	*ret_text = strdup(text ? text : "");
	return *ret_text ? 0 : -ENOMEM;
}

static int take_crypto(const json_t *object, struct job *job)
{
	const json_t *name = json_object_get(object, "crypto");

	job->crypto = crypto_policy(json_is_string(name) ? json_string_value(name) : name ? "" : "modern");
	return job->crypto ? 0 : -EINVAL;
}

static int take_files(const json_t *files, struct job *job)
{
	for (unsigned i = 0; i < JOB_FILES; i++) {
		const json_t *fd = json_object_get(files, file_names[i]);

		if (!fd)
			continue;
		if (!json_is_integer(fd) || json_integer_value(fd) < FD_LEAST || json_integer_value(fd) > FD_MOST)
			return -EINVAL;
		job->fds[i] = (int)json_integer_value(fd);
	}
	return 0;
}

static int take_all(const json_t *object, struct job *job)
{
	int r = take_kind(object, job);

	if (r >= 0)
		r = take_text(object, "endpoint", &job->endpoint);
	if (r >= 0)
		r = take_text(object, "url", &job->url);
	if (r >= 0)
		r = take_text(object, "username", &job->username);
	if (r >= 0)
		r = take_text(object, "common_name", &job->common_name);
	if (r >= 0)
		r = take_crypto(object, job);
	if (r >= 0)
		r = take_files(json_object_get(object, "files"), job);
	job->server = json_is_true(json_object_get(object, "server"));
	job->now_s = json_integer_value(json_object_get(object, "now_s"));
	job->timeout_s = json_integer_value(json_object_get(object, "timeout_s"));
	if (r >= 0 &&
	    (job->now_s <= 0 || job->timeout_s <= 0 || job->timeout_s > TIMEOUT_MOST_S || job->fds[JOB_PENDING] < 0))
		r = -EINVAL;
	return r;
}

int job_parse(const char *text, size_t size, struct job *ret_job)
{
	struct job job = {.endpoint = NULL};
	json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, NULL);
	int r;

	for (unsigned i = 0; i < JOB_FILES; i++)
		job.fds[i] = -1;
	r = json_is_object(object) ? take_all(object, &job) : -EINVAL;
	json_decref(object);
	if (r < 0) {
		job_done(&job);
		return r;
	}
	*ret_job = job;
	return 0;
}

void job_done(struct job *job)
{
	free(job->endpoint);
	free(job->url);
	free(job->username);
	free(job->common_name);
	job->endpoint = job->url = job->username = job->common_name = NULL;
}
