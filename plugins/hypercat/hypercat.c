/* SPDX-License-Identifier: Apache-2.0 */
#include "hypercat.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { BUSY_S = 5 };

static const char *const counters[] = {
	[COUNT_SESSIONS] = "sessions",
	[COUNT_REQUESTS] = "requests",
	[COUNT_REFUSED] = "refused",
	[COUNT_CONNECTIONS_REFUSED] = "connections_refused",
	[COUNT_READ] = "read",
	[COUNT_SUBMITTED] = "submitted",
	[COUNT_CATALOGUES] = "catalogues",
	[COUNT_STREAMS] = "streams",
	[COUNT_EVENTS] = "events",
	[COUNT_SHOWN] = "shown",
	NULL,
};

void task_free(struct task *task)
{
	if (!task)
		return;
	*server_work(task->client) = NULL;
	catalogue_free(task->download);
	stream_free(task->stream);
	token_wipe(&task->token);
	free(task);
}

void task_reply(struct task *task, int code, const char *words)
{
	char line[320];
	int size = words ? snprintf(line, sizeof(line), "%.300s\n", words) : 0;

	if (size > 0)
		server_set(task->client, "Content-Type", "text/plain; charset=utf-8");
	server_reply(task->client, code, (struct tg_bytes){.data = line, .size = (size_t)size}, false);
	task_free(task);
}

void task_later(struct task *task, int code, uint32_t seconds, const char *words)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", seconds);
	server_set(task->client, "Retry-After", text);
	task_reply(task, code, words);
}

void task_verdict(struct task *task, uint32_t verdict, uint32_t max_age_s)
{
	static const int codes[] = {
		[TG_ACCEPTED] = 204,    [TG_NO_ROUTE] = 404,       [TG_NOT_ALLOWED] = 403, [TG_TOO_LARGE] = 413,
		[TG_MALFORMED] = 400,   [TG_WRONG_FORMAT] = 415,   [TG_TOO_FAST] = 429,    [TG_FULL] = 503,
		[TG_UNAVAILABLE] = 503, [TG_UNKNOWN_DEVICE] = 403,
	};
	int code = verdict < sizeof(codes) / sizeof(codes[0]) ? codes[verdict] : 503;

	if (code == 429 || code == 503)
		task_later(task, code, max_age_s ? max_age_s : BUSY_S, NULL);
	else
		task_reply(task, code, NULL);
}

void task_ask_view(struct task *task)
{
	task->state = TASK_VIEW;
	if (views_ask(task->hypercat->views, task->visitor->name, server_ticket(task->client)) < 0)
		task_later(task, 503, BUSY_S, "too many readers");
}

static void run_readings(struct task *task)
{
	switch (server_method(task->client)) {
	case SERVER_GET:
	case SERVER_HEAD:
		reading_begin(task);
		return;
	case SERVER_POST:
	case SERVER_PUT:
		reading_submit(task);
		return;
	default:
		server_set(task->client, "Allow", "GET, HEAD, POST, PUT");
		task_reply(task, 405, NULL);
	}
}

void task_run(struct task *task)
{
	int code = target_read(server_target(task->client), &task->target);

	if (code != 0)
		task_reply(task, code, NULL);
	else if (task->target.kind == TARGET_READINGS)
		run_readings(task);
	else if (task->target.kind == TARGET_EVENTS)
		stream_begin(task);
	else
		catalogue_begin(task);
}

static struct visitor *visitor_of(struct client *client)
{
	if (!*server_state(client))
		*server_state(client) = calloc(1, sizeof(struct visitor));
	return *server_state(client);
}

static void on_request(void *arg, struct client *client)
{
	struct hypercat *hypercat = arg;
	struct task *task = calloc(1, sizeof(*task));
	struct visitor *visitor = visitor_of(client);

	hypercat->host->count(hypercat->host, COUNT_REQUESTS, 1);
	if (!task || !visitor) {
		free(task);
		server_reply(client, 503, (struct tg_bytes){.data = NULL}, true);
		return;
	}
	task->hypercat = hypercat;
	task->client = client;
	task->visitor = visitor;
	*server_work(client) = task;
	access_check(task);
}

