/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

enum { ANSWER_TIMEOUT_MS = 120 * 1000 };

/* Of one line or several. */
static void print_error(json_t *error)
{
	json_t *clean = json_pack("{s:O*}", "text", error);
	const char *text = json_string_value(error) ? json_string_value(error) : "refused";
	size_t length;

	ctl_clean(clean);
	if (json_string_value(json_object_get(clean, "text")))
		text = json_string_value(json_object_get(clean, "text"));
	length = strlen(text);
	while (length > 0 && text[length - 1] == '\n')
		length--;
	fprintf(stderr, "tidegatectl: %.*s\n", (int)length, text);
	json_decref(clean);
}

int ctl_ask(struct ctl *ctl, json_t *request, json_t **ret_result)
{
	json_t *answer = NULL, *result;
	int r = client_send(&ctl->client, request);

	if (r >= 0)
		answer = client_receive(&ctl->client, ANSWER_TIMEOUT_MS, &r);
	if (!answer) {
		fprintf(stderr, "tidegatectl: the gateway did not answer (%s)\n", strerror(-r));
		return CTL_NO_GATEWAY;
	}
	result = json_object_get(answer, "result");
	r = json_is_true(json_object_get(answer, "ok")) && result ? CTL_GOOD : CTL_FAILED;
	if (r == CTL_GOOD) {
		if (!ctl->json)
			ctl_clean(result);
		*ret_result = json_incref(result);
	} else {
		print_error(json_object_get(answer, "error"));
	}
	json_decref(answer);
	return r;
}

bool ctl_print_json(const struct ctl *ctl, const json_t *result)
{
	if (!ctl->json)
		return false;
	json_dumpf(result, stdout, JSON_INDENT(2) | JSON_ENCODE_ANY);
	putchar('\n');
	return true;
}

static void take_out(struct ctl *ctl, int at, int n)
{
	ctl->argc -= n;
	memmove(ctl->argv + at, ctl->argv + at + n, (size_t)(ctl->argc - at) * sizeof(*ctl->argv));
}

const char *ctl_option(struct ctl *ctl, const char *name, bool *ret_usage)
{
	for (int i = 0; i < ctl->argc; i++) {
		const char *value;

		if (strcmp(ctl->argv[i], name) != 0)
			continue;
		if (i + 1 >= ctl->argc) {
			*ret_usage = true;
			return NULL;
		}
		value = ctl->argv[i + 1];
		take_out(ctl, i, 2);
		return value;
	}
	return NULL;
}

bool ctl_flag(struct ctl *ctl, const char *name)
{
	for (int i = 0; i < ctl->argc; i++) {
		if (strcmp(ctl->argv[i], name) == 0) {
			take_out(ctl, i, 1);
			return true;
		}
	}
	return false;
}

long ctl_whole(const char *text, long lowest)
{
	char *end;
	long number;

	errno = 0;
	number = strtol(text, &end, 10);
	return errno || end == text || *end || number < lowest || number > 1000000 ? -1 : number;
}

int ctl_bad_usage(const struct ctl *ctl, const char *problem)
{
	fprintf(stderr, "tidegatectl: %s%s%s%s; tidegatectl --help says how\n", problem, ctl->argc ? ", not \"" : "",
		ctl->argc ? ctl->argv[0] : "", ctl->argc ? "\"" : "");
	return CTL_USAGE;
}

const char *ctl_text(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

long long ctl_number(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}
