/* SPDX-License-Identifier: Apache-2.0 */
#include "core/store_row.h"

#include <errno.h>
#include <string.h>

enum { PAGE = 4096, LEAF_ROOM = PAGE - 12, LOCAL_MAX = PAGE - 35, LOCAL_MIN = 489, SPILL_ROOM = PAGE - 4 };
enum { HEADER_BYTES = 96, ROUTE_MAX = 255 };

static uint64_t mix(uint64_t sum, uint64_t word)
{
	sum = (sum ^ word) * UINT64_C(0x9e3779b97f4a7c15);
	return sum ^ sum >> 29;
}

static uint64_t mix_bytes(uint64_t sum, struct tg_bytes bytes)
{
	const uint8_t *p = bytes.data;
	uint64_t word;

	sum = mix(sum, bytes.size);
	for (size_t left = bytes.size; left > 0;) {
		size_t n = left < sizeof(word) ? left : sizeof(word);

		word = 0;
		memcpy(&word, p, n);
		sum = mix(sum, word);
		p += n;
		left -= n;
	}
	return sum;
}

int64_t store_row_sum(const struct store_row *row, struct tg_bytes endpoint)
{
	const struct message *message = row->message;
	uint64_t sum = mix(1, row->seq);
	uint8_t room[MESSAGE_MARK_MAX];

	sum = mix_bytes(sum, endpoint);
	sum = mix_bytes(sum, message_mark(message, room));
	sum = mix(sum, (uint64_t)message->time_wall_us);
	sum = mix(sum, (uint64_t)message->content_format);
	sum = mix(sum, (uint64_t)row->expires_wall_us);
	sum = mix(sum,
		  (uint64_t)message->kind << 24 | (uint64_t)row->qos << 16 | (uint64_t)row->retain << 8 | row->ack);
	sum = mix_bytes(sum, message->device);
	sum = mix_bytes(sum, message->path);
	sum = mix_bytes(sum, row->address);
	sum = mix_bytes(sum, row->route);
	return (int64_t)mix_bytes(sum, message->payload);
}

void store_row_bind(struct database_statement *statement, const struct store_row *row, struct tg_bytes endpoint,
		    int64_t sum, uint8_t *mark_room)
{
	const struct message *message = row->message;

	database_bind_number(statement, 1, (int64_t)row->seq);
	database_bind_text(statement, 2, endpoint);
	database_bind_bytes(statement, 3, message_mark(message, mark_room));
	database_bind_number(statement, 4, message->kind);
	database_bind_number(statement, 5, message->time_wall_us);
	database_bind_number(statement, 6, message->content_format);
	database_bind_text(statement, 7, message->device);
	database_bind_text(statement, 8, message->path);
	database_bind_text(statement, 9, row->address);
	database_bind_bytes(statement, 10, message->payload);
	database_bind_number(statement, 11, row->qos);
	database_bind_number(statement, 12, row->retain);
	database_bind_number(statement, 13, row->expires_wall_us);
	database_bind_number(statement, 14, row->ack);
	database_bind_text(statement, 15, row->route);
	database_bind_number(statement, 16, sum);
}

static bool makes_sense(const struct store_view *view, int64_t kind)
{
	const struct message *message = &view->message;

	return view->row.seq > 0 && view->endpoint.size > 0 && view->endpoint.size <= STORE_NAME_MAX &&
	       kind >= TG_TELEMETRY && kind <= TG_RESPONSE && message->device.size <= TG_DEVICE_MAX &&
	       message->path.size <= TG_PATH_MAX && view->row.address.size <= TG_ADDRESS_MAX &&
	       message->payload.size <= TG_PAYLOAD_MAX && view->row.route.size <= ROUTE_MAX && view->row.qos <= 2;
}

int store_row_read(struct database_statement *statement, struct store_view *ret_view)
{
	struct store_view view = {.sum = database_column_number(statement, 15)};
	int64_t kind = database_column_number(statement, 3);

	if (message_mark_read(database_column_bytes(statement, 2), &view.message) < 0)
		return -EUCLEAN;
	view.endpoint = database_column_bytes(statement, 1);
	view.message.kind = (uint8_t)kind;
	view.message.time_wall_us = database_column_number(statement, 4);
	view.message.content_format = (int32_t)database_column_number(statement, 5);
	view.message.device = database_column_bytes(statement, 6);
	view.message.path = database_column_bytes(statement, 7);
	view.message.payload = database_column_bytes(statement, 9);
	view.row.seq = (uint64_t)database_column_number(statement, 0);
	view.row.address = database_column_bytes(statement, 8);
	view.row.qos = (uint8_t)database_column_number(statement, 10);
	view.row.retain = (uint8_t)database_column_number(statement, 11);
	view.row.expires_wall_us = database_column_number(statement, 12);
	view.row.ack = (uint8_t)database_column_number(statement, 13);
	view.row.route = database_column_bytes(statement, 14);
	view.row.message = &view.message;
	if (!makes_sense(&view, kind) || store_row_sum(&view.row, view.endpoint) != view.sum)
		return -EUCLEAN;
	*ret_view = view;
	ret_view->row.message = &ret_view->message;
	return 0;
}

int store_row_copy(const struct store_view *view, struct store_row *ret_row)
{
	const struct message *message = message_new(&view->message);
	size_t size = view->row.address.size + view->row.route.size;
	uint8_t *data = malloc(size + 1);

	if (!message || !data) {
		message_unref(message);
		free(data);
		return -ENOMEM;
	}
	if (view->row.address.size)
		memcpy(data, view->row.address.data, view->row.address.size);
	if (view->row.route.size)
		memcpy(data + view->row.address.size, view->row.route.data, view->row.route.size);
	*ret_row = view->row;
	ret_row->message = message;
	ret_row->address.data = data;
	ret_row->route.data = data + view->row.address.size;
	return 0;
}

void store_row_done(struct store_row *row)
{
	union {
		const void *lent;
		void *owned;
	} data = {.lent = row->address.data};

	message_unref(row->message);
	free(data.owned);
	*row = (struct store_row){.seq = 0};
}

/* What SQLite's pages make of a row: several share a leaf; a long one leaves a part there and fills pages of its own. */
int64_t store_row_cost(const struct store_row *row)
{
	const struct message *message = row->message;
	size_t bytes = HEADER_BYTES + message->device.size + message->path.size + row->address.size + row->route.size +
		       message->payload.size + message_mark_size(message) - TG_ID_SIZE;
	size_t local = bytes, spill = 0;

	if (bytes > LOCAL_MAX) {
		local = LOCAL_MIN + (bytes - LOCAL_MIN) % SPILL_ROOM;
		if (local > LOCAL_MAX)
			local = LOCAL_MIN;
		spill = (bytes - local + SPILL_ROOM - 1) / SPILL_ROOM;
	}
	return (int64_t)(PAGE * spill + PAGE / (LEAF_ROOM / (local + 12)));
}
