/* SPDX-License-Identifier: Apache-2.0 */
#include <dirent.h>
#include <errno.h>
#include <fnmatch.h>
#include <poll.h>
#include <signal.h>
#include <sys/pidfd.h>
#include <sys/wait.h>
#include <utlist.h>

#include "base/clock.h"
#include "core/instance.h"

/* How long a process of an earlier core may take to end when it is asked to. */
#define LEAVE_US (5 * CLOCK_S_US)

/* A process in uninterruptible sleep ends when its disk answers: nobody waits for that in the loop. */
static void on_exit_of(void *arg, int fd, uint32_t ready)
{
	siginfo_t info;

	(void)ready;
	(void)!waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG); /* not a child of ours: ECHILD */
	leaving_free(arg);
}

int leaving_new(struct supervisor *supervisor, pid_t pid, int pid_fd, int64_t kill_at_us)
{
	struct leaving *leaving = calloc(1, sizeof(*leaving));
	int r;

	if (!leaving) {
		close(pid_fd);
		return -ENOMEM;
	}
	leaving->supervisor = supervisor;
	leaving->pid = pid;
	leaving->pid_fd = pid_fd;
	leaving->kill_at_us = kill_at_us;
	DL_APPEND(supervisor->leaving, leaving);
	r = loop_io_new(supervisor->loop, pid_fd, LOOP_READABLE, on_exit_of, leaving, &leaving->io);
	if (r < 0)
		leaving_free(leaving);
	return r;
}

void leaving_free(struct leaving *leaving)
{
	DL_DELETE(leaving->supervisor->leaving, leaving);
	loop_io_free(leaving->io);
	close(leaving->pid_fd);
	free(leaving);
}

bool leaving_has(const struct supervisor *supervisor, pid_t pid)
{
	const struct leaving *leaving;

	DL_FOREACH (supervisor->leaving, leaving) {
		if (leaving->pid == pid)
			return true;
	}
	return false;
}

void leaving_await(struct supervisor *supervisor, int timeout_ms)
{
	int64_t end_us = clock_now_us() + timeout_ms * CLOCK_MS_US, left_us;

	while (supervisor->leaving && (left_us = end_us - clock_now_us()) > 0) {
		struct pollfd gone = {.fd = supervisor->leaving->pid_fd, .events = POLLIN};

		if (supervisor->leaving->kill_at_us == 0)
			(void)!poll(&gone, 1, (int)(left_us / CLOCK_MS_US) + 1);
		if (gone.revents)
			on_exit_of(supervisor->leaving, gone.fd, LOOP_READABLE);
		else
			leaving_free(supervisor->leaving);
	}
	while (supervisor->leaving)
		leaving_free(supervisor->leaving);
}

void leaving_watch_over(struct supervisor *supervisor, int64_t now_us)
{
	struct leaving *leaving;

	DL_FOREACH (supervisor->leaving, leaving) {
		if (leaving->kill_at_us == 0 || now_us < leaving->kill_at_us)
			continue;
		leaving->kill_at_us = 0;
		pidfd_send_signal(leaving->pid_fd, SIGKILL, NULL, 0);
	}
}

void leaving_ask(struct supervisor *supervisor, pid_t pid, int pid_fd)
{
	pidfd_send_signal(pid_fd, SIGTERM, NULL, 0);
	if (leaving_new(supervisor, pid, pid_fd, loop_now_us(supervisor->loop) + LEAVE_US) < 0)
		log_warning("process %d cannot be waited for (out of memory)", pid);
}

void supervisor_end_strangers(struct supervisor *supervisor)
{
	DIR *dir = opendir(supervisor->settings.run_dir);
	const struct dirent *entry;

	if (!dir)
		return;
	while ((entry = readdir(dir))) {
		pid_t pid;
		int fd;

		if (fnmatch("endpoint-*.lock", entry->d_name, FNM_PERIOD) != 0)
			continue;
		pid = instance_lock_holder(supervisor->settings.run_dir, entry->d_name);
		if (pid <= 0 || supervisor_owns(supervisor, pid))
			continue;
		fd = pidfd_open(pid, 0);
		if (fd < 0)
			continue;
		/* The lock may have gone with its process in between, and the number to another one. */
		if (instance_lock_holder(supervisor->settings.run_dir, entry->d_name) == pid) {
			log_info("process %d belongs to no endpoint any more, ending it", pid);
			leaving_ask(supervisor, pid, fd);
		} else {
			close(fd);
		}
	}
	closedir(dir);
}
