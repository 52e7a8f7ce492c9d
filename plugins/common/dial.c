/* SPDX-License-Identifier: Apache-2.0 */
#include "dial.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

enum { DIAL_STACK_BYTES = 512 * 1024, DIAL_NAME_SIZE = 256 };

/* What both threads hold; freed by whoever lets go last. */
struct dial_job {
	pthread_mutex_t mutex;
	int refs;
	char name[DIAL_NAME_SIZE];
	char port[8];
	int64_t end_us;
	int writing; /* the end of the pipe that wakes the main thread */
	int fd;
	int error;   /* errno, or 0 */
	int look_up; /* of getaddrinfo, or 0 */
};

struct dial {
	const struct tg_host *host;
	dial_done_fn *fn;
	void *arg;
	struct dial_job *job;
	int reading;
	struct tg_watch *watch;
};

static int64_t dial_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static void dial_unref(struct dial_job *job)
{
	int refs;

	pthread_mutex_lock(&job->mutex);
	refs = --job->refs;
	pthread_mutex_unlock(&job->mutex);
	if (refs > 0)
		return;
	if (job->fd >= 0)
		close(job->fd);
	if (job->writing >= 0)
		close(job->writing);
	pthread_mutex_destroy(&job->mutex);
	free(job);
}

/* Waits until the connection stands or `end_us` is over. Returns 0 or a positive errno. */
static int dial_wait(int fd, int64_t end_us)
{
	struct pollfd poller = {.fd = fd, .events = POLLOUT};
	socklen_t size = sizeof(int);
	int error = 0, n = 0;

	do {
		int64_t left_us = end_us - dial_now_us();

		n = poll(&poller, 1, left_us > 0 ? (int)(left_us / 1000) + 1 : 0);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return n == 0 ? ETIMEDOUT : errno;
	return getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size) < 0 ? errno : error;
}

static int dial_one(const struct addrinfo *address, int64_t end_us, int *ret_fd)
{
	int fd = socket(address->ai_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	int error = fd < 0 ? errno : 0;

	if (fd >= 0 && connect(fd, address->ai_addr, address->ai_addrlen) < 0)
		error = errno == EINPROGRESS ? dial_wait(fd, end_us) : errno;
	if (error != 0) {
		if (fd >= 0)
			close(fd);
		return error;
	}
	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
	*ret_fd = fd;
	return 0;
}

/* Each address gets an equal part of the time that is left. */
static void dial_all(struct dial_job *job, const struct addrinfo *addresses)
{
	int left = 0;

	for (const struct addrinfo *a = addresses; a; a = a->ai_next)
		left++;
	for (const struct addrinfo *a = addresses; a && job->fd < 0; a = a->ai_next, left--) {
		int64_t now_us = dial_now_us();

		job->error = dial_one(a, now_us + (job->end_us - now_us) / left, &job->fd);
	}
}

static void *dial_thread(void *arg)
{
	struct dial_job *job = arg;
	const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};
	struct addrinfo *addresses = NULL;

	job->look_up = getaddrinfo(job->name, job->port, &hints, &addresses);
	if (job->look_up == 0) {
		dial_all(job, addresses);
		freeaddrinfo(addresses);
	} else if (job->look_up == EAI_SYSTEM) {
		job->look_up = 0;
		job->error = errno;
	}
	/* Nobody may be there to read it: SIGPIPE is ignored. */
	if (write(job->writing, "", 1) < 0)
		job->error = errno;
	dial_unref(job);
	return NULL;
}

/* In the main thread; that the byte was written says that the thread is done with everything but its reference. */
static void dial_on_done(void *arg, int reading, uint32_t ready)
{
	struct dial *dial = arg;
	struct dial_job *job = dial->job;
	const char *cause = NULL;
	char byte;
	int fd;

	(void)ready;
	if (read(reading, &byte, 1) < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	dial->host->unwatch(dial->watch);
	dial->watch = NULL;
	fd = job->fd;
	job->fd = -1;
	if (job->look_up != 0)
		cause = gai_strerror(job->look_up);
	else if (fd < 0)
		cause = job->error == ETIMEDOUT ? "no answer from the network in time" : strerror(job->error);
	dial->fn(dial->arg, fd, cause);
}

static int dial_start(struct dial_job *job)
{
	pthread_attr_t attributes;
	pthread_t thread;
	sigset_t all, before;
	int r = pthread_attr_init(&attributes);

	if (r != 0)
		return -r;
	pthread_attr_setstacksize(&attributes, DIAL_STACK_BYTES);
	pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	job->refs++;
	r = pthread_create(&thread, &attributes, dial_thread, job);
	if (r != 0)
		job->refs--;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	pthread_attr_destroy(&attributes);
	return -r;
}

static struct dial_job *dial_job_new(const char *name, uint16_t port, int64_t timeout_us, int writing)
{
	struct dial_job *job = calloc(1, sizeof(*job));

	if (!job)
		return NULL;
	pthread_mutex_init(&job->mutex, NULL);
	snprintf(job->name, sizeof(job->name), "%s", name);
	snprintf(job->port, sizeof(job->port), "%u", port);
	job->refs = 1;
	job->end_us = dial_now_us() + timeout_us;
	job->writing = writing;
	job->fd = -1;
	return job;
}

int dial_new(const struct tg_host *host, const char *name, uint16_t port, int64_t timeout_us, dial_done_fn *fn,
	     void *arg, struct dial **ret_dial)
{
	struct dial *dial = calloc(1, sizeof(*dial));
	int ends[2] = {-1, -1};
	int r;

	if (!dial)
		return -ENOMEM;
	*dial = (struct dial){.host = host, .fn = fn, .arg = arg, .reading = -1};
	r = pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0 ? -errno : 0;
	dial->reading = ends[0];
	if (r >= 0) {
		dial->job = dial_job_new(name, port, timeout_us, ends[1]);
		if (!dial->job) {
			close(ends[1]);
			r = -ENOMEM;
		}
	}
	if (r >= 0)
		r = host->watch(host, dial->reading, TG_READABLE, dial_on_done, dial, &dial->watch);
	if (r >= 0)
		r = dial_start(dial->job);
	if (r < 0) {
		dial_free(dial);
		return r;
	}
	*ret_dial = dial;
	return 0;
}

void dial_free(struct dial *dial)
{
	if (!dial)
		return;
	dial->host->unwatch(dial->watch);
	if (dial->reading >= 0)
		close(dial->reading);
	if (dial->job)
		dial_unref(dial->job);
	free(dial);
}
