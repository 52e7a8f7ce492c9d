/* SPDX-License-Identifier: Apache-2.0 */
#include <string.h>

#include "ctl/prove.h"
#include "suite.h"

#define S INT64_C(1000000)

struct box {
	const char *state;
	int uptime_s;
	const char *field; /* links */
	const char *cloud;
	int restarts; /* of cloud */
	int held, delivered;
	int balanced;
};

static const struct box good = {"running", 100, "up", "up", 0, 0, 10, 1};

static json_t *status_of(const struct box *box)
{
	json_t *status = json_pack(
		"{s:s,s:s,s:i,s:[{s:s,s:s,s:s,s:s,s:i},{s:s,s:s,s:s,s:s,s:i}],s:[{s:s,s:{s:i,s:i}}],s:{s:b}}",
		"version", "1", "state", box->state, "uptime_s", box->uptime_s, "endpoints", "name", "field", "state",
		"running", "link", box->field, "detail", "", "restarts", 0, "name", "cloud", "state", "running", "link",
		box->cloud, "detail", "why", "restarts", box->restarts, "outboxes", "endpoint", "cloud", "ledger",
		"held", box->held, "delivered", box->delivered, "ledger", "balanced", box->balanced);

	ck_assert_ptr_nonnull(status);
	return status;
}

static json_t *note_of(const struct box *box)
{
	json_t *status = status_of(box), *note = prove_note(status);

	json_decref(status);
	return note;
}

static int64_t look(struct prove *prove, const struct box *box, int64_t now_us)
{
	json_t *status = status_of(box);
	int64_t r = prove_look(prove, status, now_us);

	json_decref(status);
	return r;
}

START_TEST(test_good_for_long_enough)
{
	json_t *before = note_of(&good);
	struct prove prove = {.before = before};

	ck_assert_int_eq(look(&prove, &good, 5 * S), 0);
	ck_assert(!prove_enough(&prove, 20 * S, 24 * S));
	ck_assert_int_eq(look(&prove, &good, 25 * S), 20 * S);
	ck_assert(prove_enough(&prove, 20 * S, 25 * S));
	prove_done(&prove);
	json_decref(before);
}
END_TEST

/* Each of these looks begins everything anew. */
START_TEST(test_a_break)
{
	static const struct box bad[] = {{"starting", 101, "up", "up", 0, 0, 10, 1},
					 {"stopping", 101, "up", "up", 0, 0, 10, 1},
					 {"running", 101, "up", "down", 0, 0, 10, 1},
					 {"running", 101, "connecting", "up", 0, 0, 10, 1},
					 {"running", 101, "up", "up", 0, 0, 10, 0}};
	json_t *before = note_of(&good);

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct prove prove = {.before = before};

		ck_assert_int_eq(look(&prove, &good, 5 * S), 0);
		ck_assert_int_eq(look(&prove, &bad[i], 24 * S), -1);
		ck_assert_str_ne(prove.why, "");
		ck_assert(!prove_enough(&prove, 20 * S, 25 * S));
		ck_assert_int_eq(look(&prove, &good, 26 * S), 0);
		prove_done(&prove);
	}
	json_decref(before);
}
END_TEST

START_TEST(test_silence)
{
	struct prove prove = {.before = NULL};

	ck_assert_int_eq(look(&prove, &good, 5 * S), 0);
	ck_assert_int_eq(prove_look(&prove, NULL, 6 * S), -1);
	ck_assert_str_eq(prove.why, "the gateway does not answer");
	ck_assert(!prove_enough(&prove, 1, 30 * S));
	prove_done(&prove);
}
END_TEST

/* What is up again between two looks was down all the same. */
START_TEST(test_restarts_count)
{
	static const struct box core = {"running", 3, "up", "up", 0, 0, 10, 1};
	static const struct box endpoint = {"running", 120, "up", "up", 1, 0, 10, 1};
	json_t *before = note_of(&good);

	for (int i = 0; i < 2; i++) {
		struct prove prove = {.before = before};

		ck_assert_int_eq(look(&prove, &good, 5 * S), 0);
		ck_assert_int_eq(look(&prove, i ? &core : &endpoint, 24 * S), 0);
		ck_assert_ptr_nonnull(strstr(prove.why, "started again"));
		prove_done(&prove);
	}
	json_decref(before);
}
END_TEST

