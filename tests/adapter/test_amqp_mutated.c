/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What an honest peer of Qpid Proton's has said, both ways of use, is recorded once and then said to the adapter again and again
 * with changes. Whatever comes of it: the adapter lives, comes back, and neither accepts nor confirms anything without the word for it.
 */

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "amqp_fake.h"
#include "base/bytes.h"
#include "bench/tool.h"
#include "child.h"
#include "fuzz/mutator.h"

enum { ROUNDS = 400, BROKERS = 16, PARTS_MAX = 256, PART_ROOM = 40000, SPARE = 64, PATIENCE = 30 };

/* Something that the peer has said at once, and how much the adapter had said before. Units: bytes. */
struct part {
	uint8_t *data;
	size_t size;
	size_t heard;
};

static struct part parts[PARTS_MAX];
static size_t n_parts;

static void setup(void)
{
	rig_setup();
	mock_set(mock, "backoff_min_ms", "10");
	mock_add(mock, "sources", "hall");
	mock_add_route(mock, "hall");
	n_parts = 0;
}

static void teardown(void)
{
	while (n_parts > 0)
		free(parts[--n_parts].data);
	fake_stop();
	rig_teardown();
}

/* A connection to the honest peer. */
static int connect_peer(void)
{
	struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(peer_port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	ck_assert_int_eq(connect(fd, (struct sockaddr *)&address, sizeof(address)), 0);
	return fd;
}

/* Hands on what has come, either way; what the peer says is kept. */
static void relay(int fd)
{
	static uint8_t buffer[PART_ROOM];
	size_t heard = fake_received();
	ssize_t n;

	n = fake_take(buffer, sizeof(buffer));
	ck_assert(n <= 0 || send(fd, buffer, (size_t)n, MSG_NOSIGNAL) == n);
	n = recv(fd, buffer, sizeof(buffer), MSG_DONTWAIT);
	if (n <= 0)
		return;
	ck_assert_uint_lt(n_parts, PARTS_MAX);
	parts[n_parts] = (struct part){.data = malloc((size_t)n), .size = (size_t)n, .heard = heard};
	ck_assert_ptr_nonnull(parts[n_parts].data);
	memcpy(parts[n_parts++].data, buffer, (size_t)n);
	fake_send(buffer, (size_t)n);
}

#define RELAY_UNTIL(condition) ck_assert(MOCK_UNTIL(mock, (relay(fd), (condition)), RIG_SOON_MS))

static void record(void)
{
	int fd;

	rig_start_peer(false);
	fd = connect_peer();
	mock_set(mock, "broker", NULL);
	fake_start();
	for (int i = 1; i < BROKERS; i++) /* so that there is no pause behind each connection */
		fake_add();
	mock->accept_all = true;
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	RELAY_UNTIL(mock_counter(mock, "receivers") == 1);
	talker_tell(&peer, "{\"do\": \"send\", \"address\": \"hall\", \"message\": {\"body\": \"t\", \"id\": [\"str\", "
			   "\"i\"]}, \"times\": 2}");
	talker_tell(&peer, "{\"do\": \"send\", \"address\": \"hall\", \"message\": {\"size\": 40000}}");
	RELAY_UNTIL(mock_counter(mock, "accepted") == 3);
	for (int i = 1; i <= 3; i++) {
		rig_deliver(i == 2 ? "b" : "a", "x");
		RELAY_UNTIL(mock_counter(mock, "confirmed") == i);
	}
	mock->accept_all = false;
	close(fd);
	talker_stop(&peer);
}

/* Keeps the sizes of frames in one half of all cases, so that more than their heads is looked at. */
static size_t change(struct tool_random *random, uint8_t *data, size_t size, size_t room)
{
	if (tool_random_below(random, 2))
		return mutator_bytes(random, data, size, room);
	for (uint32_t i = 1 + tool_random_below(random, 3); i > 0; i--)
		data[tool_random_below(random, (uint32_t)size)] = (uint8_t)tool_random_below(random, 256);
	return size;
}

static bool says_accepted(const uint8_t *data, size_t size)
{
	return memmem(data, size, "\0S\x24", 3) != NULL;
}

/* Returns whether the peer has said a word of acceptance. */
static bool replay(struct tool_random *random)
{
	static uint8_t data[PART_ROOM + SPARE];
	size_t changed = tool_random_below(random, (uint32_t)n_parts);
	bool accepted = false;

	for (size_t i = 0; i < n_parts && !fake_has_ended(); i++) {
		size_t size = parts[i].size;

		for (int turns = 0; turns < PATIENCE && fake_received() < parts[i].heard; turns++)
			mock_turn(mock, 1000);
		memcpy(data, parts[i].data, size);
		if (i == changed || (i > changed && tool_random_below(random, 8) == 0))
			size = change(random, data, size, size + SPARE);
		accepted |= says_accepted(data, size);
		fake_send(data, size);
		mock_settle(mock);
		if (mock->link == TG_LINK_UP && mock_counter(mock, "queued") + mock_counter(mock, "in_flight") < 3)
			rig_deliver("a", "x");
	}
	return accepted;
}

START_TEST(a_recorded_peer_with_changes_does_no_harm)
{
	struct tool_random random = {1};
	const char *seed = getenv("TG_SEED");
	unsigned up = 0;

	if (seed)
		random.state = strtoull(seed, NULL, 10);
	record();
	for (int i = 0; i < ROUNDS; i++) {
		int64_t confirmed = mock_counter(mock, "confirmed"), connects = mock_counter(mock, "connects");
		uint64_t state = random.state;
		bool accepted;

		fake_expect_connection();
		accepted = replay(&random);
		mock_settle(mock);
		ck_assert_msg(accepted || mock_counter(mock, "confirmed") == confirmed, "confirmed, seed %" PRIu64,
			      state);
		ck_assert_int_eq(mock_counter(mock, "accepted"), 3);
		ck_assert_msg(!fake_has("\0S\x24", 3), "accepted without a verdict, seed %" PRIu64, state);
		up += mock_counter(mock, "connects") > connects;
	}
	ck_assert_uint_gt(up, ROUNDS / 4); /* else nothing was looked at but logins */
	ck_assert_uint_gt(mock->n_submissions, 3);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("amqp mutated");
	TCase *group = tcase_create("amqp mutated");

	tcase_set_timeout(group, 400);
	tcase_add_checked_fixture(group, setup, teardown);
	tcase_add_test(group, a_recorded_peer_with_changes_does_no_harm);
	suite_add_tcase(suite, group);
	return rig_main(suite, false);
}
