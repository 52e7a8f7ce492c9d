/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "base/clock.h"
#include "base/loop.h"
#include "suite.h"

/* What happened, in order, one letter each; the loop ends when there are `enough`. */
struct story {
	struct loop *loop;
	char text[32];
	size_t length;
	size_t enough;
	struct loop_io *io;
	struct loop_timer *timer;
};

struct teller {
	struct story *story;
	char letter;
};

static void story_init(struct story *story, size_t enough)
{
	*story = (struct story){.enough = enough};
	ck_assert_int_eq(loop_new(&story->loop), 0);
}

static void tell(void *arg)
{
	const struct teller *teller = arg;
	struct story *story = teller->story;

	ck_assert_uint_lt(story->length, sizeof(story->text) - 1);
	story->text[story->length++] = teller->letter;
	if (story->length == story->enough)
		loop_exit(story->loop, 7);
}

static void on_readable(void *arg, int fd, uint32_t ready)
{
	uint64_t count;

	ck_assert_uint_eq(ready, LOOP_READABLE);
	ck_assert_int_eq(read(fd, &count, sizeof(count)), sizeof(count));
	tell(arg);
}

static void on_broken(void *arg, int fd, uint32_t ready)
{
	(void)fd;
	ck_assert_uint_ne(ready & LOOP_BROKEN, 0);
	tell(arg);
}

START_TEST(test_timers_fire_in_order)
{
	struct story story;
	struct teller a = {&story, 'a'}, b = {&story, 'b'}, never = {&story, 'x'};
	struct loop_timer *timer_a, *timer_b, *stopped;
	int64_t now_us = clock_now_us();

	story_init(&story, 2);
	ck_assert_int_eq(loop_timer_new(story.loop, tell, &b, &timer_b), 0);
	ck_assert_int_eq(loop_timer_new(story.loop, tell, &a, &timer_a), 0);
	ck_assert_int_eq(loop_timer_new(story.loop, tell, &never, &stopped), 0);
	loop_timer_set(timer_b, now_us + 4000);
	loop_timer_set(timer_a, now_us + 2000);
	loop_timer_set(stopped, now_us + 1000);
	loop_timer_set(stopped, 0);
	ck_assert_int_eq(loop_run(story.loop), 7);
	ck_assert_str_eq(story.text, "ab");
	ck_assert_int_ge(loop_now_us(story.loop), now_us + 4000);
	loop_timer_free(timer_a);
	loop_timer_free(timer_b);
	loop_timer_free(stopped);
	loop_free(story.loop);
}
END_TEST

/* Reads nothing, so that the descriptor stays ready, and asks for the idle call. */
static void on_flood(void *arg, int fd, uint32_t ready)
{
	const struct teller *teller = arg;

	(void)fd;
	(void)ready;
	loop_timer_set(teller->story->timer, 1);
	if (teller->story->length < 9)
		tell(arg);
}

static void tell_and_exit(void *arg)
{
	tell(arg);
	loop_exit(((const struct teller *)arg)->story->loop, 7);
}

/* The idle call waits for what is ready at most, and no flood keeps it from coming. */
START_TEST(test_no_flood_starves_the_idle_call)
{
	struct story story;
	struct teller flood = {&story, 'f'}, idle = {&story, 'i'};
	int fds[2] = {eventfd(1, EFD_CLOEXEC), eventfd(1, EFD_CLOEXEC)};
	struct loop_io *ios[2];

	story_init(&story, sizeof(story.text));
	ck_assert_int_eq(loop_idle_new(story.loop, tell_and_exit, &idle, &story.timer), 0);
	for (int i = 0; i < 2; i++)
		ck_assert_int_eq(loop_io_new(story.loop, fds[i], LOOP_READABLE, on_flood, &flood, &ios[i]), 0);
	ck_assert_int_eq(loop_run(story.loop), 7);
	ck_assert_msg(story.length >= 2 && story.length <= 3 && story.text[story.length - 1] == 'i', "%s", story.text);
	for (int i = 0; i < 2; i++) {
		loop_io_free(ios[i]);
		close(fds[i]);
	}
	loop_timer_free(story.timer);
	loop_free(story.loop);
}
END_TEST

static void watch_now(void *arg)
{
	const struct teller *teller = arg;

	tell(arg);
	ck_assert_int_eq(loop_io_set(teller->story->io, LOOP_READABLE), 0);
}

START_TEST(test_only_what_is_watched_comes)
{
	struct story story;
	struct teller timer = {&story, 't'}, readable = {&story, 'r'};
	int fd = eventfd(1, EFD_CLOEXEC);

	story_init(&story, 2);
	ck_assert_int_eq(loop_io_new(story.loop, fd, 0, on_readable, &readable, &story.io), 0);
	ck_assert_int_eq(loop_timer_new(story.loop, watch_now, &timer, &story.timer), 0);
	loop_timer_set(story.timer, clock_now_us() + 1000);
	ck_assert_int_eq(loop_run(story.loop), 7);
	ck_assert_str_eq(story.text, "tr");
	loop_timer_free(story.timer);
	loop_io_free(story.io);
	close(fd);
	loop_free(story.loop);
}
END_TEST

