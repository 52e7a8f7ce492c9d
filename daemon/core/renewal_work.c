/* SPDX-License-Identifier: Apache-2.0 */
#include "core/renewal_work.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/pidfd.h>
#include <sys/wait.h>

#include "base/buffer.h"

enum { SAID_MAX = 16 * 1024, HIGH_FD = 64, ENVIRONMENT = 8 };

struct renewal_work {
	pid_t pid;
	int pid_fd;
	int said_fd;
	struct loop_io *end_io, *said_io;
	struct loop_timer *deadline;
	struct buffer said;
	bool late;
	renewal_work_fn *done;
	void *arg;
};

static const char *const kept_environment[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "LSAN_OPTIONS", "TZ"};

static void free_environment(char *environment[ENVIRONMENT])
{
	for (unsigned i = 0; i < ENVIRONMENT; i++)
		free(environment[i]);
}

/* An operator's program finds its tools and learns for whom it works; ours needs nothing. */
static int make_environment(const struct renewal_order *order, char *ret_environment[ENVIRONMENT])
{
	unsigned n = 0;
	int r = 0;

	for (unsigned i = 0; i < sizeof(kept_environment) / sizeof(kept_environment[0]) && r >= 0; i++) {
		const char *value = getenv(kept_environment[i]);

		if (value)
			r = asprintf(&ret_environment[n++], "%s=%s", kept_environment[i], value);
	}
	if (order->endpoint && r >= 0)
		r = asprintf(&ret_environment[n++],
			     "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin");
	if (order->endpoint && r >= 0)
		r = asprintf(&ret_environment[n++], "TIDEGATE_ENDPOINT=%s", order->endpoint);
	if (order->endpoint && r >= 0)
		r = asprintf(&ret_environment[n++], "HOME=%s", order->folder ? order->folder : "/");
	if (r < 0)
		ret_environment[n - 1] = NULL;
	return r < 0 ? -ENOMEM : 0;
}

