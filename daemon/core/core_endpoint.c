/* SPDX-License-Identifier: Apache-2.0 */

/* The endpoints of the running configuration and what their processes say. */

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"

#define LOG_SPAN_US (10 * CLOCK_S_US)
enum { LOG_BURST = 50, ERRNO_MAX = 4095 };

struct endpoint *core_endpoint(struct core *core, const char *name)
{
	for (struct endpoint *e = core->endpoints; e; e = e->next) {
		if (strcmp(e->name, name) == 0)
			return e;
	}
	return NULL;
}

/* Opens a file that the configuration names. Errors: -errno; -EINVAL: not a regular file. */
static int open_setting_file(const char *path)
{
	struct stat st;
	int fd;

	if (!*path)
		return -ENOENT;
	fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode)) {
		close(fd);
		return -EINVAL;
	}
	return fd;
}

/* An endpoint's process, and the settings that it is sent. */
struct sending {
	struct endpoint *endpoint;
	struct instance *instance;
};

static int send_setting(void *arg, const char *name, uint32_t index, const char *value, bool file)
{
	const struct sending *sending = arg;
	struct instance *instance = sending->instance;
	struct frame frame = {
		.type = FRAME_SETTING,
		.setting = {.name = bytes_text(name), .index = index, .value = bytes_text(value), .file = file}};
	int fd;

	if (!file)
		return instance_send(instance, &frame);
	fd = core_renewal_open(sending->endpoint, name);
	if (fd == -ENOENT)
		fd = open_setting_file(value);
	if (fd >= 0)
		return instance_send_fd(instance, &frame, fd);
	frame.setting.file_error = fd;
	return instance_send(instance, &frame);
}

/* What the routes from there take, so that it can subscribe to it. */
static int send_routes(struct endpoint *endpoint, struct instance *instance)
{
	const struct config *config = endpoint->core->config;
	struct pattern_values values = {.given = {[PATTERN_SITE] = bytes_text(config->site),
						  [PATTERN_GATEWAY] = bytes_text(config->gateway),
						  [PATTERN_ENDPOINT] = bytes_text(endpoint->name)}};
	char text[FRAME_TEXT_MAX + 1];
	int r = 0;

	for (size_t i = 0; i < config->routes_count && r >= 0; i++) {
		const struct config_route *route = &config->routes[i];
		struct frame frame = {.type = FRAME_ROUTE};
		ptrdiff_t size;

		if (!route->enabled || &config->endpoints[route->from] != endpoint->config)
			continue;
		size = pattern_outline(route->match, &values, text, sizeof(text));
		if (size < 0)
			continue; /* nothing that long is a path */
		frame.text.text = bytes_of(text, (size_t)size);
		r = instance_send(instance, &frame);
	}
	return r;
}

int core_endpoint_configure(struct endpoint *endpoint, struct instance *instance)
{
	const struct config *config = endpoint->core->config;
	struct frame frame = {.type = FRAME_CONFIGURED,
			      .configured = {.heartbeat_ms = (uint32_t)(config->limits.heartbeat_us / CLOCK_MS_US),
					     .gateway = bytes_text(config->gateway),
					     .site = bytes_text(config->site),
					     .adapter = bytes_text(endpoint->config->adapter),
					     .crypto = bytes_text(endpoint->config->crypto)}};
	const struct frame clock = core_clock_frame(endpoint->core);
	struct sending sending = {endpoint, instance};
	struct process *process = instance_user(instance);
	int r = config_each_setting(endpoint->config, send_setting, &sending);

	if (process)
		process->reloads++;
	core_certs_soon(endpoint->core);
	if (r >= 0)
		r = send_routes(endpoint, instance);
	if (r >= 0)
		r = instance_send(instance, &clock);
	if (r >= 0)
		r = core_tickets_send(endpoint, instance);
	return r < 0 ? r : instance_send(instance, &frame);
}

