/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "coap/message.h"

/* Bytes of a string literal. */
#define W(text) ((struct tg_bytes){.data = "" text, .size = sizeof(text) - 1})

static struct coap_message message;

static int parse(struct tg_bytes bytes)
{
	return message_parse(bytes, &message);
}

static void assert_bytes(struct tg_bytes bytes, const void *data, size_t size)
{
	ck_assert_uint_eq(bytes.size, size);
	ck_assert_mem_eq(bytes.data, data, size);
}

/* RFC 7252 appendix A, figure 16: CON GET /temperature, id 0x7d34. */
START_TEST(a_request_of_the_rfc)
{
	static const char wire[] = "\x40\x01\x7d\x34\xbbtemperature";
	struct message_walk walk;
	struct message_option option;

	ck_assert_int_eq(parse((struct tg_bytes){wire, sizeof(wire) - 1}), 0);
	ck_assert_int_eq(message.type, MESSAGE_CON);
	ck_assert_uint_eq(message.code, MESSAGE_GET);
	ck_assert_uint_eq(message.id, 0x7d34);
	ck_assert_uint_eq(message.token_size, 0);
	ck_assert_uint_eq(message.payload.size, 0);
	ck_assert_uint_eq(message.bad_option, 0);
	message_walk_init(&walk, &message);
	ck_assert(message_option_next(&walk, &option));
	ck_assert_uint_eq(option.number, MESSAGE_URI_PATH);
	assert_bytes(option.value, "temperature", 11);
	ck_assert(!message_option_next(&walk, &option));
}
END_TEST

/* Figures 17 and 16: token 0x20, ACK 2.05 "22.3 C". */
START_TEST(token_and_payload_are_found)
{
	static const char request[] = "\x41\x01\x7d\x35\x20\xbbtemperature";
	static const char response[] = "\x61\x45\x7d\x35\x20\xff"
				       "22.3 C";

	ck_assert_int_eq(parse((struct tg_bytes){request, sizeof(request) - 1}), 0);
	ck_assert_uint_eq(message.token_size, 1);
	ck_assert_uint_eq(message.token[0], 0x20);
	ck_assert_int_eq(parse((struct tg_bytes){response, sizeof(response) - 1}), 0);
	ck_assert_int_eq(message.type, MESSAGE_ACK);
	ck_assert_uint_eq(message.code, MESSAGE_CONTENT);
	assert_bytes(message.payload, "22.3 C", 6);
}
END_TEST

START_TEST(known_options_are_read)
{
	/* Uri-Path a, Content-Format 60, Accept 0 (empty), Block2 0/0/6, Block1 2/1/2, Size1 65536 */
	static const uint8_t wire[] = {0x40, 2,    0,    1,    0xb1,    'a', 0x11, 60, 0x50, 0x61,
				       0x06, 0x41, 0x2a, 0xd3, 33 - 13, 1,   0,    0,  0xff, 'x'};

	ck_assert_int_eq(parse((struct tg_bytes){wire, sizeof(wire)}), 0);
	ck_assert_uint_eq(message.content_format, 60);
	ck_assert_uint_eq(message.accept, 0);
	ck_assert_uint_eq(message.block2, 6);
	ck_assert_uint_eq(message.block1, 0x2a);
	ck_assert_int_eq(message.size1, 65536);
	ck_assert_uint_eq(message.bad_option, 0);
	ck_assert(!message.proxy);
	assert_bytes(message.payload, "x", 1);
}
END_TEST

START_TEST(what_is_not_there_is_absent)
{
	ck_assert_int_eq(parse(W("\x50\x02\x00\x01")), 0);
	ck_assert_int_eq(message.type, MESSAGE_NON);
	ck_assert_uint_eq(message.content_format, MESSAGE_ABSENT);
	ck_assert_uint_eq(message.accept, MESSAGE_ABSENT);
	ck_assert_uint_eq(message.block1, MESSAGE_ABSENT);
	ck_assert_uint_eq(message.block2, MESSAGE_ABSENT);
	ck_assert_int_eq(message.size1, -1);
}
END_TEST

struct row {
	const char *what;
	struct tg_bytes bytes;
	int result;
};

