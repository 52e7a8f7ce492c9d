/* SPDX-License-Identifier: Apache-2.0 */
#include "directory_rig.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

struct directory *directory;
int64_t now_us;
struct directory_result last;
static char found[65536];

void directory_rig_setup(void)
{
	const struct directory_limits limits = {.registrations = 8, .bytes = 2048, .links = 16};

	now_us = 1000 * SECOND;
	ck_assert_int_eq(directory_new(&limits, &directory), 0);
}

void directory_rig_teardown(void)
{
	directory_free(directory);
}

/* A request with these queries, '&' between them. */
struct coap_message request(const char *queries)
{
	static uint8_t wire[1400];
	struct message_writer writer;
	struct coap_message message;

	message_writer_init(&writer, wire, sizeof(wire));
	message_write_header(&writer, MESSAGE_CON, MESSAGE_POST, 1, (struct tg_bytes){0});
	while (*queries) {
		size_t size = strcspn(queries, "&");

		message_write_option(&writer, MESSAGE_URI_QUERY, (struct tg_bytes){queries, size});
		queries += size + (queries[size] == '&');
	}
	ck_assert(!writer.failed);
	ck_assert_int_eq(message_parse((struct tg_bytes){wire, writer.size}, &message), 0);
	return message;
}

struct directory_peer peer_of(const char *device)
{
	return (struct directory_peer){.device = device, .base = "coaps://192.0.2.7:40000"};
}

const char *order(const char *queries, struct directory_order *ret_order)
{
	struct coap_message message = request(queries);

	return directory_order_read(&message, ret_order);
}

/* Returns the code. */
uint8_t add_as(const struct directory_peer *peer, const char *queries, const char *links)
{
	struct directory_order read;
	const char *problem = order(queries, &read);

	ck_assert_msg(!problem, "%s", problem);
	last = directory_register(directory, peer, &read, (struct tg_bytes){links, strlen(links)}, now_us);
	return last.code;
}

uint32_t add(const char *device, const char *queries, const char *links)
{
	struct directory_peer peer = peer_of(device);

	ck_assert_uint_eq(add_as(&peer, queries, links), MESSAGE_CREATED);
	return last.detail;
}

uint8_t update(const char *device, uint32_t number, const char *queries)
{
	struct directory_peer peer = peer_of(device);
	struct directory_order read;
	const char *problem = order(queries, &read);

	ck_assert_msg(!problem, "%s", problem);
	last = directory_update(directory, &peer, number, &read, now_us);
	return last.code;
}

uint8_t drop(const char *device, uint32_t number)
{
	struct directory_peer peer = peer_of(device);

	last = directory_remove(directory, &peer, number);
	return last.code;
}

const char *find_as(const struct directory_peer *peer, enum directory_kind kind, const char *queries)
{
	struct coap_message message = request(queries);
	struct tg_bytes text;
	const char *problem = NULL;
	uint32_t etag;

	directory_run(directory, now_us);
	ck_assert_uint_eq(directory_lookup(directory, kind, peer, &message, &text, &etag, &problem), 0);
	snprintf(found, sizeof(found), "%.*s", (int)text.size, text.size ? (const char *)text.data : "");
	return found;
}

const char *resources(const char *queries)
{
	struct directory_peer peer = peer_of("reader");

	return find_as(&peer, DIRECTORY_RESOURCES, queries);
}

const char *endpoints(const char *queries)
{
	struct directory_peer peer = peer_of("reader");

	return find_as(&peer, DIRECTORY_ENDPOINTS, queries);
}