static void forget_process(struct instance *instance)
{
	struct process *process = instance_user(instance);

	if (!process)
		return;
	instance_set_user(instance, NULL);
	free(process->counters);
	free(process);
}

static int forget_one(void *arg, struct instance *instance)
{
	(void)arg;
	forget_process(instance);
	return 0;
}

void core_processes_forget(struct core *core)
{
	supervisor_each(core->supervisor, forget_one, NULL);
}

/* What the process tells is kept from its HELLO on. */
static int on_configure(void *arg, struct instance *instance)
{
	struct endpoint *endpoint = core_endpoint(arg, instance_endpoint(instance));
	struct process *process = calloc(1, sizeof(*process));
	int r;

	if (!endpoint || !process) {
		free(process);
		return -ENOENT;
	}
	process->n_counters = endpoint->config->descriptor->counters_count;
	process->counters = calloc(process->n_counters + 1, sizeof(*process->counters));
	if (!process->counters) {
		free(process);
		return -ENOMEM;
	}
	process->log = (struct log_limit){.span_us = LOG_SPAN_US, .burst = LOG_BURST};
	forget_process(instance);
	instance_set_user(instance, process);
	r = core_sockets_send(endpoint, instance);
	if (r >= 0)
		r = core_endpoint_configure(endpoint, instance);
	process->reloads = 0; /* that is answered with STARTED */
	return r;
}

static void on_running(void *arg, struct instance *instance)
{
	core_notes_tell(arg, instance);
	core_devices_tell(arg, instance);
	core_certs_tell(arg, instance);
	log_fields_write(LOG_LEVEL_INFO, &(struct log_fields){.endpoint = instance_endpoint(instance)},
			 "runs (process %d)", instance_pid(instance));
}

static int take_as_sink(void *arg, struct instance *instance)
{
	const struct process *process = instance_user(instance);
	struct endpoint *endpoint = arg;

	if (!process || process->link != TG_LINK_UP || instance_state(instance) != INSTANCE_RUNNING ||
	    strcmp(instance_endpoint(instance), endpoint->name) != 0)
		return 0;
	endpoint->sink = instance;
	return 1;
}

/* Deliveries go to the first process whose link is up, and stay with it. */
static void choose_sink(struct endpoint *endpoint, const struct instance *gone)
{
	if (!endpoint->outbox && !endpoint->mailbox)
		return;
	if (gone && endpoint->sink == gone) {
		endpoint->sink = NULL;
		if (endpoint->outbox)
			outbox_sink_down(endpoint->outbox);
	}
	if (endpoint->sink || !supervisor_each(endpoint->core->supervisor, take_as_sink, endpoint))
		return;
	if (endpoint->outbox)
		outbox_sink_up(endpoint->outbox, 0);
	else if (endpoint->config->descriptor->flags & TG_REACHES)
		mailbox_awake_all(endpoint->mailbox);
}

static void on_gone(void *arg, struct instance *instance, bool was_running)
{
	struct core *core = arg;
	struct endpoint *endpoint = core_endpoint(core, instance_endpoint(instance));

	(void)was_running;
	forget_process(instance);
	sessions_forget(core->sessions, instance_id(instance));
	core_readings_process_gone(core, instance);
	if (endpoint)
		choose_sink(endpoint, instance);
	if (endpoint && endpoint->mailbox)
		mailbox_carrier_gone(endpoint->mailbox, instance_id(instance));
}

/* A line that a process is the cause of: not more of them than somebody can read. */
static void __attribute__((format(printf, 5, 6)))
log_of(const struct endpoint *endpoint, struct process *process, enum log_level level, const char *device,
       const char *format, ...)
{
	const struct log_fields fields = {.endpoint = endpoint->name, .device = device};
	unsigned left_out = 0;
	va_list args;

	if (level == LOG_LEVEL_DEBUG || log_limit_pass(&process->log, loop_now_us(endpoint->core->loop), &left_out)) {
		va_start(args, format);
		log_fields_writev(level, &fields, format, args);
		va_end(args);
	}
	if (left_out)
		log_fields_write(LOG_LEVEL_WARNING, &fields, "wrote too much: %u lines left out", left_out);
}