START_TEST(test_hang_up_comes_unasked)
{
	struct story story;
	struct teller broken = {&story, '!'};
	int fds[2];

	story_init(&story, 1);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds), 0);
	ck_assert_int_eq(loop_io_new(story.loop, fds[0], 0, on_broken, &broken, &story.io), 0);
	close(fds[1]);
	ck_assert_int_eq(loop_run(story.loop), 7);
	ck_assert_str_eq(story.text, "!");
	loop_io_free(story.io);
	close(fds[0]);
	loop_free(story.loop);
}
END_TEST

static void *post_from_thread(void *arg)
{
	struct teller *tellers = arg;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(loop_post(tellers[i].story->loop, tell, &tellers[i]), 0);
	return NULL;
}

START_TEST(test_posts_of_a_thread_keep_their_order)
{
	struct story story;
	struct teller tellers[] = {{&story, 'a'}, {&story, 'b'}, {&story, 'c'}};
	pthread_t thread;

	story_init(&story, 3);
	ck_assert_int_eq(pthread_create(&thread, NULL, post_from_thread, tellers), 0);
	ck_assert_int_eq(loop_run(story.loop), 7);
	pthread_join(thread, NULL);
	ck_assert_str_eq(story.text, "abc");
	loop_free(story.loop);
}
END_TEST

static void free_timer_and_exit(void *arg)
{
	struct story *story = arg;

	loop_timer_free(story->timer);
	story->timer = NULL;
	loop_exit(story->loop, 0);
}

START_TEST(test_free_within_its_own_callback)
{
	struct story story;

	story_init(&story, 0);
	ck_assert_int_eq(loop_timer_new(story.loop, free_timer_and_exit, &story, &story.timer), 0);
	loop_timer_set(story.timer, 1);
	ck_assert_int_eq(loop_run(story.loop), 0);
	ck_assert_ptr_null(story.timer);
	loop_timer_free(NULL);
	loop_io_free(NULL);
	loop_signal_free(NULL);
	loop_free(story.loop);
	loop_free(NULL);
}
END_TEST

static void on_signal(void *arg, int signal)
{
	ck_assert_int_eq(signal, SIGUSR1);
	tell(arg);
}

START_TEST(test_signal_comes_through_the_loop)
{
	struct story story;
	struct teller teller = {&story, 's'};
	struct loop_signal *handler;

	story_init(&story, 1);
	ck_assert_int_eq(loop_signal_new(story.loop, SIGUSR1, on_signal, &teller, &handler), 0);
	raise(SIGUSR1);
	ck_assert_uint_eq(story.length, 0);
	ck_assert_int_eq(loop_run(story.loop), 7);
	ck_assert_str_eq(story.text, "s");
	loop_signal_free(handler);
	loop_free(story.loop);
}
END_TEST

START_TEST(test_unrun_posts_are_freed)
{
	struct story story;
	struct teller teller = {&story, 'p'};

	story_init(&story, 1);
	ck_assert_int_eq(loop_post(story.loop, tell, &teller), 0);
	loop_free(story.loop);
	ck_assert_uint_eq(story.length, 0);
}
END_TEST

START_TEST(test_notify_reaches_the_manager)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX, .sun_path = "\0tidegate-test-notify-"};
	char name[sizeof(address.sun_path)], text[64] = "";
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	snprintf(name, sizeof(name), "tidegate-test-notify-%d", (int)getpid());
	memcpy(address.sun_path + 1, name, strlen(name));
	ck_assert_int_eq(bind(fd, (struct sockaddr *)&address,
			      (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + strlen(name))),
			 0);
	memmove(name + 1, name, strlen(name) + 1);
	name[0] = '@';
	setenv("NOTIFY_SOCKET", name, 1);
	loop_notify("STATUS=%d endpoints", 2);
	ck_assert_int_eq(recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT), 18);
	ck_assert_str_eq(text, "STATUS=2 endpoints");
	close(fd);
}
END_TEST

START_TEST(test_watchdog_is_half_of_the_managers_time)
{
	unsetenv("WATCHDOG_PID");
	unsetenv("WATCHDOG_USEC");
	ck_assert_int_eq(loop_watchdog_us(), 0);
	setenv("WATCHDOG_USEC", "30000000", 1);
	ck_assert_int_eq(loop_watchdog_us(), 30 * CLOCK_S_US);
}
END_TEST

SUITE_MAIN("loop", test_timers_fire_in_order, test_no_flood_starves_the_idle_call, test_only_what_is_watched_comes,
	   test_hang_up_comes_unasked, test_posts_of_a_thread_keep_their_order, test_free_within_its_own_callback,
	   test_signal_comes_through_the_loop, test_unrun_posts_are_freed, test_notify_reaches_the_manager,
	   test_watchdog_is_half_of_the_managers_time)
