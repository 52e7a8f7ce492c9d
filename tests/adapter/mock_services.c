/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/loop.h"
#include "endpoint/settings.h"
#include "mock_internal.h"
#include "wire/crypto.h"

/* tg_watch and an idle timer are the loop's own; a timer is the mock's, because the test owns the time. */
struct tg_timer {
	struct mock_host *mock;
	struct tg_timer *next;
	struct loop_timer *idle;
	tg_call_fn *fn;
	void *arg;
	int64_t at_us;
};

static struct mock_host *mock_of(const struct tg_host *host)
{
	return (struct mock_host *)(uintptr_t)host;
}

static bool setting_bool(const struct tg_host *host, const char *name)
{
	return settings_bool(mock_of(host)->settings, name);
}

static int64_t setting_int(const struct tg_host *host, const char *name)
{
	return settings_int(mock_of(host)->settings, name);
}

static const char *setting_text(const struct tg_host *host, const char *name)
{
	return settings_text(mock_of(host)->settings, name);
}

static const char *setting_item(const struct tg_host *host, const char *name, size_t index)
{
	return settings_item(mock_of(host)->settings, name, index);
}

static int setting_file(const struct tg_host *host, const char *name)
{
	return settings_file(mock_of(host)->settings, name);
}

static int listen_socket(const struct tg_host *host, const char *name, size_t index, size_t number)
{
	return settings_socket(mock_of(host)->settings, name, index, number);
}

static const char *endpoint(const struct tg_host *host)
{
	(void)host;
	return "mock";
}

static const char *gateway(const struct tg_host *host)
{
	(void)host;
	return "hall-3";
}

static const char *site(const struct tg_host *host)
{
	(void)host;
	return "plant-7";
}

static uint32_t worker(const struct tg_host *host)
{
	return mock_of(host)->worker;
}

static int64_t now_us(const struct tg_host *host)
{
	return mock_of(host)->now_us;
}

static int64_t now_wall_us(const struct tg_host *host)
{
	return mock_of(host)->wall_us ? mock_of(host)->wall_us : clock_wall_us();
}

static const struct tg_crypto *crypto(const struct tg_host *host)
{
	return crypto_policy(mock_of(host)->crypto ? mock_of(host)->crypto : "modern");
}

static int watch(const struct tg_host *host, int fd, uint32_t events, tg_watch_fn *fn, void *arg,
		 struct tg_watch **ret_watch)
{
	struct loop_io *io;
	int r = loop_io_new(mock_of(host)->loop, fd, events, fn, arg, &io);

	if (r >= 0)
		*ret_watch = (struct tg_watch *)io;
	return r;
}

static int watch_set(struct tg_watch *watched, uint32_t events)
{
	return loop_io_set((struct loop_io *)watched, events);
}

static void unwatch(struct tg_watch *watched)
{
	loop_io_free((struct loop_io *)watched);
}

static int timer_new(const struct tg_host *host, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer)
{
	struct mock_host *mock = mock_of(host);
	struct tg_timer *timer = calloc(1, sizeof(*timer));

	if (!timer)
		return -ENOMEM;
	*timer = (struct tg_timer){.mock = mock, .fn = fn, .arg = arg, .next = mock->timers};
	mock->timers = timer;
	*ret_timer = timer;
	return 0;
}

static int idle_new(const struct tg_host *host, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer)
{
	struct tg_timer *timer;
	int r = timer_new(host, fn, arg, &timer);

	if (r >= 0)
		r = loop_idle_new(timer->mock->loop, fn, arg, &timer->idle);
	if (r >= 0)
		*ret_timer = timer;
	return r;
}

static void timer_set(struct tg_timer *timer, int64_t at_us)
{
	if (timer->idle)
		loop_timer_set(timer->idle, at_us);
	else
		timer->at_us = at_us;
}

static void timer_free(struct tg_timer *timer)
{
	struct tg_timer **p;

	if (!timer)
		return;
	for (p = &timer->mock->timers; *p != timer; p = &(*p)->next) {
		if (!*p)
			mock_die("a timer that is not there was freed");
	}
	*p = timer->next;
	loop_timer_free(timer->idle);
	free(timer);
}

static struct tg_timer *earliest(const struct mock_host *mock)
{
	struct tg_timer *first = NULL;

