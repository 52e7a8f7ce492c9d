/* SPDX-License-Identifier: Apache-2.0 */
#include "core/instance.h"

#include <errno.h>
#include <fcntl.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include "base/bytes.h"

enum { OUT_LIMIT_BYTES = 16 * 1024 * 1024, PATH_TEXT = 512, LAST_WORDS_MS = 200 };

/* Nothing of our environment reaches an endpoint, but what a build with sanitizers needs. */
static const char *const kept_environment[] = {"ASAN_OPTIONS", "UBSAN_OPTIONS", "TSAN_OPTIONS", "LSAN_OPTIONS", "TZ"};

static const char *const state_names[] = {"waiting", "starting", "joined", "running", "stopping", "stopped"};

void instance_set_state(struct instance *instance, enum instance_state state)
{
	instance->state = state;
	instance->since_us = loop_now_us(instance->supervisor->loop);
}

pid_t instance_lock_holder(const char *run_dir, const char *file_name)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	char path[PATH_TEXT];
	CLEANUP_CLOSE int fd = -1;

	if (snprintf(path, sizeof(path), "%s/%s", run_dir, file_name) >= (int)sizeof(path))
		return 0;
	fd = open(path, O_RDWR | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	if (fd < 0 || fcntl(fd, F_GETLK, &lock) < 0 || lock.l_type == F_UNLCK)
		return 0;
	return lock.l_pid > 0 ? lock.l_pid : 0;
}

static void on_process_exit(void *arg, int fd, uint32_t ready)
{
	struct instance *instance = arg;
	siginfo_t info = {.si_code = 0};

	(void)ready;
	if (waitid(P_PIDFD, (id_t)fd, &info, WEXITED | WNOHANG) == 0 && info.si_pid != 0) {
		if (info.si_code == CLD_EXITED && info.si_status == 0)
			instance->problem[0] = 0;
		else if (!instance->problem[0])
			snprintf(instance->problem, sizeof(instance->problem), "%s %d",
				 info.si_code == CLD_EXITED ? "ended with status" : "killed by signal", info.si_status);
	}
	instance->pid = 0;
	supervisor_on_exit(instance);
}

static void forget_process(struct instance *instance)
{
	loop_io_free(instance->pid_io);
	instance->pid_io = NULL;
	if (instance->pid_fd >= 0)
		close(instance->pid_fd);
	instance->pid_fd = -1;
	instance->pid = 0;
}

/* Watches the process, ours or adopted. */
static int watch_process(struct instance *instance, pid_t pid)
{
	instance->pid_fd = pidfd_open(pid, 0); /* close-on-exec by itself */
	if (instance->pid_fd < 0)
		return -errno;
	instance->pid = pid;
	return loop_io_new(instance->supervisor->loop, instance->pid_fd, LOOP_READABLE, on_process_exit, instance,
			   &instance->pid_io);
}

static void lock_file_name(const struct instance *instance, char name[FRAME_NAME_MAX + 40])
{
	snprintf(name, FRAME_NAME_MAX + 40, "endpoint-%s-%u.lock", instance->endpoint, instance->worker);
}

