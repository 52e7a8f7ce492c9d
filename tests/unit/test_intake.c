/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "base/uuid.h"
#include "core/intake.h"
#include "core/message.h"

enum { ROUTES_MAX = 4 };

static struct intake *intake;
static struct frame_submit submit;

static struct {
	bool admit;
	enum tg_verdict forward_verdict;
	unsigned n_routes;
	struct receipt *held[ROUTES_MAX];
	unsigned n_held;
	unsigned n_answers;
	uint64_t token;
	struct intake_verdict verdict;
	bool had_message;
} world;

static bool admit(void *arg, const struct intake_source *source, const struct frame_submit *frame,
		  struct tg_bytes *device, struct intake_verdict *ret_verdict)
{
	(void)arg;
	(void)device;
	(void)source;
	(void)frame;
	*ret_verdict = (struct intake_verdict){world.admit ? TG_ACCEPTED : TG_TOO_FAST, world.admit ? 0 : 7, 0, NULL};
	return world.admit;
}

static void forward(void *arg, const struct intake_source *source, const struct message *message,
		    struct receipt *receipt, struct intake_verdict *ret_verdict)
{
	(void)arg;
	(void)source;
	ck_assert(bytes_equal(message->payload, bytes_text("21.5")));
	for (unsigned i = 0; i < world.n_routes; i++) {
		intake_hold(receipt);
		world.held[world.n_held++] = receipt;
	}
	ret_verdict->verdict = world.forward_verdict;
}

static void answer(void *arg, const struct intake_source *source, uint64_t token, const struct frame_submit *frame,
		   const struct message *message, const struct intake_verdict *verdict)
{
	(void)arg;
	ck_assert_str_eq(source->endpoint, "field");
	ck_assert_uint_eq(source->instance, 3);
	ck_assert(message || frame);
	world.n_answers++;
	world.token = token;
	world.verdict = *verdict;
	world.had_message = message;
}

static const struct intake_ops ops = {admit, forward, answer};
static const struct intake_source field = {"field", 3, 1};

static void set_up(void)
{
	struct uuid_maker maker = {0};

	memset(&world, 0, sizeof(world));
	world.admit = true;
	submit = (struct frame_submit){.token = 42,
				       .kind = TG_TELEMETRY,
				       .content_format = TG_FORMAT_NONE,
				       .device = bytes_text("pump-1"),
				       .path = bytes_text("temp"),
				       .payload = bytes_text("21.5")};
	uuid_make(&maker, 1000000, 7, submit.id);
	ck_assert_int_ge(intake_new(&ops, NULL, &intake), 0);
}

static void tear_down(void)
{
	ck_assert_uint_eq(intake_waiting(intake), 0);
	intake_free(intake);
}

START_TEST(answers_once_all_routes_have)
{
	world.n_routes = 2;
	ck_assert_int_eq(intake_submit(intake, &field, &submit, 1), 0);
	ck_assert_uint_eq(world.n_answers, 0);
	ck_assert_uint_eq(intake_waiting(intake), 1);
	intake_settle(world.held[1], &(struct intake_verdict){.verdict = TG_ACCEPTED});
	ck_assert_uint_eq(world.n_answers, 0);
	intake_settle(world.held[0], &(struct intake_verdict){.verdict = TG_ACCEPTED});
	ck_assert_uint_eq(world.n_answers, 1);
	ck_assert_uint_eq(world.token, 42);
	ck_assert_int_eq(world.verdict.verdict, TG_ACCEPTED);
	ck_assert(world.had_message);
}
END_TEST

START_TEST(the_worst_answer_counts)
{
	world.n_routes = 2;
	ck_assert_int_eq(intake_submit(intake, &field, &submit, 1), 0);
	intake_settle(world.held[0], &(struct intake_verdict){TG_FULL, 30, 0, "full"});
	intake_settle(world.held[1], &(struct intake_verdict){.verdict = TG_ACCEPTED});
	ck_assert_uint_eq(world.n_answers, 1);
	ck_assert_int_eq(world.verdict.verdict, TG_FULL);
	ck_assert_uint_eq(world.verdict.max_age_s, 30);
}
END_TEST

START_TEST(refuses_what_is_not_admitted)
{
	world.admit = false;
	ck_assert_int_eq(intake_submit(intake, &field, &submit, 1), 0);
	ck_assert_uint_eq(world.n_answers, 1);
	ck_assert_int_eq(world.verdict.verdict, TG_TOO_FAST);
	ck_assert_uint_eq(world.verdict.max_age_s, 7);
	ck_assert(!world.had_message);
}
END_TEST

START_TEST(refuses_what_no_route_takes)
{
	world.forward_verdict = TG_NO_ROUTE;
	ck_assert_int_eq(intake_submit(intake, &field, &submit, 1), 0);
	ck_assert_uint_eq(world.n_answers, 1);
	ck_assert_int_eq(world.verdict.verdict, TG_NO_ROUTE);
}
END_TEST

/* What only a broken or hostile process sends. */
START_TEST(ends_a_dishonest_process)
{
	struct frame_submit bad = submit;

	bad.device = bytes_of(NULL, 0);
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	bad.device = bytes_of("\xc0\x80", 2);
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	bad = submit;
	bad.id[6] = 0x40;
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	bad = submit;
	bad.kind = TG_COMMAND;
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	bad = submit;
	bad.content_format = 65536;
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	bad.content_format = -2;
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	bad = submit;
	bad.time_wall_us = INT64_MIN;
	ck_assert_int_eq(intake_submit(intake, &field, &bad, 1), -EBADMSG);
	ck_assert_uint_eq(world.n_answers, 0);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("intake");
	TCase *tcase = tcase_create("verdicts");
	SRunner *runner = srunner_create(suite);
	int failed;

	tcase_add_checked_fixture(tcase, set_up, tear_down);
	tcase_add_test(tcase, answers_once_all_routes_have);
	tcase_add_test(tcase, the_worst_answer_counts);
	tcase_add_test(tcase, refuses_what_is_not_admitted);
	tcase_add_test(tcase, refuses_what_no_route_takes);
	tcase_add_test(tcase, ends_a_dishonest_process);
	suite_add_tcase(suite, tcase);
	srunner_run_all(runner, CK_ENV);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? 1 : 0;
}
