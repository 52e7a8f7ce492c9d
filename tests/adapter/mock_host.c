/* SPDX-License-Identifier: Apache-2.0 */
#include "mock_host.h"

#include <assert.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/loop.h"
#include "endpoint/settings.h"
#include "mock_internal.h"

static const int64_t virtual_start_us = INT64_C(1000000000);

/* A value as the test wrote it, for building the settings anew at each open and reload. */
struct written {
	struct written *next;
	const struct tg_setting *row;
	char *value;
};

struct mock_full {
	struct mock_host mock; /* first */
	struct written *written;
	size_t n_accepted;   /* submissions that accept_all has looked at */
	size_t n_identified; /* the same of look-ups */
	bool open;
};

static struct mock_full *full_of(struct mock_host *mock)
{
	return (struct mock_full *)mock;
}

void mock_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("mock host: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	abort();
}

void *mock_grow(void *array, size_t n, size_t size)
{
	if (n > 0 && (n & (n - 1)) != 0)
		return array;
	array = reallocarray(array, n ? n * 2 : 1, size);
	if (!array)
		mock_die("out of memory");
	return array;
}

char *mock_copy(struct tg_bytes bytes)
{
	char *copy = calloc(1, bytes.size + 1);

	if (!copy)
		mock_die("out of memory");
	if (bytes.size)
		memcpy(copy, bytes.data, bytes.size);
	return copy;
}

const struct tg_adapter *mock_adapter(const char *name)
{
	const char *folder = getenv("TG_TEST_ADAPTERS");
	const struct tg_adapter *adapter;
	char path[4096];
	void *library;

	snprintf(path, sizeof(path), "%s/%s.so", folder ? folder : ".libs", name);
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	adapter = library ? dlsym(library, "tidegate_adapter") : NULL;
	if (!adapter)
		mock_die("no adapter '%s' (%s)", name, dlerror());
	return adapter;
}

static const struct tg_setting *row_of(const struct mock_host *mock, const char *name)
{
	for (const struct tg_setting *row = mock->adapter->settings; row && row->name; row++) {
		if (strcmp(row->name, name) == 0)
			return row;
	}
	mock_die("no setting '%s'", name);
}

void mock_add(struct mock_host *mock, const char *name, const char *item)
{
	struct written *w = calloc(1, sizeof(*w)), **last = &full_of(mock)->written;

	if (!w)
		mock_die("out of memory");
	w->row = row_of(mock, name);
	w->value = strdup(item);
	while (*last)
		last = &(*last)->next;
	*last = w;
}

void mock_set(struct mock_host *mock, const char *name, const char *value)
{
	const struct tg_setting *row = row_of(mock, name);

	for (struct written **p = &full_of(mock)->written; *p;) {
		struct written *w = *p;

		if (w->row != row) {
			p = &w->next;
			continue;
		}
		*p = w->next;
		free(w->value);
		free(w);
	}
	if (value)
		mock_add(mock, name, value);
}

/* A fallback is written as in the configuration file: lists in brackets, their entries in quotes. */
static void set_fallback(struct mock_host *mock, const struct tg_setting *row)
{
	const char *p = row->fallback, *end;
	char *item;

	if (!p || row->flags & TG_REQUIRED)
		return;
	if (row->type != TG_LIST && p[0] != '"') {
		mock_add(mock, row->name, p);
		return;
	}
	while ((p = strchr(p, '"')) && (end = strchr(p + 1, '"'))) {
		item = mock_copy(bytes_of(p + 1, (size_t)(end - p - 1)));
		mock_add(mock, row->name, item);
		free(item);
		p = end + 1;
	}
}

