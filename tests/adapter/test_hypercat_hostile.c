/* SPDX-License-Identifier: Apache-2.0 */

/* The adapter with clients that mean it ill, or are many, or slow, and with catalogues that are large. */

#include <arpa/inet.h>
#include <errno.h>
#include <openssl/err.h>
#include <openssl/ssl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/bytes.h"
#include "hypercat_guest.h"
#include "hypercat_rig.h"
#include "unit/suite.h"

enum { MANY = 1000 };

static struct guest one, other;
static struct guest many[MANY];

/* On live connections, too: so no limit that a test waits for meets a client that is only slow to begin. */
static void limit(const char *name, const char *seconds)
{
	mock_set(rig, name, seconds);
	ck_assert_int_eq(mock_reload(rig), 0);
}

/* Others are served as ever. */
static void all_is_well(void)
{
	rig_get("/readings/dev-1/door");
	rig_expect("HTTP/1.1 200");
}

START_TEST(plain_text_is_not_served)
{
	static const char request[] = "GET /cat HTTP/1.1\r\nHost: a\r\n\r\n";

	guests_begin();
	rig_begin();
	guest_connect(&one);
	ck_assert_int_eq(write(one.fd, request, sizeof(request) - 1), sizeof(request) - 1);
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	ck_assert_ptr_null(strstr(one.answer, "HTTP/"));
	guest_leave(&one);
	ck_assert_int_eq(mock_counter(rig, "requests"), 0);
	all_is_well();
	guests_finish();
}
END_TEST

START_TEST(broken_requests)
{
	static const char *const requests[] = {
		"GET\r\n\r\n",
		"\r\n\r\n\r\nX\r\n\r\n",
		"GET /cat HTTP/9.9\r\n\r\n",
		"GET /cat HTTP/1.1\r\nNo colon\r\n\r\n",
		"BREW /cat HTTP/1.1\r\nHost: a\r\n\r\n",
		"POST /readings/a HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n",
		"POST /readings/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1e9\r\n\r\n",
		"POST /readings/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET http://[/cat HTTP/1.1\r\nHost: a\r\n\r\n",
		"GET /cat\x01 HTTP/1.1\r\nHost: a\r\n\r\n",
		"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
	};

	guests_begin();
	rig_begin();
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		guest_secure(&one);
		guest_says(&one, requests[i]);
		limit("request_s", "1"); /* what is no request ends, too */
		ck_assert_msg(RIG_UNTIL(guest_reads(&one)), "goes on after %s", requests[i]);
		limit("request_s", "60");
		ck_assert_msg(strstr(one.answer, "HTTP/1.1 200") == NULL, "%s: %s", requests[i], one.answer);
		guest_leave(&one);
	}
	ck_assert_uint_eq(rig->n_submissions, 0);
	all_is_well();
	guests_finish();
}
END_TEST

START_TEST(giants)
{
	static char large[1 << 20];

	guests_begin();
	mock_set(rig, "body_bytes", "1000");
	rig_begin();
	memset(large, 'a', sizeof(large));
	memcpy(large, "GET /cat HTTP/1.1\r\nX: ", 22);
	guest_secure(&one);
	guest_writes(&one, large, sizeof(large));
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	ck_assert_ptr_null(strstr(one.answer, "HTTP/1.1 200"));
	guest_leave(&one);
	guest_secure(&one);
	guest_says(&one, "POST /readings/a HTTP/1.1\r\nHost: a\r\nContent-Length: 1000000000\r\n\r\n");
	guest_writes(&one, large, sizeof(large));
	ck_assert(RIG_UNTIL(guest_has(&one, "HTTP/1.1 413") || one.over));
	guest_leave(&one);
	guest_secure(&one);
	guest_says(&one, "POST /readings/a HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n3e9\r\n");
	guest_writes(&one, large, 2000);
	ck_assert(RIG_UNTIL(guest_has(&one, "HTTP/1.1 413") || one.over));
	guest_leave(&one);
	ck_assert_uint_eq(rig->n_submissions, 0);
	all_is_well();
	guests_finish();
}
END_TEST

