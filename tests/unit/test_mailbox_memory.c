/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "mailbox_fixture.h"
#include "suite.h"

/* The n-th allocation fails, for every n: nothing that was promised is lost, and nothing goes out twice. */

void *__real_malloc(size_t size);
void *__real_calloc(size_t count, size_t size);
void *__wrap_malloc(size_t size);
void *__wrap_calloc(size_t count, size_t size);
void *__real_emalloc(size_t size) __attribute__((weak)); /* where the library is not linked statically */
void *__wrap_emalloc(size_t size);

static struct {
	bool armed;
	unsigned left; /* until one fails */
	unsigned failed;
	unsigned length; /* so many in a row fail */
} memory;

static bool fails(void)
{
	if (!memory.armed)
		return false;
	if (memory.left > 0) {
		memory.left--;
		return false;
	}
	if (memory.failed == memory.length)
		return false;
	memory.failed++;
	return true;
}

void *__wrap_malloc(size_t size)
{
	return fails() ? NULL : __real_malloc(size);
}

void *__wrap_calloc(size_t count, size_t size)
{
	return fails() ? NULL : __real_calloc(count, size);
}

/* What the test library takes does not fail. */
void *__wrap_emalloc(size_t size)
{
	bool armed = memory.armed;
	void *p;

	memory.armed = false;
	p = __real_emalloc(size);
	memory.armed = armed;
	return p;
}

static void arm(struct store_op *op, int result)
{
	(void)op;
	(void)result;
	memory.armed = true;
}

/* What the store has ends; memory fails in what the mailbox does then, and not in the store. */
static void finish(void)
{
	struct store_op op;

	store_barrier(NULL, &op, arm);
	fake_begin(1000);
	fake_finish(0);
	memory.armed = false;
}

/* The store's operations end after one that arms; so it has to be in front. */
static void push(struct message *const *messages, unsigned count)
{
	struct store_op op;

	store_barrier(NULL, &op, arm);
	for (unsigned i = 0; i < count; i++) {
		int64_t held = desk_stats().held;
		int r;

		memory.armed = true;
		r = desk_push_message(messages[i], MAILBOX_SAFE, 3600);
		memory.armed = false;
		ck_assert(r == 0 || r == -ENOMEM);
		if (r == 0)
			continue;
		ck_assert_int_eq(desk_stats().held, held);
		ck_assert_int_eq(desk_push_message(messages[i], MAILBOX_SAFE, 3600), 0);
	}
	fake_begin(1000);
	fake_finish(0);
	memory.armed = false;
}

static void pass(void)
{
	memory.armed = true;
	fake_pass(CLOCK_S_US);
	memory.armed = false;
	finish();
	fake_run();
}

static void answer_all(unsigned count)
{
	const struct tg_response response = {.size = sizeof(response), .code = 205, .payload = bytes_text("ok")};

	for (unsigned i = 0; i < count; i++) {
		memory.armed = true;
		ck_assert(mailbox_answered(desk.mailbox, DESK_CARRIER, desk_ticket(i), &response));
		memory.armed = false;
	}
	finish();
}

static void restart(void)
{
	struct store_op op;

	fake_run();
	desk_end(0);
	fake_begin_life();
	store_barrier(NULL, &op, arm);
	desk_begin();
	for (unsigned i = 0; i < 4; i++) {
		fake_begin(1000);
		fake_finish(0);
		memory.armed = false;
		pass();
	}
}

enum { DEVICES = 12 };

/* Returns whether an allocation has failed. */
static bool live(unsigned n, unsigned length)
{
	struct message *messages[DEVICES];
	char device[16];

	desk_setup();
	desk.any = true;
	desk.settings.commands = desk.settings.device_commands = DEVICES + 1;
	mailbox_set_settings(desk.mailbox, &desk.settings);
	memory.left = n;
	memory.failed = 0;
	memory.length = length;
	for (unsigned i = 0; i < DEVICES; i++) {
		snprintf(device, sizeof(device), "pump-%u", i);
		messages[i] = desk_message(i, device);
	}
	push(messages, DEVICES);
	pass();
	ck_assert_uint_eq(desk.given_count, DEVICES);
	mailbox_carrier_gone(desk.mailbox, DESK_CARRIER); /* nothing has happened yet */
	restart();
	mailbox_awake_all(desk.mailbox);
	pass();
	pass();
	ck_assert_uint_eq(desk.given_count, DEVICES);
	answer_all(DEVICES);
	pass();
	pass();
	ck_assert_uint_eq(desk.told_count, DEVICES);
	ck_assert_int_eq(desk_stats().held, DEVICES);
	restart();
	ck_assert_uint_eq(desk.given_count, 0);
	ck_assert_uint_eq(desk.told_count, DEVICES);
	for (unsigned i = 0; i < DEVICES; i++) {
		ck_assert_int_eq(desk.told[i].outcome, TG_OUTCOME_DELIVERED);
		ck_assert_uint_eq(desk.told[i].code, 205);
		memory.armed = true;
		mailbox_told(desk.mailbox, desk.told[i].name, true);
		memory.armed = false;
		message_unref(messages[i]);
	}
	fake_run();
	ck_assert_int_eq(desk_stats().held, 0);
	if (fake_rows() > 0) /* one could not be removed: it is told again, and not handed over */
		restart();
	ck_assert_uint_eq(desk.given_count, 0);
	desk_teardown();
	return memory.failed > 0;
}

START_TEST(test_any_allocation_fails)
{
	unsigned n[2] = {0, 0};

	for (unsigned i = 0; i < 2; i++)
		while (live(n[i], i ? 3 : 1))
			n[i]++;
	printf("mailbox: %u allocations, each of which failed once, and the two behind it too\n", n[0]);
	ck_assert_uint_gt(n[0], 50);
	ck_assert_uint_lt(n[0], 5000);
}
END_TEST

SUITE_MAIN("mailbox_memory", test_any_allocation_fails)
