/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

#include "endpoint/endpoint.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "confine/sandbox.h"
#include "endpoint/clean.h"
#include "endpoint/host.h"
#include "endpoint/joint.h"
#include "endpoint/load.h"
#include "endpoint/resolver.h"
#include "endpoint/round.h"

enum { LAST_WORDS_MS = 500, SIGNAL_STOP_MS = 2000 };

struct endpoint {
	const struct endpoint_options *options;
	struct loop *loop;
	struct joint *joint;
	struct host *host;
	struct round round;
	struct tg_adapter adapter;
	void *state;
	bool started; /* the adapter runs */
	bool joined;  /* STARTED was said on this link */
	bool stopping;
	bool ended;
	struct loop_timer *stop_timer;
	struct loop_signal *signal;
	struct resolver *resolver;
	pthread_t thread; /* the main one */
};

static void end(struct endpoint *ep, int status)
{
	if (ep->ended)
		return;
	ep->ended = true;
	joint_flush(ep->joint, LAST_WORDS_MS);
	loop_exit(ep->loop, status);
}

/* A failure that another start may or may not cure: the core is told why, and decides. */
static int __attribute__((format(printf, 2, 3))) fail(struct endpoint *ep, const char *format, ...)
{
	char text[FRAME_TEXT_MAX];
	struct frame frame = {.type = FRAME_FAILED};
	struct clean_text copy;
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	frame.text.text = clean(&copy, text, FRAME_TEXT_MAX);
	log_error("%s", text);
	(void)!joint_send(ep->joint, &frame);
	end(ep, EXIT_FAILURE);
	return 0;
}

/* Lines go to the core; before it is joined, and from other threads, to standard error. */
static void on_log(void *arg, enum log_level level, const struct log_fields *fields, const char *text)
{
	struct endpoint *ep = arg;
	struct frame frame = {.type = FRAME_LOG, .log = {.level = (uint8_t)level}};
	struct clean_text clean_line, clean_device;

	frame.log.text = clean(&clean_line, text, FRAME_TEXT_MAX);
	frame.log.device = clean(&clean_device, fields->device, TG_DEVICE_MAX);
	if (!pthread_equal(ep->thread, pthread_self()) || joint_send(ep->joint, &frame) < 0)
		fprintf(stderr, "%s/%u: %s\n", ep->options->endpoint, ep->options->worker, text);
}

static int send_frame(void *arg, const struct frame *frame)
{
	struct endpoint *ep = arg;

	return joint_send(ep->joint, frame);
}

static void send_number(struct endpoint *ep, enum frame_type type, int64_t number)
{
	const struct frame frame = {.type = type, .number = {.number = number}};

	(void)!joint_send(ep->joint, &frame);
}

static void on_stopped(void *arg)
{
	struct endpoint *ep = arg;

	if (ep->ended)
		return;
	host_send_counters(ep->host);
	(void)!joint_send(ep->joint, &(struct frame){.type = FRAME_STOPPED});
	end(ep, EXIT_SUCCESS);
}

static void on_stop_deadline(void *arg)
{
	log_warning("the adapter did not finish in time");
	on_stopped(arg);
}

static void stop(struct endpoint *ep, int64_t deadline_ms)
{
	if (ep->stopping)
		return;
	ep->stopping = true;
	host_stopping(ep->host);
	loop_timer_set(ep->stop_timer, loop_now_us(ep->loop) + (deadline_ms > 0 ? deadline_ms : 0) * CLOCK_MS_US);
	if (ep->started && ep->adapter.stop)
		ep->adapter.stop(ep->state);
	else
		on_stopped(ep);
}

static void on_signal(void *arg, int signal)
{
	(void)signal;
	stop(arg, SIGNAL_STOP_MS);
}

static void on_resolver_changed(void *arg)
{
	log_notice("the files of name resolution were replaced, starting again to read them");
	stop(arg, SIGNAL_STOP_MS);
}

static void say_started(struct endpoint *ep)
{
	(void)!joint_send(ep->joint, &(struct frame){.type = FRAME_STARTED});
	ep->joined = true;
	joint_settled(ep->joint);
	host_joined(ep->host);
}

/* What libraries would load at their first need, when they no longer can. */
static int load_ahead(struct endpoint *ep)
{
	tzset();
	if (ep->adapter.needs & TG_NEED_THREADS)
		(void)!dlopen("libgcc_s.so.1",
			      RTLD_NOW); /* glibc unwinds with it when a thread is cancelled or exits */
	if (ep->adapter.needs & TG_NEED_RESOLVE)
		return resolver_new(ep->loop, "/etc", on_resolver_changed, ep, &ep->resolver);
	return 0;
}

