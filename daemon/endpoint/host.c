/* SPDX-License-Identifier: Apache-2.0 */
#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "endpoint/host_internal.h"
#include "wire/crypto.h"

enum { LOG_BURST = 50, COUNTERS_MAX = 256 };

static bool setting_bool(const struct tg_host *services, const char *name)
{
	return settings_bool(host_of(services)->settings, name);
}

static int64_t setting_int(const struct tg_host *services, const char *name)
{
	return settings_int(host_of(services)->settings, name);
}

static const char *setting_text(const struct tg_host *services, const char *name)
{
	return settings_text(host_of(services)->settings, name);
}

static const char *setting_item(const struct tg_host *services, const char *name, size_t index)
{
	return settings_item(host_of(services)->settings, name, index);
}

static int setting_file(const struct tg_host *services, const char *name)
{
	return settings_file(host_of(services)->settings, name);
}

static int listen_socket(const struct tg_host *services, const char *name, size_t index, size_t number)
{
	return settings_socket(host_of(services)->settings, name, index, number);
}

static const char *route(const struct tg_host *services, size_t index)
{
	return settings_route(host_of(services)->settings, index);
}

static const char *endpoint(const struct tg_host *services)
{
	return host_of(services)->endpoint;
}

static const char *gateway(const struct tg_host *services)
{
	return host_of(services)->gateway;
}

static const char *site(const struct tg_host *services)
{
	return host_of(services)->site;
}

static uint32_t worker(const struct tg_host *services)
{
	return host_of(services)->worker;
}

static int64_t now_us(const struct tg_host *services)
{
	return loop_now_us(host_of(services)->loop);
}

static int64_t now_wall_us(const struct tg_host *services)
{
	const struct host *host = host_of(services);

	if (host->clock_wall_us == 0)
		return clock_wall_us();
	return host->clock_wall_us + loop_now_us(host->loop) - host->clock_at_us;
}

static const struct tg_crypto *crypto(const struct tg_host *services)
{
	return host_of(services)->crypto;
}

