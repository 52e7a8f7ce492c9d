/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"
#include "core/outbox.h"
#include "store_fixture.h"
#include "suite.h"

START_TEST(test_counts_custody)
{
	struct fixture fixture;
	struct ledger *ledger;
	struct ledger_account *account, *same;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(ledger_new(fixture.store, &ledger), 0);
	ck_assert_ptr_null(ledger_at(ledger, 0));
	ck_assert_int_eq(ledger_account(ledger, "cloud", &account), 0);
	ck_assert_int_eq(ledger_account(ledger, "cloud", &same), 0);
	ck_assert_ptr_eq(account, same);
	ck_assert_ptr_eq(ledger_at(ledger, 0), account);
	ck_assert_str_eq(ledger_name(account), "cloud");
	ck_assert_int_lt(ledger_account(ledger, "", &same), 0);
	for (int i = 0; i < 5; i++)
		ledger_accept(account);
	ledger_finish(account, LEDGER_DELIVERED, false);
	ledger_finish(account, LEDGER_EXPIRED, false);
	ledger_withdraw(account);
	ledger_refuse(account, TG_FULL);
	ledger_refuse(account, (enum tg_verdict)1000);
	ck_assert_int_eq(ledger_get(account, LEDGER_ACCEPTED), 4);
	ck_assert_int_eq(ledger_held(account), 2);
	ck_assert_int_eq(ledger_dropped(account), 1);
	ck_assert_int_eq(ledger_get(account, (enum ledger_item)(LEDGER_REFUSED + TG_FULL)), 1);
	ck_assert(ledger_balanced(account));
	ledger_free(ledger);
	fixture_done(&fixture);
}
END_TEST

/* What was never on disk is saved when asked for, without what is still held in memory. */
START_TEST(test_is_saved)
{
	struct fixture fixture;
	struct ledger *ledger;
	struct ledger_account *account;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(ledger_new(fixture.store, &ledger), 0);
	ck_assert_int_eq(ledger_account(ledger, "cloud", &account), 0);
	ck_assert(!ledger_save_all(ledger));
	for (int i = 0; i < 5; i++)
		ledger_accept(account);
	ledger_finish(account, LEDGER_DELIVERED, false);
	ck_assert(ledger_save(account));
	ledger_finish(account, LEDGER_REJECTED, false);
	ledger_refuse(account, TG_TOO_FAST);
	ck_assert(ledger_save(account)); /* the first is on its way still */
	fixture_barrier(&fixture);
	ck_assert(ledger_save_all(ledger));
	fixture_barrier(&fixture);
	ck_assert(!ledger_save_all(ledger));
	fixture_close(&fixture);
	ledger_free(ledger);

	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(ledger_new(fixture.store, &ledger), 0);
	ck_assert_int_eq(ledger_account(ledger, "cloud", &account), 0);
	ck_assert_int_eq(ledger_get(account, LEDGER_ACCEPTED), 2);
	ck_assert_int_eq(ledger_get(account, LEDGER_REJECTED), 1);
	ck_assert_int_eq(ledger_get(account, (enum ledger_item)(LEDGER_REFUSED + TG_TOO_FAST)), 1);
	ck_assert(ledger_balanced(account));
	ck_assert_int_eq(fixture_stats(&fixture).corrected, 0);
	fixture_close(&fixture);
	ledger_free(ledger);
	fixture_done(&fixture);
}
END_TEST

/* A real process that is killed at random moments. */

enum { MESSAGES_MAX = 200000, FLIGHT_MAX = 256, ROUNDS = 50 };

struct shared { /* survives the child */
	unsigned pushed;
	unsigned delivered, rejected;
	uint8_t acknowledged[MESSAGES_MAX]; /* its source was told that it is safe */
	uint8_t answered[MESSAGES_MAX];     /* the sink was about to confirm or reject it */
};

struct child {
	struct shared *shared;
	struct loop *loop;
	struct outbox *outbox;
	uint32_t random;
	uint64_t tickets[FLIGHT_MAX];
	unsigned numbers[FLIGHT_MAX];
	unsigned flying;
	bool up;
};

static uint32_t draw(struct child *child, uint32_t below)
{
	child->random ^= child->random << 13;
	child->random ^= child->random >> 17;
	child->random ^= child->random << 5;
	return child->random % below;
}

static int deliver(void *arg, const struct outbox_item *item)
{
	struct child *child = arg;

	if (child->flying == FLIGHT_MAX)
		return -EAGAIN;
	child->numbers[child->flying] = fixture_number(item->message);
	child->tickets[child->flying++] = item->ticket;
	return 0;
}

