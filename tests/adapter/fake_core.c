/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_core.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mock_host.h"

enum { LIMIT_MS = 10000 };

static void need(bool condition, const char *what)
{
	if (condition)
		return;
	fprintf(stderr, "fake core: %s failed (%s)\n", what, strerror(errno));
	abort();
}

static void copy(char *to, size_t size, struct tg_bytes bytes)
{
	snprintf(to, size, "%.*s", BYTES_ARG(bytes));
}

static void on_submit(struct fake_core *core, const struct frame_submit *s)
{
	struct fake_submit *kept = &core->submits[core->n_submits];

	need(core->n_submits < FAKE_MAX, "keeping a submission");
	core->n_submits++;
	*kept = (struct fake_submit){.token = s->token, .time_wall_us = s->time_wall_us, .again = s->again};
	memcpy(kept->id, s->id, sizeof(kept->id));
	copy(kept->device, sizeof(kept->device), s->device);
	copy(kept->path, sizeof(kept->path), s->path);
	copy(kept->payload, sizeof(kept->payload), s->payload);
	if (core->accept_all)
		fake_core_verdict(core, s->token, TG_ACCEPTED);
}

static void on_hello(struct fake_core *core, const struct frame_hello *hello)
{
	core->n_hellos++;
	core->hello = *hello;
	copy(core->hello_endpoint, sizeof(core->hello_endpoint), hello->endpoint);
	if (!core->configure_by_hand)
		fake_core_configure(core);
}

static void on_log(struct fake_core *core, const struct frame_log *log)
{
	size_t used = strlen(core->logged);

	snprintf(core->logged + used, sizeof(core->logged) - used, "%.*s\n", BYTES_ARG(log->text));
}

static int on_frame(void *arg, const struct frame *frame, int fd)
{
	struct fake_core *core = arg;

	need(fd < 0, "a frame without a descriptor");
	switch (frame->type) {
	case FRAME_HELLO:
		on_hello(core, &frame->hello);
		return 0;
	case FRAME_STARTED:
		core->n_started++;
		return 0;
	case FRAME_FAILED:
		copy(core->failed, sizeof(core->failed), frame->text.text);
		return 0;
	case FRAME_SUBMIT:
		on_submit(core, &frame->submit);
		return 0;
	case FRAME_DELIVERED:
		need(core->n_delivered < FAKE_MAX, "keeping an answer");
		core->delivered[core->n_delivered++] = frame->delivered;
		return 0;
	case FRAME_LINK:
		core->state = frame->link.state;
		core->n_link_frames++;
		return 0;
	case FRAME_PONG:
		core->pong = frame->number.number;
		core->n_pongs++;
		return 0;
	case FRAME_RELOADED:
		core->reloaded = frame->number.number;
		core->n_reloaded++;
		return 0;
	case FRAME_COUNTER:
		need(frame->counter.counter < FAKE_COUNTERS, "a counter with a place");
		core->counters[frame->counter.counter] = frame->counter.value;
		return 0;
	case FRAME_LOG:
		on_log(core, &frame->log);
		return 0;
	case FRAME_STOPPED:
		core->n_stopped++;
		return 0;
	default:
		need(false, "a frame that an endpoint sends");
		return 0;
	}
}

static void drop_link(struct fake_core *core)
{
	link_free(core->link);
	core->link = NULL;
	cleanup_close(&core->raw_fd);
	core->raw_fd = -1;
}

static void on_closed(void *arg, int reason)
{
	(void)reason;
	drop_link(arg);
}

static void on_connect(void *arg, int listen_fd, uint32_t ready)
{
	struct fake_core *core = arg;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)ready;
	if (fd < 0)
		return;
	drop_link(core);
	core->raw_fd = fcntl(fd, F_DUPFD_CLOEXEC, 3);
	need(link_new(core->loop, fd, 64 * 1024 * 1024, on_frame, on_closed, core, &core->link) >= 0, "a link");
	core->n_links++;
}

struct fake_core *fake_core_new(void)
{
	struct fake_core *core = calloc(1, sizeof(*core));

	need(core != NULL, "memory");
	core->listen_fd = -1;
	core->raw_fd = -1;
	need(loop_new(&core->loop) >= 0, "a loop");
	core->adapter = mock_adapter("loopback");
	snprintf(core->folder, sizeof(core->folder), "/tmp/tidegate-test-XXXXXX");
	need(mkdtemp(core->folder) != NULL, "a folder");
	snprintf(core->socket, sizeof(core->socket), "%s/core.sock", core->folder);
	snprintf(core->lock, sizeof(core->lock), "%s/field-0.lock", core->folder);
	return core;
}

