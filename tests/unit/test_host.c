/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "endpoint/clean.h"
#include "endpoint/host.h"
#include "suite.h"

/* An adapter that keeps what it is told, and the other end of the wire that keeps what is sent. */
static struct {
	struct loop *loop;
	struct host *host;
	const struct tg_host *services;
	int send_result;
	unsigned refusals;       /* so many are not taken */
	bool leave;              /* the loop, with the next that is taken */
	struct frame frames[64]; /* without their bytes */
	unsigned n_frames;
	unsigned n_verdicts, n_identities, n_changed, n_stopped, n_lines;
	uint64_t token;
	uint32_t verdict;
	struct tg_identity identity;
	uint8_t key[64];
	uint64_t ticket;
	int deliver_result;
	bool answer_within;
} it;

static int send_frame(void *arg, const struct frame *frame)
{
	(void)arg;
	if (it.send_result < 0)
		return it.send_result;
	if (it.refusals > 0) {
		it.refusals--;
		return -ENOBUFS;
	}
	if (it.leave)
		loop_exit(it.loop, 0);
	it.frames[it.n_frames++ % 64] = *frame;
	return 0;
}

static void on_stopped(void *arg)
{
	(void)arg;
	it.n_stopped++;
}

static int adapter_deliver(void *state, const struct tg_delivery *delivery)
{
	(void)state;
	it.ticket = delivery->ticket;
	if (it.answer_within)
		it.services->delivered(it.services, delivery->ticket, TG_CONFIRMED, NULL);
	return it.deliver_result;
}

static void adapter_verdict(void *state, uint64_t token, const struct tg_answer *answer)
{
	(void)state;
	it.token = token;
	it.verdict = answer->verdict;
	it.n_verdicts++;
}

static void adapter_identity(void *state, uint64_t token, const struct tg_identity *identity)
{
	(void)state;
	it.token = token;
	it.identity = *identity;
	memcpy(it.key, identity->key.data, identity->key.size);
	it.n_identities++;
}

static void adapter_device_changed(void *state, struct tg_bytes device)
{
	(void)state;
	(void)device;
	it.n_changed++;
}

static const char *const counters[] = {"seen", "sessions", NULL};

static const struct tg_adapter adapter = {
	.major = TG_ADAPTER_MAJOR,
	.size = sizeof(adapter),
	.roles = TG_SOURCE | TG_SINK,
	.flags = TG_DEVICES,
	.name = "test",
	.counters = counters,
	.deliver = adapter_deliver,
	.verdict = adapter_verdict,
	.identity = adapter_identity,
	.device_changed = adapter_device_changed,
};

static void on_log(void *arg, enum log_level level, const struct log_fields *fields, const char *text)
{
	(void)arg;
	(void)level;
	(void)fields;
	(void)text;
	it.n_lines++;
}

static void begin(void)
{
	const struct host_sink sink = {.send = send_frame, .stopped = on_stopped};

	ck_assert_int_eq(loop_new(&it.loop), 0);
	ck_assert_int_eq(host_new(it.loop, "field", 0, &sink, &it.host), 0);
	ck_assert_int_eq(host_set_adapter(it.host, &adapter), 0);
	it.services = host_services(it.host);
	host_joined(it.host);
	it.n_frames = 0;
}

static void finish(void)
{
	host_free(it.host);
	loop_free(it.loop);
}

static const struct frame *last(void)
{
	return &it.frames[(it.n_frames - 1) % 64];
}

static int submit(uint64_t token)
{
	const struct tg_submission submission = {.size = sizeof(submission),
						 .kind = TG_TELEMETRY,
						 .token = token,
						 .device = bytes_text("dev-1"),
						 .path = bytes_text("a")};

	return it.services->submit(it.services, &submission);
}

START_TEST(a_submission_gets_one_verdict)
{
	struct frame verdict = {.type = FRAME_VERDICT, .verdict = {.verdict = TG_FULL}};

	begin();
	ck_assert_int_eq(submit(7), 0);
	ck_assert_int_eq(last()->type, FRAME_SUBMIT);
	verdict.verdict.token = last()->submit.token;
	ck_assert_int_eq(host_frame(it.host, &verdict), 0);
	ck_assert_int_eq(host_frame(it.host, &verdict), 0);
	ck_assert_uint_eq(it.n_verdicts, 1);
	ck_assert_uint_eq(it.verdict, TG_FULL);
	finish();
}
END_TEST

