/* SPDX-License-Identifier: Apache-2.0 */
#include <pthread.h>
#include <string.h>

#include "base/bytes.h"
#include "core/message.h"
#include "suite.h"

static struct message *make(void)
{
	char device[] = "sensor-1", path[] = "t/a", payload[] = "21.5";
	struct frame_submit submit = {
		.token = 7,
		.id = {1, 2, 3},
		.time_wall_us = 1234,
		.kind = TG_TELEMETRY,
		.content_format = 50,
		.device = bytes_text(device),
		.path = bytes_text(path),
		.payload = bytes_text(payload),
	};
	struct message *message = message_of_submit(&submit, 99);

	memset(device, 'x', sizeof(device)); /* the message must not borrow */
	memset(path, 'x', sizeof(path));
	memset(payload, 'x', sizeof(payload));
	return message;
}

START_TEST(test_copies_everything)
{
	struct message *message = make();

	ck_assert_ptr_nonnull(message);
	ck_assert_uint_eq(message->id[2], 3);
	ck_assert_uint_eq(message->kind, TG_TELEMETRY);
	ck_assert_int_eq(message->content_format, 50);
	ck_assert_int_eq(message->time_wall_us, 1234);
	ck_assert_int_eq(message->taken_us, 99);
	ck_assert(bytes_equal(message->device, bytes_text("sensor-1")));
	ck_assert(bytes_equal(message->path, bytes_text("t/a")));
	ck_assert(bytes_equal(message->payload, bytes_text("21.5")));
	ck_assert_uint_ge(message_size(message), sizeof(*message) + strlen("sensor-1"
									   "t/a"
									   "21.5"));
	message_unref(message);
	message_unref(NULL);
}
END_TEST

START_TEST(test_empty_payload)
{
	struct message *message = message_new(&(struct message){.kind = TG_COMMAND, .device = bytes_text("d")});

	ck_assert_ptr_nonnull(message);
	ck_assert_uint_eq(message->payload.size, 0);
	ck_assert_uint_eq(message->path.size, 0);
	message_unref(message);
}
END_TEST

static void *share(void *arg)
{
	const struct message *message = arg;

	for (int i = 0; i < 20000; i++)
		message_unref(message_ref(message));
	message_unref(message);
	return NULL;
}

START_TEST(test_shared_by_threads)
{
	struct message *message = make();
	pthread_t threads[2];

	for (int i = 0; i < 2; i++) {
		message_ref(message);
		ck_assert_int_eq(pthread_create(&threads[i], NULL, share, message), 0);
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	ck_assert(bytes_equal(message->payload, bytes_text("21.5"))); /* ours is the last reference */
	message_unref(message);
}
END_TEST

SUITE_MAIN("message", test_copies_everything, test_empty_payload, test_shared_by_threads)