static int on_link(struct endpoint *endpoint, struct instance *instance, const struct frame_link *link)
{
	struct process *process = instance_user(instance);
	bool was_up = process->link == TG_LINK_UP, is_up = link->state == TG_LINK_UP;

	if (link->state > TG_LINK_UP || !bytes_is_utf8(link->detail))
		return -EBADMSG;
	process->link = (enum tg_link)link->state;
	snprintf(process->detail, sizeof(process->detail), "%.*s", BYTES_ARG(link->detail));
	if (is_up && !was_up)
		log_of(endpoint, process, LOG_LEVEL_NOTICE, NULL, "link is up (%s)", process->detail);
	else if (!is_up && was_up)
		log_of(endpoint, process, endpoint->core->state == CORE_STOPPING ? LOG_LEVEL_INFO : LOG_LEVEL_WARNING,
		       NULL, "link is down (%s)", process->detail);
	choose_sink(endpoint, is_up ? NULL : instance);
	if (endpoint->renewal)
		renewal_on_link(endpoint->renewal, is_up);
	return 0;
}

static int on_session(struct endpoint *endpoint, struct instance *instance, const struct frame_session_begun *begun)
{
	const struct session *session;
	int r = sessions_begin(endpoint->core->sessions, endpoint->name, instance_id(instance),
			       instance_generation(instance), begun, core_now_wall_us(endpoint->core), &session);

	if (r >= 0 && endpoint->renewal && begun->proof == TG_PROOF_CERTIFICATE)
		renewal_on_session(endpoint->renewal);
	if (r != -EBADMSG)
		core_device_session(endpoint, begun);
	if (r >= 0)
		core_certs_session(endpoint->core, session);
	if (r >= 0 && endpoint->mailbox)
		mailbox_awake(endpoint->mailbox, begun->device);
	return r == -EBADMSG ? r : 0; /* one that has no room is not shown */
}

static int on_counter(struct instance *instance, const struct frame_counter *counter)
{
	struct process *process = instance_user(instance);

	if (counter->counter >= process->n_counters)
		return -EBADMSG;
	process->counters[counter->counter] = counter->value;
	return 0;
}

/* Of several reloads the answer to the last one tells how the process goes on. */
static int on_reloaded(const struct endpoint *endpoint, struct instance *instance, int64_t result)
{
	struct process *process = instance_user(instance);

	process->reloads -= process->reloads > 0;
	if (result < -ERRNO_MAX || result > 1)
		return -EBADMSG;
	if (endpoint->renewal)
		renewal_on_reloaded(endpoint->renewal, result < 0 ? (int)result : 0);
	if (result < 0)
		log_of(endpoint, process, LOG_LEVEL_WARNING, NULL, "goes on with its old settings (%s)",
		       strerror((int)-result));
	else if (result == 1 && process->reloads == 0 && endpoint->core->trial_taken_back)
		supervisor_kill(instance, "ran by what was on trial, the configuration before is back");
	return 0;
}

static int on_log(const struct endpoint *endpoint, struct instance *instance, const struct frame_log *log)
{
	char device[TG_DEVICE_MAX + 1];

	if (log->level < TG_LOG_ERROR || log->level > TG_LOG_DEBUG || !bytes_is_utf8(log->text) ||
	    !bytes_is_utf8(log->device))
		return -EBADMSG;
	snprintf(device, sizeof(device), "%.*s", BYTES_ARG(log->device));
	log_of(endpoint, instance_user(instance), (enum log_level)log->level, *device ? device : NULL, "%.*s",
	       BYTES_ARG(log->text));
	return 0;
}