/* An unnamed file: a pipe could block whoever writes first. */
static int make_input(struct tg_bytes input)
{
	int fd = memfd_create("job", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	if (write(fd, input.size ? input.data : "", input.size) != (ssize_t)input.size || lseek(fd, 0, SEEK_SET) < 0) {
		close(fd);
		return -EIO;
	}
	return fd;
}

/* Copies with high numbers, so that none is overwritten before it is used. */
static int set_files(posix_spawn_file_actions_t *actions, const struct renewal_order *order, int input_fd, int said_fd,
		     int ret_copies[RENEWAL_WORK_FILES])
{
	int r = posix_spawn_file_actions_adddup2(actions, input_fd, STDIN_FILENO);

	if (r == 0)
		r = posix_spawn_file_actions_adddup2(actions, said_fd, STDOUT_FILENO);
	if (r == 0 && order->errors_too)
		r = posix_spawn_file_actions_adddup2(actions, said_fd, STDERR_FILENO);
	for (unsigned i = 0; i < order->n_files && r == 0; i++) {
		ret_copies[i] = fcntl(order->files[i], F_DUPFD_CLOEXEC, HIGH_FD);
		r = ret_copies[i] < 0
			    ? errno
			    : posix_spawn_file_actions_adddup2(actions, ret_copies[i], RENEWAL_WORK_FIRST_FD + (int)i);
	}
	if (r == 0)
		r = posix_spawn_file_actions_addclosefrom_np(actions, RENEWAL_WORK_FIRST_FD + (int)order->n_files);
	if (r == 0 && order->folder)
		r = posix_spawn_file_actions_addchdir_np(actions, order->folder);
	return -r;
}

static int spawn_with(const struct renewal_order *order, posix_spawn_file_actions_t *actions, pid_t *ret_pid)
{
	char *environment[ENVIRONMENT] = {NULL};
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int r = make_environment(order, environment);

	sigemptyset(&none);
	sigfillset(&defaults);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setpgroup(&attributes, 0);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP | POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	/* The strings are not written to: posix_spawn's prototype is older than const. */
	if (r >= 0)
		r = -posix_spawn(ret_pid, order->argv[0], actions, &attributes, (char *const *)(uintptr_t)order->argv,
				 environment);
	posix_spawnattr_destroy(&attributes);
	free_environment(environment);
	return r;
}

static int spawn(const struct renewal_order *order, int said_fd, pid_t *ret_pid)
{
	CLEANUP_CLOSE int input_fd = make_input(order->input);
	int copies[RENEWAL_WORK_FILES];
	posix_spawn_file_actions_t actions;
	int r;

	if (input_fd < 0)
		return input_fd;
	for (unsigned i = 0; i < RENEWAL_WORK_FILES; i++)
		copies[i] = -1;
	posix_spawn_file_actions_init(&actions);
	r = set_files(&actions, order, input_fd, said_fd, copies);
	if (r >= 0)
		r = spawn_with(order, &actions, ret_pid);
	posix_spawn_file_actions_destroy(&actions);
	for (unsigned i = 0; i < RENEWAL_WORK_FILES; i++)
		cleanup_close(&copies[i]);
	return r;
}

/* Takes what is there; where it is too much, only the end is kept. Returns whether there was something. */
static bool receive(struct renewal_work *work)
{
	char bytes[4096];
	ssize_t n = read(work->said_fd, bytes, sizeof(bytes));

	if (n > 0 && buffer_append(&work->said, bytes, (size_t)n) < 0)
		buffer_consume(&work->said, buffer_size(&work->said)); /* the end says why it failed */
	return n > 0;
}

static void on_said(void *arg, int fd, uint32_t ready)
{
	struct renewal_work *work = arg;

	(void)fd;
	(void)ready;
	if (receive(work))
		return;
	loop_io_free(work->said_io);
	work->said_io = NULL;
}

static void free_parts(struct renewal_work *work)
{
	loop_io_free(work->end_io);
	loop_io_free(work->said_io);
	loop_timer_free(work->deadline);
	if (work->pid_fd >= 0)
		close(work->pid_fd);
	if (work->said_fd >= 0)
		close(work->said_fd);
	buffer_done(&work->said);
	free(work);
}

static void on_end(void *arg, int fd, uint32_t ready)
{
	struct renewal_work *work = arg;
	int status = 0;

	(void)fd;
	(void)ready;
	kill(-work->pid, SIGKILL); /* what it may have left behind; the number is its own until it was waited for */
	if (waitpid(work->pid, &status, WNOHANG) != work->pid)
		return;
	work->pid = 0;
	while (work->said_io && receive(work))
		;
	work->done(work->arg, work->late ? -ETIME : status, bytes_of_buffer(&work->said));
	free_parts(work);
}

static void on_deadline(void *arg)
{
	struct renewal_work *work = arg;

	work->late = true;
	kill(-work->pid, SIGKILL);
	pidfd_send_signal(work->pid_fd, SIGKILL, NULL, 0);
}

static int watch(struct loop *loop, struct renewal_work *work, int64_t time_us)
{
	int r;

	work->pid_fd = pidfd_open(work->pid, 0);
	if (work->pid_fd < 0)
		return -errno;
	r = loop_io_new(loop, work->pid_fd, LOOP_READABLE, on_end, work, &work->end_io);
	if (r >= 0)
		r = loop_io_new(loop, work->said_fd, LOOP_READABLE, on_said, work, &work->said_io);
	if (r >= 0)
		r = loop_timer_new(loop, on_deadline, work, &work->deadline);
	if (r >= 0)
		loop_timer_set(work->deadline, loop_now_us(loop) + time_us);
	return r;
}

int renewal_work_new(struct loop *loop, const struct renewal_order *order, renewal_work_fn *done, void *arg,
		     struct renewal_work **ret_work)
{
	struct renewal_work *work = calloc(1, sizeof(*work));
	int pipes[2] = {-1, -1}, r;

	if (!work)
		return -ENOMEM;
	*work = (struct renewal_work){.pid_fd = -1, .said_fd = -1, .done = done, .arg = arg};
	buffer_init(&work->said, SAID_MAX);
	r = pipe2(pipes, O_CLOEXEC) < 0 ? -errno : 0;
	work->said_fd = pipes[0];
	if (r >= 0 && fcntl(pipes[0], F_SETFL, O_NONBLOCK) < 0)
		r = -errno;
	if (r >= 0)
		r = spawn(order, pipes[1], &work->pid);
	if (pipes[1] >= 0)
		close(pipes[1]);
	if (r < 0)
		work->pid = 0;
	else
		r = watch(loop, work, order->time_us);
	if (r < 0) {
		renewal_work_free(work);
		return r;
	}
	*ret_work = work;
	return 0;
}

void renewal_work_free(struct renewal_work *work)
{
	if (!work)
		return;
	if (work->pid > 0) {
		kill(-work->pid, SIGKILL);
		kill(work->pid, SIGKILL);
		waitpid(work->pid, NULL, 0);
	}
	free_parts(work);
}

pid_t renewal_work_pid(const struct renewal_work *work)
{
	return work->pid;
}
