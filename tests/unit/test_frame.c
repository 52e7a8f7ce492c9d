/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <string.h>
#include <tidegate/adapter.h>

#include "base/bytes.h"
#include "suite.h"
#include "wire/frame.h"

#define TEXT(s)                                                                                                        \
	{                                                                                                              \
		.data = s, .size = sizeof(s) - 1                                                                       \
	}

/* One frame of each shape; together they name every type. */
static const struct frame samples[] = {
	{.type = FRAME_HELLO, .hello = {.version = FRAME_VERSION, .worker = 3, .endpoint = TEXT("field")}},
	{.type = FRAME_STARTED},
	{.type = FRAME_FAILED, .text = {TEXT("no such file")}},
	{.type = FRAME_SUBMIT,
	 .submit = {.token = UINT64_MAX,
		    .id = {1, 2, 3, 4, 5, 6, 0x77, 8, 0x89, 10, 11, 12, 13, 14, 15, 16},
		    .time_wall_us = -1,
		    .kind = TG_TELEMETRY,
		    .again = 1,
		    .method = TG_METHOD_PUT,
		    .content_format = TG_FORMAT_NONE,
		    .repeated = 1,
		    .expiry_s = UINT32_MAX,
		    .device = TEXT("pump-1"),
		    .path = TEXT("a/b"),
		    .reply_to = TEXT("answers/7"),
		    .correlation = TEXT("\0\1"),
		    .payload = TEXT("21.5\0more")}},
	{.type = FRAME_DELIVERED, .delivered = {.ticket = 77, .result = TG_REJECTED, .reason = TEXT("quota exceeded")}},
	{.type = FRAME_LINK, .link = {.state = TG_LINK_UP, .detail = TEXT("mqtts://broker:8883")}},
	{.type = FRAME_LOOKUP, .lookup = {.token = 5, .proof = TG_PROOF_PSK, .identity = TEXT("pump-1")}},
	{.type = FRAME_PONG, .number = {.number = INT64_MIN}},
	{.type = FRAME_COUNTER, .counter = {.counter = 9, .value = -7}},
	{.type = FRAME_LOG, .log = {.level = TG_LOG_WARNING, .device = TEXT(""), .text = TEXT("broker gone")}},
	{.type = FRAME_RELOADED, .number = {.number = -5}},
	{.type = FRAME_STOPPED},
	{.type = FRAME_SETTING,
	 .setting = {.name = TEXT("key"), .index = 1, .file = 1, .file_error = -ENOENT, .value = TEXT("/etc/key")}},
	{.type = FRAME_CONFIGURED,
	 .configured = {.heartbeat_ms = 5000,
			.gateway = TEXT("hall-3"),
			.site = TEXT("plant-7"),
			.adapter = TEXT("coap"),
			.crypto = TEXT("modern")}},
	{.type = FRAME_VERDICT,
	 .verdict =
		 {.token = 8, .verdict = TG_FULL, .max_age_s = 60, .limit_bytes = 1024, .reason = TEXT("disk full")}},
	{.type = FRAME_DELIVER,
	 .deliver = {.ticket = 1,
		     .id = {0xff},
		     .time_wall_us = INT64_MAX,
		     .kind = TG_COMMAND,
		     .qos = 2,
		     .retain = 1,
		     .expiry_s = UINT32_MAX,
		     .content_format = 50,
		     .device = TEXT("pump-1"),
		     .path = TEXT("a"),
		     .address = TEXT("plant-7/hall-3/pump-1/a"),
		     .payload = TEXT("{}"),
		     .method = TG_METHOD_PUT,
		     .outcome = TG_OUTCOME_EXPIRED,
		     .code = 404,
		     .command = {1, 2, 3},
		     .correlation = TEXT("7")}},
	{.type = FRAME_ANSWERED, .answered = {.ticket = 1, .code = 205, .content_format = 60, .payload = TEXT("\xa0")}},
	{.type = FRAME_AWAKE, .device = {TEXT("pump-1")}},
	{.type = FRAME_READ,
	 .read = {.number = 3, .observe = 1, .reader = TEXT("valve-2"), .device = TEXT("pump-1"), .path = TEXT("a")}},
	{.type = FRAME_READ_END, .read_end = {.number = 3}},
	{.type = FRAME_READING,
	 .reading = {.number = 3,
		     .verdict = TG_NOT_ALLOWED,
		     .last = 1,
		     .content_format = 50,
		     .etag = UINT64_MAX,
		     .time_wall_us = 5,
		     .max_age_s = 60,
		     .payload = TEXT("21.5")}},
	{.type = FRAME_LIST,
	 .list = {.number = 4,
		  .what = TG_LIST_DEVICES,
		  .after = UINT64_MAX - 2,
		  .reader = TEXT("valve-2"),
		  .behind = TEXT("pump-1")}},
	{.type = FRAME_LISTED,
	 .listed = {.number = 4,
		    .end = 1,
		    .verdict = TG_UNAVAILABLE,
		    .more = 1,
		    .content_format = TG_FORMAT_NONE,
		    .etag = 7,
		    .time_wall_us = -5,
		    .max_age_s = 60,
		    .generation = UINT64_MAX,
		    .device = TEXT("pump-1"),
		    .path = TEXT("a/b")}},
	{.type = FRAME_ROUTE, .text = {TEXT("plant-7/*/**")}},
	{.type = FRAME_IDENTITY,
	 .identity =
		 {.token = 5, .known = 1, .generation = UINT64_MAX - 1, .device = TEXT("pump-1"), .key = TEXT("0123")}},
	{.type = FRAME_DEVICE, .device = {TEXT("pump-1")}},
	{.type = FRAME_PING, .number = {.number = 1}},
	{.type = FRAME_STOP, .number = {.number = 5000}},
	{.type = FRAME_REFUSED, .text = {TEXT("version 2 is not spoken")}},
	{.type = FRAME_SESSION_BEGUN,
	 .session_begun = {.handle = 9,
			   .generation = UINT64_C(0x8000000000000001),
			   .proof = TG_PROOF_RESUMED,
			   .device = TEXT("pump-1"),
			   .peer = TEXT("[::1]:5684"),
			   .version = TEXT("DTLSv1.2"),
			   .cipher = TEXT("TLS_PSK_WITH_AES_128_CCM_8"),
			   .group = TEXT("x25519"),
			   .certificate = TEXT("0\0\1")}},
	{.type = FRAME_SESSION_ENDED, .session_ended = {.handle = UINT64_MAX}},
	{.type = FRAME_CLOCK, .clock = {.wall_us = INT64_MAX, .at_us = 1}},
	{.type = FRAME_TICKETS, .tickets = {TEXT("0123456789")}},
	{.type = FRAME_NOTICE, .text = {TEXT("{\"a\":1}")}},
	{.type = FRAME_KEEP, .keep = {.number = UINT64_MAX, .name = TEXT("!a"), .value = TEXT("\0\1")}},
	{.type = FRAME_KEPT, .kept = {.number = UINT64_MAX, .result = -ENOSPC}},
	{.type = FRAME_NOTE, .note = {.name = TEXT("a"), .value = TEXT("\0")}},
	{.type = FRAME_NOTED, .noted = {.loss = UINT64_MAX}},
	{.type = FRAME_SOCKET, .socket = {.name = TEXT("listen"), .index = UINT32_MAX}},
};