static void put_written(struct mock_host *mock, struct settings *settings, const struct written *w, uint32_t index)
{
	struct tg_bytes name = bytes_text(w->row->name);
	int r = settings_put(settings, name, index, bytes_text(w->value));

	if (r < 0)
		mock_die("setting '%s' cannot be '%s'", w->row->name, w->value);
	if ((w->row->type == TG_FILE || w->row->type == TG_KEY_FILE) && w->value[0]) {
		int fd = open(w->value, O_RDONLY | O_CLOEXEC);

		r = settings_put_file(settings, name, fd, fd < 0 ? -errno : 0);
		if (r < 0)
			mock_die("no place for file '%s'", w->value);
	}
	(void)mock;
}

static struct settings *build_settings(struct mock_host *mock)
{
	struct settings *settings;

	if (settings_new(mock->adapter->settings, &settings) < 0)
		mock_die("out of memory");
	for (const struct tg_setting *row = mock->adapter->settings; row && row->name; row++) {
		uint32_t index = 0;

		for (const struct written *w = full_of(mock)->written; w; w = w->next) {
			if (w->row == row)
				put_written(mock, settings, w, index++);
		}
		if (index == 0 && row->flags & TG_REQUIRED)
			mock_die("setting '%s' must be given", row->name);
	}
	return settings;
}

int mock_host_new(const struct tg_adapter *adapter, struct mock_host **ret_mock)
{
	struct mock_full *full = calloc(1, sizeof(*full));
	struct mock_host *mock = &full->mock;
	int r;

	if (!full)
		return -ENOMEM;
	mock_services_init(&mock->host);
	mock->adapter = adapter;
	mock->echo = getenv("MOCK_LOG") != NULL;
	r = loop_new(&mock->loop);
	if (r < 0) {
		free(full);
		return r;
	}
	for (const struct tg_setting *row = adapter->settings; row && row->name; row++)
		set_fallback(mock, row);
	*ret_mock = mock;
	return 0;
}

static void free_records(struct mock_host *mock)
{
	for (size_t i = 0; i < mock->n_submissions; i++) {
		free(mock->submissions[i].device);
		free(mock->submissions[i].path);
		free(mock->submissions[i].reply_to);
		free(mock->submissions[i].correlation);
		free(mock->submissions[i].payload);
	}
	for (size_t i = 0; i < mock->n_lookups; i++)
		free(mock->lookups[i].identity);
	for (size_t i = 0; i < mock->n_sessions; i++) {
		free(mock->sessions[i].device);
		free(mock->sessions[i].peer);
		free(mock->sessions[i].version);
		free(mock->sessions[i].cipher);
		free(mock->sessions[i].group);
	}
	free(mock->sessions);
	for (size_t i = 0; i < mock->n_tickets; i++) {
		free(mock->tickets[i].reason);
		free(mock->tickets[i].payload);
	}
	for (size_t i = 0; i < mock->n_reads; i++) {
		free(mock->reads[i].reader);
		free(mock->reads[i].device);
		free(mock->reads[i].path);
	}
	for (size_t i = 0; i < mock->n_lists; i++) {
		free(mock->lists[i].reader);
		free(mock->lists[i].behind);
	}
	for (size_t i = 0; i < mock->n_awake; i++)
		free(mock->awake[i]);
	for (size_t i = 0; i < mock->n_lines; i++) {
		free(mock->lines[i].device);
		free(mock->lines[i].text);
	}
	mock_clear_routes(mock);
	mock_free_keeps(mock);
	free(mock->reads);
	free(mock->lists);
	free(mock->awake);
	free(mock->submissions);
	free(mock->lookups);
	free(mock->tickets);
	free(mock->lines);
}

void mock_host_free(struct mock_host *mock)
{
	if (!mock)
		return;
	if (full_of(mock)->open)
		mock->adapter->close(mock->state);
	mock->state = NULL;
	for (struct written *w = full_of(mock)->written, *next; w; w = next) {
		next = w->next;
		free(w->value);
		free(w);
	}
	while (mock->identities)
		mock_forget(mock, mock->identities->identity);
	free_records(mock);
	mock_free_timers(mock);
	settings_free(mock->settings);
	loop_free(mock->loop);
	free(full_of(mock));
}

