/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/prove.h"

#include <stdio.h>
#include <string.h>

static const char *text_of(const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	return text ? text : "";
}

static json_int_t number_of(const json_t *object, const char *key)
{
	return json_integer_value(json_object_get(object, key));
}

/* The entry of a list whose member `key` has this value, or NULL. */
static const json_t *find(const json_t *status, const char *list, const char *key, const char *value)
{
	const json_t *entry;
	size_t i;

	json_array_foreach(json_object_get(status, list), i, entry)
	{
		if (strcmp(text_of(entry, key), value) == 0)
			return entry;
	}
	return NULL;
}

static bool is_up(const json_t *endpoint)
{
	return strcmp(text_of(endpoint, "link"), "up") == 0 && strcmp(text_of(endpoint, "state"), "running") == 0;
}

json_t *prove_note(const json_t *status)
{
	json_t *up = json_array();
	const json_t *endpoint;
	size_t i;

	json_array_foreach(json_object_get(status, "endpoints"), i, endpoint)
	{
		if (is_up(endpoint))
			json_array_append_new(up, json_string(text_of(endpoint, "name")));
	}
	return json_pack("{s:s,s:o}", "version", text_of(status, "version"), "up", up);
}

/* By the operator: it stands in the configuration no longer, or is switched off there. */
static bool is_taken_away(const struct prove *prove, const json_t *endpoint, const char *name)
{
	const char *state = text_of(endpoint, "state");

	if (!endpoint)
		return json_object_get(prove->seen, name) != NULL;
	return strcmp(state, "removed") == 0 || strcmp(state, "disabled") == 0;
}

static bool is_well(struct prove *prove, const json_t *status)
{
	const char *state = text_of(status, "state");
	const json_t *name;
	size_t i;

	if (strcmp(state, "running") != 0 && strcmp(state, "draining") != 0) {
		snprintf(prove->why, sizeof(prove->why), "the gateway is %.40s", *state ? state : "silent");
		return false;
	}
	json_array_foreach(json_object_get(prove->before, "up"), i, name)
	{
		const char *wanted = json_string_value(name) ? json_string_value(name) : "";
		const json_t *endpoint = find(status, "endpoints", "name", wanted);

		if (is_taken_away(prove, endpoint, wanted) || (endpoint && is_up(endpoint)))
			continue;
		snprintf(prove->why, sizeof(prove->why), "endpoint \"%.80s\" was up before and is %.40s now: %.80s",
			 wanted, endpoint ? text_of(endpoint, "link") : "gone", text_of(endpoint, "detail"));
		return false;
	}
	if (!json_is_true(json_object_get(json_object_get(status, "ledger"), "balanced"))) {
		snprintf(prove->why, sizeof(prove->why), "the ledger does not balance");
		return false;
	}
	return true;
}

/* One that was down before may go on failing; where nothing is known of before, none may. */
static bool was_up(const struct prove *prove, const char *name)
{
	const json_t *up = json_object_get(prove->before, "up"), *each;
	size_t i;

	json_array_foreach(up, i, each)
	{
		if (json_is_string(each) && strcmp(json_string_value(each), name) == 0)
			return true;
	}
	return !json_is_array(up);
}

/* Whether the gateway, or one of its endpoints that were up before, was started anew since the look before. */
static bool has_restarted(struct prove *prove, const json_t *status)
{
	const json_t *endpoint;
	size_t i;

	if (number_of(status, "uptime_s") < number_of(prove->last, "uptime_s")) {
		snprintf(prove->why, sizeof(prove->why), "the gateway was started again");
		return true;
	}
	json_array_foreach(json_object_get(status, "endpoints"), i, endpoint)
	{
		const char *name = text_of(endpoint, "name");
		const json_t *before = find(prove->last, "endpoints", "name", name);

		if (!was_up(prove, name) || number_of(endpoint, "restarts") <= number_of(before, "restarts"))
			continue;
		snprintf(prove->why, sizeof(prove->why), "endpoint \"%.80s\" was started again", name);
		return true;
	}
	return false;
}

static void note_endpoints(struct prove *prove, const json_t *status)
{
	const json_t *endpoint;
	size_t i;

	if (!prove->seen)
		prove->seen = json_object();
	json_array_foreach(json_object_get(status, "endpoints"), i, endpoint)
	{
		json_object_set_new(prove->seen, text_of(endpoint, "name"), json_true());
	}
}

static void forget(struct prove *prove)
{
	json_decref(prove->first);
	prove->first = NULL;
}

int64_t prove_look(struct prove *prove, json_t *status, int64_t now_us)
{
	bool well = status && is_well(prove, status);

	if (!status)
		snprintf(prove->why, sizeof(prove->why), "the gateway does not answer");
	if (!well || (prove->last && has_restarted(prove, status)))
		forget(prove);
	note_endpoints(prove, status);
	json_decref(prove->last);
	prove->last = json_incref(status);
	if (!well)
		return -1;
	if (!prove->first) {
		prove->first = json_incref(status);
		prove->since_us = now_us;
	}
	return now_us - prove->since_us;
}

/* Something waited for this outbox all the time, its link being up, and nothing went. */
static bool is_stuck(const struct prove *prove, const json_t *outbox)
{
	const char *name = text_of(outbox, "endpoint");
	const json_t *now = json_object_get(outbox, "ledger"),
		     *before = json_object_get(find(prove->first, "outboxes", "endpoint", name), "ledger");

	return number_of(before, "held") > 0 && number_of(now, "held") > 0 &&
	       is_up(find(prove->last, "endpoints", "name", name)) &&
	       number_of(now, "delivered") <= number_of(before, "delivered");
}

bool prove_enough(struct prove *prove, int64_t for_us, int64_t now_us)
{
	const json_t *outbox;
	size_t i;

	if (!prove->first || now_us - prove->since_us < for_us)
		return false;
	json_array_foreach(json_object_get(prove->last, "outboxes"), i, outbox)
	{
		if (!is_stuck(prove, outbox))
			continue;
		snprintf(prove->why, sizeof(prove->why), "\"%.80s\" is up and confirms nothing",
			 text_of(outbox, "endpoint"));
		forget(prove);
		return false;
	}
	return true;
}

void prove_done(struct prove *prove)
{
	forget(prove);
	json_decref(prove->last);
	prove->last = NULL;
	json_decref(prove->seen);
	prove->seen = NULL;
}