enum { SAMPLES = sizeof(samples) / sizeof(samples[0]) };

/* The encoded bytes of what decode made of `bytes`: equal bytes mean that each field came through. */
static void assert_comes_back(struct tg_bytes bytes)
{
	struct buffer again;
	struct frame frame;

	buffer_init(&again, frame_size_max());
	ck_assert_int_eq(frame_decode(bytes, &frame), (int)bytes.size);
	ck_assert_int_eq(frame_encode(&frame, &again), 0);
	ck_assert(bytes_equal(bytes, bytes_of_buffer(&again)));
	buffer_done(&again);
}

START_TEST(test_every_type_comes_back)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		struct buffer out;

		buffer_init(&out, frame_size_max());
		ck_assert_int_eq(frame_encode(&samples[i], &out), 0);
		assert_comes_back(bytes_of_buffer(&out));
		buffer_done(&out);
	}
}
END_TEST

START_TEST(test_fields_are_what_they_were)
{
	const struct frame *submit = &samples[3];
	struct buffer out;
	struct frame frame;

	buffer_init(&out, frame_size_max());
	ck_assert_int_eq(frame_encode(submit, &out), 0);
	ck_assert_int_gt(frame_decode(bytes_of_buffer(&out), &frame), 0);
	ck_assert_int_eq(frame.type, FRAME_SUBMIT);
	ck_assert_uint_eq(frame.submit.token, UINT64_MAX);
	ck_assert_mem_eq(frame.submit.id, submit->submit.id, TG_ID_SIZE);
	ck_assert_int_eq(frame.submit.time_wall_us, -1);
	ck_assert_int_eq(frame.submit.content_format, TG_FORMAT_NONE);
	ck_assert_uint_eq(frame.submit.again, 1);
	ck_assert_uint_eq(frame.submit.method, TG_METHOD_PUT);
	ck_assert(bytes_equal(frame.submit.device, bytes_text("pump-1")));
	ck_assert(bytes_equal(frame.submit.payload, bytes_of("21.5\0more", 9)));
	buffer_done(&out);
}
END_TEST

/* The bytes are a contract between builds of one FRAME_VERSION. */
START_TEST(test_bytes_on_the_wire)
{
	static const uint8_t hello[] = {18, 0, 0, 0, FRAME_HELLO, 3, 0,   0,   0,   3,   0,
					0,  0, 5, 0, 0,           0, 'f', 'i', 'e', 'l', 'd'};
	struct buffer out;

	buffer_init(&out, frame_size_max());
	ck_assert_int_eq(frame_encode(&samples[0], &out), 0);
	ck_assert(bytes_equal(bytes_of_buffer(&out), bytes_of(hello, sizeof(hello))));
	buffer_done(&out);
}
END_TEST

