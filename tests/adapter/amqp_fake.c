/* SPDX-License-Identifier: Apache-2.0 */
#include "amqp_fake.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/tcp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"

/* The library forgets the mechanism that it has chosen where the peer offers some again. */
__attribute__((visibility("default"))) const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
	return "leak:pnx_sasl_set_selected_mechanism\n";
}

enum { FAKE_ROOM = 1 << 20, FAKE_FRAME = 20000, FAKE_UNHEARD = 65536 };

static int listener = -1, peer_fd = -1;
static uint8_t in[FAKE_ROOM];
static size_t in_size, in_begin, in_total;
static bool ended;
static size_t unheard; /* sent since the adapter had a turn */

void fake_add(void)
{
	struct sockaddr_in address;
	socklen_t size = sizeof(address);

	ck_assert_int_eq(getsockname(listener, (struct sockaddr *)&address, &size), 0);
	mock_add(mock, "broker", child_text("amqp://127.0.0.1:%u", ntohs(address.sin_port)));
}

void fake_start(void)
{
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	listener = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	ck_assert_int_ge(listener, 0);
	ck_assert_int_eq(bind(listener, (struct sockaddr *)&address, size), 0);
	ck_assert_int_eq(listen(listener, 16), 0);
	fake_add();
	mock_set(mock, "insecure", "true");
}

void fake_close(void)
{
	if (peer_fd >= 0)
		close(peer_fd);
	peer_fd = -1;
}

void fake_stop(void)
{
	fake_close();
	if (listener >= 0)
		close(listener);
	listener = -1;
}