/* The adapter's watches and timers are the loop's own, under another name. */
static int watch(const struct tg_host *services, int fd, uint32_t events, tg_watch_fn *fn, void *arg,
		 struct tg_watch **ret_watch)
{
	struct loop_io *io;
	int r = loop_io_new(host_of(services)->loop, fd, events, fn, arg, &io);

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

static int timer_new(const struct tg_host *services, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer)
{
	struct loop_timer *timer;
	int r = loop_timer_new(host_of(services)->loop, fn, arg, &timer);

	if (r >= 0)
		*ret_timer = (struct tg_timer *)timer;
	return r;
}

static void timer_set(struct tg_timer *timer, int64_t at_us)
{
	loop_timer_set((struct loop_timer *)timer, at_us);
}

static void timer_free(struct tg_timer *timer)
{
	loop_timer_free((struct loop_timer *)timer);
}

static int idle_new(const struct tg_host *services, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer)
{
	struct loop_timer *timer;
	int r = loop_idle_new(host_of(services)->loop, fn, arg, &timer);

	if (r >= 0)
		*ret_timer = (struct tg_timer *)timer;
	return r;
}

static int post(const struct tg_host *services, tg_call_fn *fn, void *arg)
{
	return loop_post(host_of(services)->loop, fn, arg);
}

static void set_counter(struct host *host, unsigned counter, int64_t value)
{
	assert(counter < host->n_counters); /* a bug of the adapter */
	if (host->counters[counter] == value)
		return;
	host->counters[counter] = value;
	host->changed[counter] = true;
	if (!host->any_changed && host->joined)
		loop_timer_set(host->counter_timer, loop_now_us(host->loop) + CLOCK_S_US);
	host->any_changed = true;
}

static void count(const struct tg_host *services, unsigned counter, int64_t add)
{
	struct host *host = host_of(services);

	set_counter(host, counter, counter < host->n_counters ? host->counters[counter] + add : 0);
}

static void gauge(const struct tg_host *services, unsigned counter, int64_t value)
{
	set_counter(host_of(services), counter, value);
}

void host_send_counters(struct host *host)
{
	if (!host->any_changed || !host->joined)
		return;
	host->any_changed = false;
	for (unsigned i = 0; i < host->n_counters; i++) {
		const struct frame frame = {.type = FRAME_COUNTER,
					    .counter = {.counter = i, .value = host->counters[i]}};

		if (host->changed[i] && host->sink.send(host->sink.arg, &frame) >= 0)
			host->changed[i] = false;
		host->any_changed |= host->changed[i];
	}
	if (host->any_changed) /* there was no room for it */
		loop_timer_set(host->counter_timer, loop_now_us(host->loop) + CLOCK_S_US);
}

static void on_counter_timer(void *arg)
{
	host_send_counters(arg);
}

static void __attribute__((format(printf, 4, 5)))
log_line(const struct tg_host *services, enum tg_log_level level, const char *device, const char *format, ...)
{
	struct host *host = host_of(services);
	const struct log_fields fields = {.device = device};
	enum log_level own = level < TG_LOG_ERROR   ? LOG_LEVEL_ERROR
			     : level > TG_LOG_DEBUG ? LOG_LEVEL_DEBUG
						    : (enum log_level)level;
	unsigned left_out;
	va_list args;

	if (own < LOG_LEVEL_DEBUG) { /* those are left out, unless somebody asked for them */
		if (!log_limit_pass(&host->log_limit, loop_now_us(host->loop), &left_out))
			return;
		if (left_out)
			log_warning("%u lines of the log left out", left_out);
	}
	va_start(args, format);
	log_fields_writev(own, &fields, format, args);
	va_end(args);
}

static void stopped(const struct tg_host *services)
{
	struct host *host = host_of(services);

	if (host->stopping)
		host->sink.stopped(host->sink.arg);
}

static const struct tg_host all_services = {
	.major = TG_ADAPTER_MAJOR,
	.minor = TG_ADAPTER_MINOR,
	.size = sizeof(struct tg_host),
	.setting_bool = setting_bool,
	.setting_int = setting_int,
	.setting_text = setting_text,
	.setting_item = setting_item,
	.setting_file = setting_file,
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
	.submit = exchange_submit,
	.delivered = exchange_delivered,
	.link = exchange_link,
	.answered = exchange_answered,
	.awake = exchange_awake,
	.route = route,
	.listen_socket = listen_socket,
	.read = exchange_read,
	.read_end = exchange_read_end,
	.list = exchange_list,
	.lookup = exchange_lookup,
	.session_begun = exchange_session_begun,
	.session_ended = exchange_session_ended,
	.count = count,
	.gauge = gauge,
	.log = log_line,
	.stopped = stopped,
	.keep = exchange_keep,
};

int host_new(struct loop *loop, const char *name, uint32_t number, const struct host_sink *sink, struct host **ret_host)
{
	struct host *host = calloc(1, sizeof(*host));
	int r;

	if (!host)
		return -ENOMEM;
	host->services = all_services;
	host->loop = loop;
	host->endpoint = name;
	host->worker = number;
	host->crypto = crypto_policy("modern");
	host->sink = *sink;
	host->log_limit = (struct log_limit){.span_us = 10 * CLOCK_S_US, .burst = LOG_BURST};
	exchange_init(host);
	r = loop_timer_new(loop, on_counter_timer, host, &host->counter_timer);
	if (r < 0) {
		host_free(host);
		return r;
	}
	*ret_host = host;
	return 0;
}

void host_free(struct host *host)
{
	if (!host)
		return;
	exchange_done(host);
	settings_free(host->settings);
	loop_timer_free(host->counter_timer);
	free(host->counters);
	free(host->changed);
	free(host->gateway);
	free(host->site);
	explicit_bzero(host->ticket_keys, sizeof(host->ticket_keys));
	free(host);
}

const struct tg_host *host_services(struct host *host)
{
	return &host->services;
}

int host_set_adapter(struct host *host, const struct tg_adapter *adapter)
{
	unsigned n = 0;

	while (adapter->counters && adapter->counters[n] && n < COUNTERS_MAX)
		n++;
	host->counters = calloc(n + 1, sizeof(*host->counters));
	host->changed = calloc(n + 1, sizeof(*host->changed));
	if (!host->counters || !host->changed)
		return -ENOMEM;
	host->n_counters = n;
	host->adapter = adapter;
	return 0;
}

void host_set_state(struct host *host, void *state)
{
	host->state = state;
}

int host_set_names(struct host *host, struct tg_bytes gateway_name, struct tg_bytes site_name)
{
	char *new_gateway = bytes_to_text(gateway_name);
	char *new_site = bytes_to_text(site_name);

	if (!new_gateway || !new_site) {
		free(new_gateway);
		free(new_site);
		return -ENOMEM;
	}
	free(host->gateway);
	free(host->site);
	host->gateway = new_gateway;
	host->site = new_site;
	return 0;
}

int host_set_crypto(struct host *host, struct tg_bytes policy)
{
	CLEANUP_FREE char *name = bytes_to_text(policy);
	const struct tg_crypto *found = name ? crypto_policy(name) : NULL;

	if (!found)
		return -ENOENT;
	host->crypto = found;
	return 0;
}

void host_give_tickets(struct host *host)
{
	if (host->ticket_keys_count > 0 && host->adapter && host->adapter->tickets && host->state)
		host->adapter->tickets(host->state, host->ticket_keys, host->ticket_keys_count);
}

static int on_tickets(struct host *host, struct tg_bytes keys)
{
	size_t count = keys.size / sizeof(struct tg_ticket_key);

	if (keys.size == 0 || keys.size % sizeof(struct tg_ticket_key) != 0)
		return -EBADMSG;
	explicit_bzero(host->ticket_keys, sizeof(host->ticket_keys));
	memcpy(host->ticket_keys, keys.data, keys.size);
	host->ticket_keys_count = count;
	host_give_tickets(host);
	return 0;
}

int host_frame_early(struct host *host, const struct frame *frame)
{
	switch (frame->type) {
	case FRAME_CLOCK:
		if (frame->clock.wall_us <= 0)
			return -EBADMSG;
		host->clock_wall_us = frame->clock.wall_us;
		host->clock_at_us = frame->clock.at_us;
		return 0;
	case FRAME_TICKETS:
		return on_tickets(host, frame->tickets.keys);
	default:
		return -EPROTO;
	}
}

struct settings *host_swap_settings(struct host *host, struct settings *settings)
{
	struct settings *old = host->settings;

	host->settings = settings;
	return old;
}

struct settings *host_get_settings(struct host *host)
{
	return host->settings;
}

void host_stopping(struct host *host)
{
	host->stopping = true;
}