static int shut_sandbox(struct endpoint *ep)
{
	struct sandbox sandbox;
	int r = load_ahead(ep);

	if (r >= 0)
		r = sandbox_shut(ep->adapter.needs, &sandbox);
	if (r < 0)
		return r;
	if (sandbox.landlock_abi == 0)
		log_warning("this kernel has no landlock: files and ports are not shut off from this endpoint");
#ifdef TG_SANITIZERS
	log_info("built with sanitizers: system calls are not filtered");
#else
	if (!sandbox.filtered)
		log_warning("this kernel has no seccomp: system calls are not filtered");
#endif
	log_debug("sandbox shut (landlock %d, system calls %s)", sandbox.landlock_abi,
		  sandbox.filtered ? "filtered" : "not filtered");
	return 0;
}

/* Takes what has come as the settings of the adapter. */
static int build_settings(struct endpoint *ep, struct settings **ret_settings)
{
	struct tg_bytes name;
	int r = round_build(&ep->round, ep->adapter.settings, ret_settings, &name);

	if (r < 0)
		fail(ep, "setting '%.*s' is not as adapter '%s' declares it (%s)", BYTES_ARG(name), ep->adapter.name,
		     strerror(-r));
	round_done(&ep->round);
	return r;
}

static int first_start(struct endpoint *ep, const struct frame_configured *configured)
{
	char error[LOAD_ERROR_SIZE];
	CLEANUP_FREE char *name = bytes_to_text(configured->adapter);
	struct settings *settings;
	int r;

	if (!name)
		return -ENOMEM;
	if (load_adapter(ep->options->adapters, name, &ep->adapter, error) < 0)
		return fail(ep, "%s", error);
	if (build_settings(ep, &settings) < 0)
		return 0;
	host_swap_settings(ep->host, settings);
	if (host_set_names(ep->host, configured->gateway, configured->site) < 0 ||
	    host_set_adapter(ep->host, &ep->adapter) < 0)
		return -ENOMEM;
	if (host_set_crypto(ep->host, configured->crypto) < 0)
		return fail(ep, "there is no crypto policy '%.*s'", BYTES_ARG(configured->crypto));
	r = ep->adapter.open(host_services(ep->host), &ep->state);
	if (r < 0)
		return fail(ep, "adapter '%s' cannot open (%s)", name, strerror(-r));
	host_set_state(ep->host, ep->state);
	ep->started = true; /* from here on, close is called */
	host_give_tickets(ep->host);
	r = shut_sandbox(ep);
	if (r < 0)
		return fail(ep,
			    r == -EBUSY ? "adapter '%s' starts threads before the sandbox is shut (%s)"
					: "the sandbox of adapter '%s' cannot be shut (%s)",
			    name, strerror(-r));
	r = ep->adapter.start(ep->state);
	if (r < 0)
		return fail(ep, "adapter '%s' cannot start (%s)", name, strerror(-r));
	say_started(ep);
	return 0;
}

/* Gives the adapter the new settings. Returns what it made of them. */
static int reload(struct endpoint *ep, struct settings *settings)
{
	struct settings *old;
	int r;

	if (!ep->adapter.reload) { /* it may still hold what it was lent */
		settings_free(settings);
		return 0;
	}
	old = host_swap_settings(ep->host, settings);
	r = ep->adapter.reload(ep->state);
	if (r < 0) {
		host_swap_settings(ep->host, old);
		old = settings;
	}
	settings_free(old);
	return r;
}

/* Settings for an adapter that runs already: a reload, or a core that came back, perhaps with another file. */
static int configure_again(struct endpoint *ep, const struct frame_configured *configured)
{
	struct settings *settings;
	const char *kept;
	bool was_joined;
	int r;

	if (!bytes_equal(configured->adapter, bytes_text(ep->adapter.name))) {
		log_notice("the adapter has changed, starting again");
		stop(ep, SIGNAL_STOP_MS);
		return 0;
	}
	if (build_settings(ep, &settings) < 0)
		return 0;
	kept = settings_keep_fixed(settings, host_get_settings(ep->host));
	if (kept && !ep->joined) {
		log_notice("setting '%s' has changed, starting again", kept);
		settings_free(settings);
		stop(ep, SIGNAL_STOP_MS);
		return 0;
	}
	if (kept)
		log_notice("setting '%s' takes effect when the endpoint starts again", kept);
	if (host_set_names(ep->host, configured->gateway, configured->site) < 0 ||
	    host_set_crypto(ep->host, configured->crypto) < 0) {
		settings_free(settings);
		return -ENOMEM;
	}
	r = reload(ep, settings);
	was_joined = ep->joined;
	if (!was_joined)
		say_started(ep);
	if (was_joined || r < 0)
		send_number(ep, FRAME_RELOADED, r < 0 ? r : kept != NULL);
	return 0;
}

