/* SPDX-License-Identifier: Apache-2.0 */

/* The notes of the OSCORE contexts of the coap_client adapter, with a core that goes, loses them, and cannot keep them. The core is
 * written here: it answers when it is told to. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "coap_client/oscore.h"
#include "suite.h"

enum { KEEPS_MAX = 32, LATER_US = 60000000 };

struct kept {
	char name[64];
	char value[32];
	uint64_t token;
	bool waits; /* for an answer */
};

static struct tg_timer {
	tg_call_fn *fn;
	void *arg;
	int64_t at_us;
} timer;
static struct kept keeps[KEEPS_MAX];
static size_t n_keeps;
static int keep_error;
static int64_t now_us = 1;
static unsigned changes;
static struct oscore *oscore;

static int64_t host_now_us(const struct tg_host *host)
{
	(void)host;
	return now_us;
}

static int host_timer_new(const struct tg_host *host, tg_call_fn *fn, void *arg, struct tg_timer **ret_timer)
{
	(void)host;
	timer = (struct tg_timer){.fn = fn, .arg = arg};
	*ret_timer = &timer;
	return 0;
}

static void host_timer_set(struct tg_timer *set, int64_t at_us)
{
	set->at_us = at_us;
}

static void host_timer_free(struct tg_timer *freed)
{
	(void)freed;
}

static int host_keep(const struct tg_host *host, struct tg_bytes name, struct tg_bytes value, uint64_t token)
{
	struct kept *kept = &keeps[n_keeps];

	(void)host;
	if (keep_error)
		return keep_error;
	ck_assert_uint_lt(n_keeps++, KEEPS_MAX);
	*kept = (struct kept){.token = token, .waits = true};
	snprintf(kept->name, sizeof(kept->name), "%.*s", (int)name.size, (const char *)name.data);
	snprintf(kept->value, sizeof(kept->value), "%.*s", (int)value.size, (const char *)value.data);
	return 0;
}

static const struct tg_host host = {.now_us = host_now_us,
				    .timer_new = host_timer_new,
				    .timer_set = host_timer_set,
				    .timer_free = host_timer_free,
				    .keep = host_keep};

static void on_changed(void *arg)
{
	(void)arg;
	changes++;
}

/* Sections "a", "b" and so on, each with keys of its own. */
static struct oscore_section sections[4] = {
	{.name = "a", .secret = {.bytes = "a secret of it..", .size = 16, .given = true}},
	{.name = "b", .secret = {.bytes = "b secret of it..", .size = 16, .given = true}},
	{.name = "c", .secret = {.bytes = "c secret of it..", .size = 16, .given = true}},
	{.name = "d", .secret = {.bytes = "d secret of it..", .size = 16, .given = true}},
};

static void apply(size_t count)
{
	const struct oscore_file file = {.sections = sections, .count = count};

	ck_assert_int_eq(oscore_apply(oscore, &file), 0);
}

static struct oscore_context *context(size_t i)
{
	return oscore_find(oscore, &sections[i]);
}

static const char *problem(size_t i)
{
	return oscore_problem(context(i)) ? oscore_problem(context(i)) : "";
}

/* The newest that waits for an answer; NULL: none. */
static struct kept *waiting(const char *value)
{
	for (size_t i = n_keeps; i-- > 0;)
		if (keeps[i].waits && strcmp(keeps[i].value, value) == 0)
			return &keeps[i];
	return NULL;
}

static size_t count_waiting(void)
{
	size_t count = 0;

	for (size_t i = 0; i < n_keeps; i++)
		count += keeps[i].waits;
	return count;
}

static void answer(struct kept *kept, int result)
{
	kept->waits = false;
	oscore_kept(oscore, kept->token, result);
}

static void answer_all(int result)
{
	for (size_t i = 0; i < n_keeps; i++)
		if (keeps[i].waits)
			answer(&keeps[i], result);
}

/* The core goes: what waits is answered by the host, and nothing can be asked. */
static void lose_core(void)
{
	keep_error = -ENOTCONN;
	answer_all(-ENOTCONN);
	ck_assert_uint_eq(count_waiting(), 0);
}

static void find_core(void)
{
	keep_error = 0;
	oscore_joined(oscore);
}

