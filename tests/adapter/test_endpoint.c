/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "fake_core.h"

static struct fake_core *core;

static void setup(void)
{
	core = fake_core_new();
	fake_core_listen(core);
}

static void teardown(void)
{
	fake_core_free(core);
}

static void start(const char *const *changes)
{
	core->changes = changes;
	fake_core_spawn(core, "30");
	ck_assert(FAKE_UNTIL(core, core->n_started == 1 && core->n_link_frames == 1));
}

static void assert_stops(void)
{
	fake_core_send(core, &(struct frame){.type = FRAME_STOP, .number = {.number = 5000}});
	ck_assert(FAKE_UNTIL(core, core->n_stopped == 1));
	ck_assert_int_eq(fake_core_wait(core), 0);
}

START_TEST(joins_starts_answers_and_stops)
{
	start(NULL);
	ck_assert_uint_eq(core->hello.version, FRAME_VERSION);
	ck_assert_uint_eq(core->hello.worker, 0);
	ck_assert_str_eq(core->hello_endpoint, "field");
	ck_assert_int_eq(core->state, TG_LINK_UP);
	fake_core_send(core, &(struct frame){.type = FRAME_PING, .number = {.number = 4711}});
	ck_assert(FAKE_UNTIL(core, core->n_pongs == 1));
	ck_assert_int_eq(core->pong, 4711);
	assert_stops();
	ck_assert_str_eq(core->failed, "");
	ck_assert_ptr_null(strstr(core->logged, "warning"));
}
END_TEST

START_TEST(holds_its_lock_while_it_lives)
{
	struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
	pid_t first;
	int fd;

	start(NULL);
	fd = open(core->lock, O_RDWR | O_CLOEXEC);
	ck_assert_int_eq(fcntl(fd, F_GETLK, &lock), 0);
	ck_assert_int_eq(lock.l_pid, core->pid);
	first = core->pid;
	fake_core_spawn(core, "30");
	ck_assert_int_eq(WEXITSTATUS(fake_core_wait(core)), 75);
	core->pid = first;
	assert_stops();
	lock = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET};
	ck_assert_int_eq(fcntl(fd, F_GETLK, &lock), 0);
	ck_assert_int_eq(lock.l_type, F_UNLCK);
	close(fd);
}
END_TEST

START_TEST(a_delivery_goes_round)
{
	start(NULL);
	fake_core_deliver(core, 77, "hall/1", "21.5");
	ck_assert(FAKE_UNTIL(core, core->n_submits == 1));
	ck_assert_str_eq(core->submits[0].path, "hall/1");
	ck_assert_str_eq(core->submits[0].device, "field");
	ck_assert_str_eq(core->submits[0].payload, "21.5");
	ck_assert(uuid_is_v7(core->submits[0].id));
	ck_assert_int_gt(core->submits[0].time_wall_us, INT64_C(1500000000000000));
	ck_assert_uint_eq(core->n_delivered, 0);
	fake_core_verdict(core, core->submits[0].token ^ 1, TG_ACCEPTED); /* of nothing: passed over */
	fake_core_verdict(core, core->submits[0].token, TG_ACCEPTED);
	fake_core_verdict(core, core->submits[0].token, TG_ACCEPTED); /* once more: nothing again */
	ck_assert(FAKE_UNTIL(core, core->n_delivered == 1));
	ck_assert_uint_eq(core->delivered[0].ticket, 77);
	ck_assert_uint_eq(core->delivered[0].result, TG_CONFIRMED);
	fake_core_send(core, &(struct frame){.type = FRAME_PING});
	ck_assert(FAKE_UNTIL(core, core->n_pongs == 1));
	ck_assert_int_eq(core->counters[0], 1); /* counters come no later than the next PONG */
	assert_stops();
	ck_assert_uint_eq(core->n_delivered, 1);
}
END_TEST

START_TEST(what_waits_is_sent_again_to_the_next_core)
{
	static const char *const changes[] = {"generate", "20", NULL};
	struct fake_submit first[20];
	uint64_t token;

	start(changes);
	ck_assert(FAKE_UNTIL(core, core->n_submits == 20));
	memcpy(first, core->submits, sizeof(first));
	fake_core_verdict(core, first[3].token, TG_ACCEPTED);
	fake_core_send(core, &(struct frame){.type = FRAME_PING});
	ck_assert(FAKE_UNTIL(core, core->n_pongs == 1));
	fake_core_die(core);
	core->n_submits = 0;
	fake_core_idle(core, 100);
	fake_core_listen(core);
	ck_assert(FAKE_UNTIL(core, core->n_started == 2 && core->n_submits == 19 && core->n_link_frames == 2));
	ck_assert_uint_eq(core->n_hellos, 2);
	for (unsigned i = 0; i < 19; i++) {
		const struct fake_submit *was = &first[i < 3 ? i : i + 1];

		ck_assert(!was->again && core->submits[i].again);
		ck_assert_mem_eq(core->submits[i].id, was->id, TG_ID_SIZE);
		ck_assert_int_eq(core->submits[i].time_wall_us, was->time_wall_us);
		ck_assert_str_eq(core->submits[i].payload, was->payload);
	}
	ck_assert(FAKE_UNTIL(core, core->counters[2] == 20 && core->counters[3] == 1));
	for (unsigned i = 0; i < 19; i++) {
		token = core->submits[i].token;
		fake_core_verdict(core, token, TG_ACCEPTED);
	}
	assert_stops();
	ck_assert_int_eq(core->counters[3], 20);
}
END_TEST

