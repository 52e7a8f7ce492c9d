/* SPDX-License-Identifier: Apache-2.0 */
#include "suite.h"

#include <errno.h>
#include <string.h>

#include "mqtt/codec.h"

static struct gather buffer;

static struct tg_bytes bytes(const void *data, size_t size)
{
	return (struct tg_bytes){.data = data, .size = size};
}

#define BYTES(text) bytes(text, sizeof(text) - 1)

static void expect_written(struct tg_bytes wanted)
{
	ck_assert(!buffer.failed);
	ck_assert_uint_eq(buffer.size, wanted.size);
	ck_assert_mem_eq(buffer.data, wanted.data, wanted.size);
	gather_done(&buffer);
}

static bool is(struct tg_bytes got, const char *wanted)
{
	return got.size == strlen(wanted) && memcmp(got.data, wanted, got.size) == 0;
}

START_TEST(packets_are_written_as_the_standard_says)
{
	struct codec_connect connect = {.version5 = true,
					.client_id = "id",
					.keepalive_s = 30,
					.session_expiry_s = 86400,
					.receive_maximum = 100,
					.max_packet_bytes = 0x00150000};

	codec_put_connect(&buffer, &connect);
	expect_written(BYTES("\x10\x1c\0\4MQTT\5\0\0\x1e\x0d\x11\0\1\x51\x80\x21\0\x64\x27\0\x15\0\0\0\2id"));
	connect.version5 = false;
	connect.clean_start = true;
	connect.username = "u";
	connect.password = "pw";
	codec_put_connect(&buffer, &connect);
	expect_written(BYTES("\x10\x15\0\4MQTT\4\xc2\0\x1e\0\2id\0\1u\0\2pw"));
	/* No Local and Retain Handling 2 in MQTT 5. */
	codec_put_subscribe(&buffer, true, 0x0102, "a/#", 1);
	expect_written(BYTES("\x82\x09\1\2\0\0\3a/#\x25"));
	codec_put_subscribe(&buffer, false, 0x0102, "a/#", 1);
	expect_written(BYTES("\x82\x08\1\2\0\3a/#\1"));
	/* Neither with a shared one. */
	codec_put_subscribe(&buffer, true, 0x0102, "$share/g/a", 2);
	expect_written(BYTES("\x82\x10\1\2\0\0\x0a$share/g/a\2"));
	codec_put_unsubscribe(&buffer, true, 7, "a");
	expect_written(BYTES("\xa2\x06\0\7\0\0\1a"));
	codec_put_unsubscribe(&buffer, false, 7, "a");
	expect_written(BYTES("\xa2\x05\0\7\0\1a"));
	codec_put_ack(&buffer, CODEC_PUBACK, true, 0xfffe, CODEC_SUCCESS);
	codec_put_ack(&buffer, CODEC_PUBACK, true, 3, CODEC_NOT_AUTHORIZED);
	codec_put_ack(&buffer, CODEC_PUBACK, false, 4, CODEC_NOT_AUTHORIZED);
	codec_put_ack(&buffer, CODEC_PUBREC, true, 5, CODEC_QUOTA_EXCEEDED);
	codec_put_ack(&buffer, CODEC_PUBCOMP, false, 6, CODEC_SUCCESS);
	expect_written(BYTES("\x40\2\xff\xfe\x40\3\0\3\x87\x40\2\0\4\x50\3\0\5\x97\x70\2\0\6"));
	codec_put_pingreq(&buffer);
	expect_written(BYTES("\xc0\0"));
	codec_put_disconnect(&buffer, true, CODEC_SUCCESS, false);
	codec_put_disconnect(&buffer, true, CODEC_MALFORMED, false);
	codec_put_disconnect(&buffer, true, CODEC_SUCCESS, true);
	codec_put_disconnect(&buffer, false, CODEC_MALFORMED, true);
	expect_written(BYTES("\xe0\0\xe0\1\x81\xe0\7\0\5\x11\0\0\0\0\xe0\0"));
}
END_TEST