/* One that cannot open is started again and again, by the version before as by this one. */
START_TEST(test_restarts_of_what_was_down_do_not_count)
{
	static const struct box down = {"running", 100, "up", "down", 1, 0, 10, 1};
	static const struct box again = {"running", 120, "up", "down", 2, 0, 10, 1};
	json_t *before = note_of(&down);
	struct prove known = {.before = before}, unknown = {.before = NULL};

	ck_assert_int_eq(look(&known, &down, 5 * S), 0);
	ck_assert_int_eq(look(&known, &again, 25 * S), 20 * S);
	ck_assert(prove_enough(&known, 20 * S, 25 * S));
	ck_assert_int_eq(look(&unknown, &down, 5 * S), 0);
	ck_assert_int_eq(look(&unknown, &again, 25 * S), 0);
	ck_assert_ptr_nonnull(strstr(unknown.why, "started again"));
	prove_done(&known);
	prove_done(&unknown);
	json_decref(before);
}
END_TEST

/* One that is not there from the beginning has got lost; one that goes later was taken out of the configuration. */
START_TEST(test_an_endpoint_that_goes)
{
	json_t *before = note_of(&good);

	for (int later = 0; later < 2; later++) {
		struct prove prove = {.before = before};
		json_t *status = status_of(&good);

		if (later)
			ck_assert_int_eq(look(&prove, &good, 5 * S), 0);
		ck_assert_int_eq(json_array_remove(json_object_get(status, "endpoints"), 1), 0);
		ck_assert_int_eq(prove_look(&prove, status, 6 * S), later ? 1 * S : -1);
		ck_assert_int_eq(strstr(prove.why, "gone") != NULL, !later);
		json_decref(status);
		prove_done(&prove);
	}
	json_decref(before);
}
END_TEST

/* As it is told while its outbox may hold something, or when it is switched off; "stopped" is no wish of the operator's. */
START_TEST(test_an_endpoint_that_is_taken_away)
{
	static const char *const states[] = {"removed", "disabled", "stopped"};
	json_t *before = note_of(&good);

	for (size_t i = 0; i < sizeof(states) / sizeof(states[0]); i++) {
		static const struct box down = {"running", 100, "up", "down", 0, 0, 10, 1};
		struct prove prove = {.before = before};
		json_t *status = status_of(&down);

		json_object_set_new(json_array_get(json_object_get(status, "endpoints"), 1), "state",
				    json_string(states[i]));
		ck_assert_int_eq(prove_look(&prove, status, 6 * S), i < 2 ? 0 : -1);
		json_decref(status);
		prove_done(&prove);
	}
	json_decref(before);
}
END_TEST

START_TEST(test_what_was_down_may_be_down)
{
	static const struct box down = {"running", 100, "up", "down", 0, 5, 10, 1};
	json_t *before = note_of(&down);
	struct prove prove = {.before = before};

	ck_assert_int_eq(look(&prove, &down, 5 * S), 0);
	ck_assert_int_eq(look(&prove, &down, 25 * S), 20 * S);
	ck_assert(prove_enough(&prove, 20 * S, 25 * S));
	prove_done(&prove);
	json_decref(before);
}
END_TEST

/* Up, and a message waits that nobody confirms. */
START_TEST(test_connected_and_forwarding_nothing)
{
	static const struct box waits = {"running", 100, "up", "up", 0, 5, 10, 1};
	static const struct box goes = {"running", 120, "up", "up", 0, 5, 11, 1};
	json_t *before = note_of(&good);
	struct prove prove = {.before = before};

	ck_assert_int_eq(look(&prove, &waits, 5 * S), 0);
	ck_assert_int_eq(look(&prove, &waits, 25 * S), 20 * S);
	ck_assert(!prove_enough(&prove, 20 * S, 25 * S));
	ck_assert_ptr_nonnull(strstr(prove.why, "confirms nothing"));
	ck_assert_int_eq(look(&prove, &waits, 26 * S), 0);
	ck_assert_int_eq(look(&prove, &goes, 46 * S), 20 * S);
	ck_assert(prove_enough(&prove, 20 * S, 46 * S));
	prove_done(&prove);
	json_decref(before);
}
END_TEST

SUITE_MAIN("prove", test_good_for_long_enough, test_a_break, test_silence, test_restarts_count,
	   test_restarts_of_what_was_down_do_not_count, test_an_endpoint_that_goes, test_an_endpoint_that_is_taken_away,
	   test_what_was_down_may_be_down, test_connected_and_forwarding_nothing)