static void begin(size_t count)
{
	ck_assert_int_eq(oscore_new(&host, on_changed, NULL, &oscore), 0);
	apply(count);
	find_core();
	ck_assert_uint_eq(n_keeps, 0);
}

static bool later(void)
{
	bool due = timer.at_us > 0;

	now_us += LATER_US;
	timer.at_us = 0;
	if (due)
		timer.fn(timer.arg);
	return due;
}

START_TEST(a_new_context_begins_at_zero)
{
	begin(1);
	oscore_noted(oscore, 0);
	ck_assert_uint_eq(count_waiting(), 1);
	ck_assert(!oscore_is_ready(context(0)));
	answer(waiting("1024"), 0);
	ck_assert(oscore_is_ready(context(0)));
	ck_assert_uint_eq(changes, 2);
	oscore_free(oscore);
}
END_TEST

/* Settings come before the notes of a core that is back. */
START_TEST(a_core_that_is_back_tells_before_anything_begins)
{
	begin(1);
	oscore_noted(oscore, 0);
	answer_all(0);
	lose_core();
	apply(2);
	find_core();
	oscore_used(context(1));
	(void)later();
	ck_assert_uint_eq(count_waiting(), 0);
	oscore_note(oscore, bytes_text(keeps[0].name), bytes_text("1024"));
	oscore_noted(oscore, 7);
	ck_assert_str_eq(problem(0), "");
	ck_assert_str_ne(problem(1), "");
	oscore_free(oscore);
}
END_TEST

/* Whether the first question was answered with -EEXIST, nobody knows. */
START_TEST(a_context_that_was_never_kept_is_asked_for_again)
{
	begin(2);
	oscore_noted(oscore, 0);
	ck_assert_uint_eq(count_waiting(), 2);
	lose_core();
	find_core();
	oscore_note(oscore, bytes_text(keeps[0].name), bytes_text("1024"));
	oscore_noted(oscore, 7);
	ck_assert_uint_eq(oscore_sequence(context(0))->next + oscore_sequence(context(1))->next, 1024);
	ck_assert_ptr_nonnull(waiting("lost"));
	ck_assert_uint_eq(count_waiting(), 2);
	oscore_free(oscore);
}
END_TEST

START_TEST(a_retry_waits_for_the_core)
{
	begin(1);
	oscore_noted(oscore, 0);
	answer(waiting("1024"), -EIO);
	ck_assert_int_gt(timer.at_us, now_us);
	oscore_used(context(0));
	lose_core();
	apply(2);
	keep_error = 0;
	oscore_joined(oscore);
	ck_assert(later());
	ck_assert_uint_eq(count_waiting(), 0);
	oscore_noted(oscore, 7);
	ck_assert_str_ne(problem(0), "");
	ck_assert_str_ne(problem(1), "");
	oscore_free(oscore);
}
END_TEST

START_TEST(what_the_host_does_not_take_is_asked_for_later)
{
	begin(1);
	keep_error = -ENOBUFS;
	oscore_noted(oscore, 0);
	keep_error = 0;
	ck_assert(later());
	answer(waiting("1024"), 0);
	ck_assert(oscore_is_ready(context(0)));
	ck_assert(!later());
	oscore_free(oscore);
}
END_TEST

/* "a" is known of old, "b" and "c" are in use, "d" is gone from the file. */
static void begin_known(void)
{
	begin(4);
	oscore_noted(oscore, 0);
	ck_assert_uint_eq(count_waiting(), 4);
	answer_all(0);
	apply(3);
}

START_TEST(a_loss_is_over_when_all_is_kept_anew)
{
	size_t before;

	begin_known();
	lose_core();
	find_core();
	before = n_keeps;
	oscore_noted(oscore, 7);
	ck_assert_uint_eq(count_waiting(), 4);
	for (size_t i = before; i < before + 4; i++) {
		ck_assert_ptr_null(waiting("7"));
		ck_assert_str_eq(keeps[i].value, "1024");
		answer(&keeps[i], 0);
	}
	ck_assert_str_eq(waiting("7")->name, "oscore-loss");
	ck_assert_uint_eq(count_waiting(), 1);
	answer(waiting("7"), 0);
	for (size_t i = 0; i < 3; i++)
		ck_assert(oscore_is_ready(context(i)));
	ck_assert(!later());
	oscore_free(oscore);
}
END_TEST