START_TEST(a_last_will_is_written)
{
	struct codec_connect connect = {.version5 = true,
					.clean_start = true,
					.client_id = "id",
					.username = "u",
					.receive_maximum = 65535,
					.max_packet_bytes = 65536,
					.will_topic = "w/t",
					.will = "gone",
					.will_retain = true};

	codec_put_connect(&buffer, &connect);
	expect_written(BYTES("\x10\x2b\0\4MQTT\5\xae\0\0\x0d\x11\0\0\0\0\x21\xff\xff\x27\0\1\0\0\0\2id"
			     "\0\0\3w/t\0\4gone\0\1u"));
	connect.version5 = false;
	connect.will_retain = false;
	codec_put_connect(&buffer, &connect);
	expect_written(BYTES("\x10\x1c\0\4MQTT\4\x8e\0\0\0\2id\0\3w/t\0\4gone\0\1u"));
}
END_TEST

START_TEST(a_publish_is_written_with_its_properties)
{
	struct codec_publish publish = {
		.qos = 1, .mid = 258, .retained = true, .topic = BYTES("a/b"), .payload = BYTES("pay")};
	struct gather properties = {0};
	struct tg_bytes gathered;

	codec_put_user_property(&properties, "id", BYTES("x"));
	codec_put_bytes_property(&properties, CODEC_CONTENT_TYPE, BYTES("t/c"));
	codec_put_number_property(&properties, CODEC_MESSAGE_EXPIRY, 256, 4);
	codec_put_number_property(&properties, CODEC_PAYLOAD_FORMAT, 1, 1);
	gathered = (struct tg_bytes){properties.data, properties.size};
	codec_put_publish(&buffer, true, &publish, gathered);
	ck_assert_uint_eq(buffer.size, codec_publish_size(true, &publish, gathered));
	expect_written(BYTES("\x33\x20\0\3a/b\1\2\x15\x26\0\2id\0\1x\3\0\3t/c\2\0\0\1\0\1\1pay"));
	codec_put_publish(&buffer, false, &publish, gathered);
	expect_written(BYTES("\x33\x0a\0\3a/b\1\2pay"));
	publish.qos = 0;
	publish.retained = false;
	codec_put_publish(&buffer, true, &publish, BYTES(""));
	expect_written(BYTES("\x30\x09\0\3a/b\0pay"));
	codec_put_ack(&buffer, CODEC_PUBREL, true, 7, CODEC_SUCCESS);
	expect_written(BYTES("\x62\2\0\7"));
	gather_done(&properties);
}
END_TEST

START_TEST(a_written_publish_is_read_again)
{
	static uint8_t payload[300000];
	const size_t sizes[] = {0, 1, 110, 130, 16370, 16390, 65536, sizeof(payload)};
	struct tg_bytes gathered;
	struct gather properties = {0};

	codec_put_user_property(&properties, "via", BYTES("gw"));
	gathered = (struct tg_bytes){properties.data, properties.size};
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		struct codec_publish publish = {
			.qos = 2, .mid = 9, .topic = BYTES("a/b"), .payload = {payload, sizes[i]}};
		struct codec_publish read;
		struct codec_header header;

		codec_put_publish(&buffer, true, &publish, gathered);
		ck_assert_uint_eq(buffer.size, codec_publish_size(true, &publish, gathered));
		ck_assert_int_eq(codec_get_header((struct tg_bytes){buffer.data, buffer.size}, &header), 1);
		ck_assert_uint_eq(header.size + header.body_size, buffer.size);
		ck_assert_int_eq(codec_get_publish(header.flags,
						   (struct tg_bytes){buffer.data + header.size, header.body_size}, true,
						   NULL, &read),
				 0);
		ck_assert(is(read.topic, "a/b") && is(read.via, "gw") && !read.retained && !read.repeated);
		ck_assert_uint_eq(read.qos, 2);
		ck_assert_uint_eq(read.mid, 9);
		ck_assert_uint_eq(read.payload.size, sizes[i]);
		gather_done(&buffer);
	}
	gather_done(&properties);
}
END_TEST

