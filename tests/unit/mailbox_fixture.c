/* SPDX-License-Identifier: Apache-2.0 */
#include "mailbox_fixture.h"

#include <check.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "base/log.h"

struct desk desk;

static const struct mailbox_settings settings = {.device_commands = 4, .commands = 12, .bytes = 64 * 1024};

static unsigned number_of(const struct message *message)
{
	unsigned number;

	memcpy(&number, message->id, sizeof(number));
	ck_assert_uint_lt(number, DESK_MOST);
	return number;
}

struct message *desk_message(unsigned number, const char *device)
{
	char reply[32], correlation[8], payload[16];
	struct message parts = {.kind = TG_COMMAND,
				.content_format = (int32_t)(number % 60),
				.method = (uint8_t)(TG_METHOD_GET + number % 7),
				.time_wall_us = number + 1,
				.device = bytes_text(device),
				.path = bytes_text("command/led")};

	memcpy(parts.id, &number, sizeof(number));
	snprintf(reply, sizeof(reply), "answers/%u", number);
	snprintf(payload, sizeof(payload), "on %u", number);
	memcpy(correlation, &number, sizeof(number));
	memcpy(correlation + 4, "\0\xff/\0", 4);
	parts.reply_to = bytes_text(reply);
	parts.reply_endpoint = bytes_text("cloud");
	parts.correlation = bytes_of(correlation, sizeof(correlation));
	parts.payload = bytes_text(payload);
	return message_new(&parts);
}

/* Everything that is published with an outcome is as it came, whatever the command went through. */
static void check_message(const struct message *message, struct tg_bytes address)
{
	CLEANUP_FREE char *device = bytes_to_text(message->device);
	struct message *same;

	if (desk.any)
		return;
	same = desk_message(number_of(message), device);
	ck_assert_int_eq(memcmp(same->id, message->id, sizeof(same->id)), 0);
	ck_assert_uint_eq(same->method, message->method);
	ck_assert(bytes_equal(same->path, message->path));
	ck_assert(bytes_equal(same->reply_to, message->reply_to));
	ck_assert(bytes_equal(same->reply_endpoint, message->reply_endpoint));
	ck_assert(bytes_equal(same->correlation, message->correlation));
	if (message->kind == TG_COMMAND) {
		ck_assert(bytes_equal(same->payload, message->payload));
		ck_assert_int_eq(same->content_format, message->content_format);
	}
	ck_assert(bytes_equal(address, bytes_text("/led?now")));
	message_unref(same);
}

static int deliver(void *arg, const struct mailbox_item *item, uint32_t *ret_carrier)
{
	ck_assert_ptr_eq(arg, &desk);
	check_message(item->message, item->address);
	ck_assert_int_eq(item->message->kind, TG_COMMAND);
	ck_assert_ptr_nonnull(fake_row(number_of(item->message))); /* never before it is on disk */
	ck_assert_uint_gt(item->expiry_s, 0);
	if (desk.deliver_result < 0)
		return desk.deliver_result;
	ck_assert_uint_lt(desk.given_count, DESK_MOST);
	desk.given[desk.given_count++] = (struct desk_given){number_of(item->message), item->ticket, item->expiry_s};
	*ret_carrier = DESK_CARRIER;
	return 0;
}

static int ended(void *arg, const struct mailbox_outcome *outcome, uint64_t number)
{
	struct desk_told *told = &desk.told[desk.told_count++];

	ck_assert_ptr_eq(arg, &desk);
	ck_assert_uint_lt(desk.told_count, DESK_MOST);
	check_message(outcome->message, outcome->address);
	ck_assert(bytes_equal(outcome->route, bytes_text("commands")));
	*told = (struct desk_told){.number = number_of(outcome->message),
				   .name = number,
				   .outcome = outcome->outcome,
				   .code = outcome->code,
				   .content_format = outcome->content_format};
	ck_assert_ptr_nonnull(fake_row(told->number));
	snprintf(told->payload, sizeof(told->payload), "%.*s", BYTES_ARG(outcome->payload));
	snprintf(told->reason, sizeof(told->reason), "%s", outcome->reason ? outcome->reason : "");
	ck_assert((outcome->outcome == TG_OUTCOME_DELIVERED) == (outcome->reason == NULL));
	if (desk.ended_result >= 0 && desk.safe_at_once)
		mailbox_told(desk.mailbox, number, true);
	return desk.ended_result;
}

static int64_t now_wall_us(void *arg)
{
	ck_assert_ptr_eq(arg, &desk);
	return desk.wall_us ? desk.wall_us : clock_now_us();
}

static const struct mailbox_ops ops = {deliver, ended, now_wall_us};

void desk_begin(void)
{
	desk.given_count = desk.told_count = 0;
	ck_assert_int_eq(ledger_new(NULL, &desk.ledger), 0);
	ck_assert_int_eq(mailbox_new(NULL, NULL, desk.ledger, "cloud", &desk.settings, &ops, &desk, &desk.mailbox), 0);
}

void desk_setup(void)
{
	log_set_level(LOG_LEVEL_ERROR);
	memset(&desk, 0, sizeof(desk));
	desk.settings = settings;
	fake_init(1);
	desk_begin();
}

void desk_end(int error)
{
	ck_assert(ledger_balanced(mailbox_account(desk.mailbox)));
	mailbox_free(desk.mailbox);
	fake_end(error);
	ledger_free(desk.ledger);
	ck_assert(fake_balanced());
}

