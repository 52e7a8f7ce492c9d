/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/buffer.h"
#include "base/clock.h"
#include "core/descriptor.h"

enum { COMPLAINT_MAX = 4096 };

enum stream { ANSWER, COMPLAINT, STREAMS };

struct child {
	pid_t pid; /* 0: there is none */
	int fds[STREAMS];
	struct buffer out[STREAMS];
	bool too_long;
	bool late;
	int status;
};

static void set_problem(struct descriptor_request *request, const char *format, ...)
	__attribute__((format(printf, 2, 3)));

static void set_problem(struct descriptor_request *request, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(request->problem, sizeof(request->problem), format, args);
	va_end(args);
}

static int spawn(const char *program, const char *adapter_dir, const char *name, const int write_fds[STREAMS],
		 pid_t *ret_pid)
{
	/* posix_spawn does not write to the arguments, whatever its type says. */
	char *const argv[] = {(char *)(uintptr_t)program,     (char *)(uintptr_t) "--describe",
			      (char *)(uintptr_t)name,        (char *)(uintptr_t) "--adapters",
			      (char *)(uintptr_t)adapter_dir, NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int r;

	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	r = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, write_fds[ANSWER], STDOUT_FILENO);
	if (r == 0)
		r = posix_spawn_file_actions_adddup2(&actions, write_fds[COMPLAINT], STDERR_FILENO);
	if (r == 0)
		r = posix_spawn(ret_pid, program, &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return -r;
}

static int start(const char *program, const char *adapter_dir, const char *name, struct child *child)
{
	int pipes[STREAMS][2] = {{-1, -1}, {-1, -1}}, write_fds[STREAMS];
	int r = 0;

	*child = (struct child){.fds = {-1, -1}};
	buffer_init(&child->out[ANSWER], DESCRIPTOR_ANSWER_MAX);
	buffer_init(&child->out[COMPLAINT], COMPLAINT_MAX);
	for (int i = 0; i < STREAMS && r >= 0; i++) {
		r = pipe2(pipes[i], O_CLOEXEC) < 0 ? -errno : 0;
		child->fds[i] = pipes[i][0];
		write_fds[i] = pipes[i][1];
		if (r >= 0 && fcntl(pipes[i][0], F_SETFL, O_NONBLOCK) < 0)
			r = -errno;
	}
	if (r >= 0)
		r = spawn(program, adapter_dir, name, write_fds, &child->pid);
	if (r < 0)
		child->pid = 0;
	for (int i = 0; i < STREAMS; i++)
		cleanup_close(&pipes[i][1]);
	return r;
}

static void close_stream(struct child *child, enum stream stream)
{
	cleanup_close(&child->fds[stream]);
	child->fds[stream] = -1;
}

/* Takes what is there. A complaint that is too long is cut, an answer that is too long is no answer. */
static void receive(struct child *child, enum stream stream)
{
	char bytes[4096];
	ssize_t n = read(child->fds[stream], bytes, sizeof(bytes));

	if (n < 0 && (errno == EINTR || errno == EAGAIN))
		return;
	if (n > 0 && buffer_append(&child->out[stream], bytes, (size_t)n) >= 0)
		return;
	if (n > 0 && stream == COMPLAINT)
		return;
	child->too_long = child->too_long || n > 0;
	close_stream(child, stream);
}

static bool receive_some(struct child *children, size_t count, int64_t until_us)
{
	CLEANUP_FREE struct pollfd *fds = calloc(count * STREAMS, sizeof(*fds));
	int64_t left_us = until_us - clock_now_us();
	nfds_t open = 0;

	if (!fds || left_us <= 0)
		return false;
	for (size_t i = 0; i < count * STREAMS; i++) {
		fds[i] = (struct pollfd){.fd = children[i / STREAMS].fds[i % STREAMS], .events = POLLIN};
		open += fds[i].fd >= 0;
	}
	if (open == 0)
		return false;
	if (poll(fds, count * STREAMS, (int)(left_us / CLOCK_MS_US) + 1) <= 0)
		return true;
	for (size_t i = 0; i < count * STREAMS; i++)
		if (fds[i].fd >= 0 && fds[i].revents)
			receive(&children[i / STREAMS], (enum stream)(i % STREAMS));
	return true;
}

/* Waits for the end of a child that has closed its streams. */
static bool ends_in_time(pid_t pid, int64_t until_us)
{
	CLEANUP_CLOSE int fd = pidfd_open(pid, 0);
	int64_t left_us = until_us - clock_now_us();
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return fd >= 0 && poll(&pollfd, 1, left_us > 0 ? (int)(left_us / CLOCK_MS_US) + 1 : 0) > 0;
}

/* Everything was read, or it is too late: the child, and what it may have started, is no longer needed. */
static void end(struct child *child, int64_t until_us)
{
	child->late = child->fds[ANSWER] >= 0 || child->fds[COMPLAINT] >= 0;
	for (int i = 0; i < STREAMS; i++)
		close_stream(child, (enum stream)i);
	if (child->pid == 0)
		return;
	child->late = child->late || (!child->too_long && !ends_in_time(child->pid, until_us));
	if (child->late || child->too_long)
		kill(-child->pid, SIGKILL);
	while (waitpid(child->pid, &child->status, 0) < 0 && errno == EINTR)
		;
}

/* The first line of what it complained about. */
static void first_line(struct child *child, char *ret_text, size_t size)
{
	size_t length = buffer_size(&child->out[COMPLAINT]);
	const uint8_t *from = length ? buffer_data(&child->out[COMPLAINT]) : NULL;
	size_t i = 0;

	for (; i < length && i + 1 < size && from[i] >= 0x20 && from[i] < 0x7f; i++)
		ret_text[i] = (char)from[i];
	ret_text[i] = '\0';
}

static void conclude(struct descriptor_request *request, struct child *child)
{
	struct tg_bytes answer = {0};
	char line[160];
	int r;

	first_line(child, line, sizeof(line));
	if (request->problem[0])
		return;
	if (child->too_long)
		set_problem(request, "its answer is longer than %d KiB", DESCRIPTOR_ANSWER_MAX / 1024);
	else if (child->late)
		set_problem(request, "does not answer in time");
	else if (WIFSIGNALED(child->status))
		set_problem(request, "cannot be described (killed by signal %d%s%s)", WTERMSIG(child->status),
			    *line ? ": " : "", line);
	else if (WEXITSTATUS(child->status) != 0)
		set_problem(request, "cannot be described (%s)", *line ? line : "no reason given");
	else {
		if (buffer_size(&child->out[ANSWER]) > 0)
			answer = bytes_of_buffer(&child->out[ANSWER]);
		r = descriptor_parse(request->name, answer, &request->descriptor, request->problem);
		if (r < 0 && !request->problem[0])
			set_problem(request, "cannot be described (%s)", strerror(-r));
	}
}

void descriptor_fetch(const char *program, const char *adapter_dir, struct descriptor_request *requests, size_t count,
		      int timeout_ms)
{
	CLEANUP_FREE struct child *children = calloc(count ? count : 1, sizeof(*children));
	int64_t until_us = clock_now_us() + timeout_ms * CLOCK_MS_US;
	int r;

	for (size_t i = 0; i < count; i++) {
		requests[i].descriptor = NULL;
		requests[i].problem[0] = '\0';
		r = children ? start(program, adapter_dir, requests[i].name, &children[i]) : -ENOMEM;
		if (r < 0)
			set_problem(&requests[i], "cannot be described (\"%.100s\": %s)", program, strerror(-r));
	}
	while (children && receive_some(children, count, until_us))
		;
	for (size_t i = 0; children && i < count; i++) {
		end(&children[i], until_us);
		conclude(&requests[i], &children[i]);
		for (int j = 0; j < STREAMS; j++)
			buffer_done(&children[i].out[j]);
	}
}