START_TEST(headers_have_up_to_four_bytes_of_length)
{
	static const struct {
		const char *data;
		size_t size;
		int result;
		size_t header, body;
	} rows[] = {
		{"", 0, 0, 0, 0},
		{"\x30", 1, 0, 0, 0},
		{"\x30\x00", 2, 1, 2, 0},
		{"\x30\x7f", 2, 1, 2, 127},
		{"\x30\x80", 2, 0, 0, 0},
		{"\x30\x80\x01", 3, 1, 3, 128},
		{"\x30\xff\x7f", 3, 1, 3, 16383},
		{"\x30\x80\x80\x80\x01", 5, 1, 5, 2097152},
		{"\x30\xff\xff\xff\x7f", 5, 1, 5, 268435455},
		{"\x30\xff\xff\xff", 4, 0, 0, 0},
		{"\x30\xff\xff\xff\x80", 5, -EBADMSG, 0, 0},
		{"\x30\xff\xff\xff\xff\x01", 6, -EBADMSG, 0, 0},
	};
	struct codec_header header;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++) {
		ck_assert_int_eq(codec_get_header(bytes(rows[i].data, rows[i].size), &header), rows[i].result);
		if (rows[i].result != 1)
			continue;
		ck_assert_uint_eq(header.type, CODEC_PUBLISH);
		ck_assert_uint_eq(header.size, rows[i].header);
		ck_assert_uint_eq(header.body_size, rows[i].body);
	}
}
END_TEST

/* "a/b", packet id 258, every property that a PUBLISH can have, "pay". */
#define FULL                                                                                                           \
	"\0\3a/b\1\2\x3a"                                                                                              \
	"\x01\x01"                                                                                                     \
	"\x02\0\0\1\0"                                                                                                 \
	"\x03\0\4t/cb"                                                                                                 \
	"\x08\0\3r/t"                                                                                                  \
	"\x09\0\2\0\1"                                                                                                 \
	"\x0b\x80\1"                                                                                                   \
	"\x26\0\6method\0\3PUT"                                                                                        \
	"\x26\0\3via\0\2gw"                                                                                            \
	"\x26\0\1x\0\0"                                                                                                \
	"pay"

START_TEST(a_publish_is_read_with_its_properties)
{
	struct codec_publish publish;

	ck_assert_int_eq(codec_get_publish(0x0a, BYTES(FULL), true, NULL, &publish), 0);
	ck_assert(is(publish.topic, "a/b") && is(publish.payload, "pay") && is(publish.content_type, "t/cb"));
	ck_assert(is(publish.reply_to, "r/t") && is(publish.method, "PUT") && is(publish.via, "gw"));
	ck_assert_uint_eq(publish.correlation.size, 2);
	ck_assert_mem_eq(publish.correlation.data, "\0\1", 2);
	ck_assert_uint_eq(publish.mid, 258);
	ck_assert_uint_eq(publish.qos, 1);
	ck_assert(publish.repeated && !publish.retained && publish.utf8 && publish.expires);
	ck_assert_uint_eq(publish.expiry_s, 256);
	ck_assert(!publish.publisher.data && !publish.publishers);
	ck_assert_int_eq(codec_get_publish(0x0a, BYTES(FULL), true, "via", &publish), 0);
	ck_assert(is(publish.publisher, "gw") && !publish.publishers);
	ck_assert_int_eq(codec_get_publish(0, BYTES("\0\1t\x0e\x26\0\1p\0\1a\x26\0\1p\0\1b"), true, "p", &publish), 0);
	ck_assert(is(publish.publisher, "b") && publish.publishers);
	ck_assert_int_eq(codec_get_publish(0x01, BYTES("\0\1tx"), false, NULL, &publish), 0);
	ck_assert(is(publish.topic, "t") && is(publish.payload, "x"));
	ck_assert(publish.retained && !publish.repeated && !publish.expires && !publish.method.data);
	ck_assert_uint_eq(publish.mid, 0);
}
END_TEST