static const struct row malformed[] = {
	{"nothing", W(""), -EPROTO},
	{"three bytes", W("\x40\x01\x00"), -EPROTO},
	{"version 0", W("\x00\x01\x00\x01"), -EPROTO},
	{"version 2", W("\x80\x01\x00\x01"), -EPROTO},
	{"token longer than the datagram", W("\x42\x01\x00\x01\x20"), -EBADMSG},
	{"token of 9 bytes",
	 W("\x49\x01\x00\x01"
	   "123456789"),
	 -EBADMSG},
	{"token of 15 bytes",
	 W("\x4f\x01\x00\x01"
	   "123456789012345"),
	 -EBADMSG},
	{"empty with a token", W("\x41\x00\x00\x01\x20"), -EBADMSG},
	{"empty with a byte behind", W("\x40\x00\x00\x01\x00"), -EBADMSG},
	{"empty ACK with a payload", W("\x60\x00\x00\x01\xffx"), -EBADMSG},
	{"marker without payload", W("\x40\x02\x00\x01\xff"), -EBADMSG},
	{"marker behind an option without payload",
	 W("\x40\x02\x00\x01\xb1"
	   "a\xff"),
	 -EBADMSG},
	{"delta 15",
	 W("\x40\x02\x00\x01\xf1"
	   "a"),
	 -EBADMSG},
	{"length 15",
	 W("\x40\x02\x00\x01\xbf"
	   "abcdefghijklmnop"),
	 -EBADMSG},
	{"value cut off",
	 W("\x40\x02\x00\x01\xb5"
	   "abcd"),
	 -EBADMSG},
	{"delta of one byte cut off", W("\x40\x02\x00\x01\xd0"), -EBADMSG},
	{"delta of two bytes cut off", W("\x40\x02\x00\x01\xe0\x01"), -EBADMSG},
	{"length of one byte cut off", W("\x40\x02\x00\x01\xbd"), -EBADMSG},
	{"length of two bytes cut off", W("\x40\x02\x00\x01\xbe\x00"), -EBADMSG},
	{"option number over 65535", W("\x40\x02\x00\x01\xe0\xfe\xf3"), -EBADMSG},
	{"option number over 65535 in two steps", W("\x40\x02\x00\x01\xe0\xfe\xf2\x10"), -EBADMSG},
	{"length over the datagram by far",
	 W("\x40\x02\x00\x01\xbe\xff\xff"
	   "a"),
	 -EBADMSG},
};

START_TEST(malformed_is_refused)
{
	const struct row *row = &malformed[_i];

	ck_assert_msg(parse(row->bytes) == row->result, "%s", row->what);
	if (row->result == -EBADMSG) {
		ck_assert_uint_eq(message.id, 1);
		ck_assert_int_eq(message.type, ((const uint8_t *)row->bytes.data)[0] >> 4 & 3);
	}
}
END_TEST

START_TEST(the_last_option_number_is_accepted)
{
	ck_assert_int_eq(parse(W("\x40\x02\x00\x01\xe0\xfe\xf2")), 0);
	ck_assert_uint_eq(message.bad_option, 65535);
}
END_TEST

static const struct {
	const char *what;
	struct tg_bytes bytes;
	uint16_t bad_option;
} critical[] = {
	{"If-Match of 9 bytes",
	 W("\x40\x02\x00\x01\x19"
	   "123456789"),
	 1},
	{"If-None-Match of 1 byte",
	 W("\x40\x02\x00\x01\x51"
	   "1"),
	 5},
	{"If-None-Match twice", W("\x40\x02\x00\x01\x50\x00"), 5},
	{"If-Match twice, which may be",
	 W("\x40\x02\x00\x01\x11"
	   "a\x01"
	   "b"),
	 0},
	{"OSCORE, which is not for this layer", W("\x40\x02\x00\x01\x90"), 0},
	{"OSCORE twice", W("\x40\x02\x00\x01\x90\x00"), 9},
	{"13", W("\x40\x02\x00\x01\xd0\x00"), 13},
	{"Uri-Host empty", W("\x40\x02\x00\x01\x30"), 3},
	{"Uri-Host twice",
	 W("\x40\x02\x00\x01\x31"
	   "a\x01"
	   "b"),
	 3},
	{"Uri-Port of 3 bytes", W("\x40\x02\x00\x01\x73\x01\x02\x03"), 7},
	{"Accept of 3 bytes", W("\x40\x02\x00\x01\xd3\x04\x01\x02\x03"), 17},
	{"Accept twice", W("\x40\x02\x00\x01\xd0\x04\x00"), 17},
	{"Block1 of 4 bytes", W("\x40\x02\x00\x01\xd4\x0e\x00\x00\x00\x00"), 27},
	{"Block1 twice", W("\x40\x02\x00\x01\xd0\x0e\x00"), 27},
	{"Proxy-Uri empty", W("\x40\x02\x00\x01\xd0\x16"), 35},
	{"the first of two", W("\x40\x02\x00\x01\x30\x60"), 3},
	{"elective ones of any kind: Max-Age twice, Content-Format of 3 bytes, 2048",
	 W("\x40\x02\x00\x01\xc3\x01\x02\x03"
	   "\x21\x01\x01\x02\xe0\x06\xe5"),
	 0},
};

