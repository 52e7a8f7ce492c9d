/* SPDX-License-Identifier: Apache-2.0 */
#include "core/control.h"

#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "base/buffer.h"

enum {
	REQUEST_MAX_BYTES = 64 * 1024,
	ANSWER_MAX_BYTES = 64 * 1024 * 1024,
	STREAM_MAX_BYTES = 1024 * 1024,
	CONNECTIONS_MAX = 32
};

struct control {
	struct loop *loop;
	const struct control_command *commands;
	bool (*turn_away)(void *arg, pid_t pid);
	void *arg;
	int listen_fd;
	struct loop_io *listen_io;
	char *path;
	struct control_call *first;
	unsigned connections;
};

/* A connection, with at most one request under way. */
struct control_call {
	struct control_call *next;
	struct control *control;
	int fd;
	struct loop_io *io;
	struct buffer in;
	struct buffer out;
	bool busy;   /* a request waits for its answer */
	bool closed; /* the peer has gone; freed with the answer */
	bool stream;
	char *device; /* stream: only of this one */
	uint64_t missed;
};

static void call_free(struct control_call *call)
{
	struct control_call **at = &call->control->first;

	while (*at != call)
		at = &(*at)->next;
	*at = call->next;
	call->control->connections--;
	loop_io_free(call->io);
	if (call->fd >= 0)
		close(call->fd);
	buffer_done(&call->in);
	buffer_done(&call->out);
	free(call->device);
	free(call);
}

static void hang_up(struct control_call *call)
{
	loop_io_free(call->io);
	call->io = NULL;
	close(call->fd);
	call->fd = -1;
	call->closed = true;
	if (!call->busy)
		call_free(call);
}

/* Errors: negative where the peer has gone. */
static int write_out(struct control_call *call)
{
	while (buffer_size(&call->out)) {
		ssize_t n = send(call->fd, buffer_data(&call->out), buffer_size(&call->out), MSG_NOSIGNAL);

		if (n < 0 && errno == EAGAIN)
			return loop_io_set(call->io, LOOP_READABLE | LOOP_WRITABLE);
		if (n < 0)
			return -errno;
		buffer_consume(&call->out, (size_t)n);
	}
	return loop_io_set(call->io, LOOP_READABLE);
}

static int append_line(const char *data, size_t size, void *arg)
{
	return buffer_append(arg, data, size);
}

static void send_line(struct control_call *call, const json_t *line)
{
	int r = line ? json_dump_callback(line, append_line, &call->out, JSON_COMPACT) : -ENOMEM;

	if (r == 0)
		r = buffer_append(&call->out, "\n", 1);
	if (r == 0)
		r = write_out(call);
	if (r < 0)
		hang_up(call);
}

static void answer(struct control_call *call, json_t *line)
{
	call->busy = false;
	if (call->closed)
		call_free(call);
	else
		send_line(call, line);
	json_decref(line);
}

void control_reply(struct control_call *call, json_t *result)
{
	if (!result) {
		control_fail(call, "failed", "out of memory");
		return;
	}
	answer(call, json_pack("{s:b,s:o}", "ok", 1, "result", result));
}

void control_fail(struct control_call *call, const char *code, const char *format, ...)
{
	CLEANUP_FREE char *text = NULL;
	va_list args;
	int size;

	va_start(args, format);
	size = vasprintf(&text, format, args);
	va_end(args);
	if (size < 0)
		text = NULL;
	answer(call,
	       json_pack("{s:b,s:s,s:o}", "ok", 0, "code", code, "error",
			 control_text((struct tg_bytes){text ? text : "out of memory", text ? (size_t)size : 13})));
}

json_t *control_text(struct tg_bytes bytes)
{
	json_t *text = json_stringn(bytes.size ? bytes.data : "", bytes.size);

	for (size_t cut = 1; !text && cut <= 3 && cut <= bytes.size; cut++)
		text = json_stringn(bytes.data, bytes.size - cut);
	return text ? text : json_string("(not UTF-8)");
}

void control_stream(struct control_call *call, const char *device)
{
	call->stream = true;
	call->device = device ? strdup(device) : NULL;
	control_reply(call, json_object());
}

bool control_has_streams(const struct control *control)
{
	for (const struct control_call *c = control ? control->first : NULL; c; c = c->next) {
		if (c->stream)
			return true;
	}
	return false;
}

void control_publish(struct control *control, const char *device, json_t *event)
{
	json_t *line = json_pack("{s:o}", "event", event);
	struct control_call *next;

	for (struct control_call *c = control->first; c && line; c = next) {
		next = c->next;
		if (!c->stream || c->closed || (c->device && (!device || strcmp(c->device, device) != 0)))
			continue;
		if (buffer_size(&c->out) > STREAM_MAX_BYTES) {
			c->missed++;
			continue;
		}
		if (c->missed) {
			json_t *missed =
				json_pack("{s:{s:s,s:I}}", "event", "what", "missed", "count", (json_int_t)c->missed);

			c->missed = 0;
			send_line(c, missed);
			json_decref(missed);
		} else {
			send_line(c, line);
		}
	}
	json_decref(line);
}