START_TEST(what_is_no_publish_is_malformed)
{
	static const struct {
		uint8_t flags;
		const char *data;
		size_t size;
	} rows[] = {
#define ROW(flags, text) {flags, text, sizeof(text) - 1}
		ROW(0, ""),                        /* nothing */
		ROW(0, "\0"),                      /* half a length */
		ROW(0, "\0\0\0"),                  /* empty topic */
		ROW(0, "\0\3a"),                   /* cut topic */
		ROW(0, "\0\1+\0"),                 /* wildcards */
		ROW(0, "\0\3a/#\0"),               /* */
		ROW(0, "\0\2a\0\0"),               /* zero byte */
		ROW(0, "\0\2\xc3(\0"),             /* not UTF-8 */
		ROW(2, "\0\1a\0\0\0"),             /* packet id 0 */
		ROW(2, "\0\1a\0"),                 /* no packet id */
		ROW(6, "\0\1a\0\1\0"),             /* QoS 3 */
		ROW(0, "\0\1a"),                   /* no properties */
		ROW(0, "\0\1a\1"),                 /* cut properties */
		ROW(0, "\0\1a\xff\xff\xff\xff"),   /* a length that never ends */
		ROW(0, "\0\1a\2\x01\x02"),         /* payload format 2 */
		ROW(0, "\0\1a\4\x01\1\x01\1"),     /* twice */
		ROW(0, "\0\1a\3\x23\0\1"),         /* topic alias */
		ROW(0, "\0\1a\5\x11\0\0\0\0"),     /* of another packet */
		ROW(0, "\0\1a\2\x2b\0"),           /* no such property */
		ROW(0, "\0\1a\2\x00\0"),           /* */
		ROW(0, "\0\1a\3\x80\x80\x01"),     /* */
		ROW(0, "\0\1a\3\x09\0\1"),         /* cut value */
		ROW(0, "\0\1a\4\x03\0\2x"),        /* longer than the properties */
		ROW(0, "\0\1a\5\x08\0\2\xed\xa0"), /* not UTF-8 */
		ROW(0, "\0\1a\x04\x26\0\1x"),      /* half a pair */
#undef ROW
	};
	struct codec_publish publish;

	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		ck_assert_msg(codec_get_publish(rows[i].flags, bytes(rows[i].data, rows[i].size), true, NULL,
						&publish) == -EBADMSG,
			      "row %zu", i);
}
END_TEST

/* Each piece lies alone in memory of its size, so that the sanitizer sees whoever reads behind it. */
static struct tg_bytes piece_of(const char *data, size_t size)
{
	char *copy = malloc(size ? size : 1);

	ck_assert_ptr_nonnull(copy);
	if (size)
		memcpy(copy, data, size);
	return bytes(copy, size);
}

START_TEST(cut_packets_are_never_read_behind_their_end)
{
	struct codec_publish publish;

	for (size_t size = 0; size < sizeof(FULL) - 4; size++) {
		struct tg_bytes piece = piece_of(FULL, size);

		ck_assert_int_eq(codec_get_publish(0x02, piece, true, NULL, &publish), -EBADMSG);
		ck_assert_int_eq(codec_get_publish_head(0x02, piece, 1000, &publish), size >= 7);
		free((void *)(uintptr_t)piece.data);
	}
}
END_TEST

