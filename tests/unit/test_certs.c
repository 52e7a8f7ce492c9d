/* SPDX-License-Identifier: Apache-2.0 */
#include "core/certs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "suite.h"

#define DAY (INT64_C(86400) * CLOCK_S_US)
/* 2026-01-01 */
#define BEGIN  (INT64_C(1767225600) * CLOCK_S_US)
#define URGENT (14 * DAY)

static struct trust_x509 facts_of(int64_t days)
{
	struct trust_x509 facts = {.from_wall_us = BEGIN, .until_wall_us = BEGIN + days * DAY};

	snprintf(facts.subject, sizeof(facts.subject), "CN=hall-3,O=Example");
	return facts;
}

static struct certs_find find_of(enum certs_role role, const char *place, const struct trust_x509 *facts)
{
	return (struct certs_find){.role = role,
				   .endpoint = "cloud",
				   .place = place,
				   .file = role < CERTS_DEVICE ? "/etc/x.crt" : "",
				   .facts = facts,
				   .problem = "is damaged"};
}

static struct certs *table(void)
{
	struct certs *certs;

	ck_assert_int_eq(certs_new(&certs), 0);
	return certs;
}

static void put(struct certs *certs, const struct certs_find *find)
{
	certs_begin(certs);
	ck_assert_int_eq(certs_found(certs, find), 0);
	certs_end(certs);
}

struct changes {
	unsigned count;
	enum certs_state before, after;
};

static void on_change(void *arg, const struct certs_item *item, enum certs_state before)
{
	struct changes *changes = arg;

	changes->count++;
	changes->before = before;
	changes->after = item->state;
}

/* The next change is due at exactly the moments at which the state changes, and each is told once. */
START_TEST(a_life_in_its_states)
{
	struct certs *certs = table();
	struct changes changes = {0};
	struct trust_x509 facts = facts_of(90);
	struct certs_find find = find_of(CERTS_OWN, "certificate", &facts);
	int64_t due;

	put(certs, &find);
	due = certs_judge(certs, BEGIN - DAY, URGENT, on_change, &changes);
	ck_assert_int_eq(changes.after, CERTS_EARLY);
	ck_assert_int_eq(due, BEGIN);
	due = certs_judge(certs, due, URGENT, on_change, &changes);
	ck_assert_int_eq(changes.after, CERTS_FINE);
	ck_assert_int_eq(due, BEGIN + 60 * DAY);
	ck_assert_int_eq(certs_judge(certs, due - 1, URGENT, on_change, &changes), due);
	ck_assert_uint_eq(changes.count, 2);
	due = certs_judge(certs, due, URGENT, on_change, &changes);
	ck_assert_int_eq(changes.after, CERTS_RENEW);
	ck_assert_int_eq(due, BEGIN + 76 * DAY);
	due = certs_judge(certs, due, URGENT, on_change, &changes);
	ck_assert_int_eq(changes.after, CERTS_URGENT);
	ck_assert_int_eq(due, BEGIN + 90 * DAY + 1);
	certs_judge(certs, due - 1, URGENT, on_change, &changes);
	ck_assert_uint_eq(changes.count, 4);
	ck_assert_int_eq(certs_judge(certs, due, URGENT, on_change, &changes), INT64_MAX);
	ck_assert_int_eq(changes.before, CERTS_URGENT);
	ck_assert_int_eq(changes.after, CERTS_EXPIRED);
	/* A new one in its place is good news. */
	facts.from_wall_us += 90 * DAY;
	facts.until_wall_us += 90 * DAY;
	put(certs, &find);
	certs_judge(certs, due, URGENT, on_change, &changes);
	ck_assert_uint_eq(changes.count, 6);
	ck_assert_int_eq(changes.before, CERTS_EXPIRED);
	ck_assert_int_eq(changes.after, CERTS_FINE);
	certs_free(certs);
}
END_TEST

START_TEST(when_it_is_urgent)
{
	static const struct {
		int64_t days, renew, left; /* hours left where it becomes urgent */
	} rows[] = {{3, 48, 12}, {90, 60 * 24, 14 * 24}, {360, 240 * 24, 36 * 24}};

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		struct certs_item item = {.facts = facts_of(rows[i].days)};
		int64_t renew, urgent;

		certs_marks(&item, URGENT, &renew, &urgent);
		ck_assert_int_eq(renew, BEGIN + rows[i].renew * DAY / 24);
		ck_assert_int_eq(urgent, BEGIN + rows[i].days * DAY - rows[i].left * DAY / 24);
	}
}
END_TEST

START_TEST(a_list_is_fine_until_it_should_have_been_replaced)
{
	struct certs *certs = table();
	struct changes changes = {0};
	struct trust_x509 facts = facts_of(7);
	struct certs_find find = find_of(CERTS_LIST, "crl", &facts);

	facts.list = true;
	put(certs, &find);
	ck_assert_int_eq(certs_judge(certs, BEGIN + 7 * DAY, URGENT, on_change, &changes), BEGIN + 7 * DAY + 1);
	ck_assert_uint_eq(changes.count, 0);
	certs_judge(certs, BEGIN + 7 * DAY + 1, URGENT, on_change, &changes);
	ck_assert_int_eq(changes.after, CERTS_EXPIRED);
	facts.until_wall_us = INT64_MAX;
	put(certs, &find);
	ck_assert_int_eq(certs_judge(certs, BEGIN + 7000 * DAY, URGENT, on_change, &changes), INT64_MAX);
	ck_assert_int_eq(changes.after, CERTS_FINE);
	certs_free(certs);
}
END_TEST