START_TEST(a_submission_that_breaks_the_contract_is_refused)
{
	static const char long_text[TG_PATH_MAX + 1] = {'x'};
	struct tg_submission good = {
		.size = sizeof(good), .kind = TG_TELEMETRY, .device = bytes_text("d"), .path = bytes_text("a")};
	struct tg_submission bad = good;

	begin();
	bad.device = bytes_text("");
	ck_assert_int_eq(it.services->submit(it.services, &bad), -EINVAL);
	bad = good;
	bad.kind = 9;
	ck_assert_int_eq(it.services->submit(it.services, &bad), -EINVAL);
	bad = good;
	bad.path = bytes_of(long_text, sizeof(long_text));
	ck_assert_int_eq(it.services->submit(it.services, &bad), -EMSGSIZE);
	bad = good;
	bad.payload = bytes_of(long_text, TG_PAYLOAD_MAX + 1);
	ck_assert_int_eq(it.services->submit(it.services, &bad), -EMSGSIZE);
	ck_assert_uint_eq(it.n_frames, 0);
	finish();
}
END_TEST

START_TEST(submissions_are_bounded)
{
	begin();
	for (uint64_t i = 0; i < HOST_PENDING_MAX; i++)
		ck_assert_int_eq(submit(i), 0);
	ck_assert_int_eq(submit(1), -ENOBUFS);
	finish();
}
END_TEST

START_TEST(a_wire_without_room_refuses_and_keeps_nothing)
{
	begin();
	it.send_result = -ENOBUFS;
	ck_assert_int_eq(submit(1), -ENOBUFS);
	it.send_result = 0;
	host_parted(it.host);
	host_joined(it.host);
	for (unsigned i = 0; i < it.n_frames; i++)
		ck_assert_int_ne(it.frames[i].type, FRAME_SUBMIT);
	finish();
}
END_TEST

START_TEST(a_link_that_ends_leaves_the_submission_for_the_next)
{
	begin();
	it.send_result = -ENOTCONN;
	ck_assert_int_eq(submit(1), 0);
	it.send_result = 0;
	host_parted(it.host);
	ck_assert_int_eq(submit(2), 0);
	ck_assert_uint_eq(it.n_frames, 0);
	host_joined(it.host);
	ck_assert_int_eq(it.frames[0].type, FRAME_SUBMIT);
	ck_assert_int_eq(it.frames[1].type, FRAME_SUBMIT);
	ck_assert_uint_eq(it.frames[0].submit.again, 0);
	host_parted(it.host);
	it.n_frames = 0;
	host_joined(it.host);
	ck_assert_uint_eq(it.frames[0].submit.again, 1);
	ck_assert_int_eq(it.frames[2].type, FRAME_LINK);
	finish();
}
END_TEST

START_TEST(a_lookup_is_answered_once)
{
	struct frame answer = {
		.type = FRAME_IDENTITY,
		.identity = {.known = 1, .device = bytes_text("dev-1"), .key = bytes_text("0123456789abcdef")}};

	begin();
	ck_assert_int_eq(it.services->lookup(it.services, TG_PROOF_PSK, bytes_text("id"), 99), 0);
	ck_assert_int_eq(last()->type, FRAME_LOOKUP);
	answer.identity.token = last()->lookup.token;
	ck_assert_int_eq(host_frame(it.host, &answer), 0);
	ck_assert_int_eq(host_frame(it.host, &answer), 0);
	ck_assert_uint_eq(it.n_identities, 1);
	ck_assert_uint_eq(it.token, 99);
	ck_assert(it.identity.known);
	finish();
}
END_TEST