START_TEST(any_single_byte_may_be_wrong)
{
	struct codec_publish publish;
	struct codec_connack connack;
	uint16_t mid;
	uint8_t reason;
	struct tg_bytes text;
	int good = 0;

	for (size_t at = 0; at < sizeof(FULL) - 1; at++) {
		for (int value = 0; value < 256; value++) {
			struct tg_bytes piece = piece_of(FULL, sizeof(FULL) - 1);

			((char *)(uintptr_t)piece.data)[at] = (char)value;
			for (uint8_t flags = 0; flags < 16; flags += 2) {
				int r = codec_get_publish(flags, piece, true, NULL, &publish);

				ck_assert(r == 0 || r == -EBADMSG);
				good += r == 0;
				if (r == 0)
					ck_assert_uint_le(publish.topic.size + publish.payload.size, piece.size);
			}
			codec_get_publish(0, piece, false, NULL, &publish);
			codec_get_publish_head(2, piece, piece.size, &publish);
			codec_get_connack(piece, true, &connack);
			codec_get_suback(CODEC_SUBACK, piece, true, &mid, &reason);
			codec_get_disconnect(piece, &reason, &text);
			free((void *)(uintptr_t)piece.data);
		}
	}
	ck_assert_int_gt(good, 256);
}
END_TEST

START_TEST(the_head_of_a_large_publish_is_enough)
{
	struct codec_publish publish;

	ck_assert_int_eq(codec_get_publish_head(0x02, BYTES("\0\3a/b\0"), 5000000, &publish), 0);
	ck_assert_int_eq(codec_get_publish_head(0x02, BYTES("\0\3a/b\0\5"), 5000000, &publish), 1);
	ck_assert_uint_eq(publish.mid, 5);
	ck_assert(is(publish.topic, "a/b"));
	/* The topic would be longer than the packet. */
	ck_assert_int_eq(codec_get_publish_head(0x02, BYTES("\xff\xff"), 60000, &publish), -EBADMSG);
	ck_assert_int_eq(codec_get_publish_head(0x02, BYTES("\0\3a/b\0\0"), 5000000, &publish), -EBADMSG);
}
END_TEST

static int get_ack(uint8_t type, uint8_t flags, struct tg_bytes body, bool version5, uint16_t *ret_mid,
		   uint8_t *ret_reason)
{
	const struct codec_header header = {.type = type, .flags = flags};

	return codec_get_ack(&header, body, version5, ret_mid, ret_reason);
}