START_TEST(a_file_without_one_is_unusable_until_it_is_good)
{
	struct certs *certs = table();
	struct changes changes = {0};
	struct trust_x509 facts = facts_of(90);
	struct certs_find find = find_of(CERTS_FILE, "certificate", NULL);
	char words[CERTS_WORDS_SIZE];
	const struct certs_item **list;
	size_t count;

	put(certs, &find);
	ck_assert_int_eq(certs_judge(certs, BEGIN, URGENT, on_change, &changes), INT64_MAX);
	ck_assert_int_eq(changes.after, CERTS_UNUSABLE);
	ck_assert_int_eq(certs_list(certs, &list, &count), 0);
	ck_assert_uint_eq(count, 1);
	certs_words(list[0], CERTS_UNUSABLE, words);
	ck_assert_str_eq(words, "endpoint \"cloud\" cannot connect: \"/etc/x.crt\" is damaged");
	free(list);
	find = find_of(CERTS_OWN, "certificate", &facts);
	put(certs, &find);
	certs_judge(certs, BEGIN, URGENT, on_change, &changes);
	ck_assert_int_eq(changes.before, CERTS_UNUSABLE);
	ck_assert_int_eq(changes.after, CERTS_FINE);
	certs_begin(certs);
	certs_end(certs);
	ck_assert_int_eq(certs_list(certs, &list, &count), 0);
	ck_assert_uint_eq(count, 0);
	free(list);
	certs_free(certs);
}
END_TEST

START_TEST(of_many_devices_the_soonest_are_kept)
{
	struct certs *certs = table();
	const struct certs_item **list;
	char name[32];
	size_t count;

	for (int i = 0; i < 3 * CERTS_PEERS_MAX; i++) {
		struct trust_x509 facts = facts_of(1000 + (i * 7919) % 3000);
		struct certs_find find = find_of(CERTS_DEVICE, name, &facts);

		snprintf(name, sizeof(name), "device-%d", i);
		ck_assert_int_eq(certs_shown(certs, &find, BEGIN), 0);
		ck_assert_int_eq(certs_shown(certs, &find, BEGIN), 0); /* it comes again */
	}
	ck_assert_uint_gt(certs_left_out(certs), 0);
	ck_assert_int_eq(certs_list(certs, &list, &count), 0);
	ck_assert_uint_eq(count, CERTS_PEERS_MAX);
	for (size_t i = 1; i < count; i++)
		ck_assert_int_le(list[i - 1]->facts.until_wall_us, list[i]->facts.until_wall_us);
	for (int i = 0, sooner = 0; i < 3 * CERTS_PEERS_MAX; i++) {
		sooner += BEGIN + (1000 + (i * 7919) % 3000) * DAY < list[count - 1]->facts.until_wall_us;
		ck_assert_int_lt(sooner, CERTS_PEERS_MAX);
	}
	free(list);
	/* Those that are long over are forgotten. */
	struct changes changes = {0};
	certs_judge(certs, BEGIN + 5000 * DAY, URGENT, on_change, &changes);
	ck_assert_int_eq(certs_list(certs, &list, &count), 0);
	ck_assert_uint_eq(count, 0);
	free(list);
	certs_free(certs);
}
END_TEST

START_TEST(in_words)
{
	struct certs_item item = {.role = CERTS_OWN, .endpoint = "cloud", .facts = facts_of(90)};
	char place[] = "certificate", file[] = "/etc/x.crt", words[CERTS_WORDS_SIZE], who[TRUST_X509_NAME_SIZE];

	item.place = place;
	item.file = file;
	certs_words(&item, CERTS_EXPIRED, words);
	ck_assert_str_eq(words, "endpoint \"cloud\" can no longer log in: certificate \"CN=hall-3,O=Example\" expired "
				"2026-04-01T00:00:00Z");
	certs_words(&item, CERTS_FINE, words);
	ck_assert_str_eq(words, "endpoint \"cloud\": certificate \"CN=hall-3,O=Example\" is valid until "
				"2026-04-01T00:00:00Z");
	certs_who(&item, who);
	ck_assert_str_eq(who, "hall-3");
	for (int role = CERTS_OWN; role <= CERTS_SERVER; role++) {
		item.role = (enum certs_role)role;
		for (int state = CERTS_FINE; state < CERTS_STATES; state++) {
			certs_words(&item, (enum certs_state)state, words);
			ck_assert(*words);
			certs_remedy(&item, (enum certs_state)state, words);
			ck_assert(*words || state == CERTS_FINE);
		}
	}
}
END_TEST

SUITE_MAIN("certs", a_life_in_its_states, when_it_is_urgent, a_list_is_fine_until_it_should_have_been_replaced,
	   a_file_without_one_is_unusable_until_it_is_good, of_many_devices_the_soonest_are_kept, in_words)
