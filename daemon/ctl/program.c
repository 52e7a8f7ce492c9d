/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/program.h"

#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"

extern char **environ;

/* Starts the program with its output in a pipe. Returns the pipe, or -1. */
static int begin(char *const *command, bool errors, pid_t *ret_pid)
{
	posix_spawn_file_actions_t actions;
	int fds[2], r;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -1;
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, fds[1], 1);
	if (errors)
		posix_spawn_file_actions_adddup2(&actions, fds[1], 2);
	else
		posix_spawn_file_actions_addopen(&actions, 2, "/dev/null", O_WRONLY, 0);
	r = posix_spawnp(ret_pid, command[0], &actions, NULL, command, environ);
	posix_spawn_file_actions_destroy(&actions);
	close(fds[1]);
	if (r == 0)
		return fds[0];
	close(fds[0]);
	return -1;
}

/* 0: it has said all. */
static int collect(int fd, int64_t end_us, char *text, size_t size)
{
	size_t used = 0;
	int r = 0;

	for (;;) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left_ms = (end_us - clock_now_us()) / CLOCK_MS_US;
		ssize_t n = -1;

		if (used == size - 1) {
			r = PROGRAM_TOO_MUCH;
			break;
		}
		if (left_ms > 0 && poll(&wait, 1, (int)left_ms) > 0)
			n = read(fd, text + used, size - 1 - used);
		if (n < 0)
			r = PROGRAM_TOO_LATE;
		if (n <= 0)
			break;
		used += (size_t)n;
	}
	text[used] = '\0';
	return r;
}

int program_run(char *const *command, int timeout_s, bool errors, char *text, size_t size)
{
	int64_t end_us = clock_now_us() + timeout_s * CLOCK_S_US;
	int r, status, fd;
	pid_t pid;

	text[0] = '\0';
	fd = begin(command, errors, &pid);
	if (fd < 0)
		return PROGRAM_NOT_THERE;
	r = collect(fd, end_us, text, size);
	close(fd);
	if (r < 0)
		kill(pid, SIGKILL);
	if (waitpid(pid, &status, 0) != pid)
		return PROGRAM_KILLED;
	if (r < 0)
		return r;
	return WIFEXITED(status) ? WEXITSTATUS(status) : PROGRAM_KILLED;
}
