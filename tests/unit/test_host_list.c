/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>

#include "base/bytes.h"
#include "endpoint/host.h"
#include "suite.h"

/* An adapter that keeps what it is told, and the other end of the wire that keeps the last frame. */
static struct {
	struct loop *loop;
	struct host *host;
	const struct tg_host *services;
	struct frame last; /* without its bytes */
	unsigned n_listed;
	uint64_t token;
	struct tg_listed listed; /* without its bytes */
} it;

static int send_frame(void *arg, const struct frame *frame)
{
	(void)arg;
	it.last = *frame;
	return 0;
}

static void adapter_listed(void *state, uint64_t token, const struct tg_listed *listed)
{
	(void)state;
	it.token = token;
	it.listed = *listed;
	it.n_listed++;
}

static const struct tg_adapter adapter = {.major = TG_ADAPTER_MAJOR,
					  .size = sizeof(adapter),
					  .flags = TG_DEVICES,
					  .name = "test",
					  .listed = adapter_listed};

static void begin(void)
{
	const struct host_sink sink = {.send = send_frame};

	ck_assert_int_eq(loop_new(&it.loop), 0);
	ck_assert_int_eq(host_new(it.loop, "field", 0, &sink, &it.host), 0);
	ck_assert_int_eq(host_set_adapter(it.host, &adapter), 0);
	it.services = host_services(it.host);
	host_joined(it.host);
}

static void finish(void)
{
	host_free(it.host);
	loop_free(it.loop);
}

START_TEST(a_list_is_answered_until_its_end)
{
	struct frame answer = {.type = FRAME_LISTED, .listed = {.etag = 5, .content_format = 60}};
	const struct tg_bytes reader = bytes_text("dev-1");

	begin();
	ck_assert_int_eq(it.services->list(it.services, reader, TG_LIST_READINGS, 4, bytes_text(""), 99), 0);
	ck_assert_int_eq(it.last.type, FRAME_LIST);
	ck_assert_uint_eq(it.last.list.after, 4);
	answer.listed.number = it.last.list.number;
	ck_assert_int_eq(host_frame(it.host, &answer), 0);
	ck_assert_int_eq(host_frame(it.host, &answer), 0);
	ck_assert_uint_eq(it.n_listed, 2);
	answer.listed.end = answer.listed.more = 1;
	answer.listed.generation = 8;
	ck_assert_int_eq(host_frame(it.host, &answer), 0);
	ck_assert_int_eq(host_frame(it.host, &answer), 0); /* it is over */
	ck_assert_uint_eq(it.n_listed, 3);
	ck_assert_uint_eq(it.listed.generation, 8);
	ck_assert_int_eq(it.services->list(it.services, reader, TG_LIST_DEVICES, 0, reader, 7), 0);
	host_parted(it.host);
	ck_assert_uint_eq(it.n_listed, 4);
	ck_assert_uint_eq(it.token, 7);
	ck_assert_uint_eq(it.listed.verdict, TG_UNAVAILABLE);
	ck_assert_int_eq(it.services->list(it.services, reader, TG_LIST_DEVICES, 0, reader, 7), -ENOTCONN);
	finish();
}
END_TEST

SUITE_MAIN("host_list", a_list_is_answered_until_its_end)
