/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/bytes.h"
#include "core/devices.h"
#include "core/tickets.h"
#include "suite.h"

#define HOUR_US     (INT64_C(3600) * 1000000)
#define LIFETIME_US (24 * HOUR_US)
#define BEGIN_US    (INT64_C(1800000000) * 1000000)

static const struct secret master = {.size = 32, .data = "a master key, as good as any 32b"};
static const struct secret wrong = {.size = 32, .data = "another key, and as good as that"};

static bool has(const struct tickets *tickets, const struct tg_ticket_key *key)
{
	for (size_t i = 0; i < tickets->count; i++) {
		if (memcmp(&tickets->keys[i], key, sizeof(*key)) == 0)
			return true;
	}
	return false;
}

/* Every hour a ticket is made; each must be readable for its whole lifetime, and no key long after that. */
START_TEST(a_ticket_is_readable_for_its_lifetime)
{
	enum { HOURS = 24 * 10, LIFE = 24 };
	static struct tg_ticket_key made_with[HOURS];
	struct tickets tickets = {.count = 0};

	for (int hour = 0; hour < HOURS; hour++) {
		ck_assert_int_ge(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + hour * HOUR_US), 0);
		ck_assert_uint_ge(tickets.count, 1);
		ck_assert_uint_lt(tickets.count, TICKETS_MAX);
		made_with[hour] = tickets.keys[0];
		for (int then = hour; then >= 0; then--)
			ck_assert_msg(hour - then >= LIFE || has(&tickets, &made_with[then]), "%d, %d", hour, then);
		if (hour >= 2 * LIFE)
			ck_assert(!has(&tickets, &made_with[hour - LIFE - LIFE / 2 - 1]));
	}
	/* Twice in each lifetime another one. */
	ck_assert_int_eq(memcmp(&made_with[0], &made_with[11], sizeof(made_with[0])), 0);
	ck_assert_int_ne(memcmp(&made_with[11], &made_with[12], sizeof(made_with[0])), 0);
}
END_TEST

START_TEST(it_says_whether_anything_changed)
{
	struct tickets tickets = {.count = 0};

	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US), 1);
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US), 0);
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + LIFETIME_US / 2 - 1), 0);
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + LIFETIME_US / 2), 1);
	ck_assert_uint_eq(tickets.count, 2);
	ck_assert_int_eq(tickets_turn(&tickets, 0, BEGIN_US + LIFETIME_US / 2), 1);
	ck_assert_uint_eq(tickets.count, 0);
	ck_assert_int_eq(tickets_turn(&tickets, 0, BEGIN_US + LIFETIME_US), 0);
}
END_TEST

START_TEST(keys_are_random)
{
	static const uint8_t zeros[32];
	struct tickets tickets = {.count = 0};

	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US), 1);
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + LIFETIME_US), 1);
	ck_assert_uint_eq(tickets.count, 2);
	ck_assert_mem_ne(tickets.keys[0].name, tickets.keys[1].name, sizeof(tickets.keys[0].name));
	ck_assert_mem_ne(tickets.keys[0].encryption, tickets.keys[1].encryption, 32);
	ck_assert_mem_ne(tickets.keys[0].authentication, tickets.keys[1].authentication, 32);
	ck_assert_mem_ne(tickets.keys[0].encryption, tickets.keys[0].authentication, 32);
	ck_assert_mem_ne(tickets.keys[0].encryption, zeros, 32);
	tickets_wipe(&tickets);
	ck_assert_mem_eq(tickets.keys[0].encryption, zeros, 32);
}
END_TEST

/* The clock ran ahead, and was set right: the key of the future is not used for longer than any other. */
START_TEST(a_clock_that_goes_back)
{
	struct tickets tickets = {.count = 0};
	struct tg_ticket_key ahead;

	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + 1000 * LIFETIME_US), 1);
	ahead = tickets.keys[0];
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US), 1);
	ck_assert_mem_eq(&tickets.keys[0], &ahead, sizeof(ahead));
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + LIFETIME_US / 2), 1);
	ck_assert_mem_ne(&tickets.keys[0], &ahead, sizeof(ahead));
	ck_assert(has(&tickets, &ahead));
	ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + 2 * LIFETIME_US), 1);
	ck_assert(!has(&tickets, &ahead));
}
END_TEST