START_TEST(requests_in_a_row_are_answered_in_a_row)
{
	static const char request[] = "GET /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n"
				      "GET /readings/dev-1/none HTTP/1.1\r\nHost: a\r\n\r\n"
				      "HEAD /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n"
				      "GET /cat/dev-1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

	guests_begin();
	rig_begin();
	guest_secure(&one);
	guest_says(&one, request);
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	const char *first = strstr(one.answer, "open"), *second = strstr(one.answer, "404"),
		   *last = strstr(one.answer, "catalogue-metadata");
	ck_assert_msg(first && second && last && first < second && second < last, "%s", one.answer);
	ck_assert_uint_eq(rig->n_lookups, 1); /* who it is was asked once */
	guest_leave(&one);
	guests_finish();
}
END_TEST

START_TEST(who_is_slow_does_not_stay)
{
	guests_begin();
	mock_set(rig, "request_s", "1");
	mock_set(rig, "headers_bytes", "1048576");
	rig_begin();
	guest_connect(&one); /* says nothing at all */
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	guest_leave(&one);
	limit("request_s", "60");
	guest_secure(&one);
	guest_says(&one, "GET /cat HTTP/1.1\r\nX-");
	limit("request_s", "1");
	while (!guest_reads(&one)) { /* a byte at a time */
		guest_says(&one, "a");
		(void)RIG_UNTIL(true);
		(void)mock_turn(rig, 10000);
	}
	ck_assert_msg(!strstr(one.answer, "HTTP/"), "%s", one.answer);
	guest_leave(&one);
	ck_assert_int_ge(mock_counter(rig, "connections_refused"), 2);
	limit("request_s", "60");
	all_is_well();
	guests_finish();
}
END_TEST