int mock_open(struct mock_host *mock)
{
	int r;

	settings_free(mock->settings);
	mock->settings = build_settings(mock);
	mock->now_us = mock->virtual_time ? virtual_start_us : clock_now_us();
	r = mock->adapter->open(&mock->host, &mock->state);
	full_of(mock)->open = r >= 0;
	return r;
}

int mock_start(struct mock_host *mock)
{
	int r = mock->adapter->start(mock->state);

	if (r < 0) {
		mock->adapter->close(mock->state);
		full_of(mock)->open = false;
	} else if (!mock->notes_off) {
		mock_tell_notes(mock);
	}
	return r;
}

int mock_begin(struct mock_host *mock)
{
	int r = mock_open(mock);

	return r < 0 ? r : mock_start(mock);
}

int mock_reload(struct mock_host *mock)
{
	struct settings *old = mock->settings;
	int r;

	mock->settings = build_settings(mock);
	settings_keep_fixed(mock->settings, old);
	r = mock->adapter->reload ? mock->adapter->reload(mock->state) : 0;
	if (r < 0) {
		settings_free(mock->settings);
		mock->settings = old;
	} else {
		settings_free(old);
	}
	return r;
}

void mock_stop(struct mock_host *mock)
{
	if (mock->adapter->stop)
		mock->adapter->stop(mock->state);
	else
		mock->stopped = true;
}

/* Answers by itself what came in since the last turn. Returns whether there was something. */
static bool answer_new(struct mock_host *mock)
{
	struct mock_full *full = full_of(mock);
	bool any = false;

	for (; mock->accept_all && full->n_accepted < mock->n_submissions; full->n_accepted++) {
		if (!mock->submissions[full->n_accepted].answered) {
			mock_accept(mock, mock->submissions[full->n_accepted].token);
			any = true;
		}
	}
	for (; !mock->identities_off && full->n_identified < mock->n_lookups; full->n_identified++) {
		const struct mock_lookup *l = &mock->lookups[full->n_identified];
		const struct mock_identity *i = mock->identities;

		while (i && strcmp(i->identity, l->identity) != 0)
			i = i->next;
		if (l->answered)
			continue;
		mock_identify(mock, l->token, i ? i->device : NULL,
			      i ? bytes_of(i->key, i->key_size) : bytes_of("0123456789abcdef", 16));
		any = true;
	}
	return mock_answer_keeps(mock) || any;
}

bool mock_turn(struct mock_host *mock, int64_t wait_us)
{
	int64_t next = mock_next_timer(mock);
	bool any = answer_new(mock);
	int r;

	if (any || mock->virtual_time)
		wait_us = 0;
	else if (next && next - mock->now_us < wait_us)
		wait_us = next > mock->now_us ? next - mock->now_us : 0;
	r = loop_turn(mock->loop, wait_us);
	if (r < 0)
		mock_die("the loop failed (%s)", strerror(-r));
	if (!mock->virtual_time)
		mock->now_us = clock_now_us();
	return mock_fire_timers(mock) || any || r > 0;
}

void mock_settle(struct mock_host *mock)
{
	for (int i = 0; mock_turn(mock, 0); i++) {
		if (i > 1000000)
			mock_die("the adapter never comes to rest");
	}
}

void mock_advance(struct mock_host *mock, int64_t us)
{
	int64_t end_us = mock->now_us + us;
	int64_t next;

	if (!mock->virtual_time)
		mock_die("mock_advance needs virtual_time");
	mock_settle(mock);
	while ((next = mock_next_timer(mock)) && next <= end_us) {
		mock->now_us = next;
		mock_settle(mock);
	}
	mock->now_us = end_us;
	mock_settle(mock);
}

int64_t mock_deadline(int64_t limit_ms)
{
	return clock_now_us() + limit_ms * CLOCK_MS_US;
}

bool mock_before(struct mock_host *mock, int64_t deadline_us)
{
	mock_turn(mock, 20 * CLOCK_MS_US);
	return clock_now_us() < deadline_us;
}