START_TEST(a_loss_is_not_over_while_a_note_is_missing)
{
	begin(2);
	oscore_noted(oscore, 7);
	ck_assert_uint_eq(count_waiting(), 2);
	answer(waiting("lost"), 0);
	answer(waiting("lost"), -ENOSPC);
	ck_assert_uint_eq(count_waiting(), 0);
	ck_assert(later());
	ck_assert_uint_eq(count_waiting(), 1);
	answer(waiting("lost"), 0);
	answer(waiting("7"), -ENOSPC);
	ck_assert(later());
	answer(waiting("7"), 0);
	ck_assert_uint_eq(count_waiting(), 0);
	ck_assert(!later());
	oscore_free(oscore);
}
END_TEST

START_TEST(a_loss_waits_for_what_the_host_does_not_take)
{
	begin(2);
	keep_error = -ENOBUFS;
	oscore_noted(oscore, 7);
	keep_error = 0;
	ck_assert(later());
	ck_assert_uint_eq(count_waiting(), 2);
	ck_assert_ptr_null(waiting("7"));
	answer_all(0);
	ck_assert_str_ne(problem(0), "");
	ck_assert_str_ne(problem(1), "");
	oscore_free(oscore);
}
END_TEST

/* It has the keys, and takes care of its note; without them nothing would ever be over. */
START_TEST(a_note_of_another_endpoint_does_not_hold_up_a_loss)
{
	begin(1);
	oscore_noted(oscore, 7);
	answer(waiting("lost"), -EEXIST);
	answer(waiting("7"), 0);
	ck_assert_uint_eq(count_waiting(), 0);
	ck_assert_str_ne(problem(0), "");
	oscore_free(oscore);
}
END_TEST

/* What must not be used is as little known to the new file as what is in use. */
START_TEST(what_is_out_of_use_stays_so_over_the_next_loss)
{
	struct sequence *last;

	begin(2);
	oscore_noted(oscore, 7);
	answer_all(0);
	apply(4);
	answer(waiting("1024"), -EEXIST);
	answer(waiting("1024"), 0);
	last = oscore_sequence(oscore_is_ready(context(2)) ? context(2) : context(3));
	*last = (struct sequence){.next = SEQUENCE_END, .reserved = SEQUENCE_END};
	oscore_used(context(2));
	oscore_used(context(3));
	for (size_t i = 0; i < 4; i++)
		ck_assert_str_ne(problem(i), "");
	lose_core();
	find_core();
	oscore_noted(oscore, 8);
	ck_assert_uint_eq(count_waiting(), 4);
	for (size_t i = 0; i < 3; i++)
		answer(waiting("lost"), 0);
	ck_assert_ptr_null(waiting("8"));
	answer(waiting("1099511627775"), 0);
	answer(waiting("8"), 0);
	ck_assert_uint_eq(count_waiting(), 0);
	oscore_free(oscore);
}
END_TEST

START_TEST(a_loss_that_was_dealt_with_is_none)
{
	begin(1);
	oscore_note(oscore, bytes_text("oscore-loss"), bytes_text("7"));
	oscore_noted(oscore, 7);
	answer(waiting("1024"), 0);
	ck_assert(oscore_is_ready(context(0)));
	lose_core();
	find_core();
	oscore_note(oscore, bytes_text("oscore-loss"), bytes_text("7"));
	oscore_noted(oscore, 7);
	ck_assert_uint_eq(count_waiting(), 0);
	oscore_free(oscore);
}
END_TEST

SUITE_MAIN("coap client contexts", a_new_context_begins_at_zero, a_core_that_is_back_tells_before_anything_begins,
	   a_context_that_was_never_kept_is_asked_for_again, a_retry_waits_for_the_core,
	   what_the_host_does_not_take_is_asked_for_later, a_loss_is_over_when_all_is_kept_anew,
	   a_loss_is_not_over_while_a_note_is_missing, a_loss_waits_for_what_the_host_does_not_take,
	   a_note_of_another_endpoint_does_not_hold_up_a_loss, what_is_out_of_use_stays_so_over_the_next_loss,
	   a_loss_that_was_dealt_with_is_none)