START_TEST(test_half_a_frame_waits)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		struct buffer out;
		struct frame frame;

		buffer_init(&out, frame_size_max());
		ck_assert_int_eq(frame_encode(&samples[i], &out), 0);
		for (size_t n = 0; n < buffer_size(&out); n++)
			ck_assert_int_eq(frame_decode(bytes_of(buffer_data(&out), n), &frame), 0);
		buffer_done(&out);
	}
}
END_TEST

/* A frame whose length lies by one is bad in either direction: a field is missing, or something is left over. */
START_TEST(test_missing_and_surplus_bytes_are_bad)
{
	for (size_t i = 0; i < SAMPLES; i++) {
		uint8_t bytes[512] = {0};
		struct buffer out;
		struct frame frame;
		size_t size;

		buffer_init(&out, sizeof(bytes));
		ck_assert_int_eq(frame_encode(&samples[i], &out), 0);
		size = buffer_size(&out);
		memcpy(bytes, buffer_data(&out), size);
		bytes[0] = (uint8_t)(size - 4 + 1);
		ck_assert_int_eq(frame_decode(bytes_of(bytes, size + 1), &frame), -EBADMSG);
		bytes[0] = (uint8_t)(size - 4 - 1);
		ck_assert_int_eq(frame_decode(bytes_of(bytes, size), &frame), -EBADMSG);
		buffer_done(&out);
	}
}
END_TEST

START_TEST(test_bad_heads)
{
	static const uint8_t empty[] = {0, 0, 0, 0, FRAME_PING}, huge[] = {0xff, 0xff, 0xff, 0x7f, FRAME_SUBMIT},
			     unknown[] = {1, 0, 0, 0, 200}, zero[] = {1, 0, 0, 0, 0};
	struct frame frame;

	ck_assert_int_eq(frame_decode(bytes_of(empty, 5), &frame), -EBADMSG);
	ck_assert_int_eq(frame_decode(bytes_of(huge, 5), &frame), -EBADMSG);
	ck_assert_int_eq(frame_decode(bytes_of(unknown, 5), &frame), -EBADMSG);
	ck_assert_int_eq(frame_decode(bytes_of(zero, 5), &frame), -EBADMSG);
}
END_TEST

START_TEST(test_longest_fields)
{
	static const uint8_t much[TG_PAYLOAD_MAX + 1];
	struct frame frame = {.type = FRAME_DELIVER,
			      .deliver = {.device = {much, TG_DEVICE_MAX},
					  .path = {much, TG_PATH_MAX},
					  .address = {much, TG_ADDRESS_MAX},
					  .payload = {much, TG_PAYLOAD_MAX}}};
	struct buffer out;

	buffer_init(&out, frame_size_max());
	ck_assert_int_eq(frame_encode(&frame, &out), 0);
	ck_assert_uint_le(buffer_size(&out), frame_size_max());
	assert_comes_back(bytes_of_buffer(&out));
	buffer_consume(&out, buffer_size(&out));
	frame.deliver.payload.size++;
	ck_assert_int_eq(frame_encode(&frame, &out), -EMSGSIZE);
	frame.deliver.payload.size--;
	frame.deliver.device.size++;
	ck_assert_int_eq(frame_encode(&frame, &out), -EMSGSIZE);
	ck_assert_uint_eq(buffer_size(&out), 0);
	buffer_done(&out);
}
END_TEST

/* A field longer than its type allows is bad, although the frame around it is whole. */
START_TEST(test_too_long_field_is_bad)
{
	uint8_t bytes[4 + 1 + 4 + TG_DEVICE_MAX + 1] = {0};
	struct frame frame;

	bytes[0] = (sizeof(bytes) - 4) & 0xff;
	bytes[1] = (sizeof(bytes) - 4) >> 8;
	bytes[4] = FRAME_DEVICE;
	bytes[5] = 0;
	bytes[6] = 1; /* 256, the limit is 255 */
	ck_assert_int_eq(frame_decode(bytes_of(bytes, sizeof(bytes)), &frame), -EBADMSG);
}
END_TEST

START_TEST(test_encode_into_a_full_buffer)
{
	struct buffer out;

	buffer_init(&out, 30);
	ck_assert_int_eq(frame_encode(&samples[0], &out), 0);
	ck_assert_int_eq(frame_encode(&samples[0], &out), -ENOBUFS);
	ck_assert_uint_eq(buffer_size(&out), 22);
	ck_assert_int_eq(frame_encode(&(struct frame){.type = (enum frame_type)99}, &out), -EMSGSIZE);
	buffer_done(&out);
}
END_TEST

SUITE_MAIN("frame", test_every_type_comes_back, test_fields_are_what_they_were, test_bytes_on_the_wire,
	   test_half_a_frame_waits, test_missing_and_surplus_bytes_are_bad, test_bad_heads, test_longest_fields,
	   test_too_long_field_is_bad, test_encode_into_a_full_buffer)
