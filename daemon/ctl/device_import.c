/* SPDX-License-Identifier: Apache-2.0 */

/* Many devices from a file of comma-separated values: each good line is taken, each bad one named. */

#include <errno.h>
#include <search.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/bytes.h"
#include "ctl/command.h"
#include "ctl/csv.h"
#include "ctl/out.h"

/* What goes to the gateway in one request. Units: bytes. */
enum { CHUNK_ROWS = 100, CHUNK_BYTES = 24 * 1024, PROGRESS_MS = 200 };

enum column { NAME, ENDPOINT, PROOF, KEY, PROFILE, STATE, COLUMNS };

static const char *const column_names[COLUMNS] = {"name", "endpoint", "proof", "key", "profile", "state"};

struct seen {
	unsigned line;
	char name[];
};

struct import {
	struct ctl *ctl;
	const char *path;
	struct csv csv;
	int place[COLUMNS]; /* of each column in the file, -1: not there */
	struct out keys;
	const char *endpoint;
	bool dry_run;
	void *names; /* of the lines before, to find repeated ones */
	json_t *rows;
	size_t bytes;
	unsigned lines[CHUNK_ROWS];
	long long taken;
	long long bad;
	json_t *bad_lines;
	off_t size;
	struct timespec shown;
	bool showing;
};

static void hide_progress(struct import *import)
{
	if (import->showing)
		fputs("\r\033[K", stderr);
	import->showing = false;
}

static void show_progress(struct import *import)
{
	struct timespec now;
	off_t at = ftello(import->csv.file);

	if (!isatty(STDERR_FILENO) || import->size <= 0)
		return;
	clock_gettime(CLOCK_MONOTONIC, &now);
	if ((now.tv_sec - import->shown.tv_sec) * 1000 + (now.tv_nsec - import->shown.tv_nsec) / 1000000 < PROGRESS_MS)
		return;
	import->shown = now;
	import->showing = true;
	fprintf(stderr, "\r\033[K%lld devices, %lld %%", import->taken, (long long)(at * 100 / import->size));
	fflush(stderr);
}

static void say_bad(struct import *import, unsigned line, const char *reason)
{
	json_t *bad = json_pack("{s:i,s:s}", "line", (int)line, "reason", reason);

	import->bad++;
	ctl_clean(bad);
	hide_progress(import);
	if (import->ctl->json)
		json_array_append(import->bad_lines, bad);
	else
		fprintf(stderr, "%s:%u: %s\n", import->path, line, ctl_text(bad, "reason"));
	json_decref(bad);
}

static int by_name(const void *a, const void *b)
{
	const struct seen *x = a, *y = b;

	return strcmp(x->name, y->name);
}

/* Whether a line before had that name; that line's number, or 0. */
static unsigned seen_before(struct import *import, const char *name)
{
	size_t size = strlen(name) + 1;
	struct seen *seen = malloc(sizeof(*seen) + size), **found;

	if (!seen)
		abort(); /* a tool for people: what was taken stays */
	seen->line = import->csv.line;
	memcpy(seen->name, name, size);
	found = tsearch(seen, &import->names, by_name);
	if (!found)
		abort();
	if (*found == seen)
		return 0;
	free(seen);
	return (*found)->line;
}

/* The columns, from the first line. */
static bool read_header(struct import *import)
{
	const char *problem = "the file is empty";
	int r = csv_next(&import->csv, &problem);

	for (int c = 0; c < COLUMNS; c++)
		import->place[c] = -1;
	if (r < 0 && r != -EINVAL) {
		fprintf(stderr, "tidegatectl: cannot read \"%s\" (%s)\n", import->path, strerror(-r));
		return false;
	}
	for (unsigned i = 0; r > 0 && i < import->csv.count; i++) {
		int c = 0;

		while (c < COLUMNS && strcmp(import->csv.fields[i], column_names[c]) != 0)
			c++;
		if (c == COLUMNS || import->place[c] >= 0) {
			fprintf(stderr,
				"tidegatectl: %s:%u: the first line names the columns: name, endpoint, proof, key, "
				"profile, state, each once; number %u is none of them\n",
				import->path, import->csv.line, i + 1);
			return false;
		}
		import->place[c] = (int)i;
	}
	if (r > 0 && import->place[NAME] >= 0)
		return true;
	fprintf(stderr, "tidegatectl: %s: the first line has to name the columns, \"name\" among them%s%s%s\n",
		import->path, r > 0 ? "" : " (", r > 0 ? "" : problem, r > 0 ? "" : ")");
	return false;
}