START_TEST(they_are_kept_and_read_again)
{
	uint8_t packed[TICKETS_PACKED_MAX + 1];
	struct tickets tickets = {.count = 0}, read;

	for (int i = 0; i < 3; i++)
		ck_assert_int_eq(tickets_turn(&tickets, LIFETIME_US, BEGIN_US + i * LIFETIME_US / 2), 1);
	size_t size = tickets_pack(&tickets, packed);
	ck_assert_uint_eq(size, tickets.count * 88);
	ck_assert_int_eq(tickets_unpack((struct tg_bytes){packed, size}, &read), 0);
	ck_assert_mem_eq(&read, &tickets, sizeof(read));
	ck_assert_int_eq(tickets_turn(&read, LIFETIME_US, BEGIN_US + LIFETIME_US), 0);
	for (size_t cut = 1; cut < 88; cut++)
		ck_assert_int_eq(tickets_unpack((struct tg_bytes){packed, size - cut}, &read), -EBADMSG);
	ck_assert_int_eq(tickets_unpack((struct tg_bytes){packed, TICKETS_PACKED_MAX + 88}, &read), -EBADMSG);
	ck_assert_int_eq(tickets_unpack((struct tg_bytes){packed, 0}, &read), 0);
	ck_assert_uint_eq(read.count, 0);
}
END_TEST

static struct devices *reopen(struct devices *devices, const char *state_dir)
{
	struct devices *opened = NULL;

	devices_free(devices);
	ck_assert_int_ge(devices_new(state_dir, &opened), 0);
	return opened;
}

/* What else the registry keeps is sealed like its keys, and belongs to its name. */
START_TEST(other_secrets_are_kept)
{
	uint8_t clear[DEVICES_KEPT_MAX], long_one[DEVICES_KEPT_MAX + 1] = {0};
	char state_dir[] = "/tmp/tidegate-tickets-XXXXXX", command[256];
	struct devices *devices = NULL;

	ck_assert_ptr_nonnull(mkdtemp(state_dir));
	devices = reopen(devices, state_dir);
	ck_assert_int_ge(devices_unlock(devices, &master), 0);

	ck_assert_int_eq(devices_kept(devices, "lamp", clear), -ENOENT);
	ck_assert_int_ge(devices_keep(devices, "lamp", bytes_text("a secret of the lamp")), 0);
	ck_assert_int_ge(devices_keep(devices, "lamp", bytes_text("another secret")), 0);
	ck_assert_int_eq(devices_keep(devices, "lamp", bytes_of(long_one, sizeof(long_one))), -EINVAL);
	devices = reopen(devices, state_dir);
	ck_assert_int_ge(devices_unlock(devices, &master), 0);
	ck_assert_int_eq(devices_kept(devices, "lamp", clear), 14);
	ck_assert_mem_eq(clear, "another secret", 14);
	ck_assert_int_eq(devices_kept(devices, "lam", clear), -ENOENT);
	snprintf(command, sizeof(command), "! grep -rq 'another secret' %s", state_dir);
	ck_assert_int_eq(system(command), 0);
	devices = reopen(devices, state_dir);
	ck_assert_int_eq(devices_kept(devices, "lamp", clear), -ENOKEY);
	ck_assert_int_eq(devices_keep(devices, "lamp", bytes_text("x")), -ENOKEY);
	ck_assert_int_ge(devices_unlock(devices, &master), 0);
	ck_assert_int_ge(devices_rekey(devices, &wrong), 0);
	ck_assert_int_eq(devices_kept(devices, "lamp", clear), -EKEYREJECTED);
	devices_free(devices);
	snprintf(command, sizeof(command), "rm -r %s", state_dir);
	ck_assert_int_eq(system(command), 0);
}
END_TEST

SUITE_MAIN("tickets", other_secrets_are_kept, a_ticket_is_readable_for_its_lifetime, it_says_whether_anything_changed,
	   keys_are_random, a_clock_that_goes_back, they_are_kept_and_read_again)