START_TEST(lookups_of_a_lost_core_are_answered_as_not_known)
{
	uint8_t key[64];

	begin();
	ck_assert_int_eq(it.services->lookup(it.services, TG_PROOF_PSK, bytes_text("a"), 1), 0);
	host_parted(it.host);
	ck_assert_uint_eq(it.n_identities, 1);
	ck_assert(!it.identity.known);
	ck_assert_uint_ge(it.identity.key.size, 16);
	memcpy(key, it.key, sizeof(key));
	ck_assert_int_eq(it.services->lookup(it.services, TG_PROOF_PSK, bytes_text("a"), 1), -ENOTCONN);
	host_joined(it.host);
	ck_assert_int_eq(it.services->lookup(it.services, TG_PROOF_PSK, bytes_text("a"), 1), 0);
	host_parted(it.host);
	ck_assert_int_ne(memcmp(key, it.key, it.identity.key.size), 0); /* another one each time */
	finish();
}
END_TEST

START_TEST(tickets_belong_to_their_link)
{
	const struct frame deliver = {.type = FRAME_DELIVER, .deliver = {.ticket = 5, .kind = TG_TELEMETRY}};
	uint64_t old;

	begin();
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	old = it.ticket;
	host_parted(it.host);
	host_joined(it.host);
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	it.n_frames = 0;
	it.services->delivered(it.services, old, TG_CONFIRMED, NULL);
	ck_assert_uint_eq(it.n_frames, 0);
	it.services->delivered(it.services, it.ticket, TG_REJECTED, "no such topic");
	it.services->delivered(it.services, it.ticket, TG_CONFIRMED, NULL);
	ck_assert_uint_eq(it.n_frames, 1);
	ck_assert_uint_eq(last()->delivered.ticket, 5);
	ck_assert_uint_eq(last()->delivered.result, TG_REJECTED);
	finish();
}
END_TEST

START_TEST(a_link_that_goes_down_voids_its_tickets)
{
	const struct frame deliver = {.type = FRAME_DELIVER, .deliver = {.ticket = 5, .kind = TG_TELEMETRY}};

	begin();
	it.services->link(it.services, TG_LINK_UP, "peer");
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	it.services->link(it.services, TG_LINK_DOWN, "gone");
	it.services->link(it.services, TG_LINK_UP, "peer");
	ck_assert_int_eq(last()->type, FRAME_LINK);
	it.n_frames = 0;
	it.services->delivered(it.services, it.ticket, TG_CONFIRMED, NULL);
	ck_assert_uint_eq(it.n_frames, 0);
	finish();
}
END_TEST

/* Also when there is room again meanwhile: none overtakes it. */
START_TEST(the_rest_of_a_refused_round_is_given_back)
{
	struct frame deliver = {.type = FRAME_DELIVER, .deliver = {.ticket = 5, .round = 7, .kind = TG_TELEMETRY}};

	begin();
	it.deliver_result = -EAGAIN;
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	it.deliver_result = 0;
	it.ticket = 0;
	for (unsigned i = 0; i < 3; i++) {
		deliver.deliver.ticket++;
		ck_assert_int_eq(host_frame(it.host, &deliver), 0);
		ck_assert_uint_eq(it.ticket, 0);
		ck_assert_uint_eq(last()->delivered.ticket, deliver.deliver.ticket);
		ck_assert_uint_eq(last()->delivered.result, TG_RETRY);
	}
	deliver.deliver.round++;
	it.n_frames = 0;
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	ck_assert_uint_ne(it.ticket, 0);
	ck_assert_uint_eq(it.n_frames, 0);
	finish();
}
END_TEST

START_TEST(a_delivery_that_is_not_taken_is_given_back_once)
{
	const struct frame deliver = {.type = FRAME_DELIVER, .deliver = {.ticket = 5, .kind = TG_TELEMETRY}};

	begin();
	it.deliver_result = -EAGAIN;
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	ck_assert_uint_eq(it.n_frames, 1);
	ck_assert_uint_eq(last()->delivered.result, TG_RETRY);
	it.answer_within = true; /* and yet fails: the first answer counts */
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	ck_assert_uint_eq(it.n_frames, 2);
	ck_assert_uint_eq(last()->delivered.result, TG_CONFIRMED);
	it.deliver_result = 0;
	it.answer_within = false;
	host_stopping(it.host);
	it.ticket = 0;
	ck_assert_int_eq(host_frame(it.host, &deliver), 0);
	ck_assert_uint_eq(it.ticket, 0);
	ck_assert_uint_eq(last()->delivered.result, TG_RETRY);
	finish();
}
END_TEST