	for (struct tg_timer *t = mock->timers; t; t = t->next) {
		if (t->at_us && (!first || t->at_us < first->at_us))
			first = t;
	}
	return first;
}

int64_t mock_next_timer(const struct mock_host *mock)
{
	const struct tg_timer *first = earliest(mock);

	return first ? first->at_us : 0;
}

bool mock_fire_timers(struct mock_host *mock)
{
	bool fired = false;

	for (int i = 0; i < 100000; i++) {
		struct tg_timer *t = earliest(mock);

		if (!t || t->at_us > mock->now_us)
			return fired;
		t->at_us = 0;
		t->fn(t->arg);
		fired = true;
	}
	mock_die("a timer fires without end");
}

void mock_free_timers(struct mock_host *mock)
{
	while (mock->timers)
		timer_free(mock->timers);
}

static int post(const struct tg_host *host, tg_call_fn *fn, void *arg)
{
	return loop_post(mock_of(host)->loop, fn, arg);
}

static int submit(const struct tg_host *host, const struct tg_submission *s)
{
	struct mock_host *mock = mock_of(host);
	bool devices = mock->adapter->flags & TG_DEVICES;
	bool named = devices || (mock->adapter->flags & TG_PUBLISHERS && s->device.size > 0);

	if (mock->submit_error)
		return mock->submit_error;
	if (s->device.size > TG_DEVICE_MAX || s->path.size > TG_PATH_MAX || s->payload.size > TG_PAYLOAD_MAX ||
	    s->reply_to.size > TG_REPLY_MAX || s->correlation.size > TG_CORRELATION_MAX)
		return -EMSGSIZE;
	if ((s->device.size == 0 && devices) || s->kind < TG_TELEMETRY || s->kind > TG_RESPONSE)
		return -EINVAL;
	mock->submissions = mock_grow(mock->submissions, mock->n_submissions, sizeof(*mock->submissions));
	mock->submissions[mock->n_submissions++] = (struct mock_submission){
		.token = s->token,
		.kind = s->kind,
		.content_format = s->content_format,
		.method = s->method,
		.expiry_s = s->expiry_s,
		.repeated = s->repeated,
		.reply_to = mock_copy(s->reply_to),
		.correlation = (uint8_t *)mock_copy(s->correlation),
		.correlation_size = s->correlation.size,
		.device = mock_copy(named ? s->device : bytes_text(endpoint(host))),
		.path = mock_copy(s->path),
		.payload = (uint8_t *)mock_copy(s->payload),
		.payload_size = s->payload.size,
	};
	return 0;
}

static struct mock_ticket *open_ticket(struct mock_host *mock, uint64_t ticket)
{
	if (ticket == 0 || ticket > mock->n_tickets)
		mock_die("ticket %llu was never given out", (unsigned long long)ticket);
	if (mock->tickets[ticket - 1].result >= 0)
		mock_die("ticket %llu was answered twice", (unsigned long long)ticket);
	return &mock->tickets[ticket - 1];
}

static void delivered(const struct tg_host *host, uint64_t ticket, enum tg_delivery_result result, const char *reason)
{
	struct mock_ticket *t = open_ticket(mock_of(host), ticket);

	t->result = (int)result;
	t->reason = reason ? strdup(reason) : NULL;
}

static void answered(const struct tg_host *host, uint64_t ticket, const struct tg_response *response)
{
	struct mock_ticket *t = open_ticket(mock_of(host), ticket);

	t->result = TG_CONFIRMED;
	t->code = response->code;
	t->content_format = response->content_format;
	t->payload = (uint8_t *)mock_copy(response->payload);
	t->payload_size = response->payload.size;
}

static void awake(const struct tg_host *host, struct tg_bytes device)
{
	struct mock_host *mock = mock_of(host);

	mock->awake = mock_grow(mock->awake, mock->n_awake, sizeof(*mock->awake));
	mock->awake[mock->n_awake++] = mock_copy(device);
}

static const char *route(const struct tg_host *host, size_t index)
{
	const struct mock_host *mock = mock_of(host);

	return index < mock->n_routes ? mock->routes[index] : NULL;
}