static void receipt(void *arg, enum outbox_receipt what, struct tg_bytes reason)
{
	uint8_t *acknowledged = arg;

	(void)reason;
	if (what == OUTBOX_TAKEN)
		*acknowledged = 1;
}

static const struct outbox_ops ops = {.deliver = deliver};

static const struct outbox_settings settings = {.hold_us = 2 * CLOCK_MS_US,
						.memory_messages = 256,
						.memory_bytes = 1024 * 1024,
						.disk_bytes = 64 * 1024 * 1024,
						.window = 100};

static void push_some(struct child *child)
{
	for (uint32_t i = draw(child, 40); i > 0 && child->shared->pushed < MESSAGES_MAX; i--) {
		unsigned number = child->shared->pushed++;
		struct message *message = fixture_message(number, draw(child, 20) ? 64 : 3000);
		struct outbox_options options = {.route = bytes_text("telemetry"),
						 .ack = draw(child, 4) ? OUTBOX_SAFE : OUTBOX_DELIVERED};

		if (outbox_push(child->outbox, message, bytes_text("plant/7"), &options, receipt,
				&child->shared->acknowledged[number]) < 0) {
			child->shared->pushed--; /* full: enough for now */
			i = 1;
		}
		message_unref(message);
	}
}

static void answer_some(struct child *child)
{
	for (uint32_t i = draw(child, 60); i > 0 && child->flying; i--) {
		unsigned at = draw(child, child->flying), how = draw(child, 1000);
		uint64_t ticket = child->tickets[at];

		child->shared->answered[child->numbers[at]] |= how != 0;
		child->tickets[at] = child->tickets[--child->flying];
		child->numbers[at] = child->numbers[child->flying];
		outbox_answer(child->outbox, ticket,
			      how == 0   ? TG_RETRY
			      : how < 20 ? TG_REJECTED
					 : TG_CONFIRMED,
			      bytes_text("no"));
	}
}

static void run_child(struct fixture *fixture, struct shared *shared, uint32_t seed, int ready_fd)
{
	struct child child = {.shared = shared, .random = seed * 2654435761u + 1};
	struct ledger *ledger;

	log_set_level(LOG_LEVEL_ERROR);
	fixture_open(fixture, &fixture_both);
	child.loop = fixture->loop;
	if (ledger_new(fixture->store, &ledger) < 0 ||
	    outbox_new(child.loop, fixture->store, ledger, "cloud", &settings, &ops, &child, &child.outbox) < 0)
		_exit(1);
	child.up = draw(&child, 4) != 0;
	if (child.up)
		outbox_sink_up(child.outbox, 0);
	if (write(ready_fd, "r", 1) != 1)
		_exit(1);
	for (unsigned turns = 0; turns < 1000 * 1000; turns++) {
		push_some(&child);
		answer_some(&child);
		if (draw(&child, child.up ? 80 : 20) == 0) {
			child.up = !child.up;
			if (child.up) {
				outbox_sink_up(child.outbox, 0);
			} else {
				child.flying = 0;
				outbox_sink_down(child.outbox);
			}
		}
		if (loop_turn(child.loop, draw(&child, 300)) < 0)
			_exit(1);
	}
	_exit(1);
}

/* The child says nothing to the test's own file of reports: killed in the middle of a line it would spoil it. */
static void leave_reports(int keep)
{
	int nowhere = open("/dev/null", O_WRONLY | O_CLOEXEC);

	for (int fd = STDERR_FILENO + 1; fd < 64; fd++)
		if (fd != keep && fd != nowhere && fcntl(fd, F_GETFD) >= 0)
			dup2(nowhere, fd);
}

