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
#include "hypercat_rig.h"
#include "unit/suite.h"

enum { MANY = 1000, ANSWER = 65536 };

/* A client in this process; nothing of it waits. */
struct guest {
	int fd;
	SSL *ssl;
	bool over; /* the server has ended it */
	char answer[ANSWER];
	size_t size;
};

static SSL_CTX *context;

static void begin(void)
{
	rig_setup();
	rig_put("dev-1", "door", 0, "open");
	context = SSL_CTX_new(TLS_client_method());
	ck_assert_ptr_nonnull(context);
	ck_assert_int_eq(SSL_CTX_use_certificate(context, rig_pki[RIG_READER].certificate), 1);
	ck_assert_int_eq(SSL_CTX_use_PrivateKey(context, rig_pki[RIG_READER].key), 1);
}

static void finish(void)
{
	SSL_CTX_free(context);
	rig_teardown();
}

static void guest_connect(struct guest *guest)
{
	const struct sockaddr_in address = {.sin_family = AF_INET,
					    .sin_port = htons((uint16_t)rig_port()),
					    .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};

	*guest = (struct guest){.fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0)};
	ck_assert_int_ge(guest->fd, 0);
	ck_assert(connect(guest->fd, (const struct sockaddr *)&address, sizeof(address)) == 0 || errno == EINPROGRESS);
}

static bool guest_shakes_hands(struct guest *guest)
{
	return SSL_do_handshake(guest->ssl) == 1;
}

static void guest_secure(struct guest *guest)
{
	guest_connect(guest);
	guest->ssl = SSL_new(context);
	SSL_set_fd(guest->ssl, guest->fd);
	SSL_set_connect_state(guest->ssl);
	ck_assert(RIG_UNTIL(guest_shakes_hands(guest)));
}

static bool guest_reads(struct guest *guest)
{
	size_t room = sizeof(guest->answer) - 1 - guest->size;
	ssize_t size = guest->ssl ? SSL_read(guest->ssl, guest->answer + guest->size, (int)room)
				  : read(guest->fd, guest->answer + guest->size, room);

	if (size > 0)
		guest->size += (size_t)size;
	else if (guest->ssl)
		guest->over |= SSL_get_error(guest->ssl, (int)size) != SSL_ERROR_WANT_READ;
	else
		guest->over |= size == 0 || (errno != EAGAIN && errno != EINTR && errno != ENOTCONN);
	ERR_clear_error();
	guest->answer[guest->size] = '\0';
	return guest->over;
}

/* What the server does not want it does not read: it is enough that some of it was written. */
static void guest_writes(struct guest *guest, const char *text, size_t size)
{
	size_t at = 0;
	int stuck = 0;

	while (at < size && stuck < 200 && !guest->over) {
		size_t piece = size - at < 16384 ? size - at : 16384;
		int r = SSL_write(guest->ssl, text + at, (int)piece);

		if (r > 0) {
			at += (size_t)r;
			stuck = 0;
			continue;
		}
		guest->over |= SSL_get_error(guest->ssl, r) != SSL_ERROR_WANT_WRITE;
		ERR_clear_error();
		stuck++;
		(void)mock_turn(rig, 1000);
	}
}

static void guest_says(struct guest *guest, const char *text)
{
	guest_writes(guest, text, strlen(text));
}

static bool guest_has(struct guest *guest, const char *text)
{
	(void)guest_reads(guest);
	return strstr(guest->answer, text) != NULL;
}

static void guest_leave(struct guest *guest)
{
	SSL_free(guest->ssl);
	close(guest->fd);
	*guest = (struct guest){.fd = -1};
}

static struct guest one, other;
static struct guest many[MANY];

/* Others are served as ever. */
static void all_is_well(void)
{
	rig_get("/readings/dev-1/door");
	rig_expect("HTTP/1.1 200");
}

START_TEST(plain_text_is_not_served)
{
	static const char request[] = "GET /cat HTTP/1.1\r\nHost: a\r\n\r\n";

	begin();
	rig_begin();
	guest_connect(&one);
	ck_assert_int_eq(write(one.fd, request, sizeof(request) - 1), sizeof(request) - 1);
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	ck_assert_ptr_null(strstr(one.answer, "HTTP/"));
	guest_leave(&one);
	ck_assert_int_eq(mock_counter(rig, "requests"), 0);
	all_is_well();
	finish();
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

	begin();
	mock_set(rig, "request_s", "1"); /* what is no request ends, too */
	rig_begin();
	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]); i++) {
		guest_secure(&one);
		guest_says(&one, requests[i]);
		ck_assert_msg(RIG_UNTIL(guest_reads(&one)), "goes on after %s", requests[i]);
		ck_assert_msg(strstr(one.answer, "HTTP/1.1 200") == NULL, "%s: %s", requests[i], one.answer);
		guest_leave(&one);
	}
	ck_assert_uint_eq(rig->n_submissions, 0);
	all_is_well();
	finish();
}
END_TEST