static void set_link(const struct tg_host *host, enum tg_link state, const char *detail)
{
	struct mock_host *mock = mock_of(host);

	mock->link = state;
	mock->link_changes++;
	snprintf(mock->link_detail, sizeof(mock->link_detail), "%s", detail ? detail : "");
}

static int lookup(const struct tg_host *host, enum tg_proof proof, struct tg_bytes identity, uint64_t token)
{
	struct mock_host *mock = mock_of(host);

	if (mock->lookup_error)
		return mock->lookup_error;
	mock->lookups = mock_grow(mock->lookups, mock->n_lookups, sizeof(*mock->lookups));
	mock->lookups[mock->n_lookups++] =
		(struct mock_lookup){.token = token, .proof = proof, .identity = mock_copy(identity)};
	return 0;
}

static void session_begun(const struct tg_host *host, uint64_t handle, const struct tg_session *session)
{
	struct mock_host *mock = mock_of(host);

	mock->sessions = mock_grow(mock->sessions, mock->n_sessions, sizeof(*mock->sessions));
	mock->sessions[mock->n_sessions++] = (struct mock_session){
		.handle = handle,
		.proof = session->proof,
		.device = mock_copy(session->device),
		.peer = strdup(session->peer),
		.version = strdup(session->version),
		.cipher = strdup(session->cipher),
		.group = strdup(session->group),
		.certificate_size = session->certificate.size,
	};
}

static void session_ended(const struct tg_host *host, uint64_t handle)
{
	struct mock_host *mock = mock_of(host);

	for (size_t i = 0; i < mock->n_sessions; i++) {
		if (mock->sessions[i].handle == handle && !mock->sessions[i].ended) {
			mock->sessions[i].ended = true;
			return;
		}
	}
	mock_die("session %llu ended that never began", (unsigned long long)handle);
}

static int64_t *counter_at(const struct tg_host *host, unsigned counter)
{
	const char *const *names = mock_of(host)->adapter->counters;

	for (unsigned i = 0; i <= counter; i++) {
		if (!names || !names[i])
			mock_die("counter %u has no name", counter);
	}
	return &mock_of(host)->counters[counter];
}

static void count(const struct tg_host *host, unsigned counter, int64_t add)
{
	*counter_at(host, counter) += add;
}

static void gauge(const struct tg_host *host, unsigned counter, int64_t value)
{
	*counter_at(host, counter) = value;
}

static void __attribute__((format(printf, 4, 5)))
log_line(const struct tg_host *host, enum tg_log_level level, const char *device, const char *format, ...)
{
	struct mock_host *mock = mock_of(host);
	char text[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	if (mock->echo)
		fprintf(stderr, "[%d] %s: %s\n", (int)level, device ? device : "", text);
	mock->lines = mock_grow(mock->lines, mock->n_lines, sizeof(*mock->lines));
	mock->lines[mock->n_lines++] =
		(struct mock_line){.level = level, .device = device ? strdup(device) : NULL, .text = strdup(text)};
}

static void stopped(const struct tg_host *host)
{
	mock_of(host)->stopped = true;
}

void mock_services_init(struct tg_host *host)
{
	*host = (struct tg_host){
		.major = TG_ADAPTER_MAJOR,
		.minor = TG_ADAPTER_MINOR,
		.size = sizeof(*host),
		.setting_bool = setting_bool,
		.setting_int = setting_int,
		.setting_text = setting_text,
		.setting_item = setting_item,
		.setting_file = setting_file,
		.listen_socket = listen_socket,
		.endpoint = endpoint,
		.gateway = gateway,
		.site = site,
		.worker = worker,
		.now_us = now_us,
		.now_wall_us = now_wall_us,
		.crypto = crypto,
		.watch = watch,
		.watch_set = watch_set,
		.unwatch = unwatch,
		.timer_new = timer_new,
		.timer_set = timer_set,
		.timer_free = timer_free,
		.idle_new = idle_new,
		.post = post,
		.submit = submit,
		.delivered = delivered,
		.link = set_link,
		.answered = answered,
		.awake = awake,
		.route = route,
		.read = mock_read,
		.read_end = mock_read_end,
		.list = mock_list,
		.lookup = lookup,
		.session_begun = session_begun,
		.session_ended = session_ended,
		.count = count,
		.gauge = gauge,
		.log = log_line,
		.stopped = stopped,
		.keep = mock_keep,
	};
}
