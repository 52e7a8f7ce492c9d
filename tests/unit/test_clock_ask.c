/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timex.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "core/clock_ask.h"

struct world {
	char folder[32];
	char path[64];
	int listener;
	struct clock_ask ask;
};

static void world_begin(struct world *world)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	snprintf(world->folder, sizeof(world->folder), "/tmp/tidegate-clock-XXXXXX");
	ck_assert_ptr_nonnull(mkdtemp(world->folder));
	snprintf(world->path, sizeof(world->path), "%s/sock", world->folder);
	memcpy(address.sun_path, world->path, strlen(world->path) + 1);
	world->listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	ck_assert_int_eq(bind(world->listener, (const struct sockaddr *)&address, sizeof(address)), 0);
	ck_assert_int_eq(listen(world->listener, 4), 0);
	clock_ask_init(&world->ask, world->path);
}

static void world_end(struct world *world)
{
	clock_ask_done(&world->ask);
	close(world->listener);
	unlink(world->path);
	rmdir(world->folder);
}

static int take(struct world *world)
{
	int fd = accept(world->listener, NULL, NULL);

	ck_assert_int_ge(fd, 0);
	return fd;
}

static void wait_for_answer(const struct clock_ask *ask)
{
	struct pollfd wait = {.fd = ask->fd, .events = POLLIN};

	ck_assert_int_eq(poll(&wait, 1, 30000), 1);
}

static void say(struct world *world, int fd, char word)
{
	char question;

	ck_assert_int_eq(recv(fd, &question, 1, 0), 1);
	ck_assert_int_eq(send(fd, &word, 1, 0), 1);
	wait_for_answer(&world->ask);
}

START_TEST(answers_are_those_to_the_question_before)
{
	struct world world;
	int fd;

	world_begin(&world);
	ck_assert_int_eq(clock_ask_next(&world.ask), 0); /* no answer yet */
	ck_assert_int_eq(clock_ask_next(&world.ask), 0);
	fd = take(&world);
	say(&world, fd, 's');
	ck_assert_int_eq(clock_ask_next(&world.ask), 1);
	ck_assert_int_eq(clock_ask_next(&world.ask), 1); /* asked once, and waits */
	say(&world, fd, 'u');
	ck_assert_int_eq(clock_ask_next(&world.ask), 0);
	say(&world, fd, '?');
	ck_assert_int_eq(clock_ask_next(&world.ask), -1);
	say(&world, fd, 'x');
	ck_assert_int_eq(clock_ask_next(&world.ask), -1);
	close(fd);
	world_end(&world);
}
END_TEST

START_TEST(who_is_gone_is_asked_anew)
{
	struct world world;
	int fd;

	world_begin(&world);
	ck_assert_int_eq(clock_ask_next(&world.ask), 0);
	fd = take(&world);
	say(&world, fd, 's');
	ck_assert_int_eq(clock_ask_next(&world.ask), 1);
	close(fd);
	ck_assert_int_eq(clock_ask_next(&world.ask), -1);
	ck_assert_int_eq(clock_ask_next(&world.ask), -1); /* connected again, no answer yet */
	fd = take(&world);
	say(&world, fd, 's');
	ck_assert_int_eq(clock_ask_next(&world.ask), 1);
	close(fd);
	unlink(world.path);
	ck_assert_int_eq(clock_ask_next(&world.ask), -1);
	ck_assert_int_eq(clock_ask_next(&world.ask), -1);
	ck_assert_int_eq(world.ask.fd, -1);
	world_end(&world);
}
END_TEST

/* Each question to somebody who fails at once is a program that systemd starts in vain. */
START_TEST(who_never_answers_is_asked_ever_more_rarely)
{
	struct world world;
	unsigned asked = 0;

	world_begin(&world);
	for (unsigned looks = 0; looks < 3600; looks++) {
		(void)clock_ask_next(&world.ask);
		if (world.ask.fd < 0)
			continue;
		close(take(&world));
		asked++;
	}
	ck_assert_uint_ge(asked, 3600 / 257);
	ck_assert_uint_le(asked, 3600 / 257 + 9);
	while (clock_ask_next(&world.ask) != 1) { /* and heard when he does */
		if (world.ask.fd >= 0 && !world.ask.pause)
			say(&world, take(&world), 's');
	}
	world_end(&world);
}
END_TEST

START_TEST(a_path_that_is_too_long_is_nobody)
{
	char path[200];
	struct clock_ask ask;

	memset(path, 'a', sizeof(path) - 1);
	path[sizeof(path) - 1] = '\0';
	clock_ask_init(&ask, path);
	ck_assert_int_eq(clock_ask_next(&ask), -1);
	clock_ask_done(&ask);
}
END_TEST

/* The real one, started as systemd would. */
START_TEST(the_program_says_what_the_kernel_says)
{
	struct timex state = {.modes = 0};
	struct world world;
	int fd, status, expected;
	pid_t child;

	world_begin(&world);
	ck_assert_int_eq(clock_ask_next(&world.ask), 0);
	fd = take(&world);
	child = fork();
	if (child == 0) {
		dup2(fd, STDIN_FILENO);
		dup2(fd, STDOUT_FILENO);
		execl("./tidegate-clock", "tidegate-clock", (char *)NULL);
		_exit(127);
	}
	close(fd);
	wait_for_answer(&world.ask);
	expected = adjtimex(&state) < 0 ? -1 : !(state.status & STA_UNSYNC);
	ck_assert_int_eq(clock_ask_next(&world.ask), expected);
	clock_ask_done(&world.ask);
	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0); /* whoever asks is gone: no fault */
	world_end(&world);
}
END_TEST

SUITE_MAIN("clock_ask", answers_are_those_to_the_question_before, who_is_gone_is_asked_anew,
	   who_never_answers_is_asked_ever_more_rarely, a_path_that_is_too_long_is_nobody,
	   the_program_says_what_the_kernel_says)