static bool fake_has_connection(void)
{
	int on = 1;

	if (peer_fd >= 0)
		return true;
	peer_fd = accept4(listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
	if (peer_fd >= 0)
		setsockopt(peer_fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return peer_fd >= 0;
}

void fake_expect_connection(void)
{
	fake_close();
	in_size = in_begin = in_total = 0;
	ended = false;
	ck_assert_msg(MOCK_UNTIL(mock, fake_has_connection(), RIG_SOON_MS), "nobody connects: %s", mock->link_detail);
}

static void fake_read(void)
{
	ssize_t n;

	if (in_begin > 0) {
		memmove(in, in + in_begin, in_size - in_begin);
		in_size -= in_begin;
		in_begin = 0;
	}
	if (peer_fd < 0 || ended)
		return;
	n = recv(peer_fd, in + in_size, sizeof(in) - in_size, MSG_DONTWAIT);
	if (n > 0) {
		in_size += (size_t)n;
		in_total += (size_t)n;
	} else if (n == 0 || errno != EAGAIN) {
		ended = true;
	}
	if (in_size == sizeof(in)) /* nobody waits for what is that old */
		in_begin = in_size / 2;
}

size_t fake_received(void)
{
	fake_read();
	return in_total;
}

ssize_t fake_take(void *ret_data, size_t room)
{
	size_t size;

	fake_read();
	size = in_size - in_begin < room ? in_size - in_begin : room;
	memcpy(ret_data, in + in_begin, size);
	in_begin += size;
	return (ssize_t)size;
}

bool fake_has_ended(void)
{
	fake_read();
	return ended;
}

void fake_send(const void *data, size_t size)
{
	int64_t end_us = mock_deadline(RIG_SOON_MS);
	const uint8_t *p = data;

	while (size > 0 && !fake_has_ended()) {
		ssize_t n = send(peer_fd, p, size, MSG_DONTWAIT | MSG_NOSIGNAL);

		if (n > 0) {
			p += n;
			size -= (size_t)n;
			unheard += (size_t)n;
		} else if (errno == EPIPE || errno == ECONNRESET) {
			ended = true;
		} else {
			ck_assert(mock_before(mock, end_us));
		}
		if (unheard > FAKE_UNHEARD) {
			mock_settle(mock);
			unheard = 0;
		}
	}
}

struct frame {
	uint8_t data[FAKE_FRAME];
	size_t size;
};

static void frame_put(struct frame *frame, const void *data, size_t size)
{
	ck_assert_uint_le(frame->size + size, sizeof(frame->data));
	memcpy(frame->data + frame->size, data, size);
	frame->size += size;
}

static void frame_byte(struct frame *frame, unsigned byte)
{
	frame_put(frame, &(uint8_t){(uint8_t)byte}, 1);
}

static void frame_number(struct frame *frame, uint64_t number, unsigned width)
{
	while (width-- > 0)
		frame_byte(frame, (unsigned)(number >> 8 * width) & 0xff);
}

static void frame_text(struct frame *frame, unsigned code, const char *text)
{
	frame_byte(frame, code);
	frame_byte(frame, (unsigned)strlen(text));
	frame_put(frame, text, strlen(text));
}

static void frame_terminus(struct frame *frame, unsigned code, const char *address)
{
	frame_put(frame, (uint8_t[]){0, 0x53, (uint8_t)code, 0xc0, (uint8_t)(strlen(address) + 3), 1}, 6);
	frame_text(frame, 0xa1, address);
}

static void frame_field(struct frame *frame, char kind, va_list *args)
{
	switch (kind) {
	case 'n':
		frame_byte(frame, 0x40);
		break;
	case 't':
	case 'f':
		frame_byte(frame, kind == 't' ? 0x41 : 0x42);
		break;
	case 'B':
		frame_byte(frame, 0x50);
		frame_number(frame, va_arg(*args, unsigned), 1);
		break;
	case 'H':
		frame_byte(frame, 0x60);
		frame_number(frame, va_arg(*args, unsigned), 2);
		break;
	case 'I':
		frame_byte(frame, 0x70);
		frame_number(frame, va_arg(*args, unsigned), 4);
		break;
	case 's':
	case 'y':
		frame_text(frame, kind == 's' ? 0xa1 : 0xa3, va_arg(*args, const char *));
		break;
	case 'S':
	case 'T':
		frame_terminus(frame, kind == 'S' ? 0x28 : 0x29, va_arg(*args, const char *));
		break;
	case 'A':
	case 'R':
		frame_put(frame, kind == 'A' ? "\0S\x24\x45" : "\0S\x26\x45", 4);
		break;
	default:
		ck_abort_msg("no field is written as '%c'", kind);
	}
}

void fake_say(uint16_t channel, enum fake_code code, const char *fields, ...)
{
	static struct frame frame;
	bool payload = strchr(fields, 'p') != NULL;
	size_t count = strlen(fields) - payload, head;
	va_list args;

	frame.size = 4;
	frame_put(&frame, (uint8_t[]){2, code >= FAKE_MECHANISMS}, 2);
	frame_number(&frame, channel, 2);
	frame_put(&frame, (uint8_t[]){0, 0x53, (uint8_t)code, 0xd0}, 4);
	head = frame.size;
	frame.size += 4;
	frame_number(&frame, count, 4);
	va_start(args, fields);
	for (size_t i = 0; i < count; i++)
		frame_field(&frame, fields[i], &args);
	for (unsigned i = 0; i < 4; i++)
		frame.data[head + i] = (uint8_t)((frame.size - head - 4) >> 8 * (3 - i));
	if (payload) {
		const void *bytes = va_arg(args, const void *);

		frame_put(&frame, bytes, va_arg(args, size_t));
	}
	va_end(args);
	for (unsigned i = 0; i < 4; i++)
		frame.data[i] = (uint8_t)(frame.size >> 8 * (3 - i));
	fake_send(frame.data, frame.size);
}

static const uint8_t *fake_find(const void *data, size_t size)
{
	fake_read();
	return memmem(in + in_begin, in_size - in_begin, data, size);
}

bool fake_has(const void *data, size_t size)
{
	return fake_find(data, size) != NULL;
}

static const uint8_t *fake_wait(const void *data, size_t size)
{
	const uint8_t *found = NULL;

	ck_assert_msg(MOCK_UNTIL(mock, (found = fake_find(data, size)) != NULL || ended, RIG_SOON_MS) && found,
		      "%zu bytes, %s; the link: %s", in_size, ended ? "then the end" : "and no end", mock->link_detail);
	in_begin = (size_t)(found - in) + size;
	return in + in_begin;
}

void fake_expect(const void *data, size_t size)
{
	fake_wait(data, size);
}

const uint8_t *fake_expect_performative(enum fake_code code)
{
	return fake_wait((uint8_t[]){0, 0x53, (uint8_t)code}, 3);
}

void fake_expect_end(void)
{
	ck_assert_msg(MOCK_UNTIL(mock, fake_has_ended(), RIG_SOON_MS), "the connection stays");
}

void fake_login(void)
{
	FAKE_EXPECT("AMQP\3\1\0\0");
	FAKE_SEND("AMQP\3\1\0\0");
	fake_say(0, FAKE_MECHANISMS, "y", "ANONYMOUS");
	fake_expect_performative(0x41);
	fake_say(0, FAKE_OUTCOME, "B", 0u);
	FAKE_EXPECT("AMQP\0\1\0\0");
	FAKE_SEND("AMQP\0\1\0\0");
	fake_expect_performative(FAKE_OPEN);
}

void fake_open(uint16_t channel_max)
{
	fake_say(0, FAKE_OPEN, "snnH", "fake", (unsigned)channel_max);
}

/* The string that is the first field of a list, behind its head. */
static void fake_name(const uint8_t *at, char ret_name[64])
{
	const uint8_t *text = at + (*at == 0xc0 ? 3 : 9);

	ck_assert_uint_eq(text[0], 0xa1);
	ck_assert_uint_lt(text[1], 64);
	memcpy(ret_name, text + 2, text[1]);
	ret_name[text[1]] = '\0';
}

void fake_begin_session(uint16_t channel)
{
	fake_expect_performative(FAKE_BEGIN);
	fake_say(channel, FAKE_BEGIN, "HIII", (unsigned)channel, 0u, 65535u, 65535u);
}

void fake_attach_link(uint16_t channel, bool adapter_receives)
{
	char name[64];

	fake_name(fake_expect_performative(FAKE_ATTACH), name);
	if (adapter_receives)
		fake_say(channel, FAKE_ATTACH, "sIfnnSTnnI", name, 0u, "hall", "", 0u);
	else
		fake_say(channel, FAKE_ATTACH, "sItnnST", name, 0u, "", "a");
}

void fake_attach(uint16_t channel, bool adapter_receives)
{
	fake_begin_session(channel);
	fake_attach_link(channel, adapter_receives);
}

void fake_begin(uint16_t channel_max)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	fake_expect_connection();
	fake_login();
	fake_open(channel_max);
	ck_assert(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS));
}

