/* SPDX-License-Identifier: Apache-2.0 */

/* How much the hypercat adapter takes in, and how much of it waits for those who do not take it. */

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/clock.h"
#include "hypercat_guest.h"
#include "hypercat_rig.h"
#include "unit/suite.h"

enum { BODY = 65536, LARGE = 1 << 20, SLOWLY_BYTES = 65536, SOCKETS_HOLD = 5 << 20 };

static struct guest one;

/* The one body is `size` bytes: with its length, or as one chunk. */
static void post(size_t size, bool chunked)
{
	char *text = malloc(size + 256);
	int head = snprintf(text, 256, "POST /readings/a HTTP/1.1\r\nHost: a\r\nContent-Type: text/plain\r\n");

	ck_assert_ptr_nonnull(text);
	head += snprintf(text + head, 128,
			 chunked ? "Transfer-Encoding: chunked\r\n\r\n%zx\r\n" : "Content-Length: %zu\r\n\r\n", size);
	memset(text + head, 'a', size);
	memcpy(text + head + size, "\r\n0\r\n\r\n", 8);
	guest_secure(&one);
	guest_writes(&one, text, (size_t)head + size + (chunked ? 7 : 0));
	free(text);
}

/* With its length; as one chunk. */
START_TEST(a_body_may_be_as_large_as_the_setting_says)
{
	static const size_t sizes[] = {1, 16384, 32768, 40000, BODY - 1, BODY};

	guests_begin();
	rig_begin();
	for (size_t i = 0; i < 2 * sizeof(sizes) / sizeof(sizes[0]); i++) {
		post(sizes[i / 2], i % 2);
		ck_assert_msg(RIG_UNTIL(rig->n_submissions == i + 1), "%zu", sizes[i / 2]);
		ck_assert_uint_eq(rig->submissions[i].payload_size, sizes[i / 2]);
		mock_accept(rig, rig->submissions[i].token);
		ck_assert(RIG_UNTIL(guest_has(&one, "HTTP/1.1 204")));
		guest_leave(&one);
		post(BODY + 1, i % 2);
		ck_assert(RIG_UNTIL(guest_has(&one, "HTTP/1.1 413") || one.over));
		guest_leave(&one);
	}
	guests_finish();
}
END_TEST

START_TEST(a_connection_of_before_takes_larger_bodies_too)
{
	guests_begin();
	mock_set(rig, "body_bytes", "1000");
	rig_begin();
	guest_secure(&one);
	guest_says(&one, "GET /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(guest_has(&one, "open")));
	mock_set(rig, "body_bytes", "200000");
	ck_assert_int_eq(mock_reload(rig), 0);
	char *text = malloc(200000 + 128);
	int head = snprintf(text, 128, "POST /readings/a HTTP/1.1\r\nHost: a\r\nContent-Length: 200000\r\n\r\n");
	memset(text + head, 'a', 200000);
	guest_writes(&one, text, (size_t)head + 200000);
	free(text);
	ck_assert(RIG_UNTIL(rig->n_submissions == 1));
	ck_assert_uint_eq(rig->submissions[0].payload_size, 200000);
	guest_leave(&one);
	guests_finish();
}
END_TEST

START_TEST(paths_are_text_that_leads_nowhere_else)
{
	static const char *const wrong[] = {"%2E%2E/dev-1/door", "a/%2e%2e/b", "a/%2E", "..", ".", "a/./b", "x%FF",
					    "%C0%80/a"};
	static const char *const right[] = {"...", "a/.b", "..a", "gr%C3%BC%C3%9Fe", ".well/known"};
	char request[128];

	guests_begin();
	rig_begin();
	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++) {
		snprintf(request, sizeof(request),
			 "POST /readings/%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1", wrong[i]);
		guest_secure(&one);
		guest_says(&one, request);
		ck_assert_msg(RIG_UNTIL(guest_has(&one, "HTTP/1.1 400")), "%s: %s", wrong[i], one.answer);
		guest_leave(&one);
	}
	ck_assert_uint_eq(rig->n_submissions, 0);
	for (size_t i = 0; i < sizeof(right) / sizeof(right[0]); i++) {
		snprintf(request, sizeof(request),
			 "POST /readings/%s HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n1", right[i]);
		guest_secure(&one);
		guest_says(&one, request);
		ck_assert_msg(RIG_UNTIL(rig->n_submissions == i + 1), "%s", right[i]);
		guest_leave(&one);
	}
	guests_finish();
}
END_TEST

