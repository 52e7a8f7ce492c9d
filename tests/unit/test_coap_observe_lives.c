/* SPDX-License-Identifier: Apache-2.0 */

/* Random lives of observers: messages are lost, acknowledged late, reset; whatever happens, no more than one confirmable notification
 * is under way, numbers are in order, and who is still there in the end has the newest state. */

#include <check.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "observe_rig.h"

enum { LIVES = 300, STEPS = 120, LOST_PERCENT = 30, ROUNDS = 40 };

/* What one observer has been told, and what has reached it. */
struct watch {
	struct observer *observer; /* NULL: it has ended */
	unsigned told;
	unsigned seen;
	uint32_t number; /* of the Observe option */
	int64_t number_us;
	bool last;
};

static struct watch watches[RIG_A_PEER];
static uint64_t seed;
static size_t n_taken;
static bool gone; /* an observer, since the last look */

static unsigned random_below(unsigned limit)
{
	seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
	return (unsigned)(seed >> 33) % limit;
}

static void tell(struct watch *watch)
{
	char text[16];

	snprintf(text, sizeof(text), "%u", ++watch->told);
	rig_tell(watch->observer, text);
}

static void note_ended(void)
{
	for (size_t i = 0; i < RIG_A_PEER; i++) {
		if (watches[i].observer && !observe_find(&rig.peer, (struct tg_bytes){&(uint8_t){(uint8_t)i}, 1}))
			watches[i].observer = NULL;
	}
}

/* RFC 7641 section 3.4. */
static bool is_fresher(const struct watch *watch, uint32_t number, int64_t now_us)
{
	uint32_t before = watch->number;

	return (before < number && number - before < 1u << 23) || (before > number && before - number > 1u << 23) ||
	       now_us > watch->number_us + 128 * (int64_t)S;
}

/* A message has reached the observer, which answers it, or not. */
static void take(const struct observe_sent *sent, bool again)
{
	struct watch *watch = &watches[sent->message.token[0]];
	char text[16] = "";

	if (sent->message.payload.size > 0)
		memcpy(text, sent->message.payload.data, sent->message.payload.size);
	if (sent->message.code == MESSAGE_CONTENT && !again) {
		ck_assert(watch->told == 1 || is_fresher(watch, sent->message.observe, sent->at_us));
		watch->number = sent->message.observe;
		watch->number_us = sent->at_us;
	}
	if (sent->message.code == MESSAGE_CONTENT && (unsigned)strtoul(text, NULL, 10) > watch->seen)
		watch->seen = (unsigned)strtoul(text, NULL, 10);
	if (sent->message.type == MESSAGE_CON)
		rig_settle(MESSAGE_ACK, sent->message.id);
}

/* Everything that was sent since the last look, some of it lost on the way. */
static void deliver(unsigned lost_percent)
{
	while (n_taken < rig.n_sent) {
		const struct observe_sent sent = rig.sent[n_taken++];
		bool again = false;

		for (size_t i = 0; i + 1 < n_taken; i++)
			again |= rig.sent[i].message.id == sent.message.id;
		if (random_below(100) >= lost_percent)
			take(&sent, again);
		else if (random_below(40) == 0)
			rig_settle(MESSAGE_RST, sent.message.id);
		note_ended();
	}
	n_taken = rig.n_sent = 0;
	gone = false;
}

/* Of all that has been sent since the last look, the confirmable ones are of one observer, unless one has gone meanwhile. */
static void assert_one_under_way(void)
{
	const struct observe_sent *first = NULL;

	for (size_t i = 0; i < rig.n_sent; i++) {
		const struct observe_sent *sent = &rig.sent[i];

		if (sent->message.type != MESSAGE_CON)
			continue;
		first = first ? first : sent;
		ck_assert(gone || sent->message.token[0] == first->message.token[0]);
	}
}

static void step(void)
{
	unsigned ended_before = rig.n_ended;
	struct watch *watch = &watches[random_below(RIG_A_PEER)];

	switch (random_below(8)) {
	case 0:
		if (!watch->observer) {
			*watch = (struct watch){.seen = 0};
			watch->observer = rig_add((uint8_t)(watch - watches), (int)(watch - watches));
		}
		break;
	case 1:
		if (watch->observer && random_below(10) == 0) {
			observe_remove(rig.table, watch->observer);
			watch->observer = NULL;
			gone = true;
		}
		break;
	case 2:
		if (watch->observer && !watch->last && random_below(10) == 0) {
			rig_tell_last(watch->observer, MESSAGE_FORBIDDEN);
			watch->last = true;
		}
		break;
	case 3:
		rig_advance(random_below(3) * 100 * MS);
		break;
	default:
		if (watch->observer && !watch->last)
			tell(watch);
		break;
	}
	gone |= rig.n_ended != ended_before;
	assert_one_under_way();
}

static void live(void)
{
	n_taken = 0;
	gone = false;
	memset(watches, 0, sizeof(watches));
	for (int i = 0; i < STEPS; i++) {
		step();
		if (random_below(3) > 0)
			deliver(LOST_PERCENT);
	}
	for (int round = 0; round < ROUNDS; round++) { /* the network is good from here on */
		deliver(0);
		rig_advance(3 * S);
	}
	for (size_t i = 0; i < RIG_A_PEER; i++) {
		if (!watches[i].observer)
			continue;
		ck_assert_msg(!watches[i].last, "the last word has arrived, and that was the end");
		ck_assert_uint_eq(watches[i].seen, watches[i].told);
		observe_remove(rig.table, watches[i].observer);
	}
	rig.n_sent = 0;
}

START_TEST(random_lives)
{
	for (unsigned life = 0; life < LIVES; life++) {
		seed = life + 1;
		live();
		rig.now_us += (int64_t)random_below(1000) * S;
	}
	ck_assert_uint_gt(rig.counts[OBSERVE_COUNT_RETRANSMIT], LIVES);
	ck_assert_uint_gt(rig.counts[OBSERVE_COUNT_SKIPPED], LIVES);
	ck_assert_uint_gt(rig.counts[OBSERVE_COUNT_RESET], 10);
	ck_assert_uint_gt(rig.n_ended, 10);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_observe_lives");
	TCase *tcase = tcase_create("all");

	tcase_add_checked_fixture(tcase, rig_setup, rig_teardown);
	tcase_set_timeout(tcase, 120);
	tcase_add_test(tcase, random_lives);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
