/* SPDX-License-Identifier: Apache-2.0 */
#include "device_rig.h"

#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

enum { WAIT_MS = 60000, ARGUMENTS_MAX = 24, OUTPUT_MAX = 1 << 22 };

struct device {
	pid_t pid;
	int in;  /* its standard input */
	int out; /* its standard output, never waited for */
	char *output;
	size_t size;
	size_t seen; /* all before was waited for */
};

static void run(const char *identity, const char *const *more, const int in[2], const int out[2])
{
	char program[512], port[8], key[2 * sizeof(RIG_KEY)];
	const char *list[ARGUMENTS_MAX] = {program, "--port", port, "--identity", identity, "--key", key};
	const char *build = getenv("TG_BUILD");
	int at = 7;

	snprintf(program, sizeof(program), "%s/tests/integration/device", build ? build : ".");
	for (size_t i = 0; i < strlen(RIG_KEY); i++)
		snprintf(key + 2 * i, 3, "%02x", RIG_KEY[i]);
	while (more && *more && at < ARGUMENTS_MAX - 1)
		list[at++] = *more++;
	snprintf(port, sizeof(port), "%u", rig_port(0));
	dup2(in[0], STDIN_FILENO);
	dup2(out[1], STDOUT_FILENO);
	closefrom(3); /* the gateway's sockets are not its own */
	execv(program, (char **)(uintptr_t)list);
	_exit(127);
}

struct device *device_begin(const char *identity, const char *const *more)
{
	struct device *device = calloc(1, sizeof(*device));
	int in[2], out[2];

	ck_assert_ptr_nonnull(device);
	device->output = calloc(1, OUTPUT_MAX);
	ck_assert_ptr_nonnull(device->output);
	ck_assert_int_eq(pipe2(in, O_CLOEXEC), 0);
	ck_assert_int_eq(pipe2(out, O_CLOEXEC), 0);
	device->pid = fork();
	ck_assert_int_ge(device->pid, 0);
	if (device->pid == 0)
		run(identity, more, in, out);
	close(in[0]);
	close(out[1]);
	device->in = in[1];
	device->out = out[0];
	ck_assert_int_eq(fcntl(device->out, F_SETFL, O_NONBLOCK), 0);
	device_wait(device, "\"connected\"");
	return device;
}

void device_end(struct device *device)
{
	pid_t gone = 0;
	int status = 0;

	close(device->in);
	ck_assert(MOCK_UNTIL(rig, gone || (gone = waitpid(device->pid, &status, WNOHANG)), WAIT_MS));
	ck_assert_int_eq(status, 0);
	close(device->out);
	free(device->output);
	free(device);
}

void device_tell(struct device *device, const char *line)
{
	size_t size = strlen(line);

	ck_assert_int_eq(write(device->in, line, size), (ssize_t)size);
	ck_assert_int_eq(write(device->in, "\n", 1), 1);
}

void device_read(struct device *device)
{
	ssize_t r;

	while ((r = read(device->out, device->output + device->size, OUTPUT_MAX - 1 - device->size)) > 0)
		device->size += (size_t)r;
	ck_assert_msg(r < 0 && errno == EAGAIN, "the device has ended: %s", device->output);
}

/* The whole line with `text`, terminated, or NULL. */
static const char *find(struct device *device, const char *text)
{
	static char line[1 << 18];
	char *begin = device->output + device->seen, *end;

	for (; (end = strchr(begin, '\n')); begin = end + 1) {
		snprintf(line, sizeof(line), "%.*s", (int)(end - begin), begin);
		if (!strstr(line, text))
			continue;
		device->seen = (size_t)(end + 1 - device->output);
		return line;
	}
	return NULL;
}

const char *device_wait(struct device *device, const char *text)
{
	const char *line = NULL;

	ck_assert_msg(MOCK_UNTIL(rig, (device_read(device), line || (line = find(device, text))), WAIT_MS),
		      "waited for %s; behind what was waited for: %s", text, device->output + device->seen);
	return line;
}

unsigned device_count(struct device *device, const char *text)
{
	unsigned count = 0;

	device_read(device);
	for (const char *at = device->output; (at = strstr(at, text)); at += strlen(text))
		count++;
	return count;
}
