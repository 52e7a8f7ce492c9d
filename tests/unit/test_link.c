/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "suite.h"
#include "wire/link.h"

enum { OUT_LIMIT = 8 * 1024 * 1024, STILL_OPEN = 1 };

/* One end and what it has seen. */
struct end {
	struct link *link;
	unsigned frames;
	int64_t sum;    /* of the numbers in PING */
	int64_t last;   /* the number in the last PING; each must be one more */
	size_t payload; /* bytes of the last SUBMIT */
	ino_t files[4]; /* of the descriptors that came */
	unsigned n_files;
	int answer;        /* what the frame callback returns */
	bool free_at_once; /* frees the link from within the frame callback */
	int closed;        /* the reason, or STILL_OPEN */
	unsigned until;    /* ends the loop after so many frames */
};

/* How the socket takes what a link writes; sendmsg here takes the place of the library's. */
enum takes {
	TAKES_ALL = 0,
	TAKES_DESCRIPTOR, /* with its byte, and nothing after it: the peer is gone */
	TAKES_LITTLE      /* a byte, and then none, in turn */
};

static enum takes takes;
static bool had_its_turn;
static struct loop *loop;
static struct end ends[2];
static struct loop_timer *deadline;

ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	struct iovec first = {.iov_base = message->msg_iov->iov_base, .iov_len = 1};
	struct msghdr part = *message;

	part.msg_iov = &first;
	if (takes == TAKES_ALL || (takes == TAKES_DESCRIPTOR && !had_its_turn && !message->msg_control))
		return syscall(SYS_sendmsg, fd, message, flags);
	had_its_turn = !had_its_turn;
	if (had_its_turn)
		return syscall(SYS_sendmsg, fd, &part, flags);
	errno = takes == TAKES_DESCRIPTOR ? EPIPE : EAGAIN;
	return -1;
}

static int on_frame(void *arg, const struct frame *frame, int fd)
{
	struct end *end = arg;

	end->frames++;
	if (frame->type == FRAME_PING) {
		ck_assert_int_eq(frame->number.number, end->last + 1);
		end->last = frame->number.number;
		end->sum += frame->number.number;
	}
	if (frame->type == FRAME_SUBMIT)
		end->payload = frame->submit.payload.size;
	if (fd >= 0) {
		struct stat st;

		ck_assert_int_eq(fstat(fd, &st), 0);
		ck_assert_int_ne(fcntl(fd, F_GETFD) & FD_CLOEXEC, 0);
		end->files[end->n_files++] = st.st_ino;
		close(fd);
	}
	if (end->free_at_once) {
		link_free(end->link);
		end->link = NULL;
	}
	if (end->frames == end->until)
		loop_exit(loop, 0);
	return end->answer;
}

static void on_closed(void *arg, int reason)
{
	struct end *end = arg;

	ck_assert_int_eq(end->closed, STILL_OPEN);
	end->closed = reason;
	loop_exit(loop, 0);
}

static void on_deadline(void *arg)
{
	(void)arg;
	ck_abort_msg("nothing happened for ten seconds");
}

/* Two linked ends; returns nothing, the ends stand in `ends`. */
static void set_up(size_t out_limit)
{
	int fds[2];

	ck_assert_int_eq(loop_new(&loop), 0);
	ck_assert_int_eq(loop_timer_new(loop, on_deadline, NULL, &deadline), 0);
	loop_timer_set(deadline, clock_now_us() + 10 * CLOCK_S_US);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	for (int i = 0; i < 2; i++) {
		ends[i] = (struct end){.closed = STILL_OPEN};
		ck_assert_int_eq(link_new(loop, fds[i], out_limit, on_frame, on_closed, &ends[i], &ends[i].link), 0);
	}
}

static void tear_down(void)
{
	link_free(ends[0].link);
	link_free(ends[1].link);
	loop_timer_free(deadline);
	loop_free(loop);
}

static int send_ping(struct end *end, int64_t number)
{
	return link_send(end->link, &(struct frame){.type = FRAME_PING, .number = {.number = number}});
}

static int send_file(struct end *end, int fd, int file_error)
{
	struct frame frame = {.type = FRAME_SETTING,
			      .setting = {.name = bytes_text("key"), .file = 1, .file_error = file_error}};

	return fd < 0 ? link_send(end->link, &frame) : link_send_fd(end->link, &frame, fd);
}