static const char *field(const struct import *import, enum column column)
{
	int place = import->place[column];

	return place >= 0 ? import->csv.fields[place] : "";
}

static void take_results(struct import *import, const json_t *result)
{
	const json_t *list = json_object_get(result, "results");
	json_t *row;
	size_t i;

	import->taken += ctl_number(result, "taken");
	json_array_foreach(list, i, row)
	{
		long long at = ctl_number(row, "row");
		const char *key = ctl_text(row, "key");

		if (at < 0 || at >= CHUNK_ROWS)
			continue;
		if (*ctl_text(row, "error"))
			say_bad(import, import->lines[at], ctl_text(row, "error"));
		else if (*key && import->keys.file) {
			csv_write(import->keys.file, ctl_text(row, "name"));
			fprintf(import->keys.file, ",%s\n", key);
		}
	}
}

/* The keys of these rows are nowhere else. */
static int keep_keys(struct import *import)
{
	int r = out_sync(&import->keys);

	if (r >= 0)
		return CTL_GOOD;
	hide_progress(import);
	fprintf(stderr,
		"tidegatectl: cannot write \"%s\" (%s): stopped; devices from line %u on may have keys that are in no "
		"file: tidegatectl device rotate\n",
		import->keys.path, strerror(-r), import->lines[0]);
	return CTL_FAILED;
}

/* Hands over what was collected. Returns CTL_GOOD, also where single lines were refused. */
static int send_rows(struct import *import)
{
	json_t *result;
	int r;

	if (json_array_size(import->rows) == 0)
		return CTL_GOOD;
	r = ctl_ask(import->ctl,
		    json_pack("{s:s,s:b,s:O}", "command", "device-import", "dry_run", import->dry_run, "rows",
			      import->rows),
		    &result);
	json_array_clear(import->rows);
	import->bytes = 0;
	if (r != CTL_GOOD)
		return r;
	take_results(import, result);
	json_decref(result);
	show_progress(import);
	return keep_keys(import);
}

/* What can be said of the line without the gateway; NULL: nothing. */
static const char *check_line(struct import *import, char *ret_text, size_t room)
{
	const char *proof = field(import, PROOF), *state = field(import, STATE), *key = field(import, KEY);
	bool revoked = strcmp(state, "revoked") == 0;
	unsigned before;

	for (int c = 0; c < COLUMNS; c++)
		if (import->place[c] >= (int)import->csv.count)
			return "it has fewer fields than the first line";
	if (*state && !revoked && strcmp(state, "active") != 0)
		return "its state is neither active nor revoked";
	if (*proof && strcmp(proof, "psk") != 0 && strcmp(proof, "certificate") != 0)
		return "its proof is neither psk nor certificate";
	if (*key && strcmp(proof, "certificate") == 0)
		return "it has a key, and proves itself by a certificate";
	if (!*key && !revoked && strcmp(proof, "certificate") != 0 && !import->keys.path && !import->dry_run)
		return "it has no key; --keys FILE takes those that are made";
	before = seen_before(import, field(import, NAME));
	if (before == 0)
		return NULL;
	snprintf(ret_text, room, "it has the name of line %u", before);
	return ret_text;
}