static void kill_at_random(struct fixture *fixture, struct shared *shared, uint32_t seed)
{
	struct child dice = {.random = seed * 40503u + 7};
	int ready[2], status;
	char byte;
	pid_t pid;

	ck_assert_int_eq(pipe(ready), 0);
	pid = fork();
	ck_assert_int_ge(pid, 0);
	if (pid == 0) {
		leave_reports(ready[1]);
		run_child(fixture, shared, seed, ready[1]);
	}
	close(ready[1]);
	draw(&dice, 2);
	if (seed % 8) /* some die while they open the store */
		ck_assert_int_eq(read(ready[0], &byte, 1), 1);
	usleep(draw(&dice, seed % 8 ? 40000 : 8000));
	kill(pid, SIGKILL);
	ck_assert_int_eq(waitpid(pid, &status, 0), pid);
	ck_assert(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	close(ready[0]);
}

/* Every message that was acknowledged and not answered is there, once; the accounts balance by themselves. */
static unsigned check_store(struct fixture *fixture, const struct shared *shared)
{
	bool *there = calloc(MESSAGES_MAX, sizeof(*there));
	unsigned held;

	fixture_open(fixture, &fixture_both);
	held = fixture_look(fixture, "cloud", there, MESSAGES_MAX, true);
	for (unsigned i = 0; i < shared->pushed; i++)
		ck_assert_msg(there[i] || !shared->acknowledged[i] || shared->answered[i], "message %u was lost", i);
	ck_assert_int_eq(fixture_stats(fixture).corrected, 0);
	ck_assert_int_eq(fixture_stats(fixture).set_aside, 0);
	fixture_assert_balanced(fixture, "cloud");
	fixture_close(fixture);
	free(there);
	return held;
}

START_TEST(test_kill_at_random_moments)
{
	struct shared *shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	unsigned acknowledged = 0, held = 0;
	struct fixture fixture;

	ck_assert_ptr_ne(shared, MAP_FAILED);
	log_set_level(LOG_LEVEL_ERROR);
	fixture_init(&fixture);
	for (uint32_t round = 1; round <= ROUNDS; round++) {
		kill_at_random(&fixture, shared, round);
		held = check_store(&fixture, shared);
	}
	for (unsigned i = 0; i < shared->pushed; i++)
		acknowledged += shared->acknowledged[i];
	printf("killed %d times: %u messages pushed, %u acknowledged, %u still held\n", ROUNDS, shared->pushed,
	       acknowledged, held);
	ck_assert_uint_gt(acknowledged, 1000);
	munmap(shared, sizeof(*shared));
	fixture_done(&fixture);
}
END_TEST

static void noting(void *arg, int result)
{
	ck_assert_int_eq(result, 0);
	*(bool *)arg = true;
}

static void remember(const struct fixture *fixture, struct stat st[4])
{
	static const char *const names[] = {"outbox.db", "outbox.db-wal", "outbox-mirror.db", "outbox-mirror.db-wal"};

	for (int i = 0; i < 4; i++) {
		memset(&st[i], 0, sizeof(st[i]));
		(void)!stat(fixture_path(fixture, names[i]), &st[i]);
	}
}

START_TEST(test_healthy_link_writes_nothing)
{
	struct child child = {.shared = calloc(1, sizeof(struct shared)), .random = 1};
	struct outbox_options options = {.ack = OUTBOX_SAFE};
	struct stat before[4], after[4];
	struct fixture fixture;
	struct ledger *ledger;
	bool flushed = false;

	fixture_init(&fixture);
	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(ledger_new(fixture.store, &ledger), 0);
	ck_assert_int_eq(
		outbox_new(fixture.loop, fixture.store, ledger, "cloud", &settings, &ops, &child, &child.outbox), 0);
	outbox_sink_up(child.outbox, 0);
	remember(&fixture, before);
	for (unsigned i = 0; i < 10000; i++) {
		struct message *message = fixture_message(i, 64);

		ck_assert_int_eq(outbox_push(child.outbox, message, bytes_text("plant/7"), &options, receipt,
					     &child.shared->acknowledged[i]),
				 0);
		message_unref(message);
		while (child.flying)
			outbox_answer(child.outbox, child.tickets[--child.flying], TG_CONFIRMED, bytes_text(""));
		ck_assert(child.shared->acknowledged[i]);
		if (i % 100 == 0)
			ck_assert_int_ge(loop_turn(fixture.loop, 0), 0);
	}
	fixture_barrier(&fixture);
	remember(&fixture, after);
	for (int i = 0; i < 4; i++) {
		ck_assert_int_eq(before[i].st_size, after[i].st_size);
		ck_assert_int_eq(before[i].st_mtim.tv_sec, after[i].st_mtim.tv_sec);
		ck_assert_int_eq(before[i].st_mtim.tv_nsec, after[i].st_mtim.tv_nsec);
	}
	/* A graceful stop saves the counts all the same. */
	ck_assert_int_eq(outbox_flush(child.outbox, noting, &flushed), 0);
	fixture_until(fixture.loop, &flushed);
	outbox_free(child.outbox);
	fixture_close(&fixture);
	ledger_free(ledger);
	fixture_open(&fixture, &fixture_both);
	ck_assert_int_eq(fixture_found(&fixture, "cloud", LEDGER_DELIVERED), 10000);
	fixture_done(&fixture);
	free(child.shared);
}
END_TEST

SUITE_MAIN("ledger", test_counts_custody, test_is_saved, test_kill_at_random_moments, test_healthy_link_writes_nothing)