START_TEST(critical_options_that_are_not_understood)
{
	ck_assert_msg(parse(critical[_i].bytes) == 0, "%s", critical[_i].what);
	ck_assert_msg(message.bad_option == critical[_i].bad_option, "%s: %u", critical[_i].what, message.bad_option);
	ck_assert_uint_eq(message.content_format, MESSAGE_ABSENT);
}
END_TEST

START_TEST(what_the_sender_wishes_is_noted)
{
	ck_assert_int_eq(parse(W("\x40\x02\x00\x01\x10\x40\xb1\x05\xc0\xd1\xd9\x1a")), 0);
	ck_assert(message.if_match && message.if_none_match && message.size2);
	ck_assert_uint_eq(message.hop_limit, 5);
	ck_assert_uint_eq(message.no_response, 0x1a);
	ck_assert_int_eq(parse(W("\x40\x02\x00\x01")), 0);
	ck_assert(!message.if_match && !message.if_none_match && !message.size2);
	ck_assert_uint_eq(message.hop_limit, MESSAGE_ABSENT);
	ck_assert_uint_eq(message.no_response, 0);
}
END_TEST

START_TEST(lengths_at_their_limits)
{
	uint8_t wire[512] = {0x40, 2, 0, 1, 0xbd, 255 - 13};

	ck_assert_int_eq(parse((struct tg_bytes){wire, 6 + 255}), 0);
	ck_assert_uint_eq(message.bad_option, 0);
	wire[5] = 256 - 13;
	ck_assert_int_eq(parse((struct tg_bytes){wire, 6 + 256}), 0);
	ck_assert_uint_eq(message.bad_option, MESSAGE_URI_PATH);
}
END_TEST

START_TEST(proxy_options_are_seen)
{
	ck_assert_int_eq(parse(W("\x40\x02\x00\x01\xd1\x16x")), 0);
	ck_assert(message.proxy);
	ck_assert_int_eq(parse(W("\x40\x02\x00\x01\xd1\x1ax")), 0);
	ck_assert(message.proxy);
}
END_TEST

START_TEST(what_is_written_reads_back)
{
	uint8_t wire[128];
	struct message_writer writer;
	struct message_walk walk;
	struct message_option option;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_ACK, MESSAGE_TOO_LARGE, 0xabcd, W("token"));
	message_write_option_uint(&writer, MESSAGE_CONTENT_FORMAT, 0);
	message_write_option_uint(&writer, MESSAGE_BLOCK1, 0x123456);
	message_write_option_uint(&writer, MESSAGE_SIZE1, 65536);
	message_write_option(&writer, 2048, W("value"));
	message_write_payload(&writer, W("hello"));
	ck_assert(!writer.failed);
	ck_assert_int_eq(parse((struct tg_bytes){wire, writer.size}), 0);
	ck_assert_int_eq(message.type, MESSAGE_ACK);
	ck_assert_uint_eq(message.code, MESSAGE_TOO_LARGE);
	ck_assert_uint_eq(message.id, 0xabcd);
	ck_assert_uint_eq(message.token_size, 5);
	ck_assert_mem_eq(message.token, "token", 5);
	ck_assert_uint_eq(message.content_format, 0);
	ck_assert_uint_eq(message.block1, 0x123456);
	ck_assert_int_eq(message.size1, 65536);
	assert_bytes(message.payload, "hello", 5);
	message_walk_init(&walk, &message);
	ck_assert(message_option_next(&walk, &option));
	ck_assert_uint_eq(option.value.size, 0); /* 0 takes no byte (RFC 7252 section 3.2) */
	for (int i = 0; i < 3; i++)
		ck_assert(message_option_next(&walk, &option));
	ck_assert_uint_eq(option.number, 2048);
	assert_bytes(option.value, "value", 5);
}
END_TEST

