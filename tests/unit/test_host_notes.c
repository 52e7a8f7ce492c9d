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
	int send_result;
	struct frame last; /* without its bytes */
	unsigned n_kept, n_notes, n_noted;
	uint64_t token;
	int kept_result;
	uint64_t loss;
	struct tg_bytes note_value;
} it;

static int send_frame(void *arg, const struct frame *frame)
{
	(void)arg;
	if (it.send_result < 0)
		return it.send_result;
	it.last = *frame;
	return 0;
}

static void adapter_kept(void *state, uint64_t token, int result)
{
	(void)state;
	it.token = token;
	it.kept_result = result;
	it.n_kept++;
}

static void adapter_note(void *state, struct tg_bytes name, struct tg_bytes value)
{
	(void)state;
	ck_assert(bytes_equal(name, bytes_text("a")));
	it.note_value = value;
	it.n_notes++;
}

static void adapter_noted(void *state, uint64_t loss)
{
	(void)state;
	it.loss = loss;
	it.n_noted++;
}

static const struct tg_adapter adapter = {
	.major = TG_ADAPTER_MAJOR,
	.size = sizeof(adapter),
	.name = "test",
	.kept = adapter_kept,
	.note = adapter_note,
	.noted = adapter_noted,
};

static const struct tg_adapter deaf = {.major = TG_ADAPTER_MAJOR, .size = sizeof(deaf), .name = "deaf"};

static void begin_with(const struct tg_adapter *which)
{
	const struct host_sink sink = {.send = send_frame};

	ck_assert_int_eq(loop_new(&it.loop), 0);
	ck_assert_int_eq(host_new(it.loop, "field", 0, &sink, &it.host), 0);
	ck_assert_int_eq(host_set_adapter(it.host, which), 0);
	it.services = host_services(it.host);
	host_joined(it.host);
}

static void begin(void)
{
	begin_with(&adapter);
}

static void finish(void)
{
	host_free(it.host);
	loop_free(it.loop);
}

static int keep(uint64_t token)
{
	return it.services->keep(it.services, bytes_text("a"), bytes_text("1"), token);
}

START_TEST(a_note_is_answered_once)
{
	struct frame kept = {.type = FRAME_KEPT, .kept = {.result = -ENOSPC}};

	begin();
	ck_assert_int_eq(keep(77), 0);
	ck_assert_int_eq(it.last.type, FRAME_KEEP);
	kept.kept.number = it.last.keep.number;
	ck_assert_int_eq(host_frame(it.host, &kept), 0);
	ck_assert_uint_eq(it.n_kept, 1);
	ck_assert_uint_eq(it.token, 77);
	ck_assert_int_eq(it.kept_result, -ENOSPC);
	ck_assert_int_eq(host_frame(it.host, &kept), 0);
	ck_assert_uint_eq(it.n_kept, 1);
	host_parted(it.host);
	ck_assert_uint_eq(it.n_kept, 1);
	finish();
}
END_TEST

START_TEST(what_a_lost_core_was_to_keep_is_answered)
{
	uint8_t long_name[TG_NOTE_NAME_MAX + 1] = {'a'}, long_value[TG_NOTE_VALUE_MAX + 1] = {0};

	begin();
	ck_assert_int_eq(keep(77), 0);
	host_parted(it.host);
	ck_assert_uint_eq(it.n_kept, 1);
	ck_assert_int_eq(it.kept_result, -ENOTCONN);
	ck_assert_int_eq(keep(78), -ENOTCONN);
	host_joined(it.host);
	ck_assert_int_eq(it.services->keep(it.services, bytes_text(""), bytes_text("1"), 1), -EMSGSIZE);
	ck_assert_int_eq(it.services->keep(it.services, bytes_of(long_name, sizeof(long_name)), bytes_text("1"), 1),
			 -EMSGSIZE);
	ck_assert_int_eq(it.services->keep(it.services, bytes_text("a"), bytes_of(long_value, sizeof(long_value)), 1),
			 -EMSGSIZE);
	it.send_result = -ENOBUFS;
	ck_assert_int_eq(keep(79), -ENOBUFS);
	it.send_result = 0;
	for (unsigned i = 0; i < HOST_KEEPS_MAX; i++)
		ck_assert_int_eq(keep(i), 0);
	ck_assert_int_eq(keep(80), -ENOBUFS);
	ck_assert_uint_eq(it.n_kept, 1);
	finish();
}
END_TEST

START_TEST(notes_are_handed_on)
{
	const struct frame note = {.type = FRAME_NOTE, .note = {.name = bytes_text("a"), .value = bytes_text("12")}};
	const struct frame noted = {.type = FRAME_NOTED, .noted = {.loss = 5}};

	begin();
	ck_assert_int_eq(host_frame(it.host, &note), 0);
	ck_assert_uint_eq(it.n_notes, 1);
	ck_assert(bytes_equal(it.note_value, bytes_text("12")));
	ck_assert_uint_eq(it.n_noted, 0);
	ck_assert_int_eq(host_frame(it.host, &noted), 0);
	ck_assert_uint_eq(it.n_noted, 1);
	ck_assert_uint_eq(it.loss, 5);
	finish();
}
END_TEST

START_TEST(who_builds_on_no_notes_hears_of_none)
{
	const struct frame note = {.type = FRAME_NOTE, .note = {.name = bytes_text("a"), .value = bytes_text("12")}};
	const struct frame noted = {.type = FRAME_NOTED};
	struct frame kept = {.type = FRAME_KEPT};

	begin_with(&deaf);
	ck_assert_int_eq(host_frame(it.host, &note), 0);
	ck_assert_int_eq(host_frame(it.host, &noted), 0);
	ck_assert_int_eq(keep(1), 0);
	kept.kept.number = it.last.keep.number;
	ck_assert_int_eq(host_frame(it.host, &kept), 0);
	ck_assert_int_eq(keep(2), 0);
	host_parted(it.host);
	ck_assert_uint_eq(it.n_notes + it.n_noted + it.n_kept, 0);
	finish();
}
END_TEST

SUITE_MAIN("host notes", a_note_is_answered_once, what_a_lost_core_was_to_keep_is_answered, notes_are_handed_on,
	   who_builds_on_no_notes_hears_of_none)
