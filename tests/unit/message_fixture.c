/* SPDX-License-Identifier: Apache-2.0 */
#include "message_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

static void fill(uint8_t *payload, size_t size, unsigned number)
{
	for (size_t i = 0; i < size; i++)
		payload[i] = (uint8_t)(number * 31 + i);
}

struct message *fixture_message(unsigned number, size_t payload_size)
{
	CLEANUP_FREE uint8_t *payload = malloc(payload_size + 1);
	char device[32];
	struct message parts = {
		.kind = TG_TELEMETRY, .content_format = (int32_t)(number % 100), .time_wall_us = number + 1};

	fill(payload, payload_size, number);
	snprintf(device, sizeof(device), "device-%u", number % 7);
	memcpy(parts.id, &number, sizeof(number));
	parts.device = bytes_text(device);
	parts.path = bytes_text("t/room");
	parts.payload = bytes_of(payload, payload_size);
	return message_new(&parts);
}

unsigned fixture_number(const struct message *message)
{
	struct message *same;
	unsigned number;

	memcpy(&number, message->id, sizeof(number));
	same = fixture_message(number, message->payload.size);
	ck_assert(memcmp(same->id, message->id, sizeof(same->id)) == 0);
	ck_assert_int_eq(same->kind, message->kind);
	ck_assert_int_eq(same->content_format, message->content_format);
	ck_assert_int_eq(same->time_wall_us, message->time_wall_us);
	ck_assert(bytes_equal(same->device, message->device));
	ck_assert(bytes_equal(same->path, message->path));
	ck_assert(bytes_equal(same->payload, message->payload));
	message_unref(same);
	return number;
}