static int on_frame(void *arg, const struct frame *frame, int fd)
{
	struct endpoint *ep = arg;

	if (frame->type == FRAME_SETTING)
		return round_add(&ep->round, &frame->setting, fd);
	if (frame->type == FRAME_SOCKET)
		return round_add_socket(&ep->round, &frame->socket, fd);
	if (fd >= 0)
		close(fd);
	if (frame->type == FRAME_ROUTE)
		return round_add_route(&ep->round, frame->text.text);
	if (ep->ended)
		return 0;
	switch (frame->type) {
	case FRAME_CLOCK:
	case FRAME_TICKETS:
		return host_frame_early(ep->host, frame);
	case FRAME_CONFIGURED:
		if (ep->stopping)
			return 0;
		return ep->started ? configure_again(ep, &frame->configured) : first_start(ep, &frame->configured);
	case FRAME_PING:
		host_send_counters(ep->host);
		send_number(ep, FRAME_PONG, frame->number.number);
		return 0;
	case FRAME_STOP:
		stop(ep, frame->number.number);
		return 0;
	case FRAME_REFUSED:
		log_error("the core refuses this process (%.*s)", BYTES_ARG(frame->text.text));
		end(ep, EXIT_FAILURE);
		return 0;
	default:
		return ep->joined ? host_frame(ep->host, frame) : -EPROTO;
	}
}

static void on_up(void *arg)
{
	struct endpoint *ep = arg;
	const struct frame hello = {.type = FRAME_HELLO,
				    .hello = {.version = FRAME_VERSION,
					      .worker = ep->options->worker,
					      .endpoint = bytes_text(ep->options->endpoint)}};

	(void)!joint_send(ep->joint, &hello);
}

static void on_down(void *arg, int reason)
{
	struct endpoint *ep = arg;

	round_done(&ep->round);
	if (ep->joined)
		host_parted(ep->host);
	ep->joined = false;
	if (ep->ended)
		return;
	if (reason == -EBADMSG || reason == -EPROTO || reason == -EMSGSIZE) {
		log_error("the core breaks the wire's rules (%s)", strerror(-reason));
		end(ep, EXIT_FAILURE);
	} else if (ep->stopping) {
		end(ep, EXIT_SUCCESS);
	}
}

static void on_given_up(void *arg, bool gone)
{
	struct endpoint *ep = arg;

	if (gone)
		log_notice("the gateway was stopped, ending");
	else
		log_notice("no core for %lld s, ending", (long long)(ep->options->orphan_us / CLOCK_S_US));
	stop(ep, SIGNAL_STOP_MS);
}

static int prepare(struct endpoint *ep)
{
	const struct host_sink sink = {.send = send_frame, .stopped = on_stopped, .arg = ep};
	const struct joint_calls calls = {
		.up = on_up, .frame = on_frame, .down = on_down, .given_up = on_given_up, .arg = ep};
	int r = loop_new(&ep->loop);

	if (r >= 0)
		r = loop_signal_new(ep->loop, SIGTERM, on_signal, ep, &ep->signal);
	if (r >= 0)
		r = loop_timer_new(ep->loop, on_stop_deadline, ep, &ep->stop_timer);
	if (r >= 0)
		r = joint_new(ep->loop, ep->options->core, ep->options->orphan_us, &calls, &ep->joint);
	if (r >= 0)
		r = host_new(ep->loop, ep->options->endpoint, ep->options->worker, &sink, &ep->host);
	return r;
}

static void tidy_up(struct endpoint *ep)
{
	if (ep->started)
		ep->adapter.close(ep->state);
	log_set_sink(NULL, NULL);
	resolver_free(ep->resolver);
	host_free(ep->host);
	round_done(&ep->round);
	joint_free(ep->joint);
	loop_timer_free(ep->stop_timer);
	loop_signal_free(ep->signal);
	loop_free(ep->loop);
}

int endpoint_run(const struct endpoint_options *options)
{
	struct endpoint ep = {.options = options, .thread = pthread_self()};
	int status;

	round_init(&ep.round);
	status = prepare(&ep);
	if (status >= 0) {
		log_set_sink(on_log, &ep);
		status = loop_run(ep.loop);
	}
	if (status < 0) {
		log_error("the endpoint cannot run (%s)", strerror(-status));
		status = EXIT_FAILURE;
	}
	tidy_up(&ep);
	return status;
}