START_TEST(a_submission_made_while_alone_is_sent_once)
{
	static const char *const changes[] = {"generate", "100000", "rate", "500", "window", "8000", NULL};
	unsigned before, again = 0, fresh = 0;

	start(changes);
	ck_assert(FAKE_UNTIL(core, core->n_submits >= 50));
	fake_core_die(core);
	before = core->n_submits;
	core->n_submits = 0;
	fake_core_idle(core, 200);
	fake_core_listen(core);
	ck_assert(FAKE_UNTIL(core, core->n_started == 2 && core->n_submits > before + 100));
	for (unsigned i = 0; i < before + 100; i++) {
		ck_assert_uint_eq(strtoul(core->submits[i].payload, NULL, 10), i);
		again += core->submits[i].again;
		fresh += !core->submits[i].again;
	}
	ck_assert_uint_ge(again, before);
	ck_assert_uint_gt(fresh, 0);
}
END_TEST

START_TEST(a_late_answer_to_an_old_ticket_is_dropped)
{
	static const char *const changes[] = {"submit", "false", "delay_ms", "300", NULL};

	start(changes);
	fake_core_deliver(core, 5, "a", "old");
	fake_core_send(core, &(struct frame){.type = FRAME_PING});
	ck_assert(FAKE_UNTIL(core, core->n_pongs == 1));
	fake_core_die(core);
	fake_core_listen(core);
	ck_assert(FAKE_UNTIL(core, core->n_started == 2));
	fake_core_deliver(core, 6, "a", "new");
	ck_assert(FAKE_UNTIL(core, core->n_delivered == 1));
	ck_assert_uint_eq(core->delivered[0].ticket, 6);
	ck_assert_int_eq(core->counters[1] >= 0, 1);
	fake_core_send(core, &(struct frame){.type = FRAME_PING});
	ck_assert(FAKE_UNTIL(core, core->n_pongs == 2));
	ck_assert_int_eq(core->counters[1], 2); /* the adapter answered both */
	ck_assert_uint_eq(core->n_delivered, 1);
	assert_stops();
}
END_TEST

START_TEST(a_reload_is_answered)
{
	static const char *const none[] = {NULL};
	static const char *const live[] = {"submit", "false", "generate", "5", NULL};

	start(none);
	core->changes = live;
	fake_core_configure(core);
	ck_assert(FAKE_UNTIL(core, core->n_reloaded == 1));
	ck_assert_int_eq(core->reloaded, 1); /* not with all of it */
	ck_assert_ptr_nonnull(strstr(core->logged, "setting 'generate' takes effect when"));
	fake_core_deliver(core, 1, "a", "x");
	ck_assert(FAKE_UNTIL(core, core->n_delivered == 1));
	ck_assert_uint_eq(core->n_submits, 0);
	core->changes = (const char *const[]){"submit", "false", NULL}; /* as it began, but for what it takes live */
	fake_core_configure(core);
	ck_assert(FAKE_UNTIL(core, core->n_reloaded == 2));
	ck_assert_int_eq(core->reloaded, 0);
	assert_stops();
}
END_TEST

START_TEST(another_core_with_other_fixed_settings_gets_a_new_process)
{
	static const char *const none[] = {NULL};
	static const char *const fixed[] = {"generate", "5", NULL};

	start(none);
	fake_core_die(core);
	core->changes = fixed;
	fake_core_listen(core);
	ck_assert_int_eq(fake_core_wait(core), 0);
	ck_assert_uint_eq(core->n_started, 1);
	ck_assert(FAKE_UNTIL(core, strstr(core->logged, "setting 'generate' has changed")));
}
END_TEST

START_TEST(gives_up_without_a_core)
{
	fake_core_spawn(core, "1");
	ck_assert(FAKE_UNTIL(core, core->n_started == 1));
	fake_core_die(core);
	ck_assert_int_eq(fake_core_wait(core), 0);
}
END_TEST

/* Its patience would be as long as a test may last. */
START_TEST(ends_when_nobody_will_come)
{
	start(NULL);
	fake_core_leave_for_good(core);
	ck_assert_int_eq(fake_core_wait(core), 0);
}
END_TEST

START_TEST(stop_waits_for_verdicts_up_to_the_deadline)
{
	static const char *const changes[] = {"generate", "1", NULL};

	start(changes);
	ck_assert(FAKE_UNTIL(core, core->n_submits == 1));
	fake_core_send(core, &(struct frame){.type = FRAME_STOP, .number = {.number = 200}});
	fake_core_deliver(core, 9, "a", "too late");
	ck_assert(FAKE_UNTIL(core, core->n_delivered == 1));
	ck_assert_uint_eq(core->delivered[0].result, TG_RETRY);
	ck_assert_uint_eq(core->n_stopped, 0);
	ck_assert_int_eq(fake_core_wait(core), 0);
	ck_assert(FAKE_UNTIL(core, core->n_stopped == 1));
	ck_assert(FAKE_UNTIL(core, strstr(core->logged, "did not finish in time")));
}
END_TEST