START_TEST(test_frames_arrive_whole_and_in_order)
{
	static const uint8_t payload[TG_PAYLOAD_MAX];
	const struct frame large = {.type = FRAME_SUBMIT, .submit = {.payload = bytes_of(payload, sizeof(payload))}};

	set_up(OUT_LIMIT);
	ends[1].until = 2001;
	for (int i = 1; i <= 1000; i++)
		ck_assert_int_eq(send_ping(&ends[0], i), 0);
	ck_assert_int_eq(link_send(ends[0].link, &large), 0);
	for (int i = 1001; i <= 2000; i++)
		ck_assert_int_eq(send_ping(&ends[0], i), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_uint_eq(ends[1].frames, 2001);
	ck_assert_int_eq(ends[1].sum, 2000 * 2001 / 2);
	ck_assert_uint_eq(ends[1].payload, TG_PAYLOAD_MAX);
	ck_assert_uint_eq(link_pending(ends[0].link), 0);
	tear_down();
}
END_TEST

START_TEST(test_out_is_bounded)
{
	int64_t sent = 0;

	set_up(100 * 1024);
	while (sent < 1000000 && send_ping(&ends[0], sent + 1) == 0)
		sent++;
	ck_assert_int_eq(send_ping(&ends[0], 0), -ENOBUFS);
	ck_assert_uint_le(link_pending(ends[0].link), 100 * 1024);
	ends[1].until = (unsigned)sent;
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ends[1].last, sent);
	ck_assert_int_eq(send_ping(&ends[0], sent + 1), 0);
	tear_down();
}
END_TEST

START_TEST(test_close_of_the_peer)
{
	set_up(OUT_LIMIT);
	link_free(ends[0].link);
	ends[0].link = NULL;
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ends[1].closed, 0);
	ck_assert_int_eq(send_ping(&ends[1], 1), -ENOTCONN);
	tear_down();
}
END_TEST

/* What was sent before the end is not lost with it. */
START_TEST(test_last_words_arrive)
{
	set_up(OUT_LIMIT);
	ck_assert_int_eq(send_ping(&ends[0], 1), 0);
	ck_assert_int_eq(send_ping(&ends[0], 2), 0);
	link_flush(ends[0].link, 1000);
	link_free(ends[0].link);
	ends[0].link = NULL;
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ends[1].last, 2);
	ck_assert_int_eq(ends[1].closed, 0);
	tear_down();
}
END_TEST

START_TEST(test_garbage_ends_the_link)
{
	static const uint8_t garbage[] = {3, 0, 0, 0, 200, 1, 2};
	int fds[2];

	set_up(OUT_LIMIT);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, fds), 0);
	for (int i = 0; i < 2; i++) {
		link_free(ends[i].link);
		ends[i].link = NULL;
	}
	ck_assert_int_eq(link_new(loop, fds[0], OUT_LIMIT, on_frame, on_closed, &ends[0], &ends[0].link), 0);
	ck_assert_int_eq(write(fds[1], garbage, sizeof(garbage)), sizeof(garbage));
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ends[0].closed, -EBADMSG);
	ck_assert_uint_eq(ends[0].frames, 0);
	close(fds[1]);
	tear_down();
}
END_TEST

START_TEST(test_refusal_of_the_owner_ends_the_link)
{
	set_up(OUT_LIMIT);
	ends[1].answer = -EPERM;
	ck_assert_int_eq(send_ping(&ends[0], 1), 0);
	ck_assert_int_eq(send_ping(&ends[0], 2), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ends[1].closed, -EPERM);
	ck_assert_uint_eq(ends[1].frames, 1);
	tear_down();
}
END_TEST

