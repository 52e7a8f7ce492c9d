/* SPDX-License-Identifier: Apache-2.0 */

/* What OSCORE needs of the coap_client adapter, and no libcoap: the file of contexts, sequence numbers, the look of datagrams, the order
 * of notifications. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "bench/tool.h"
#include "coap_client/order.h"
#include "coap_client/oscore_file.h"
#include "coap_client/sequence.h"
#include "coap_client/stack_wire.h"
#include "fuzz/mutator.h"
#include "suite.h"

#define SECRET "0102030405060708090a0b0c0d0e0f10"
#define WHOLE  "master_secret = " SECRET "\nsender_id = 01\nrecipient_id = 02\n"

enum { TURNS = 100000, ROOM = 1024 };

static const char *problem_of(const char *text)
{
	static char problem[OSCORE_PROBLEM];
	struct oscore_file file = {.sections = NULL};

	problem[0] = '\0';
	ck_assert_int_eq(oscore_file_read(bytes_text(text), &file, problem), problem[0] ? -EINVAL : 0);
	oscore_file_free(&file);
	return problem;
}

START_TEST(a_file_is_read)
{
	static const char text[] =
		"# contexts\r\n\n[ m 1]\nmaster_secret=" SECRET "\r\n  master_salt = 9E7ca92223786340 \n"
		"sender_id = \"\"\nrecipient_id = 01\nid_context = 37cbf3210017a2d3\n"
		"aead = AES-CCM-16-64-128\nhkdf = direct+HKDF-SHA-256\n[m-2]\n" WHOLE;
	char problem[OSCORE_PROBLEM], conf[OSCORE_CONF_MAX];
	const struct oscore_section *section;
	struct oscore_file file;
	size_t size;

	ck_assert_int_eq(oscore_file_read(bytes_text(text), &file, problem), 0);
	ck_assert_uint_eq(file.count, 2);
	section = oscore_file_find(&file, " m 1");
	ck_assert_ptr_nonnull(section);
	ck_assert_uint_eq(section->line, 3);
	ck_assert_uint_eq(section->sender.size, 0);
	ck_assert_ptr_null(oscore_file_find(&file, "m-3"));
	size = oscore_file_conf(section, conf);
	ck_assert(bytes_equal(bytes_of(conf, size),
			      bytes_text("master_secret,hex,\"" SECRET "\"\nmaster_salt,hex,\"9e7ca92223786340\"\n"
					 "id_context,hex,\"37cbf3210017a2d3\"\nsender_id,hex,\"\"\n"
					 "recipient_id,hex,\"01\"\naead_alg,text,\"AES-CCM-16-64-128\"\n"
					 "hkdf_alg,text,\"direct+HKDF-SHA-256\"\nreplay_window,integer,32\n"
					 "ssn_freq,integer,1\nrfc8613_b_1_2,bool,false\nrfc8613_b_2,bool,false\n")));
	oscore_file_free(&file);
	ck_assert_ptr_null(file.sections);
}
END_TEST

START_TEST(the_longest_context_fits)
{
	char text[1024], problem[OSCORE_PROBLEM], conf[OSCORE_CONF_MAX];
	struct oscore_file file;

	snprintf(text, sizeof(text),
		 "[m]\nmaster_secret = %0128d\nmaster_salt = %0128d\nid_context = %032d\n"
		 "sender_id = %014d\nrecipient_id = 00000000000001\n",
		 0, 0, 0, 0);
	ck_assert_int_eq(oscore_file_read(bytes_text(text), &file, problem), 0);
	ck_assert_uint_le(oscore_file_conf(&file.sections[0], conf), sizeof(conf));
	oscore_file_free(&file);
}
END_TEST

START_TEST(what_is_wrong_is_told_with_its_line)
{
	static const struct {
		const char *text;
		const char *problem;
	} cases[] = {
		{"[m]\nmaster_secret = 01\n", "line 2: 'master_secret' wants 16 to 64 bytes, in hexadecimal digits"},
		{"[m]\nmaster_secret = x" SECRET "x\n", "line 2: 'master_secret' wants hexadecimal digits"},
		{"[m]\nsender_id = 0\n", "line 2: 'sender_id' is too long, or has half a byte"},
		{"[m]\nsender_id = 0102030405060708\n", "line 2: 'sender_id' is too long, or has half a byte"},
		{"sender_id = 01\n", "line 1: 'sender_id' stands before the first \"[NAME]\""},
		{"nonsense\n", "line 1: '' is no line \"NAME = VALUE\""},
		{"[m]\n\n# no\nkey = 01\n", "line 4: 'key' is no setting of a context"},
		{"[m]\nsender_id = 01\nsender_id = 01\n", "line 3: 'sender_id' stands there twice"},
		{"[m]\nhkdf = HKDF-SHA-512\n", "line 2: 'hkdf' is none that libcoap can do"},
		{"[m\n", "line 1: '[m' is no \"[NAME]\" of a device"},
		{"[]\n", "line 1: '[]' is no \"[NAME]\" of a device"},
		{"[m]\nmaster_secret = " SECRET "\nsender_id = 01\n",
		 "line 1: 'm' lacks master_secret, sender_id or recipient_id"},
		{"[m]\nmaster_secret = " SECRET "\nsender_id = 01\nrecipient_id = 01\n",
		 "line 1: 'm' has the same sender_id and recipient_id"},
		{"[m]\n" WHOLE "[m]\n" WHOLE, "line 1: 'm' has a section already"},
		{"[m]\n" WHOLE "[n]\n" WHOLE, "line 5: 'n' has a key that another section has, too"},
		{"[m]\n" WHOLE "[n]\nmaster_secret = " SECRET "\nsender_id = 02\nrecipient_id = 01\n",
		 "line 5: 'n' has a key that another section has, too"},
		{"[m]\n" WHOLE "[n]\nmaster_secret = " SECRET "\nsender_id = 03\nrecipient_id = 02\n",
		 "line 5: 'n' has a key that another section has, too"},
		{"[m]\n" WHOLE "[n]\nmaster_secret = " SECRET "\nsender_id = 03\nrecipient_id = 04\n", ""},
		{"[m]\n" WHOLE "[n]\n" WHOLE "id_context = 01\n", ""},
		{"", ""},
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		ck_assert_str_eq(problem_of(cases[i].text), cases[i].problem);
}
END_TEST

START_TEST(whatever_stands_in_the_file)
{
	static const char good[] = "[meter]\n" WHOLE "master_salt = 9e7ca922\n[other]\n" WHOLE "id_context = 01\n";
	struct tool_random random = {.state = 1};
	char problem[OSCORE_PROBLEM], conf[OSCORE_CONF_MAX];
	size_t read = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		struct oscore_file file;
		uint8_t text[ROOM];
		size_t size = sizeof(good) - 1;

		memcpy(text, good, size);
		size = mutator_bytes(&random, text, size, sizeof(text));
		if (oscore_file_read(bytes_of(text, size), &file, problem) < 0)
			continue;
		read++;
		for (size_t i = 0; i < file.count; i++)
			ck_assert_uint_le(oscore_file_conf(&file.sections[i], conf), sizeof(conf));
		oscore_file_free(&file);
	}
	ck_assert_uint_gt(read, 0);
}
END_TEST

START_TEST(numbers_are_used_when_they_are_kept)
{
	struct sequence sequence;

	sequence_begin(&sequence, 5000);
	ck_assert(!sequence_may(&sequence));
	ck_assert_uint_eq(sequence_ask(&sequence), 5000 + SEQUENCE_AHEAD);
	ck_assert_uint_eq(sequence_ask(&sequence), 0);
	ck_assert(!sequence_may(&sequence));
	sequence_answered(&sequence, true);
	ck_assert(sequence_may(&sequence));
	ck_assert_uint_eq(sequence.next, 5000);
	sequence_used(&sequence, 5001);
	ck_assert_uint_eq(sequence_ask(&sequence), 0);
	sequence_used(&sequence, 5000 + SEQUENCE_AHEAD / 2);
	ck_assert_uint_eq(sequence_ask(&sequence), 5000 + 2 * SEQUENCE_AHEAD);
	sequence_answered(&sequence, false);
	sequence_used(&sequence, 5000 + SEQUENCE_AHEAD);
	ck_assert(!sequence_may(&sequence));
	ck_assert_uint_eq(sequence_ask(&sequence), 5000 + 2 * SEQUENCE_AHEAD);
	sequence_answered(&sequence, true);
	ck_assert(sequence_may(&sequence));
	sequence_used(&sequence, 1);
	ck_assert_uint_eq(sequence.next, 5000 + SEQUENCE_AHEAD);
}
END_TEST

START_TEST(numbers_have_an_end)
{
	struct sequence sequence;

	sequence_begin(&sequence, SEQUENCE_END - 1);
	ck_assert_uint_gt(sequence_ask(&sequence), SEQUENCE_END);
	sequence_answered(&sequence, true);
	ck_assert(sequence_may(&sequence));
	sequence_used(&sequence, SEQUENCE_END);
	ck_assert(!sequence_may(&sequence));
	ck_assert(sequence_is_at_its_end(&sequence));
	ck_assert_uint_eq(sequence_ask(&sequence), 0);
}
END_TEST

static struct wire look(const char *bytes, size_t size)
{
	return wire_look(bytes_of(bytes, size));
}

#define LOOK(text) look(text, sizeof(text) - 1)

START_TEST(datagrams_are_told_apart)
{
	struct wire wire = LOOK("\x48\x02\x12\x34"
				"tokentok"
				"\x93\x09\x05\x01"
				"\xff"
				"x");
	uint8_t reset[WIRE_RESET_SIZE];

	ck_assert_int_eq(wire.kind, WIRE_REQUEST);
	ck_assert(wire.is_protected && wire.has_number);
	ck_assert_uint_eq(wire.number, 5);
	ck_assert_int_eq(memcmp(&wire.token, "tokentok", 8), 0);
	wire_reset(&wire, reset);
	ck_assert_int_eq(memcmp(reset, "\x70\x00\x12\x34", 4), 0);
	wire = LOOK("\x58\x44\x12\x34"
		    "tokentok"
		    "\x90\xff"
		    "x");
	ck_assert_int_eq(wire.kind, WIRE_RESPONSE);
	ck_assert_int_eq(wire.type, WIRE_NON);
	ck_assert(wire.is_protected && !wire.has_number);
	wire = LOOK("\x58\x45\x12\x34"
		    "tokentok"
		    "\x61\x01\x36\x05\x01\x02\x03\x04\x05\xff"
		    "x");
	ck_assert(wire.is_protected && wire.has_number);
	ck_assert_uint_eq(wire.number, 0x0102030405);
	wire = LOOK("\x41\x45\x12\x34"
		    "t"
		    "\xff"
		    "x");
	ck_assert_int_eq(wire.kind, WIRE_RESPONSE);
	ck_assert(!wire.is_protected);
	ck_assert_uint_eq(wire.token, 0);
	ck_assert_int_eq(LOOK("\x60\x00\x12\x34").kind, WIRE_EMPTY);
	ck_assert_int_eq(LOOK("\x60\x00\x12\x34"
			      "x")
				 .kind,
			 WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x40\x20\x12\x34").kind, WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x40\xe1\x12\x34").kind, WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x80\x01\x12\x34").kind, WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x49\x01\x12\x34"
			      "123456789")
				 .kind,
			 WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x40\x01\x12").kind, WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x40\x45\x12\x34\x92\x06\x01").kind, WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x40\x45\x12\x34\x90\x00").kind, WIRE_BROKEN);
	ck_assert_int_eq(LOOK("\x40\x45\x12\x34\x90\xff").kind, WIRE_BROKEN);
}
END_TEST

START_TEST(whatever_a_datagram_is)
{
	static const uint8_t good[] = {0x48, 0x02, 0x12, 0x34, 1, 2, 3, 4, 5, 6, 7, 8, 0x93, 9, 5, 1, 0xff, 'x'};
	struct tool_random random = {.state = 2};
	size_t kinds[WIRE_RESPONSE + 1] = {0};

	for (unsigned turn = 0; turn < TURNS; turn++) {
		uint8_t data[64];
		struct wire wire;
		size_t size;

		memcpy(data, good, sizeof(good));
		size = mutator_bytes(&random, data, sizeof(good), sizeof(data));
		wire = wire_look(bytes_of(data, size));
		ck_assert_uint_le(wire.kind, WIRE_RESPONSE);
		ck_assert_uint_lt(wire.number, UINT64_C(1) << 40);
		kinds[wire.kind]++;
	}
	ck_assert_uint_gt(kinds[WIRE_BROKEN], 0);
	ck_assert_uint_gt(kinds[WIRE_REQUEST], 0);
}
END_TEST

START_TEST(a_recorded_notification_is_never_new)
{
	struct order order = {.begun = false};

	ck_assert(order_take_protected(&order, 0));
	ck_assert(!order_take_protected(&order, 0));
	ck_assert(order_take_protected(&order, 9));
	ck_assert(!order_take_protected(&order, 9));
	ck_assert(!order_take_protected(&order, 8));
	ck_assert(order_take_protected(&order, UINT64_C(1) << 39));
	ck_assert(!order_take_protected(&order, 10));
}
END_TEST

SUITE_MAIN("coap client oscore", a_file_is_read, the_longest_context_fits, what_is_wrong_is_told_with_its_line,
	   whatever_stands_in_the_file, numbers_are_used_when_they_are_kept, numbers_have_an_end,
	   datagrams_are_told_apart, whatever_a_datagram_is, a_recorded_notification_is_never_new)
