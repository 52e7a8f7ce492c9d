/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/mqtt_taker.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { TAKER_AHEAD = 16384, TAKER_READ = 65536, TAKER_PING = 12 };

void taker_open(struct taker *taker)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);
	int ahead = TAKER_AHEAD;

	*taker = (struct taker){.fd = -1, .listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
	ck_assert_int_ge(taker->listener, 0);
	ck_assert_int_eq(setsockopt(taker->listener, SOL_SOCKET, SO_RCVBUF, &ahead, sizeof(ahead)), 0);
	ck_assert_int_eq(bind(taker->listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(taker->listener, 16), 0);
	ck_assert_int_eq(getsockname(taker->listener, (struct sockaddr *)&address, &size), 0);
	taker->port = ntohs(address.sin_port);
}

void taker_hang_up(struct taker *taker)
{
	if (taker->fd >= 0)
		close(taker->fd);
	taker->fd = -1;
	taker->in_size = taker->taken = 0;
	taker->greeted = taker->ended = false;
}

void taker_close(struct taker *taker)
{
	taker_hang_up(taker);
	close(taker->listener);
	free(taker->in);
	taker->in = NULL;
}

const char *taker_url(const struct taker *taker)
{
	static char url[64];

	snprintf(url, sizeof(url), "mqtt://127.0.0.1:%u", taker->port);
	mock_set(mock, "insecure", "true");
	return url;
}

bool taker_is_asked(struct taker *taker)
{
	if (taker->fd < 0)
		taker->fd = accept4(taker->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	return taker->fd >= 0;
}

/* Reads some of what is there. */
static void taker_read(struct taker *taker)
{
	ssize_t n;

	if (taker->in_room - taker->in_size < TAKER_READ) {
		taker->in_room += 4 * TAKER_READ;
		taker->in = realloc(taker->in, taker->in_room);
		ck_assert_ptr_nonnull(taker->in);
	}
	n = recv(taker->fd, taker->in + taker->in_size, TAKER_READ, MSG_DONTWAIT);
	if (n > 0)
		taker->in_size += (size_t)n;
	else if (n == 0 || errno != EAGAIN)
		taker->ended = true;
}

/* Whether a packet is there whole: how long its header is, and it. */
static bool taker_measure(const struct taker *taker, size_t *ret_header, size_t *ret_size)
{
	size_t body = 0, i = 1;

	do {
		if (i >= taker->in_size)
			return false;
		ck_assert_uint_le(i, 4);
		body |= (size_t)(taker->in[i] & 0x7f) << 7 * (i - 1);
	} while (taker->in[i++] & 0x80);
	*ret_header = i;
	*ret_size = i + body;
	return taker->in_size >= i + body;
}

static void taker_drop(struct taker *taker)
{
	taker->in_size -= taker->taken;
	if (taker->in_size > 0)
		memmove(taker->in, taker->in + taker->taken, taker->in_size);
	taker->taken = 0;
}

/* Whether a packet is there; reads only what it takes, or little more. */
static bool taker_has(struct taker *taker, size_t *ret_header, size_t *ret_size)
{
	taker_drop(taker);
	for (;;) {
		if (!taker_measure(taker, ret_header, ret_size)) {
			taker_read(taker);
			if (!taker_measure(taker, ret_header, ret_size))
				return false;
		}
		if (taker->in[0] >> 4 != TAKER_PING)
			return true;
		taker_send(taker, "\xd0", 2);
		taker->taken = *ret_size;
		taker_drop(taker);
	}
}

struct tg_bytes taker_expect(struct taker *taker, uint8_t type)
{
	size_t header = 0, size = 0;

	ck_assert_msg(MOCK_UNTIL(mock, taker_has(taker, &header, &size) || taker->ended, RIG_SOON_MS), "no packet %u",
		      type);
	ck_assert_msg(taker_has(taker, &header, &size), "closed before packet %u", type);
	ck_assert_uint_eq(taker->in[0] >> 4, type);
	taker->taken = size;
	return (struct tg_bytes){.data = taker->in + header, .size = size - header};
}

void taker_expect_connect(struct taker *taker)
{
	if (taker->greeted)
		taker_hang_up(taker);
	ck_assert(MOCK_UNTIL(mock, taker_is_asked(taker), RIG_SOON_MS));
	taker_expect(taker, 1);
	taker->greeted = true;
}

void taker_accept(struct taker *taker, bool version5)
{
	int64_t connects = mock_counter(mock, "connects");

	taker_expect_connect(taker);
	taker->version5 = version5;
	taker_send(taker, version5 ? "\x20\3\0\0\0" : "\x20\2\0\0", version5 ? 5 : 4);
	ck_assert(MOCK_UNTIL(mock, mock_counter(mock, "connects") > connects, RIG_SOON_MS));
	ck_assert_msg(mock->link == TG_LINK_UP, "down: %s", mock->link_detail);
}

void taker_narrow(struct taker *taker)
{
	struct sockaddr_in peer, own;
	socklen_t size = sizeof(peer);
	int little = TAKER_AHEAD, narrowed = 0;

	ck_assert_int_eq(getpeername(taker->fd, (struct sockaddr *)&peer, &size), 0);
	for (int fd = 3; fd < 1024; fd++) { /* it is in this process */
		size = sizeof(own);
		if (getsockname(fd, (struct sockaddr *)&own, &size) < 0 || own.sin_family != AF_INET ||
		    own.sin_port != peer.sin_port)
			continue;
		ck_assert_int_eq(setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &little, sizeof(little)), 0);
		narrowed++;
	}
	ck_assert_int_eq(narrowed, 1);
}

void taker_flood(struct taker *taker, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0 && mock->link == TG_LINK_UP) {
		ssize_t n = send(taker->fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			size -= (size_t)n;
		}
		mock_turn(mock, n > 0 ? 0 : 1000);
	}
}

void taker_send(struct taker *taker, const void *data, size_t size)
{
	const char *p = data;

	while (size > 0) {
		ssize_t n = send(taker->fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		ck_assert(n > 0 || errno == EAGAIN);
		if (n > 0) {
			p += n;
			size -= (size_t)n;
		} else {
			mock_turn(mock, 1000);
		}
	}
}

uint16_t taker_expect_publish(struct taker *taker, const char *topic)
{
	struct tg_bytes body = taker_expect(taker, 3);
	const uint8_t *p = body.data;
	size_t topic_size;

	ck_assert_uint_ge(body.size, 2);
	topic_size = (size_t)p[0] << 8 | p[1];
	ck_assert_uint_eq(topic_size, strlen(topic));
	ck_assert_uint_ge(body.size, 4 + topic_size);
	ck_assert_mem_eq(p + 2, topic, topic_size);
	return (taker->in[0] & 6) == 0 ? 0 : (uint16_t)((unsigned)p[2 + topic_size] << 8 | p[3 + topic_size]);
}

void taker_answer(struct taker *taker, uint16_t mid, uint8_t reason)
{
	const uint8_t packet[] = {0x40, taker->version5 ? 3 : 2, (uint8_t)(mid >> 8), (uint8_t)mid, reason};

	taker_send(taker, packet, packet[1] + 2u);
}

void taker_expect_end(struct taker *taker)
{
	size_t header, size;

	ck_assert(MOCK_UNTIL(mock, taker_has(taker, &header, &size) || taker->ended, RIG_SOON_MS));
	ck_assert_uint_eq(taker->in_size, 0);
}