static int spawn(struct instance *instance, pid_t *ret_pid)
{
	const struct supervisor_settings *settings = &instance->supervisor->settings;
	char name[FRAME_NAME_MAX + 40], lock[PATH_TEXT], worker[16];
	char *env[sizeof(kept_environment) / sizeof(kept_environment[0]) + 1] = {NULL};
	char *text[sizeof(kept_environment) / sizeof(kept_environment[0])] = {NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;
	size_t n = 0;
	int r;

	lock_file_name(instance, name);
	snprintf(lock, sizeof(lock), "%s/%s", settings->run_dir, name);
	snprintf(worker, sizeof(worker), "%u", instance->worker);
	for (size_t i = 0; i < sizeof(kept_environment) / sizeof(kept_environment[0]); i++) {
		const char *value = getenv(kept_environment[i]);

		if (value && asprintf(&text[n], "%s=%s", kept_environment[i], value) >= 0) {
			env[n] = text[n];
			n++;
		}
	}
	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawnattr_init(&attributes);
	sigemptyset(&none);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	{
		const char *const argv[] = {settings->program,
					    "--endpoint",
					    instance->endpoint,
					    "--worker",
					    worker,
					    "--core",
					    instance->supervisor->socket_path,
					    "--lock",
					    lock,
					    "--adapters",
					    settings->adapter_dir,
					    NULL};

		/* The strings are not written to: posix_spawn's prototype is older than const. */
		r = -posix_spawn(ret_pid, settings->program, &actions, &attributes, (char *const *)(uintptr_t)argv,
				 env);
	}
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	while (n > 0)
		free(text[--n]);
	return r;
}

/* It ends, and another one starts when it has. */
static void send_away(struct instance *instance)
{
	log_fields_write(LOG_LEVEL_INFO, &(struct log_fields){.endpoint = instance->endpoint},
			 "worker %u still runs as process %d, with other code than is installed: it ends",
			 instance->worker, instance->pid);
	loop_io_free(instance->pid_io);
	instance->pid_io = NULL;
	leaving_ask(instance->supervisor, instance->pid, instance->pid_fd);
	instance->pid_fd = -1;
	instance->pid = 0;
}

/* Watches the living holder of the lock file. Errors: -ESRCH: there is none; -EBUSY: it has been told to end. */
static int adopt(struct instance *instance)
{
	const char *run_dir = instance->supervisor->settings.run_dir;
	char name[FRAME_NAME_MAX + 40];
	pid_t pid;
	int r;

	lock_file_name(instance, name);
	pid = instance_lock_holder(run_dir, name);
	if (leaving_has(instance->supervisor, pid))
		return -EBUSY;
	r = pid > 0 ? watch_process(instance, pid) : -ESRCH;
	if (r < 0)
		return r;
	if (instance_lock_holder(run_dir, name) != pid) { /* it ended, and its number may be another's by now */
		forget_process(instance);
		return -ESRCH;
	}
	if (!instance_take_code(instance)) {
		send_away(instance);
		return -EBUSY;
	}
	log_fields_write(LOG_LEVEL_INFO, &(struct log_fields){.endpoint = instance->endpoint},
			 "worker %u still runs as process %d, waiting for it to join", instance->worker, pid);
	return 0;
}

int instance_begin(struct instance *instance)
{
	pid_t pid = 0;
	int r = adopt(instance);

	if (r == -ESRCH) {
		instance_keep_code(instance);
		r = spawn(instance, &pid);
		if (r >= 0)
			r = watch_process(instance, pid);
		if (r < 0 && instance->pid == 0 && pid > 0)
			kill(pid, SIGKILL);
	}
	if (r < 0)
		return r;
	instance->pong_us = loop_now_us(instance->supervisor->loop);
	instance->ping_us = 0;
	instance_set_state(instance, INSTANCE_STARTING);
	return 0;
}

static int on_hello(struct instance *instance, const struct frame_hello *hello)
{
	if (hello->version != FRAME_VERSION || !bytes_equal(hello->endpoint, bytes_text(instance->endpoint)) ||
	    hello->worker != instance->worker) {
		struct frame refused = {.type = FRAME_REFUSED,
					.text = {bytes_text("not the endpoint or the version that was expected")}};

		if (link_send(instance->link, &refused) >= 0)
			link_flush(instance->link, 100);
		supervisor_kill(instance, "is of another version of tidegate");
		return 0;
	}
	instance->state = INSTANCE_JOINED; /* the time that it has to start runs on */
	return instance->supervisor->events->configure(instance->supervisor->arg, instance);
}

static int on_frame(void *arg, const struct frame *frame, int fd)
{
	struct instance *instance = arg;
	const struct supervisor *supervisor = instance->supervisor;

	if (fd >= 0) {
		close(fd); /* no endpoint has anything to give */
		return -EBADMSG;
	}
	instance->pong_us = loop_now_us(supervisor->loop);
	if (instance->state == INSTANCE_STARTING)
		return frame->type == FRAME_HELLO ? on_hello(instance, &frame->hello) : -EPROTO;
	switch (frame->type) {
	case FRAME_STARTED:
		if (instance->state != INSTANCE_JOINED)
			return -EPROTO;
		instance_set_state(instance, INSTANCE_RUNNING);
		supervisor_on_running(instance);
		return 0;
	case FRAME_FAILED:
		snprintf(instance->problem, sizeof(instance->problem), "%.*s", BYTES_ARG(frame->text.text));
		return 0;
	case FRAME_PONG:
	case FRAME_STOPPED:
		return 0;
	case FRAME_HELLO:
		return -EPROTO;
	default:
		return supervisor->events->frame(supervisor->arg, instance, frame);
	}
}

static void on_link_closed(void *arg, int reason)
{
	struct instance *instance = arg;

	link_free(instance->link);
	instance->link = NULL;
	supervisor_on_link_closed(instance, reason);
}

int instance_join(struct instance *instance, int fd)
{
	instance->generation++;
	return link_new(instance->supervisor->loop, fd, OUT_LIMIT_BYTES, on_frame, on_link_closed, instance,
			&instance->link);
}

void instance_end(struct instance *instance)
{
	link_free(instance->link);
	instance->link = NULL;
	if (instance->pid > 0 && instance->pid_fd >= 0) {
		loop_io_free(instance->pid_io);
		instance->pid_io = NULL;
		pidfd_send_signal(instance->pid_fd, SIGKILL, NULL, 0);
		if (leaving_new(instance->supervisor, instance->pid, instance->pid_fd, 0) < 0)
			log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.endpoint = instance->endpoint},
					 "a killed process cannot be waited for (out of memory)");
		instance->pid_fd = -1;
	}
	forget_process(instance);
}