/* A kernel takes some MiB for a client that reads nothing, so it asks for more. */
START_TEST(answers_that_nobody_takes_are_bounded)
{
	static char large[LARGE];
	int room = 4096;

	guests_begin();
	memset(large, 'a', sizeof(large) - 1);
	rig_put("dev-1", "large", 0, large);
	mock_set(rig, "catalogue_bytes", "65536");
	rig_begin();
	guest_connect(&one);
	ck_assert_int_eq(setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	guest_tls(&one);
	ck_assert(RIG_UNTIL(guest_shakes_hands(&one)));
	for (int i = 0; i < 16; i++)
		guest_says(&one, "GET /readings/dev-1/large HTTP/1.1\r\nHost: a\r\n\r\n");
	do
		rig_get("/readings/dev-1/door");
	while (strstr(rig_text, "HTTP/1.1 200"));
	rig_expect("HTTP/1.1 503");
	rig_expect("Retry-After: 5");
	guest_leave(&one);
	do
		rig_get("/readings/dev-1/door");
	while (strstr(rig_text, "HTTP/1.1 503"));
	rig_expect("HTTP/1.1 200");
	guests_finish();
}
END_TEST

static bool downloaded; /* to the last byte */

/* Reads a little every 10 ms. Returns whether it was all. */
static bool reads_slowly(void)
{
	static char text[3 + SLOWLY_BYTES]; /* behind the last three bytes of before */
	static int64_t last_us;
	int64_t now_us = clock_now_us();
	size_t room = SLOWLY_BYTES;

	if (one.over || now_us - last_us < 10 * CLOCK_MS_US)
		return one.over;
	last_us = now_us;
	while (room > 0) {
		int size = SSL_read(one.ssl, text + 3, (int)room);

		if (size <= 0) {
			one.over = SSL_get_error(one.ssl, size) != SSL_ERROR_WANT_READ;
			return one.over;
		}
		room -= (size_t)size;
		one.size += (size_t)size;
		downloaded |= memmem(text, 3 + (size_t)size, "]}]}", 4) != NULL;
		memmove(text, text + size, 3);
	}
	return false;
}

/* Of some MiB, which are replaced meanwhile. */
static void download_slowly(const char *limit)
{
	int room = SLOWLY_BYTES;
	int64_t begun_us;
	size_t size;

	guests_begin();
	rig_put_many(20000, 3);
	mock_set(rig, "catalogue_bytes", limit);
	rig_begin();
	guest_connect(&one);
	ck_assert_int_eq(setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	guest_tls(&one);
	ck_assert(RIG_UNTIL(guest_shakes_hands(&one)));
	guest_says(&one, "GET /cat HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n");
	ck_assert(RIG_UNTIL(reads_slowly() || one.size > 0));
	begun_us = clock_now_us();
	rig_forget("dev-7");
	rig_get("/cat/dev-9");
	rig_expect("HTTP/1.1 200");
	size = one.size + SOCKETS_HOLD; /* so the adapter has written since the other reader */
	ck_assert(RIG_UNTIL(reads_slowly() || one.size > size));
	mock_set(rig, "request_s", "1"); /* from here on: the other reader may be slow to begin */
	ck_assert_int_eq(mock_reload(rig), 0);
	ck_assert(RIG_UNTIL(reads_slowly()));
	ck_assert_int_ge(clock_now_us() - begun_us, CLOCK_S_US);
}

START_TEST(what_was_replaced_may_be_downloaded_where_there_is_room)
{
	download_slowly("268435456");
	ck_assert(downloaded);
	guest_leave(&one);
	guests_finish();
}
END_TEST

START_TEST(what_was_replaced_makes_room_for_others)
{
	download_slowly("40000000");
	ck_assert(!downloaded);
	ck_assert_int_eq(mock_counter(rig, "connections_refused"), 0); /* it was not for standing still */
	guest_leave(&one);
	rig_get("/cat/dev-9");
	rig_expect("HTTP/1.1 200");
	guests_finish();
}
END_TEST

SUITE_MAIN("hypercat_limits", a_body_may_be_as_large_as_the_setting_says,
	   a_connection_of_before_takes_larger_bodies_too, paths_are_text_that_leads_nowhere_else,
	   answers_that_nobody_takes_are_bounded, what_was_replaced_may_be_downloaded_where_there_is_room,
	   what_was_replaced_makes_room_for_others)