void fake_core_listen(struct fake_core *core)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	/* As the real one does it: the socket's name is there all the time. */
	snprintf(address.sun_path, sizeof(address.sun_path), "%.*s.new", (int)sizeof(address.sun_path) - 5,
		 core->socket);
	core->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	need(core->listen_fd >= 0 && bind(core->listen_fd, (struct sockaddr *)&address, sizeof(address)) == 0 &&
		     listen(core->listen_fd, 8) == 0 && rename(address.sun_path, core->socket) == 0,
	     "listening");
	need(loop_io_new(core->loop, core->listen_fd, LOOP_READABLE, on_connect, core, &core->listen_io) >= 0,
	     "a watch");
}

void fake_core_die(struct fake_core *core)
{
	drop_link(core);
	loop_io_free(core->listen_io);
	core->listen_io = NULL;
	cleanup_close(&core->listen_fd);
	core->listen_fd = -1;
}

void fake_core_leave_for_good(struct fake_core *core)
{
	fake_core_die(core);
	unlink(core->socket);
}

void fake_core_spawn(struct fake_core *core, const char *orphan_s)
{
	const char *folder = getenv("TG_TEST_ADAPTERS");
	const char *const argv[] = {"tidegate-endpoint",
				    "--endpoint",
				    "field",
				    "--worker",
				    "0",
				    "--core",
				    core->socket,
				    "--lock",
				    core->lock,
				    "--adapters",
				    folder ? folder : ".libs",
				    "--orphan",
				    orphan_s,
				    NULL};

	/* The strings are not written to: the prototype is older than const. */
	need(posix_spawn(&core->pid, "./tidegate-endpoint", NULL, NULL, (char *const *)(uintptr_t)argv, environ) == 0,
	     "starting tidegate-endpoint");
}

int fake_core_wait(struct fake_core *core)
{
	int64_t deadline_us = fake_core_deadline();
	int status = 0;

	while (waitpid(core->pid, &status, WNOHANG) == 0)
		need(fake_core_turn(core, deadline_us), "waiting for the process");
	core->pid = 0;
	return status;
}

void fake_core_free(struct fake_core *core)
{
	fake_core_die(core);
	if (core->pid > 0) {
		kill(core->pid, SIGKILL);
		waitpid(core->pid, NULL, 0);
	}
	unlink(core->socket);
	unlink(core->lock);
	rmdir(core->folder);
	loop_free(core->loop);
	free(core);
}

static const char *value_of(const struct fake_core *core, const struct tg_setting *row)
{
	for (const char *const *change = core->changes; change && *change; change += 2) {
		if (strcmp(change[0], row->name) == 0)
			return change[1];
	}
	return row->fallback;
}

void fake_core_configure(struct fake_core *core)
{
	struct frame frame = {.type = FRAME_SETTING};

	for (const struct tg_setting *row = core->adapter->settings; row->name; row++) {
		frame.setting =
			(struct frame_setting){.name = bytes_text(row->name), .value = bytes_text(value_of(core, row))};
		fake_core_send(core, &frame);
	}
	frame = (struct frame){.type = FRAME_CONFIGURED,
			       .configured = {.heartbeat_ms = 2000,
					      .gateway = bytes_text("hall-3"),
					      .site = bytes_text("plant-7"),
					      .adapter = bytes_text(core->adapter->name),
					      .crypto = bytes_text("modern")}};
	fake_core_send(core, &frame);
}

void fake_core_send(struct fake_core *core, const struct frame *frame)
{
	need(core->link && link_send(core->link, frame) >= 0, "sending a frame");
}

void fake_core_deliver(struct fake_core *core, uint64_t ticket, const char *address, const char *payload)
{
	const struct frame frame = {.type = FRAME_DELIVER,
				    .deliver = {.ticket = ticket,
						.id = {0, 0, 0, 0, 0, 0, 0x70, 0, 0x80},
						.kind = TG_TELEMETRY,
						.device = bytes_text("dev-1"),
						.path = bytes_text(address),
						.address = bytes_text(address),
						.payload = bytes_text(payload)}};

	fake_core_send(core, &frame);
}

void fake_core_verdict(struct fake_core *core, uint64_t token, enum tg_verdict verdict)
{
	fake_core_send(
		core, &(struct frame){.type = FRAME_VERDICT, .verdict = {.token = token, .verdict = (uint8_t)verdict}});
}

int64_t fake_core_deadline(void)
{
	return clock_now_us() + LIMIT_MS * CLOCK_MS_US;
}

bool fake_core_turn(struct fake_core *core, int64_t deadline_us)
{
	need(loop_turn(core->loop, 10 * CLOCK_MS_US) >= 0, "a turn of the loop");
	return clock_now_us() < deadline_us;
}

void fake_core_idle(struct fake_core *core, int64_t ms)
{
	int64_t end_us = clock_now_us() + ms * CLOCK_MS_US;

	while (fake_core_turn(core, end_us))
		;
}