void instance_part(struct instance *instance)
{
	if (instance->link)
		link_flush(instance->link, LAST_WORDS_MS);
	link_free(instance->link);
	instance->link = NULL;
	forget_process(instance);
}

void instance_free(struct instance *instance)
{
	if (!instance)
		return;
	instance_end(instance);
	free(instance->endpoint);
	free(instance);
}

int instance_send(struct instance *instance, const struct frame *frame)
{
	return instance->link ? link_send(instance->link, frame) : -ENOTCONN;
}

bool instance_is_behind(const struct instance *instance)
{
	return instance->link && link_pending(instance->link) > OUT_LIMIT_BYTES / 2;
}

int instance_send_fd(struct instance *instance, const struct frame *frame, int fd)
{
	if (instance->link)
		return link_send_fd(instance->link, frame, fd);
	close(fd);
	return -ENOTCONN;
}

uint32_t instance_id(const struct instance *instance)
{
	return instance->id;
}

uint32_t instance_generation(const struct instance *instance)
{
	return instance->generation;
}

const char *instance_endpoint(const struct instance *instance)
{
	return instance->endpoint;
}

unsigned instance_worker(const struct instance *instance)
{
	return instance->worker;
}

bool instance_is_configured(const struct instance *instance)
{
	return instance->state == INSTANCE_JOINED || instance->state == INSTANCE_RUNNING;
}

enum instance_state instance_state(const struct instance *instance)
{
	return instance->state;
}

const char *instance_state_name(const struct instance *instance)
{
	return state_names[instance->state];
}

pid_t instance_pid(const struct instance *instance)
{
	return instance->pid;
}

unsigned instance_restarts(const struct instance *instance)
{
	return instance->restarts;
}

const char *instance_problem(const struct instance *instance)
{
	return instance->problem;
}

void *instance_user(const struct instance *instance)
{
	return instance->user;
}

void instance_set_user(struct instance *instance, void *user)
{
	instance->user = user;
}
