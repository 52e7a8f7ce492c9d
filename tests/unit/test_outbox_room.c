/* SPDX-License-Identifier: Apache-2.0 */

/* What outbox_room says yes to, outbox_push takes whole. */

#include <errno.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "fake_world.h"
#include "message_fixture.h"
#include "outbox_fixture.h"
#include "suite.h"

/* The messages of the fixture are from seven devices in turn. */
enum { DEVICES = 7, PAYLOAD = 20, BATCH_MAX = 40, TURNS = 1500, RECENT = 200 };

static uint64_t state = 0x853c49e6748fea9b;

static unsigned below(unsigned limit)
{
	state ^= state << 13;
	state ^= state >> 7;
	state ^= state << 17;
	return (unsigned)(state >> 33) % limit;
}

/* Whether there is room for so many of one device, the first with this number. */
static int ask(unsigned number, unsigned count, uint8_t percent)
{
	const struct outbox_options options = {
		.route = bytes_text("telemetry"), .ack = OUTBOX_SAFE, .share_percent = percent};
	const struct message *messages[BATCH_MAX + 1] = {NULL};
	int r;

	for (unsigned i = 0; i < count; i++)
		messages[i] = fixture_message(number + i * DEVICES, PAYLOAD);
	r = outbox_room(sink.outbox, messages, count, bytes_text("plant/7"), &options);
	for (unsigned i = 0; i < count; i++)
		message_unref(messages[i]);
	return r;
}

static void stir(void)
{
	switch (below(6)) {
	case 0:
		outbox_sink_up(sink.outbox, below(2) ? 4 : 0);
		break;
	case 1:
		outbox_sink_down(sink.outbox);
		break;
	case 2:
		fake_pass(below(2 * CLOCK_S_US));
		break;
	default:
		/* What was answered before, or is void, is not in flight. */
		for (unsigned i = sink.count > RECENT ? sink.count - RECENT : 0; i < sink.count; i++)
			if (below(4))
				outbox_answer(sink.outbox, sink.tickets[sink.given[i]], TG_CONFIRMED, bytes_text(""));
		outbox_more(sink.outbox);
	}
	if (below(4))
		fake_run();
	if (sink.count > MOST / 2)
		sink.count = 0;
	sink.room = BATCH_MAX;
}

START_TEST(test_yes_is_kept)
{
	static const uint8_t percents[] = {0, 5, 20, 100};
	struct outbox_settings settings = sink_settings;
	unsigned yes = 0, no = 0, number = 0;

	settings.memory_bytes = 24000;
	settings.disk_bytes = 30000;
	sink_setup(&settings);
	outbox_sink_up(sink.outbox, 0);
	for (unsigned turn = 0; turn < TURNS && number + BATCH_MAX * DEVICES < MOST; turn++) {
		unsigned count = 2 + below(BATCH_MAX - 2);
		uint8_t percent = percents[below(sizeof(percents))];
		int r = ask(number, count, percent);

		if (r == 0)
			for (unsigned i = 0; i < count; i++)
				ck_assert_msg(sink_push_share(number + i * DEVICES, percent) == 0, "turn %u: %u of %u",
					      turn, i, count);
		yes += r == 0;
		no += r == -ENOSPC || r == -EDQUOT;
		number += r == 0 ? count * DEVICES : 0;
		stir();
	}
	ck_assert_uint_gt(yes, 20);
	ck_assert_uint_gt(no, 20);
	sink_teardown();
}
END_TEST

START_TEST(test_never_is_said_at_once)
{
	sink_setup(&sink_settings);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(ask(0, 32, 100), 0);
	ck_assert_int_eq(ask(0, 33, 100), -EFBIG);
	sink_teardown();
}
END_TEST

START_TEST(test_down_and_no_disk)
{
	struct outbox_settings settings = sink_settings;

	settings.disk_bytes = 1;
	sink_setup(&settings);
	ck_assert_int_eq(ask(0, 2, 100), -ENOSPC);
	outbox_sink_up(sink.outbox, 0);
	ck_assert_int_eq(ask(0, 2, 100), 0);
	ck_assert_int_eq(ask(0, 20, 100), -ENOSPC); /* more than a quarter could have to wait */
	sink_teardown();
}
END_TEST

SUITE_MAIN("outbox_room", test_yes_is_kept, test_never_is_said_at_once, test_down_and_no_disk)