static void dispatch(struct control_call *call, const char *line, size_t size)
{
	json_error_t error;
	json_t *request = json_loadb(line, size, JSON_REJECT_DUPLICATES, &error);
	const char *name = json_string_value(json_object_get(request, "command"));

	call->busy = true;
	if (!name) {
		control_fail(call, "invalid", "not a request: %s", request ? "no \"command\"" : error.text);
		json_decref(request);
		return;
	}
	for (const struct control_command *c = call->control->commands; c->name; c++) {
		if (strcmp(c->name, name) == 0) {
			c->fn(call->control->arg, call, request);
			json_decref(request);
			return;
		}
	}
	control_fail(call, "invalid", "unknown command \"%s\"", name);
	json_decref(request);
}

/* Takes the next whole line. Errors: -EMSGSIZE: longer than a request may be. */
static int take_line(struct control_call *call)
{
	const uint8_t *data = buffer_data(&call->in), *end;
	size_t size = buffer_size(&call->in);
	char *line;

	end = size ? memchr(data, '\n', size) : NULL;
	if (!end)
		return size > REQUEST_MAX_BYTES ? -EMSGSIZE : 0;
	size = (size_t)(end - data);
	line = malloc(size + 1);
	if (!line)
		return -ENOMEM;
	memcpy(line, data, size);
	buffer_consume(&call->in, size + 1);
	dispatch(call, line, size); /* may free the call */
	explicit_bzero(line, size);
	free(line);
	return 1;
}

static bool is_living(const struct control *control, const struct control_call *call)
{
	for (const struct control_call *c = control->first; c; c = c->next) {
		if (c == call)
			return !c->closed;
	}
	return false;
}

static int read_some(struct control_call *call)
{
	uint8_t *room = buffer_reserve(&call->in, 16 * 1024);
	ssize_t n;

	if (!room)
		return -ENOMEM;
	n = recv(call->fd, room, 16 * 1024, 0);
	if (n == 0)
		return -EPIPE;
	if (n < 0)
		return errno == EAGAIN ? 0 : -errno;
	buffer_commit(&call->in, (size_t)n);
	return 0;
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	struct control_call *call = arg;
	struct control *control = call->control;
	int r = 0;

	(void)fd;
	if (ready & LOOP_WRITABLE)
		r = write_out(call);
	if (r >= 0 && ready & (LOOP_READABLE | LOOP_BROKEN))
		r = read_some(call);
	while (r >= 0 && is_living(control, call) && !call->busy && !call->stream) {
		r = take_line(call);
		if (r == 0)
			return;
	}
	if (r < 0 && is_living(control, call))
		hang_up(call);
}

static void on_connect(void *arg, int listen_fd, uint32_t ready)
{
	struct control *control = arg;
	struct ucred peer = {.pid = 0};
	socklen_t size = sizeof(peer);
	struct control_call *call;
	int fd = accept4(listen_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	(void)ready;
	if (fd < 0)
		return;
	call = calloc(1, sizeof(*call));
	if (!call || control->connections >= CONNECTIONS_MAX ||
	    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0 || control->turn_away(control->arg, peer.pid) ||
	    loop_io_new(control->loop, fd, LOOP_READABLE, on_ready, call, &call->io) < 0) {
		free(call);
		close(fd);
		return;
	}
	call->control = control;
	call->fd = fd;
	buffer_init(&call->in, REQUEST_MAX_BYTES + 32 * 1024);
	buffer_init(&call->out, ANSWER_MAX_BYTES);
	call->in.secret = call->out.secret = true; /* new keys are told here */
	call->next = control->first;
	control->first = call;
	control->connections++;
}

static int open_socket(struct control *control, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	mode_t mask;
	int r;

	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	control->path = strdup(path);
	control->listen_fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (!control->path || control->listen_fd < 0)
		return control->path ? -errno : -ENOMEM;
	unlink(path);
	mask = umask(0117);
	r = bind(control->listen_fd, (struct sockaddr *)&address, sizeof(address));
	umask(mask);
	if (r < 0 || listen(control->listen_fd, 16) < 0)
		return -errno;
	return loop_io_new(control->loop, control->listen_fd, LOOP_READABLE, on_connect, control, &control->listen_io);
}

/* What JSON was made of may have been a key. */
static void wipe_and_free(void *memory)
{
	if (memory)
		explicit_bzero(memory, malloc_usable_size(memory));
	free(memory);
}

int control_new(struct loop *loop, const char *path, const struct control_command *commands,
		bool (*turn_away)(void *arg, pid_t pid), void *arg, struct control **ret_control)
{
	struct control *control = calloc(1, sizeof(*control));
	int r;

	if (!control)
		return -ENOMEM;
	json_set_alloc_funcs(malloc, wipe_and_free);
	control->loop = loop;
	control->commands = commands;
	control->turn_away = turn_away;
	control->arg = arg;
	control->listen_fd = -1;
	r = open_socket(control, path);
	if (r < 0) {
		control_free(control);
		return r;
	}
	*ret_control = control;
	return 0;
}

void control_free(struct control *control)
{
	if (!control)
		return;
	while (control->first)
		call_free(control->first);
	loop_io_free(control->listen_io);
	if (control->listen_fd >= 0) {
		close(control->listen_fd);
		unlink(control->path);
	}
	free(control->path);
	free(control);
}