void desk_teardown(void)
{
	fake_run();
	desk_end(0);
	fake_done();
}

void desk_restart(void)
{
	fake_run();
	desk_end(0);
	fake_begin_life();
	desk_begin();
	fake_run();
	fake_pass(0);
}

static void receipt(void *arg, enum mailbox_receipt what, struct tg_bytes reason)
{
	int *place = arg;

	ck_assert_int_eq(*place, DESK_NEVER); /* exactly once */
	ck_assert(what == MAILBOX_REFUSED || what == MAILBOX_EXPIRED || reason.size == 0);
	*place = (int)what;
}

int desk_push_message(const struct message *message, enum mailbox_ack ack, uint32_t expiry_s)
{
	const struct mailbox_options options = {
		.address = bytes_text("/led?now"), .route = bytes_text("commands"), .expiry_s = expiry_s, .ack = ack};
	int *place = &desk.receipts[number_of(message)], before = *place, r;

	*place = DESK_NEVER;
	r = mailbox_push(desk.mailbox, message, &options, receipt, place);
	if (r < 0) {
		ck_assert_int_eq(*place, DESK_NEVER);
		*place = before;
	}
	return r;
}

int desk_push(unsigned number, const char *device, enum mailbox_ack ack, uint32_t expiry_s)
{
	struct message *message = desk_message(number, device);
	int r = desk_push_message(message, ack, expiry_s);

	message_unref(message);
	return r;
}

void desk_put(unsigned number, const char *device)
{
	ck_assert_int_eq(desk_push(number, device, MAILBOX_SAFE, 3600), 0);
	fake_run();
	ck_assert_int_eq(desk.receipts[number], MAILBOX_TAKEN);
}

uint64_t desk_ticket(unsigned number)
{
	for (unsigned i = desk.given_count; i-- > 0;)
		if (desk.given[i].number == number)
			return desk.given[i].ticket;
	ck_abort_msg("command %u was not handed over", number);
}

void desk_answer_with(unsigned number, uint32_t code, const char *payload)
{
	const struct tg_response response = {.size = sizeof(response),
					     .code = code,
					     .content_format = payload ? 50 : TG_FORMAT_NONE,
					     .payload = bytes_text(payload)};

	ck_assert(mailbox_answered(desk.mailbox, DESK_CARRIER, desk_ticket(number), &response));
	ck_assert(!mailbox_answered(desk.mailbox, DESK_CARRIER, desk_ticket(number), &response));
}

void desk_answer(unsigned number)
{
	desk_answer_with(number, 205, "ok");
	fake_run();
}

void desk_retry(unsigned number)
{
	ck_assert(mailbox_answer(desk.mailbox, DESK_CARRIER, desk_ticket(number), TG_RETRY, bytes_text("")));
}

void desk_reject(unsigned number, const char *reason)
{
	ck_assert(mailbox_answer(desk.mailbox, DESK_CARRIER, desk_ticket(number), TG_REJECTED, bytes_text(reason)));
	fake_run();
}

void desk_expect_told(unsigned told_count, unsigned number, enum tg_outcome outcome)
{
	ck_assert_uint_eq(desk.told_count, told_count);
	ck_assert_uint_eq(desk.told[told_count - 1].number, number);
	ck_assert_int_eq(desk.told[told_count - 1].outcome, outcome);
}

void desk_safe(bool safe)
{
	ck_assert_uint_gt(desk.told_count, 0);
	mailbox_told(desk.mailbox, desk.told[desk.told_count - 1].name, safe);
	fake_run();
}

unsigned desk_given(unsigned number)
{
	unsigned n = 0;

	for (unsigned i = 0; i < desk.given_count; i++)
		n += desk.given[i].number == number;
	return n;
}

struct look {
	unsigned number;
	const char *state;
};

static void look(void *arg, const struct mailbox_item *item, const char *state)
{
	struct look *wanted = arg;

	ck_assert_uint_gt(item->expiry_s, 0);
	if (number_of(item->message) != wanted->number)
		return;
	ck_assert_str_eq(wanted->state, "");
	wanted->state = state;
}

const char *desk_state(unsigned number)
{
	struct look wanted = {number, ""};

	mailbox_show(desk.mailbox, bytes_of(NULL, 0), look, &wanted);
	return wanted.state;
}

struct mailbox_stats desk_stats(void)
{
	struct mailbox_stats stats;

	mailbox_stats(desk.mailbox, &stats);
	return stats;
}

void desk_expect_counts(int64_t accepted, int64_t held, int64_t delivered, int64_t rejected, int64_t expired)
{
	const struct ledger_account *account = mailbox_account(desk.mailbox);

	ck_assert(ledger_balanced(account));
	ck_assert(fake_balanced());
	ck_assert_int_eq(ledger_get(account, LEDGER_ACCEPTED), accepted);
	ck_assert_int_eq(ledger_held(account), held);
	ck_assert_int_eq(desk_stats().held, held);
	ck_assert_int_eq(ledger_get(account, LEDGER_DELIVERED), delivered);
	ck_assert_int_eq(ledger_get(account, LEDGER_REJECTED), rejected);
	ck_assert_int_eq(ledger_get(account, LEDGER_EXPIRED), expired);
}
