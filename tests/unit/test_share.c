/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/share.h"
#include "suite.h"

static void expect(const struct shares *shares, const char *device, int64_t messages, int64_t memory, int64_t cost)
{
	struct share_held held = share_of(shares, bytes_text(device));

	ck_assert_int_eq(held.messages, messages);
	ck_assert_int_eq(held.memory_bytes, memory);
	ck_assert_int_eq(held.cost_bytes, cost);
}

START_TEST(counts_from_custody_to_the_end)
{
	struct shares shares = {.table = NULL};
	struct tg_bytes pump = bytes_text("pump"), tank = bytes_text("tank");

	expect(&shares, "pump", 0, 0, 0);
	share_add(&shares, pump, 10, 100);
	share_add(&shares, pump, 20, 200);
	share_add(&shares, tank, 0, 7);
	expect(&shares, "pump", 2, 30, 300);
	expect(&shares, "tank", 1, 0, 7);
	expect(&shares, "pum", 0, 0, 0);
	share_saved(&shares, pump, 10);
	expect(&shares, "pump", 2, 20, 300);
	ck_assert_uint_eq(shares_count(&shares), 2);
	share_drop(&shares, pump, 0, 100);
	share_drop(&shares, pump, 20, 200);
	expect(&shares, "pump", 0, 0, 0);
	ck_assert_uint_eq(shares_count(&shares), 1);
	share_drop(&shares, tank, 0, 7);
	ck_assert_uint_eq(shares_count(&shares), 0);
	shares_done(&shares);
}
END_TEST

START_TEST(what_was_never_counted_is_not_taken_off)
{
	struct shares shares = {.table = NULL};

	share_drop(&shares, bytes_text("nobody"), 5, 5);
	share_saved(&shares, bytes_text("nobody"), 5);
	expect(&shares, "nobody", 0, 0, 0);
	share_add(&shares, bytes_of(NULL, 0), 1, 1);
	expect(&shares, "", 1, 1, 1);
	share_drop(&shares, bytes_text(""), 1, 1);
	share_drop(&shares, bytes_text(""), 1, 1);
	share_saved(&shares, bytes_text(""), 1);
	expect(&shares, "", 0, 0, 0);
	shares_done(&shares);
}
END_TEST

static struct tg_bytes name_of(unsigned number, char text[16])
{
	snprintf(text, 16, "device-%u", number);
	return bytes_text(text);
}

START_TEST(accounts_at_rest_are_bounded)
{
	struct shares shares = {.table = NULL};
	char text[16];

	share_add(&shares, bytes_text("first"), 3, 4);
	for (unsigned i = 0; i < 20000; i++) {
		share_add(&shares, name_of(i, text), 1, 1);
		share_drop(&shares, name_of(i, text), 1, 1);
	}
	ck_assert_uint_eq(shares_count(&shares), 1);
	ck_assert_uint_le(shares.idle_count, 1024);
	expect(&shares, "first", 1, 3, 4);
	for (unsigned i = 0; i < 5000; i++)
		share_add(&shares, name_of(i, text), 1, i);
	ck_assert_uint_eq(shares_count(&shares), 5001);
	expect(&shares, "device-4999", 1, 1, 4999);
	for (unsigned i = 0; i < 5000; i++)
		share_drop(&shares, name_of(i, text), 1, i);
	ck_assert_uint_eq(shares_count(&shares), 1);
	shares_done(&shares);
}
END_TEST

START_TEST(a_share_is_exact)
{
	const struct share_held whole = {.memory_bytes = 1000, .cost_bytes = 999};
	struct share_held held = {.messages = 1, .memory_bytes = 90, .cost_bytes = 90}, more = {1, 10, 9};

	ck_assert(share_allows(&held, 10, &more, &whole));
	more.cost_bytes = 10; /* 10 % of 999 are 99 */
	ck_assert(!share_allows(&held, 10, &more, &whole));
	more = (struct share_held){1, 11, 0};
	ck_assert(!share_allows(&held, 10, &more, &whole));
	ck_assert(share_allows(&held, 11, &more, &whole));
	more = (struct share_held){1, 1 << 30, 1 << 30};
	ck_assert(share_allows(&held, 100, &more, &whole));
	ck_assert(!share_allows(&held, 99, &more, &whole));
	held = (struct share_held){.messages = 0};
	ck_assert(share_allows(&held, 1, &more, &whole)); /* the only one */
}
END_TEST

SUITE_MAIN("share", counts_from_custody_to_the_end, what_was_never_counted_is_not_taken_off,
	   accounts_at_rest_are_bounded, a_share_is_exact)