START_TEST(giants)
{
	static char large[1 << 20];

	begin();
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
	finish();
}
END_TEST

START_TEST(requests_in_a_row_are_answered_in_a_row)
{
	static const char request[] = "GET /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n"
				      "GET /readings/dev-1/none HTTP/1.1\r\nHost: a\r\n\r\n"
				      "HEAD /readings/dev-1/door HTTP/1.1\r\nHost: a\r\n\r\n"
				      "GET /cat/dev-1 HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n";

	begin();
	rig_begin();
	guest_secure(&one);
	guest_says(&one, request);
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	const char *first = strstr(one.answer, "open"), *second = strstr(one.answer, "404"),
		   *last = strstr(one.answer, "catalogue-metadata");
	ck_assert_msg(first && second && last && first < second && second < last, "%s", one.answer);
	ck_assert_uint_eq(rig->n_lookups, 1); /* who it is was asked once */
	guest_leave(&one);
	finish();
}
END_TEST

START_TEST(who_is_slow_does_not_stay)
{
	begin();
	mock_set(rig, "request_s", "1");
	mock_set(rig, "headers_bytes", "1048576");
	rig_begin();
	guest_connect(&one); /* says nothing at all */
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	guest_leave(&one);
	guest_secure(&one);
	guest_says(&one, "GET /cat HTTP/1.1\r\nX-");
	while (!guest_reads(&one)) { /* a byte at a time */
		guest_says(&one, "a");
		(void)RIG_UNTIL(true);
		(void)mock_turn(rig, 10000);
	}
	ck_assert_msg(!strstr(one.answer, "HTTP/"), "%s", one.answer);
	guest_leave(&one);
	ck_assert_int_ge(mock_counter(rig, "connections_refused"), 2);
	all_is_well();
	finish();
}
END_TEST

START_TEST(who_does_not_read_does_not_stay)
{
	int room = 4096;

	begin();
	rig_put_many(3000, 2);
	mock_set(rig, "request_s", "1");
	rig_begin();
	guest_connect(&one);
	ck_assert_int_eq(setsockopt(one.fd, SOL_SOCKET, SO_RCVBUF, &room, sizeof(room)), 0);
	one.ssl = SSL_new(context);
	SSL_set_fd(one.ssl, one.fd);
	SSL_set_connect_state(one.ssl);
	ck_assert(RIG_UNTIL(guest_shakes_hands(&one)));
	guest_says(&one, "GET /cat HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(mock_counter(rig, "catalogues") == 1));
	all_is_well(); /* meanwhile */
	ck_assert(RIG_UNTIL(mock_counter(rig, "connections_refused") == 1));
	guest_leave(&one);
	all_is_well();
	finish();
}
END_TEST

START_TEST(everything_ends)
{
	begin();
	mock_set(rig, "lifetime_s", "2");
	rig_begin();
	guest_secure(&one);
	guest_says(&one, "GET /events HTTP/1.1\r\nHost: a\r\n\r\n");
	ck_assert(RIG_UNTIL(guest_has(&one, "retry: 5000")));
	ck_assert(RIG_UNTIL(guest_reads(&one)));
	ck_assert_int_eq(mock_counter(rig, "streams"), 0);
	guest_leave(&one);
	finish();
}
END_TEST

START_TEST(a_thousand_connections)
{
	begin();
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
	all_is_well();
	finish();
}
END_TEST

START_TEST(one_address_has_its_share)
{
	unsigned over = 0;

	begin();
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
	finish();
}
END_TEST

/* A reader that is revoked, or a list that comes to name it. */
START_TEST(who_is_let_in_no_more_is_cut_off)
{
	begin();
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
	finish();
}
END_TEST

START_TEST(revocation_lists)
{
	const struct pki_list none = {.issuer = &rig_pki[RIG_AUTHORITY]};
	const struct pki_list named = {.issuer = &rig_pki[RIG_AUTHORITY], .revoked = &rig_pki[RIG_READER]};
	char file[64];
	int fd;

	begin();
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
	finish();
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

	begin();
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
	finish();
}
END_TEST

SUITE_MAIN("hypercat_hostile", plain_text_is_not_served, broken_requests, giants,
	   requests_in_a_row_are_answered_in_a_row, who_is_slow_does_not_stay, who_does_not_read_does_not_stay,
	   everything_ends, a_thousand_connections, one_address_has_its_share, who_is_let_in_no_more_is_cut_off,
	   revocation_lists, a_large_catalogue)