START_TEST(who_does_not_read_does_not_stay)
{
	int room = 4096;

	guests_begin();
	rig_put_many(3000, 2);
	rig_begin();
	guest_connect(&one);
	ck_assert_int_eq(setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	guest_tls(&one);
	ck_assert(RIG_UNTIL(guest_shakes_hands(&one)));
	guest_says(&one, "GET /cat HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(mock_counter(rig, "catalogues") == 1));
	all_is_well(); /* meanwhile */
	limit("request_s", "1");
	ck_assert(RIG_UNTIL(mock_counter(rig, "connections_refused") == 1));
	guest_leave(&one);
	limit("request_s", "60");
	all_is_well();
	guests_finish();
}
END_TEST

START_TEST(everything_ends)
{
	guests_begin();
	rig_begin();
	guest_secure(&one);
	guest_says(&one, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(guest_has(&one, "retry: 5000")));
	limit("lifetime_s", "1");
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	ck_assert_int_eq(mock_counter(rig, "streams"), 0);
	guest_leave(&one);
	guests_finish();
}
END_TEST

START_TEST(a_thousand_connections)
{
	guests_begin();
	mock_set(rig, "connections", "50");
	mock_set(rig, "connections_an_address", "10000");
	mock_set(rig, "request_s", "1");
	rig_begin();
	for (int i = 0; i < 200; i++) /* what does not fit the queue waits in the kernel, or comes again */
		guest_connect(&many[i]);
	for (int i = 0; i < 200; i++)
		ck_assert(RIG_UNTIL(guest_reads(&many[i]))); /* all of them in their turn */
	for (int i = 0; i < 200; i++)
		guest_leave(&many[i]);
	limit("request_s", "60");
	all_is_well();
	guests_finish();
}
END_TEST

START_TEST(one_address_has_its_share)
{
	unsigned over = 0;

	guests_begin();
	mock_set(rig, "connections", "5000");
	mock_set(rig, "connections_an_address", "20");
	rig_begin();
	for (int i = 0; i < MANY; i++) {
		guest_connect(&many[i]);
		if (i % 50 == 49) {
			for (int turn = 0; turn < 20; turn++)
				(void)mock_turn(rig, 1000);
		}
	}
	ck_assert(RIG_UNTIL(mock_counter(rig, "connections_refused") == MANY - 20));
	for (int i = 0; i < MANY; i++)
		over += guest_reads(&many[i]);
	ck_assert_uint_eq(over, MANY - 20);
	for (int i = 0; i < MANY; i++)
		guest_leave(&many[i]);
	all_is_well();
	guests_finish();
}
END_TEST

/* A reader that is revoked, or a list that comes to name it. */
START_TEST(who_is_let_in_no_more_is_cut_off)
{
	guests_begin();
	rig_begin();
	guest_secure(&one);
	guest_says(&one, "GET /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(guest_has(&one, "open")));
	rig_silent = true; /* the core has not answered when it is revoked */
	guest_secure(&other);
	guest_says(&other, "GET /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(rig->n_reads == 2));
	mock_forget(rig, "reader-1");
	ck_assert(RIG_UNTIL(guest_reads(&one) && guest_reads(&other)));
	rig_silent = false;
	ck_assert_uint_eq(other.size, 0);
	guest_leave(&one);
	guest_leave(&other);
	rig_get("/cat");
	rig_expect("HTTP/1.1 403");
	guests_finish();
}
END_TEST

START_TEST(revocation_lists)
{
	const struct pki_list none = {.issuer = &rig_pki[RIG_AUTHORITY]};
	const struct pki_list named = {.issuer = &rig_pki[RIG_AUTHORITY], .revoked = &rig_pki[RIG_READER]};
	char file[64];
	int fd;

	guests_begin();
	fd = pki_lists_fd(&none, 1);
	snprintf(file, sizeof(file), "/proc/%d/fd/%d", (int)getpid(), fd);
	mock_set(rig, "crl", file);
	rig_begin();
	guest_secure(&one);
	guest_says(&one, "GET /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(guest_has(&one, "open")));
	ck_assert_int_eq(dup2(pki_lists_fd(&named, 1), fd), fd);
	ck_assert_int_eq(mock_reload(rig), 0);
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	guest_leave(&one);
	rig_get("/cat");
	rig_expect("curl: (");
	ck_assert_uint_gt(mock_logged(rig, "certificate revoked"), 0);
	guests_finish();
}
END_TEST

static size_t count(const char *text, size_t size, const char *what)
{
	const char *end = text + size;
	size_t n = 0;

	for (const char *at = text; (at = memmem(at, (size_t)(end - at), what, strlen(what))) != NULL; at++)
		n++;
	return n;
}

/* 10,000 devices with three resources each, for one that reads slowly, and meanwhile for others. */
START_TEST(a_large_catalogue)
{
	struct rig_program slow;
	char address[64];
	char *all;
	ssize_t size;

	guests_begin();
	rig_put_many(10000, 3);
	rig_begin();
	snprintf(address, sizeof(address), "https://127.0.0.1:%u/cat", rig_port());
	rig_program_start(&slow, RIG_ARGUMENTS("curl", "-sS", "--cacert", rig_certificate(RIG_AUTHORITY), "--cert",
					       rig_certificate(RIG_READER), "--key", rig_key(RIG_READER), address));
	ck_assert(RIG_UNTIL(mock_counter(rig, "catalogues") == 1));
	kill(slow.pid, SIGSTOP);
	all_is_well(); /* before it is over */
	ck_assert(!rig_program_over(&slow));
	kill(slow.pid, SIGCONT);
	ck_assert(RIG_UNTIL(rig_program_over(&slow)));
	all = malloc(64 << 20);
	ck_assert_ptr_nonnull(all);
	size = pread(slow.out, all, (64 << 20) - 1, 0);
	ck_assert_int_gt(size, 0);
	all[size] = '\0';
	ck_assert_uint_eq(count(all, (size_t)size, "\"href\":\"/readings/dev-"), 30001);
	ck_assert_uint_eq(count(all, (size_t)size, "\"href\":\"/cat/"), 10001); /* and one that has said nothing */
	ck_assert_str_eq(all + size - 4, "]}]}");
	free(all);
	rig_program_kill(&slow);
	rig_get("/cat?href=/readings/dev-9999/r/2"); /* is found at the end of all */
	rig_expect("/readings/dev-9999/r/2");
	ck_assert_uint_eq(count(rig_text, strlen(rig_text), "\"href\""), 1);
	guests_finish();
}
END_TEST

SUITE_MAIN("hypercat_hostile", plain_text_is_not_served, broken_requests, giants,
	   requests_in_a_row_are_answered_in_a_row, who_is_slow_does_not_stay, who_does_not_read_does_not_stay,
	   everything_ends, a_thousand_connections, one_address_has_its_share, who_is_let_in_no_more_is_cut_off,
	   revocation_lists, a_large_catalogue)
