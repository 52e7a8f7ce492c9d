/* SPDX-License-Identifier: Apache-2.0 */
#include "wire/link.h"

#include <errno.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"

enum { READ_BYTES = 256 * 1024, FLUSH_BYTES = 8 * 1024, FDS_MAX = 32 };

/* A descriptor and the place in the stream that it goes with. */
struct travelling {
	int fd;
	uint64_t at;
};

struct link {
	int fd;
	link_frame_fn *on_frame;
	link_closed_fn *on_closed;
	void *arg;
	struct loop_io *io;
	struct loop_timer *flush;
	struct buffer in;
	struct buffer out;
	uint64_t written; /* bytes, since the beginning */
	struct travelling out_fds[FDS_MAX];
	unsigned n_out_fds;
	int in_fds[FDS_MAX];
	unsigned n_in_fds;
	int ended; /* reason, waiting to be told */
	bool closed;
	bool waiting; /* for the socket to be writable */
	bool *freed;  /* set by link_free while frames are being handed out */
};

static void end(struct link *link, int reason)
{
	if (link->closed)
		return;
	link->closed = true;
	link->ended = reason;
	loop_io_free(link->io);
	link->io = NULL;
	loop_timer_set(link->flush, 1); /* tells from the loop, never from within a call of the owner */
}

static void drop_first_fd(struct link *link)
{
	close(link->out_fds[0].fd);
	link->n_out_fds--;
	memmove(link->out_fds, link->out_fds + 1, link->n_out_fds * sizeof(link->out_fds[0]));
}

/* Writes up to the next byte that a descriptor goes with, and that descriptor with its byte. */
static ssize_t write_some(struct link *link)
{
	struct iovec iov = {.iov_base = link->out.data + link->out.start, .iov_len = buffer_size(&link->out)};
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(sizeof(int))];
	} control;
	struct msghdr msg = {.msg_iov = &iov, .msg_iovlen = 1};
	bool with_fd = false;
	ssize_t n;

	if (link->n_out_fds) {
		uint64_t distance = link->out_fds[0].at - link->written;

		with_fd = distance == 0;
		if (!with_fd && distance < iov.iov_len)
			iov.iov_len = (size_t)distance;
		if (with_fd && link->n_out_fds > 1 && link->out_fds[1].at - link->written < iov.iov_len)
			iov.iov_len = (size_t)(link->out_fds[1].at - link->written);
	}
	if (with_fd) {
		memset(&control, 0, sizeof(control));
		msg.msg_control = &control;
		msg.msg_controllen = sizeof(control);
		CMSG_FIRSTHDR(&msg)->cmsg_level = SOL_SOCKET;
		CMSG_FIRSTHDR(&msg)->cmsg_type = SCM_RIGHTS;
		CMSG_FIRSTHDR(&msg)->cmsg_len = CMSG_LEN(sizeof(int));
		memcpy(CMSG_DATA(CMSG_FIRSTHDR(&msg)), &link->out_fds[0].fd, sizeof(int));
	}
	n = sendmsg(link->fd, &msg, MSG_NOSIGNAL);
	if (n < 0)
		return -errno;
	if (with_fd)
		drop_first_fd(link);
	link->written += (uint64_t)n;
	buffer_consume(&link->out, (size_t)n);
	return n;
}

static void write_out(struct link *link)
{
	while (!link->closed && buffer_size(&link->out)) {
		ssize_t n = write_some(link);

		if (n == -EINTR)
			continue;
		if (n == -EAGAIN) {
			if (!link->waiting)
				loop_io_set(link->io, LOOP_READABLE | LOOP_WRITABLE);
			link->waiting = true;
			return;
		}
		if (n < 0) {
			end(link, n == -EPIPE || n == -ECONNRESET ? 0 : (int)n);
			return;
		}
	}
	if (link->waiting && !link->closed)
		loop_io_set(link->io, LOOP_READABLE);
	link->waiting = false;
}

static void on_flush(void *arg)
{
	struct link *link = arg;

	if (link->closed)
		link->on_closed(link->arg, link->ended);
	else if (!link->waiting)
		write_out(link);
}

static void keep_fds(struct link *link, struct msghdr *msg)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(msg); c; c = CMSG_NXTHDR(msg, c)) {
		size_t n = (c->cmsg_len - CMSG_LEN(0)) / sizeof(int);

		if (c->cmsg_level != SOL_SOCKET || c->cmsg_type != SCM_RIGHTS)
			continue;
		for (size_t i = 0; i < n; i++) {
			int fd;

			memcpy(&fd, CMSG_DATA(c) + i * sizeof(int), sizeof(int));
			if (link->n_in_fds < FDS_MAX)
				link->in_fds[link->n_in_fds++] = fd;
			else
				close(fd);
		}
	}
}

/* The descriptor that came with this frame, -1 where none does. Errors: -EBADMSG: one was promised. */
static int take_fd(struct link *link, const struct frame *frame, int *ret_fd)
{
	*ret_fd = -1;
	if (frame->type != FRAME_SOCKET &&
	    (frame->type != FRAME_SETTING || !frame->setting.file || frame->setting.file_error))
		return 0;
	if (link->n_in_fds == 0)
		return -EBADMSG;
	*ret_fd = link->in_fds[0];
	link->n_in_fds--;
	memmove(link->in_fds, link->in_fds + 1, link->n_in_fds * sizeof(int));
	return 0;
}