static int take_line(struct import *import)
{
	const char *endpoint = *field(import, ENDPOINT) ? field(import, ENDPOINT) : import->endpoint;
	const char *problem;
	char text[64];

	if (import->place[NAME] >= (int)import->csv.count) {
		say_bad(import, import->csv.line, "it has fewer fields than the first line");
		return CTL_GOOD;
	}
	problem = check_line(import, text, sizeof(text));
	if (problem) {
		say_bad(import, import->csv.line, problem);
		return CTL_GOOD;
	}
	import->lines[json_array_size(import->rows)] = import->csv.line;
	json_array_append_new(import->rows,
			      json_pack("[s,s,s,s,s,s]", field(import, NAME), endpoint, field(import, PROOF),
					field(import, KEY), field(import, PROFILE), field(import, STATE)));
	for (enum column c = NAME; c < COLUMNS; c++)
		import->bytes += strlen(field(import, c)) + 4;
	if (json_array_size(import->rows) < CHUNK_ROWS && import->bytes < CHUNK_BYTES)
		return CTL_GOOD;
	return send_rows(import);
}

static int take_lines(struct import *import)
{
	const char *problem;
	int n, r = CTL_GOOD;

	while (r == CTL_GOOD && (n = csv_next(&import->csv, &problem)) != 0) {
		if (n == -EINVAL) {
			say_bad(import, import->csv.line, problem);
		} else if (n < 0) {
			fprintf(stderr, "tidegatectl: cannot read \"%s\" (%s)\n", import->path, strerror(-n));
			return CTL_FAILED;
		} else {
			r = take_line(import);
		}
	}
	return r == CTL_GOOD ? send_rows(import) : r;
}

static void show_sum(struct import *import)
{
	json_t *sum;

	hide_progress(import);
	if (!import->ctl->json) {
		printf("%lld devices %s, %lld bad lines\n", import->taken,
		       import->dry_run ? "would be enrolled" : "enrolled", import->bad);
		return;
	}
	sum = json_pack("{s:I,s:b,s:O}", "taken", (json_int_t)import->taken, "dry_run", import->dry_run, "bad",
			import->bad_lines);
	ctl_print_json(import->ctl, sum);
	json_decref(sum);
}

/* Nobody is enrolled before the file of the keys can be written at all. */
static bool open_keys(struct import *import)
{
	int r;

	if (!out_open(&import->keys, import->dry_run ? NULL : import->keys.path))
		return false;
	if (!import->keys.file)
		return true;
	fputs("name,key\n", import->keys.file);
	r = out_sync(&import->keys);
	if (r >= 0)
		return true;
	fprintf(stderr, "tidegatectl: cannot write \"%s\" (%s)\n", import->keys.path, strerror(-r));
	out_drop(&import->keys);
	return false;
}

static int run(struct import *import)
{
	struct stat st;
	int r;

	csv_init(&import->csv, fopen(import->path, "re"));
	if (!import->csv.file) {
		fprintf(stderr, "tidegatectl: cannot read \"%s\" (%s)\n", import->path, strerror(errno));
		return CTL_FAILED;
	}
	if (fstat(fileno(import->csv.file), &st) == 0)
		import->size = st.st_size;
	if (!read_header(import))
		r = CTL_FAILED;
	else if (!open_keys(import))
		r = CTL_FAILED;
	else {
		r = take_lines(import);
		show_sum(import);
		out_close(&import->keys);
	}
	fclose(import->csv.file);
	return r == CTL_GOOD && import->bad > 0 ? CTL_FAILED : r;
}

int ctl_device_import(struct ctl *ctl)
{
	bool bad = false;
	struct import *import = calloc(1, sizeof(*import));
	int r;

	if (!import)
		return CTL_FAILED;
	import->ctl = ctl;
	import->dry_run = ctl_flag(ctl, "--dry-run");
	import->keys.path = ctl_option(ctl, "--keys", &bad);
	import->endpoint = ctl_option(ctl, "--endpoint", &bad);
	if (!import->endpoint)
		import->endpoint = "";
	if (bad || ctl->argc != 1) {
		free(import);
		return ctl_bad_usage(ctl, "device import wants one file");
	}
	import->path = ctl->argv[0];
	import->rows = json_array();
	import->bad_lines = json_array();
	r = run(import);
	tdestroy(import->names, free);
	json_decref(import->rows);
	json_decref(import->bad_lines);
	explicit_bzero(import, sizeof(*import));
	free(import);
	return r;
}