START_TEST(test_free_from_within)
{
	set_up(OUT_LIMIT);
	ends[1].free_at_once = true;
	ck_assert_int_eq(send_ping(&ends[0], 1), 0);
	ck_assert_int_eq(send_ping(&ends[0], 2), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_uint_eq(ends[1].frames, 1);
	ck_assert_int_eq(ends[1].closed, STILL_OPEN);
	ck_assert_int_eq(ends[0].closed, 0);
	tear_down();
}
END_TEST

/* Each descriptor comes with its own frame, also among frames without one and with one that could not be opened. */
START_TEST(test_descriptors_travel_with_their_frames)
{
	ino_t files[3];

	set_up(OUT_LIMIT);
	ends[1].until = 6;
	ck_assert_int_eq(send_ping(&ends[0], 1), 0);
	for (int i = 0; i < 3; i++) {
		int fd = memfd_create("file", MFD_CLOEXEC);
		struct stat st;

		ck_assert_int_eq(fstat(fd, &st), 0);
		files[i] = st.st_ino;
		ck_assert_int_eq(send_file(&ends[0], fd, 0), 0);
		if (i == 0)
			ck_assert_int_eq(send_file(&ends[0], -1, -EACCES), 0);
	}
	ck_assert_int_eq(send_ping(&ends[0], 2), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_uint_eq(ends[1].n_files, 3);
	for (int i = 0; i < 3; i++)
		ck_assert_uint_eq(ends[1].files[i], files[i]);
	tear_down();
}
END_TEST

START_TEST(test_promised_descriptor_that_is_missing)
{
	set_up(OUT_LIMIT);
	ck_assert_int_eq(send_file(&ends[0], -1, 0), 0);
	ck_assert_int_eq(loop_run(loop), 0);
	ck_assert_int_eq(ends[1].closed, -EBADMSG);
	ck_assert_uint_eq(ends[1].frames, 0);
	tear_down();
}
END_TEST

START_TEST(test_too_many_descriptors_are_refused_and_closed)
{
	int fd = -1, r = 0;

	set_up(OUT_LIMIT);
	for (int i = 0; i < 1000 && r == 0; i++) {
		fd = memfd_create("file", MFD_CLOEXEC);
		r = send_file(&ends[0], fd, 0);
	}
	ck_assert_int_eq(r, -ENOBUFS);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	ck_assert_int_eq(errno, EBADF);
	tear_down();
}
END_TEST

/* Beside so much that the frame leaves at once. */
static int send_file_behind_much(struct end *end, int fd)
{
	const struct frame ping = {.type = FRAME_PING};

	while (link_pending(end->link) + 16 < 8 * 1024)
		ck_assert_int_eq(link_send(end->link, &ping), 0);
	return send_file(end, fd, 0);
}

/* The peer ends while the frame is half written: the descriptor is on its way already, and its number may be another file's. */
START_TEST(test_a_descriptor_is_closed_once)
{
	int fd = memfd_create("file", MFD_CLOEXEC), other;

	set_up(OUT_LIMIT);
	takes = TAKES_DESCRIPTOR;
	ck_assert_int_eq(send_file_behind_much(&ends[0], fd), -ENOTCONN);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	other = memfd_create("other", MFD_CLOEXEC);
	ck_assert_int_eq(other, fd);
	fd = memfd_create("late", MFD_CLOEXEC);
	ck_assert_int_eq(send_file(&ends[0], fd, 0), -ENOTCONN);
	ck_assert_int_eq(fcntl(fd, F_GETFD), -1);
	tear_down();
	ck_assert_int_ne(fcntl(other, F_GETFD), -1);
	close(other);
}
END_TEST

/* A peer that takes a byte now and then does not prolong it. */
START_TEST(test_last_words_have_their_time)
{
	set_up(OUT_LIMIT);
	for (int i = 1; i <= 3; i++)
		ck_assert_int_eq(send_ping(&ends[0], i), 0);
	takes = TAKES_LITTLE;
	link_flush(ends[0].link, 0);
	ck_assert_uint_gt(link_pending(ends[0].link), 0);
	takes = TAKES_ALL;
	link_flush(ends[0].link, 30000);
	ck_assert_uint_eq(link_pending(ends[0].link), 0);
	tear_down();
}
END_TEST

SUITE_MAIN("link", test_frames_arrive_whole_and_in_order, test_out_is_bounded, test_close_of_the_peer,
	   test_last_words_arrive, test_garbage_ends_the_link, test_refusal_of_the_owner_ends_the_link,
	   test_free_from_within, test_descriptors_travel_with_their_frames, test_promised_descriptor_that_is_missing,
	   test_too_many_descriptors_are_refused_and_closed, test_a_descriptor_is_closed_once,
	   test_last_words_have_their_time)