static int on_submit(struct endpoint *endpoint, struct instance *instance, const struct frame_submit *submit)
{
	const struct intake_source source = {endpoint->name, instance_id(instance), instance_generation(instance)};

	if (!(endpoint->config->descriptor->roles & TG_SOURCE))
		return -EBADMSG;
	if (endpoint->core->leaving)
		return 0; /* the next core is handed it again */
	return intake_submit(endpoint->core->intake, &source, submit, loop_now_us(endpoint->core->loop));
}

static int on_delivered(struct endpoint *endpoint, const struct instance *instance,
			const struct frame_delivered *delivered)
{
	if ((!endpoint->outbox && !endpoint->mailbox) || delivered->result > TG_REJECTED ||
	    !bytes_is_utf8(delivered->reason))
		return -EBADMSG;
	if (endpoint->mailbox)
		mailbox_answer(endpoint->mailbox, instance_id(instance), delivered->ticket,
			       (enum tg_delivery_result)delivered->result, delivered->reason);
	else if (endpoint->sink == instance)
		outbox_answer(endpoint->outbox, delivered->ticket, (enum tg_delivery_result)delivered->result,
			      delivered->reason);
	return 0;
}

static int on_frame(void *arg, struct instance *instance, const struct frame *frame)
{
	struct endpoint *endpoint = core_endpoint(arg, instance_endpoint(instance));

	if (!endpoint || !instance_user(instance))
		return -EPROTO;
	switch (frame->type) {
	case FRAME_SUBMIT:
		return on_submit(endpoint, instance, &frame->submit);
	case FRAME_DELIVERED:
		return on_delivered(endpoint, instance, &frame->delivered);
	case FRAME_ANSWERED:
		return core_command_answered(endpoint, instance, &frame->answered);
	case FRAME_AWAKE:
		if (!endpoint->mailbox)
			return -EBADMSG;
		mailbox_awake(endpoint->mailbox, frame->device.device);
		return 0;
	case FRAME_LINK:
		return on_link(endpoint, instance, &frame->link);
	case FRAME_LOOKUP:
		/* A peer shows its certificate when it has seen ours, and liked it (RFC 5246 section 7.3). */
		if (endpoint->renewal && frame->lookup.proof == TG_PROOF_CERTIFICATE)
			renewal_on_session(endpoint->renewal);
		return core_identity_lookup(endpoint, instance, &frame->lookup);
	case FRAME_SESSION_BEGUN:
		return on_session(endpoint, instance, &frame->session_begun);
	case FRAME_SESSION_ENDED:
		sessions_end(endpoint->core->sessions, instance_id(instance), instance_generation(instance),
			     frame->session_ended.handle);
		return 0;
	case FRAME_READ:
		return core_readings_ask(endpoint, instance, &frame->read);
	case FRAME_LIST:
		return core_readings_list(endpoint, instance, &frame->list);
	case FRAME_READ_END:
		core_readings_end(endpoint->core, instance, frame->read_end.number);
		return 0;
	case FRAME_KEEP:
		return core_notes_keep(endpoint, instance, &frame->keep);
	case FRAME_COUNTER:
		return on_counter(instance, &frame->counter);
	case FRAME_LOG:
		return on_log(endpoint, instance, &frame->log);
	case FRAME_RELOADED:
		return on_reloaded(endpoint, instance, frame->number.number);
	default:
		return -EBADMSG;
	}
}

static int read_code(void *arg, const char *name, char ret_code[CODE_SIZE])
{
	const struct core *core = arg;
	const struct endpoint *endpoint = core_endpoint(arg, name);

	if (!endpoint)
		return -ENOENT;
	return code_identity(core->places->endpoint_program, core->places->adapter_dir, endpoint->config->adapter,
			     ret_code);
}

const struct supervisor_events core_supervisor_events = {
	on_configure, on_running, on_gone, on_frame, core_on_stopped, read_code,
};
