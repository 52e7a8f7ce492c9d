/* SPDX-License-Identifier: Apache-2.0 */
#include "mqtt_fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { FAKE_OTHERS = 16, FAKE_ROOM = 65536 };

static int listener = -1, receiving = -1, others[FAKE_OTHERS], n_others;
static uint8_t in[FAKE_ROOM];
static size_t in_size;
static bool ended;

void fake_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	char url[64];

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listener, 16), 0);
	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	snprintf(url, sizeof(url), "mqtt://127.0.0.1:%u", ntohs(address.sin_port));
	mock_set(mock, "broker", url);
	mock_set(mock, "insecure", "true");
	mock_set(mock, "status", "false");
}

void fake_close(void)
{
	if (receiving >= 0)
		close(receiving);
	receiving = -1;
	in_size = 0;
}

void fake_stop(void)
{
	fake_close();
	while (n_others > 0)
		close(others[--n_others]);
	close(listener);
}

/* Reads what is there. */
static void fake_read(void)
{
	ssize_t n = recv(receiving, in + in_size, sizeof(in) - in_size, MSG_DONTWAIT);

	if (n > 0)
		in_size += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		ended = true;
}

/* Takes the next connection, once its CONNECT is there whole. */
static void fake_serve(void)
{
	static int fd = -1;
	uint8_t connect[512];
	ssize_t n;

	if (fd < 0)
		fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	n = fd < 0 ? -1 : recv(fd, connect, sizeof(connect), MSG_PEEK | MSG_DONTWAIT);
	if (n < 2 || n < 2 + connect[1])
		return;
	ck_assert_int_eq(recv(fd, connect, (size_t)n, 0), n);
	ck_assert_uint_eq(connect[0], 0x10);
	if (memcmp(connect + n - 3, "-in", 3) == 0) {
		ck_assert_int_lt(receiving, 0);
		receiving = fd;
		ended = false;
	} else {
		bool v5 = connect[8] == 5;

		ck_assert_int_lt(n_others, FAKE_OTHERS);
		others[n_others++] = fd;
		ck_assert_int_eq(send(fd, v5 ? "\x20\3\0\0\0" : "\x20\2\0\0", v5 ? 5 : 4, 0), v5 ? 5 : 4);
	}
	fd = -1;
}

void fake_expect_link(void)
{
	ck_assert(MOCK_UNTIL(mock, (fake_serve(), mock->link == TG_LINK_UP), RIG_SOON_MS));
}

void fake_expect_connect(void)
{
	fake_close();
	ck_assert(MOCK_UNTIL(mock, (fake_serve(), receiving >= 0), RIG_SOON_MS));
}

void fake_accept(const void *connack, size_t size)
{
	fake_send(connack, size);
}

void fake_send(const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(receiving, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		ck_assert(n > 0 || errno == EAGAIN);
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else {
			mock_turn(mock, 1000);
		}
	}
}

static bool fake_has(size_t size)
{
	fake_read();
	return in_size >= size;
}

void fake_expect_subscribe(uint8_t reason)
{
	const uint8_t granted5[] = {0x90, 4, 0, 0, 0, reason}, granted4[] = {0x90, 3, 0, 0, reason};
	uint8_t answer[6];
	bool v5;

	ck_assert(MOCK_UNTIL(mock, fake_has(2) && in_size >= 2u + in[1], RIG_SOON_MS));
	ck_assert_uint_eq(in[0], 0x82);
	v5 = in[4] == 0 && in[5] == 0;
	memcpy(answer, v5 ? granted5 : granted4, v5 ? 6 : 5);
	memcpy(answer + 2, in + 2, 2);
	in_size = 0;
	fake_send(answer, v5 ? 6 : 5);
}

void fake_begin(bool resumed)
{
	fake_expect_connect();
	fake_accept(resumed ? "\x20\3\1\0\0" : "\x20\3\0\0\0", 5);
	fake_expect_subscribe(1);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "subscriptions") == 1, RIG_SOON_MS));
}

void fake_expect(const void *data, size_t size)
{
	ck_assert_msg(MOCK_UNTIL(mock, fake_has(size), RIG_SOON_MS), "%zu of %zu bytes", in_size, size);
	ck_assert_uint_eq(in_size, size);
	ck_assert_mem_eq(in, data, size);
	in_size = 0;
}

void fake_expect_nothing(void)
{
	mock_settle(mock);
	fake_read();
	ck_assert_uint_eq(in_size, 0);
	ck_assert(!ended);
}

void fake_expect_end(void)
{
	ck_assert(MOCK_UNTIL(mock, (fake_read(), ended), RIG_SOON_MS));
}