static void on_gone(void *arg, struct client *client)
{
	struct hypercat *hypercat = arg;
	struct task *task = *server_work(client);

	if (task && task->state == TASK_READ)
		hypercat->host->read_end(hypercat->host, task->number);
	task_free(task);
}

static void on_drained(void *arg, struct client *client)
{
	struct task *task = *server_work(client);

	(void)arg;
	if (task && task->stream)
		stream_drained(task);
	else if (task && task->download)
		catalogue_drained(task);
}

static void on_closed(void *arg, struct client *client)
{
	access_closed(arg, client);
}

static void on_refused(void *arg)
{
	struct hypercat *hypercat = arg;

	hypercat->host->count(hypercat->host, COUNT_CONNECTIONS_REFUSED, 1);
}

static struct ssl_st *on_secure(void *arg)
{
	return tls_secure(((struct hypercat *)arg)->tls);
}

/* The task that waits so, NULL: it is over. */
static struct task *find_task(const struct hypercat *hypercat, uint64_t ticket, enum task_state state)
{
	struct client *client = server_find(hypercat->server, ticket);
	struct task *task = client ? *server_work(client) : NULL;

	return task && task->state == state ? task : NULL;
}

static void on_ready(void *arg, uint64_t ticket, struct view *view, uint64_t generation, uint32_t verdict)
{
	struct task *task = find_task(arg, ticket, TASK_VIEW);

	if (!task)
		return;
	if (!view)
		task_verdict(task, verdict, 0);
	else if (task->stream)
		stream_view(task, generation);
	else
		catalogue_view(task, view, generation);
}

static void on_news(void *arg, struct follower *follower)
{
	(void)arg;
	stream_news(follower);
}

static void on_ended(void *arg, struct follower *follower)
{
	(void)arg;
	stream_ended(follower);
}

static void hypercat_close(void *state)
{
	struct hypercat *hypercat = state;

	server_free(hypercat->server); /* and with it all tasks */
	views_free(hypercat->views);
	tls_free(hypercat->tls);
	hypercat->host->timer_free(hypercat->pulse);
	item_about_done(&hypercat->about);
	free(hypercat);
}

static int listen_on(struct hypercat *hypercat)
{
	int fd, r = settings_listen(hypercat->host, &fd);

	return r < 0 ? r : server_listen(hypercat->server, fd);
}

static int hypercat_open(const struct tg_host *host, void **ret_state)
{
	static const struct server_events server_events = {.secure = on_secure,
							   .request = on_request,
							   .gone = on_gone,
							   .drained = on_drained,
							   .closed = on_closed,
							   .refused = on_refused};
	static const struct views_events views_events = {.ready = on_ready, .news = on_news, .ended = on_ended};
	struct hypercat *hypercat = calloc(1, sizeof(*hypercat));
	int r;

	if (!hypercat)
		return -ENOMEM;
	hypercat->host = host;
	r = settings_read(host, &hypercat->settings, &hypercat->about);
	if (r >= 0)
		r = tls_new(host, &hypercat->tls);
	if (r >= 0)
		r = host->timer_new(host, stream_pulse, hypercat, &hypercat->pulse);
	if (r >= 0)
		r = views_new(host, &hypercat->settings.views, &views_events, hypercat, &hypercat->views);
	if (r >= 0) {
		r = server_new(host, &hypercat->settings.server, &server_events, hypercat, &hypercat->server);
		if (r < 0)
			host->log(host, TG_LOG_ERROR, NULL, "the server cannot be set up (%s)", strerror(-r));
	}
	if (r >= 0)
		r = listen_on(hypercat);
	if (r < 0) {
		hypercat_close(hypercat);
		return r;
	}
	*ret_state = hypercat;
	return 0;
}