START_TEST(ends_on_sigterm)
{
	start(NULL);
	kill(core->pid, SIGINT); /* ignored */
	kill(core->pid, SIGTERM);
	ck_assert_int_eq(fake_core_wait(core), 0);
	ck_assert(FAKE_UNTIL(core, core->n_stopped == 1));
}
END_TEST

static const struct frame wrong_frames[] = {
	{.type = FRAME_HELLO, .hello = {.version = FRAME_VERSION}},
	{.type = FRAME_STARTED},
	{.type = FRAME_SUBMIT, .submit = {.token = 1}},
	{.type = FRAME_PONG, .number = {.number = 1}},
};

START_TEST(a_frame_of_the_other_direction_ends_it)
{
	start(NULL);
	fake_core_send(core, &wrong_frames[_i]);
	ck_assert_int_eq(WEXITSTATUS(fake_core_wait(core)), EXIT_FAILURE);
}
END_TEST

START_TEST(garbage_ends_it)
{
	static const uint8_t garbage[] = {0xff, 0xff, 0xff, 0xff, 0xff, 1, 2, 3};

	start(NULL);
	ck_assert_int_eq(write(core->raw_fd, garbage, sizeof(garbage)), sizeof(garbage));
	ck_assert_int_eq(WEXITSTATUS(fake_core_wait(core)), EXIT_FAILURE);
}
END_TEST

START_TEST(a_message_before_the_start_ends_it)
{
	core->configure_by_hand = true;
	fake_core_spawn(core, "30");
	ck_assert(FAKE_UNTIL(core, core->n_hellos == 1));
	fake_core_deliver(core, 1, "a", "x");
	ck_assert_int_eq(WEXITSTATUS(fake_core_wait(core)), EXIT_FAILURE);
}
END_TEST

START_TEST(a_setting_without_a_row_is_a_failure)
{
	core->configure_by_hand = true;
	fake_core_spawn(core, "30");
	ck_assert(FAKE_UNTIL(core, core->n_hellos == 1));
	fake_core_send(core, &(struct frame){.type = FRAME_SETTING, .setting = {.name = bytes_text("colour")}});
	fake_core_configure(core);
	ck_assert_int_eq(WEXITSTATUS(fake_core_wait(core)), EXIT_FAILURE);
	ck_assert(FAKE_UNTIL(core, core->failed[0]));
	ck_assert_ptr_nonnull(strstr(core->failed, "'colour'"));
}
END_TEST

START_TEST(an_adapter_that_is_not_there_is_a_failure)
{
	struct tg_adapter nothing = *core->adapter;

	nothing.name = "nothing";
	core->adapter = &nothing;
	fake_core_spawn(core, "30");
	ck_assert_int_eq(WEXITSTATUS(fake_core_wait(core)), EXIT_FAILURE);
	ck_assert(FAKE_UNTIL(core, core->failed[0]));
	ck_assert_ptr_nonnull(strstr(core->failed, "'nothing' cannot be loaded"));
}
END_TEST

START_TEST(a_crash_of_the_adapter_is_the_process_s_end)
{
	static const char *const changes[] = {"crash_after", "1", NULL};

	start(changes);
	fake_core_deliver(core, 1, "a", "x");
	ck_assert_int_eq(WTERMSIG(fake_core_wait(core)), SIGABRT);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("endpoint");
	TCase *tcase = tcase_create("endpoint");
	SRunner *runner;
	int failed;

	tcase_set_timeout(tcase, 30);
	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, joins_starts_answers_and_stops);
	tcase_add_test(tcase, holds_its_lock_while_it_lives);
	tcase_add_test(tcase, a_delivery_goes_round);
	tcase_add_test(tcase, what_waits_is_sent_again_to_the_next_core);
	tcase_add_test(tcase, a_submission_made_while_alone_is_sent_once);
	tcase_add_test(tcase, a_late_answer_to_an_old_ticket_is_dropped);
	tcase_add_test(tcase, a_reload_is_answered);
	tcase_add_test(tcase, another_core_with_other_fixed_settings_gets_a_new_process);
	tcase_add_test(tcase, gives_up_without_a_core);
	tcase_add_test(tcase, ends_when_nobody_will_come);
	tcase_add_test(tcase, stop_waits_for_verdicts_up_to_the_deadline);
	tcase_add_test(tcase, ends_on_sigterm);
	tcase_add_loop_test(tcase, a_frame_of_the_other_direction_ends_it, 0, 4);
	tcase_add_test(tcase, garbage_ends_it);
	tcase_add_test(tcase, a_message_before_the_start_ends_it);
	tcase_add_test(tcase, a_setting_without_a_row_is_a_failure);
	tcase_add_test(tcase, an_adapter_that_is_not_there_is_a_failure);
	tcase_add_test(tcase, a_crash_of_the_adapter_is_the_process_s_end);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
