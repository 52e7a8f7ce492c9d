/* SPDX-License-Identifier: Apache-2.0 */

/* Many devices in one request: a piece of what tidegatectl device import reads, small enough to hold nothing up. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_device.h"

enum { ROWS_MAX = 512, KEY_MIN = 16 };

struct batch {
	size_t count;
	struct device_enrolment list[ROWS_MAX];
	struct secret keys[ROWS_MAX];
	bool made[ROWS_MAX];   /* the key is a new one, to be told */
	size_t rows[ROWS_MAX]; /* places in the request */
	int results[ROWS_MAX];
	json_t *answers;
};

static void refuse(struct batch *batch, size_t row, const char *text)
{
	json_array_append_new(batch->answers,
			      json_pack("{s:I,s:o}", "row", (json_int_t)row, "error", control_text(bytes_text(text))));
}

static const char *column(const json_t *row, size_t place)
{
	const char *text = json_string_value(json_array_get(row, place));

	return text ? text : "";
}

/* The key of a row, or a new one; NULL, or what is wrong. */
static const char *read_key(const char *hex, struct secret *ret_key, bool *ret_made)
{
	int r;

	*ret_made = !*hex;
	r = *hex ? secret_from_hex(ret_key, hex, strlen(hex)) : trust_make_key(ret_key);
	if (r == -EIO)
		return "no random numbers for its key";
	if (r < 0 || ret_key->size < KEY_MIN)
		return "its key is not of 32 to 128 hexadecimal digits";
	return NULL;
}

/* [name, endpoint, proof, key, profile, state]; NULL, or what is wrong. */
static const char *read_row(struct core *core, const json_t *row, struct batch *batch, char *ret_text, size_t room)
{
	struct device_enrolment *one = &batch->list[batch->count];
	struct secret *key = &batch->keys[batch->count];
	const char *proof = column(row, 2);
	const char *problem = NULL;

	if (!json_is_array(row))
		return "it is no list";
	*one = (struct device_enrolment){.name = column(row, 0),
					 .profile = column(row, 4),
					 .proof = strcmp(proof, "certificate") == 0 ? DEVICE_CERTIFICATE : DEVICE_PSK,
					 .revoked = strcmp(column(row, 5), "revoked") == 0};
	one->endpoint = core_device_endpoint(core, column(row, 1), ret_text, room);
	if (!one->endpoint)
		return ret_text;
	if (one->proof == DEVICE_PSK && !one->revoked) {
		problem = read_key(column(row, 3), key, &batch->made[batch->count]);
		one->key = key;
	}
	return problem;
}

static void read_rows(struct core *core, const json_t *rows, struct batch *batch)
{
	char text[CORE_DEVICE_PROBLEM];
	const char *problem;
	json_t *row;
	size_t i;

	json_array_foreach(rows, i, row)
	{
		problem = read_row(core, row, batch, text, sizeof(text));
		if (problem)
			refuse(batch, i, problem);
		else
			batch->rows[batch->count++] = i;
	}
}

static void tell_key(struct batch *batch, size_t i)
{
	char hex[2 * SECRET_MAX + 1];

	secret_to_hex(&batch->keys[i], hex);
	json_array_append_new(batch->answers, json_pack("{s:I,s:s,s:s}", "row", (json_int_t)batch->rows[i], "name",
							batch->list[i].name, "key", hex));
	explicit_bzero(hex, sizeof(hex));
}

static json_t *tell_results(struct core *core, struct batch *batch, bool dry_run)
{
	char text[CORE_DEVICE_PROBLEM];
	json_int_t taken = 0;

	for (size_t i = 0; i < batch->count; i++) {
		if (batch->results[i] < 0) {
			core_device_problem(core, batch->list[i].name, batch->results[i], text);
			refuse(batch, batch->rows[i], text);
			continue;
		}
		taken++;
		if (batch->made[i] && !dry_run)
			tell_key(batch, i);
	}
	if (taken > 0 && !dry_run)
		log_notice("%lld devices enrolled by an import", (long long)taken);
	return json_pack("{s:I,s:O}", "taken", taken, "results", batch->answers);
}

void core_command_device_import(void *arg, struct control_call *call, const json_t *request)
{
	struct core *core = arg;
	const json_t *rows = json_object_get(request, "rows");
	bool dry_run = json_is_true(json_object_get(request, "dry_run"));
	struct batch *batch;
	int r;

	if (json_array_size(rows) > ROWS_MAX) {
		control_fail(call, "invalid", "at most %d devices at a time", ROWS_MAX);
		return;
	}
	batch = calloc(1, sizeof(*batch));
	if (!batch) {
		core_device_fail(core, call, "", -ENOMEM);
		return;
	}
	batch->answers = json_array();
	read_rows(core, rows, batch);
	r = devices_add_many(core->devices, batch->list, batch->count, dry_run, core_now_wall_us(core), batch->results);
	if (r < 0)
		core_device_fail(core, call, "", r);
	else
		control_reply(call, tell_results(core, batch, dry_run));
	json_decref(batch->answers);
	explicit_bzero(batch, sizeof(*batch));
	free(batch);
}