static int hypercat_start(void *state)
{
	struct hypercat *hypercat = state;
	const struct tg_host *host = hypercat->host;
	char detail[128];
	int r = server_start(hypercat->server);

	if (r < 0)
		return r;
	stream_pulse(hypercat);
	snprintf(detail, sizeof(detail), "https, port %u", server_port(hypercat->server));
	host->link(host, TG_LINK_UP, detail);
	return 0;
}

/* It is the last reading of its resource in the core already, and so it is in the catalogue: there is nothing left to do. */
static int hypercat_deliver(void *state, const struct tg_delivery *delivery)
{
	const struct hypercat *hypercat = state;
	const struct tg_host *host = hypercat->host;

	if (delivery->kind == TG_TELEMETRY) {
		host->count(host, COUNT_SHOWN, 1);
		host->delivered(host, delivery->ticket, TG_CONFIRMED, NULL);
	} else {
		host->delivered(host, delivery->ticket, TG_REJECTED, "a catalogue takes readings alone");
	}
	return 0;
}

static void hypercat_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	struct task *task = find_task(state, token, TASK_SUBMIT);

	if (task)
		reading_verdict(task, answer);
}

static void hypercat_identity(void *state, uint64_t token, const struct tg_identity *identity)
{
	struct task *task = find_task(state, token, TASK_IDENTITY);

	if (task)
		access_identity(task, identity);
}

static void hypercat_reading(void *state, uint64_t token, const struct tg_reading *reading)
{
	struct task *task = find_task(state, token, TASK_READ);

	if (task)
		reading_come(task, reading);
}

static void hypercat_listed(void *state, uint64_t token, const struct tg_listed *listed)
{
	views_listed(((struct hypercat *)state)->views, token, listed);
}

static void hypercat_device_changed(void *state, struct tg_bytes device)
{
	access_device_changed(state, device);
}

static void tell_session(void *arg, struct client *client)
{
	access_tell(arg, client);
}

static void hypercat_joined(void *state)
{
	struct hypercat *hypercat = state;

	server_each(hypercat->server, tell_session, hypercat);
}

static int hypercat_reload(void *state)
{
	struct hypercat *hypercat = state;
	struct settings settings;
	struct about about;
	struct tls *tls;
	int r = settings_read(hypercat->host, &settings, &about);

	if (r < 0)
		return r;
	r = tls_new(hypercat->host, &tls);
	if (r < 0) {
		item_about_done(&about);
		return r;
	}
	tls_free(hypercat->tls);
	item_about_done(&hypercat->about);
	hypercat->tls = tls;
	hypercat->about = about;
	hypercat->settings = settings;
	server_set_limits(hypercat->server, &settings.server);
	views_set_limits(hypercat->views, &settings.views);
	access_judge(hypercat);
	return 0;
}

static void hypercat_stop(void *state)
{
	struct hypercat *hypercat = state;

	server_stop(hypercat->server);
	hypercat->host->stopped(hypercat->host);
}

const struct tg_adapter tidegate_adapter = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_adapter),
	.roles = TG_SOURCE | TG_SINK,
	.needs = TG_NEED_LISTEN,
	.flags = TG_DEVICES,
	.name = "hypercat",
	.version = "1",
	.summary = "HyperCat 3.0 catalogue and readings over HTTPS, with libevent and OpenSSL",
	.settings = settings_rows,
	.counters = counters,
	.open = hypercat_open,
	.start = hypercat_start,
	.deliver = hypercat_deliver,
	.verdict = hypercat_verdict,
	.identity = hypercat_identity,
	.reading = hypercat_reading,
	.listed = hypercat_listed,
	.device_changed = hypercat_device_changed,
	.reload = hypercat_reload,
	.joined = hypercat_joined,
	.stop = hypercat_stop,
	.close = hypercat_close,
};