static int hand_out_one(struct link *link, const struct frame *frame)
{
	int fd;
	int r = take_fd(link, frame, &fd);

	return r < 0 ? r : link->on_frame(link->arg, frame, fd);
}

static void hand_out(struct link *link)
{
	bool freed = false;

	link->freed = &freed;
	while (!link->closed) {
		struct frame frame;
		int size = frame_decode(bytes_of_buffer(&link->in), &frame);
		int r;

		if (size == 0)
			break;
		r = size < 0 ? size : hand_out_one(link, &frame);
		if (freed)
			return;
		if (r < 0) {
			end(link, r);
			break;
		}
		buffer_consume(&link->in, (size_t)size);
	}
	link->freed = NULL;
}

static ssize_t read_some(struct link *link)
{
	union {
		struct cmsghdr header;
		char space[CMSG_SPACE(FDS_MAX * sizeof(int))];
	} control;
	struct iovec iov = {.iov_len = READ_BYTES};
	struct msghdr msg = {
		.msg_iov = &iov, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control)};
	ssize_t n;

	iov.iov_base = buffer_reserve(&link->in, READ_BYTES);
	if (!iov.iov_base)
		return -ENOMEM;
	n = recvmsg(link->fd, &msg, MSG_CMSG_CLOEXEC);
	if (n < 0)
		return -errno;
	keep_fds(link, &msg);
	buffer_commit(&link->in, (size_t)n);
	return n;
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	struct link *link = arg;
	ssize_t n;

	(void)fd;
	if (ready & LOOP_WRITABLE)
		write_out(link);
	if (link->closed || !(ready & (LOOP_READABLE | LOOP_BROKEN)))
		return;
	n = read_some(link);
	if (n > 0)
		hand_out(link);
	else if (n == 0 || n == -ECONNRESET)
		end(link, 0);
	else if (n != -EAGAIN && n != -EINTR)
		end(link, (int)n);
}

int link_new(struct loop *loop, int fd, size_t out_limit, link_frame_fn *on_frame, link_closed_fn *on_closed, void *arg,
	     struct link **ret_link)
{
	struct link *link = calloc(1, sizeof(*link));
	int r;

	if (!link) {
		close(fd);
		return -ENOMEM;
	}
	link->fd = fd;
	link->on_frame = on_frame;
	link->on_closed = on_closed;
	link->arg = arg;
	buffer_init(&link->in, frame_size_max() + READ_BYTES);
	buffer_init(&link->out, out_limit);
	link->in.secret = link->out.secret = true; /* FRAME_IDENTITY */
	r = loop_idle_new(loop, on_flush, link, &link->flush);
	if (r >= 0)
		r = loop_io_new(loop, fd, LOOP_READABLE, on_ready, link, &link->io);
	if (r < 0) {
		link_free(link);
		return r;
	}
	*ret_link = link;
	return 0;
}

void link_free(struct link *link)
{
	if (!link)
		return;
	if (link->freed)
		*link->freed = true;
	loop_io_free(link->io);
	loop_timer_free(link->flush);
	while (link->n_out_fds)
		drop_first_fd(link);
	for (unsigned i = 0; i < link->n_in_fds; i++)
		close(link->in_fds[i]);
	buffer_done(&link->in);
	buffer_done(&link->out);
	close(link->fd);
	free(link);
}

int link_send(struct link *link, const struct frame *frame)
{
	bool first = buffer_size(&link->out) == 0;
	int r;

	if (link->closed)
		return -ENOTCONN;
	r = frame_encode(frame, &link->out);
	if (r < 0)
		return r;
	if (first && !link->waiting)
		loop_timer_set(link->flush, 1);
	else if (buffer_size(&link->out) > FLUSH_BYTES && !link->waiting)
		write_out(link);
	return link->closed ? -ENOTCONN : 0;
}

int link_send_fd(struct link *link, const struct frame *frame, int fd)
{
	uint64_t at = link->written + buffer_size(&link->out);
	int r = link->closed ? -ENOTCONN : -ENOBUFS;

	if (!link->closed && link->n_out_fds < FDS_MAX) {
		link->out_fds[link->n_out_fds++] = (struct travelling){.fd = fd, .at = at};
		r = link_send(link, frame);
		if (r >= 0 || link->closed)
			return r; /* the link has it still, or has sent and closed it */
		link->n_out_fds--;
	}
	close(fd);
	return r;
}

size_t link_pending(const struct link *link)
{
	return buffer_size(&link->out);
}

void link_flush(struct link *link, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = link->fd, .events = POLLOUT};
	int64_t until_us = clock_now_us() + timeout_ms * CLOCK_MS_US;

	write_out(link);
	while (!link->closed && buffer_size(&link->out)) {
		int64_t left_us = until_us - clock_now_us();
		int n = left_us > 0 ? poll(&poll_fd, 1, (int)((left_us + CLOCK_MS_US - 1) / CLOCK_MS_US)) : 0;

		if (n == 0 || (n < 0 && errno != EINTR))
			return;
		write_out(link);
	}
}