START_TEST(counters_go_out_together_when_they_changed)
{
	begin();
	for (int i = 0; i < 1000; i++)
		it.services->count(it.services, 0, 2);
	it.services->gauge(it.services, 1, 0); /* as it was */
	ck_assert_uint_eq(it.n_frames, 0);
	host_send_counters(it.host);
	ck_assert_uint_eq(it.n_frames, 1);
	ck_assert_int_eq(last()->counter.value, 2000);
	host_send_counters(it.host);
	ck_assert_uint_eq(it.n_frames, 1);
	host_parted(it.host);
	host_joined(it.host);
	ck_assert_uint_eq(it.n_frames, 4); /* the link, and both counters */
	finish();
}
END_TEST

static void on_late(void *arg)
{
	(void)arg;
	loop_exit(it.loop, -ETIME);
}

/* Nobody changes it any more: it goes out all the same. */
START_TEST(a_counter_that_found_no_room_goes_out_later)
{
	struct loop_timer *late;

	begin();
	ck_assert_int_eq(loop_timer_new(it.loop, on_late, NULL, &late), 0);
	loop_timer_set(late, loop_now_us(it.loop) + 30 * CLOCK_S_US);
	it.services->count(it.services, 0, 2);
	it.refusals = 1;
	it.leave = true;
	ck_assert_int_eq(loop_run(it.loop), 0);
	ck_assert_uint_eq(it.n_frames, 1);
	ck_assert_int_eq(last()->counter.value, 2);
	loop_timer_free(late);
	finish();
}
END_TEST

START_TEST(the_log_is_limited)
{
	begin();
	log_set_sink(on_log, NULL);
	for (int i = 0; i < 1000; i++)
		it.services->log(it.services, TG_LOG_WARNING, "dev-1", "broken datagram %d", i);
	log_set_sink(NULL, NULL);
	ck_assert_uint_ge(it.n_lines, 10);
	ck_assert_uint_le(it.n_lines, 100);
	finish();
}
END_TEST

START_TEST(text_from_a_peer_is_made_fit)
{
	struct clean_text copy;

	ck_assert(bytes_equal(clean(&copy, "h\xc3\xb6r", 100), bytes_text("h\xc3\xb6r")));
	ck_assert(bytes_equal(clean(&copy, "h\xc3\xb6r", 2), bytes_text("h?")));
	ck_assert(bytes_equal(clean(&copy, "\xff\xfe.", 100), bytes_text("??.")));
	ck_assert(bytes_equal(clean(&copy, NULL, 100), bytes_text("")));
}
END_TEST

START_TEST(other_frames_and_calls)
{
	begin();
	ck_assert_int_eq(host_frame(it.host, &(struct frame){.type = FRAME_SUBMIT}), -EPROTO);
	ck_assert_int_eq(
		host_frame(it.host, &(struct frame){.type = FRAME_DEVICE, .device = {.device = bytes_text("d")}}), 0);
	ck_assert_uint_eq(it.n_changed, 1);
	it.services->stopped(it.services); /* nobody asked */
	ck_assert_uint_eq(it.n_stopped, 0);
	host_stopping(it.host);
	it.services->stopped(it.services);
	ck_assert_uint_eq(it.n_stopped, 1);
	finish();
}
END_TEST

SUITE_MAIN("host", a_submission_gets_one_verdict, a_submission_that_breaks_the_contract_is_refused,
	   submissions_are_bounded, a_wire_without_room_refuses_and_keeps_nothing,
	   a_link_that_ends_leaves_the_submission_for_the_next, a_lookup_is_answered_once,
	   lookups_of_a_lost_core_are_answered_as_not_known, tickets_belong_to_their_link,
	   a_link_that_goes_down_voids_its_tickets, the_rest_of_a_refused_round_is_given_back,
	   a_delivery_that_is_not_taken_is_given_back_once, counters_go_out_together_when_they_changed,
	   a_counter_that_found_no_room_goes_out_later, the_log_is_limited, text_from_a_peer_is_made_fit,
	   other_frames_and_calls)