START_TEST(a_writer_without_room_stays_failed)
{
	uint8_t wire[8];
	struct message_writer writer;

	for (size_t room = 0; room <= sizeof(wire); room++) {
		message_writer_init(&writer, wire, room);
		message_write_header(&writer, MESSAGE_CON, MESSAGE_POST, 1, W(""));
		message_write_option(&writer, MESSAGE_URI_PATH, W("abc"));
		message_write_payload(&writer, W("x"));
		ck_assert(writer.failed);
		ck_assert_uint_le(writer.size, room);
		message_write_raw(&writer, W(""));
		ck_assert(writer.failed);
	}
}
END_TEST

START_TEST(listening_addresses_are_split)
{
	struct tg_bytes host;
	uint16_t port;
	bool secure = false;

	ck_assert_int_eq(message_split_uri("coaps://[::]:5684", &secure, &host, &port), 0);
	assert_bytes(host, "::", 2);
	ck_assert_uint_eq(port, 5684);
	ck_assert_int_eq(message_split_uri("coaps://127.0.0.1", &secure, &host, &port), 0);
	assert_bytes(host, "127.0.0.1", 9);
	ck_assert_uint_eq(port, 5684);
	ck_assert_int_eq(message_split_uri("coaps://[fd00::1]:40000", &secure, &host, &port), 0);
	assert_bytes(host, "fd00::1", 7);
	ck_assert_uint_eq(port, 40000);
	ck_assert(secure);
	ck_assert_int_eq(message_split_uri("coap://127.0.0.1", &secure, &host, &port), 0);
	assert_bytes(host, "127.0.0.1", 9);
	ck_assert_uint_eq(port, 5683);
	ck_assert(!secure);
}
END_TEST

START_TEST(other_addresses_are_refused)
{
	static const char *const uris[] = {"",
					   "5684",
					   "coap+tcp://127.0.0.1",
					   "coaps+tcp://127.0.0.1",
					   "coaps://",
					   "coaps://:5684",
					   "coaps://127.0.0.1:5684/path",
					   "coaps://127.0.0.1:5684?query",
					   "coaps://[::1",
					   "coaps://127.0.0.1:70000",
					   "http://127.0.0.1"};
	struct tg_bytes host;
	uint16_t port;
	bool secure;

	ck_assert_msg(message_split_uri(uris[_i], &secure, &host, &port) == -EINVAL, "%s", uris[_i]);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("coap_message");
	TCase *tcase = tcase_create("all");

	tcase_add_test(tcase, a_request_of_the_rfc);
	tcase_add_test(tcase, token_and_payload_are_found);
	tcase_add_test(tcase, known_options_are_read);
	tcase_add_test(tcase, what_is_not_there_is_absent);
	tcase_add_loop_test(tcase, malformed_is_refused, 0, sizeof(malformed) / sizeof(malformed[0]));
	tcase_add_test(tcase, the_last_option_number_is_accepted);
	tcase_add_loop_test(tcase, critical_options_that_are_not_understood, 0, sizeof(critical) / sizeof(critical[0]));
	tcase_add_test(tcase, what_the_sender_wishes_is_noted);
	tcase_add_test(tcase, lengths_at_their_limits);
	tcase_add_test(tcase, proxy_options_are_seen);
	tcase_add_test(tcase, what_is_written_reads_back);
	tcase_add_test(tcase, a_writer_without_room_stays_failed);
	tcase_add_test(tcase, listening_addresses_are_split);
	tcase_add_loop_test(tcase, other_addresses_are_refused, 0, 11);
	suite_add_tcase(suite, tcase);

	SRunner *runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	int failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