START_TEST(acknowledgements_are_read)
{
	uint16_t mid = 0;
	uint8_t reason = 1;

	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\1\2"), false, &mid, &reason), 0);
	ck_assert_uint_eq(mid, 258);
	ck_assert_uint_eq(reason, 0);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\0\3\x92"), true, &mid, &reason), 0);
	ck_assert_uint_eq(mid, 3);
	ck_assert_uint_eq(reason, 0x92);
	ck_assert_int_eq(get_ack(CODEC_PUBACK, 0, BYTES("\0\4\x10\4\x1f\0\1x"), true, &mid, &reason), 0);
	ck_assert_uint_eq(mid, 4);
	ck_assert_uint_eq(reason, 0x10);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 0, BYTES("\0\5"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBACK, 2, BYTES("\0\5"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBREC, 1, BYTES("\0\5"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\0\0"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\0"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\0\5\0"), false, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\0\5\0\5\x1f\0\1x"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(get_ack(CODEC_PUBREL, 2, BYTES("\0\5\0\0\0"), true, &mid, &reason), -EBADMSG);
	ck_assert_uint_eq(mid, 4);
	ck_assert_uint_eq(reason, 0x10);
}
END_TEST

START_TEST(the_brokers_answers_are_read)
{
	struct codec_connack connack;
	struct tg_bytes text;
	uint16_t mid;
	uint8_t reason;

	ck_assert_int_eq(codec_get_connack(BYTES("\1\0\x0c\x11\0\0\0\x3c\x13\0\x0a\x22\0\5\x24"), true, &connack),
			 -EBADMSG);
	ck_assert_int_eq(codec_get_connack(BYTES("\1\0\x0d\x11\0\0\0\x3c\x13\0\x0a\x22\0\5\x24\1"), true, &connack), 0);
	ck_assert(connack.session_present && connack.has_session_expiry && connack.has_keepalive);
	ck_assert_uint_eq(connack.session_expiry_s, 60);
	ck_assert_uint_eq(connack.keepalive_s, 10);
	ck_assert_uint_eq(connack.max_qos, 1);
	ck_assert_uint_eq(connack.receive_maximum, 65535);
	ck_assert(connack.retain && connack.max_packet_bytes == 0);
	ck_assert_int_eq(codec_get_connack(BYTES("\0\0\x0a\x21\0\5\x25\0\x27\0\0\1\0"), true, &connack), 0);
	ck_assert_uint_eq(connack.max_qos, 2);
	ck_assert_uint_eq(connack.receive_maximum, 5);
	ck_assert(!connack.retain && connack.max_packet_bytes == 256);
	ck_assert_int_eq(codec_get_connack(BYTES("\0\x87\5\x1f\0\2no"), true, &connack), 0);
	ck_assert(!connack.session_present && is(connack.reason_string, "no"));
	ck_assert_uint_eq(connack.reason, CODEC_NOT_AUTHORIZED);
	ck_assert_int_eq(codec_get_connack(BYTES("\0\5"), false, &connack), 0);
	ck_assert_uint_eq(connack.reason, 5);
	ck_assert_int_eq(codec_get_connack(BYTES("\0"), false, &connack), -EBADMSG);
	ck_assert_int_eq(codec_get_connack(BYTES("\0\0\0"), false, &connack), -EBADMSG);
	ck_assert_int_eq(codec_get_connack(BYTES("\0\0"), true, &connack), -EBADMSG);
	ck_assert_int_eq(codec_get_connack(BYTES("\0\1"), true, &connack), 0);
	ck_assert_uint_eq(connack.reason, 1);

	ck_assert_int_eq(codec_get_suback(CODEC_SUBACK, BYTES("\1\2\0\1"), true, &mid, &reason), 0);
	ck_assert_uint_eq(mid, 258);
	ck_assert_uint_eq(reason, 1);
	ck_assert_int_eq(codec_get_suback(CODEC_SUBACK, BYTES("\1\2\x80"), false, &mid, &reason), 0);
	ck_assert_uint_eq(reason, 0x80);
	ck_assert_int_eq(codec_get_suback(CODEC_UNSUBACK, BYTES("\1\2"), false, &mid, &reason), 0);
	ck_assert_uint_eq(reason, 0);
	ck_assert_int_eq(codec_get_suback(CODEC_SUBACK, BYTES("\1\2\0\1\1"), true, &mid, &reason), -EBADMSG);
	ck_assert_int_eq(codec_get_suback(CODEC_SUBACK, BYTES("\1\2\0"), true, &mid, &reason), -EBADMSG);

	ck_assert_int_eq(codec_get_disconnect(BYTES(""), &reason, &text), 0);
	ck_assert_uint_eq(reason, 0);
	ck_assert_int_eq(codec_get_disconnect(BYTES("\x8e\5\x1f\0\2hm"), &reason, &text), 0);
	ck_assert_uint_eq(reason, 0x8e);
	ck_assert(is(text, "hm"));
	ck_assert_int_eq(codec_get_disconnect(BYTES("\x8e\6\x1f\0\2hm"), &reason, &text), -EBADMSG);
}
END_TEST

SUITE_MAIN("mqtt_codec", packets_are_written_as_the_standard_says, a_last_will_is_written,
	   a_publish_is_written_with_its_properties, a_written_publish_is_read_again,
	   headers_have_up_to_four_bytes_of_length, a_publish_is_read_with_its_properties,
	   what_is_no_publish_is_malformed, cut_packets_are_never_read_behind_their_end, any_single_byte_may_be_wrong,
	   the_head_of_a_large_publish_is_enough, acknowledgements_are_read, the_brokers_answers_are_read)