void fake_give_credit(uint16_t channel)
{
	fake_say(channel, FAKE_FLOW, "IIIIIII", 0u, 1000u, 0u, 1000u, 0u, 0u, 10u);
}

void fake_let_go(uint16_t channel)
{
	fake_attach(channel, false);
	fake_give_credit(channel);
	fake_expect_performative(FAKE_TRANSFER);
}

void fake_accept_up_to(uint16_t channel, unsigned last)
{
	fake_say(channel, FAKE_DISPOSITION, "tIItA", 0u, last);
}

void fake_end_session(uint16_t channel)
{
	fake_expect_performative(FAKE_END);
	fake_say(channel, FAKE_END, "");
}

void fake_setup(bool patient)
{
	rig_setup();
	if (patient) {
		mock_set(mock, "confirm_timeout_s", "300");
		mock_set(mock, "idle_timeout_s", "3600");
	}
	fake_start();
}

void fake_teardown(void)
{
	fake_stop();
	rig_teardown();
}

void fake_receive(const char *source)
{
	mock_add(mock, "sources", source);
	mock_add_route(mock, child_text("%s/**", source));
}

void fake_set_confirm_timeout(const char *seconds)
{
	mock_set(mock, "confirm_timeout_s", seconds);
	ck_assert_int_eq(mock_reload(mock), 0);
}
