/* SPDX-License-Identifier: Apache-2.0 */
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/table.h"

static void format_duration(long long seconds, char text[32])
{
	if (seconds < 120)
		snprintf(text, 32, "%lld s", seconds);
	else if (seconds < 7200)
		snprintf(text, 32, "%lld min", seconds / 60);
	else if (seconds < 48 * 3600)
		snprintf(text, 32, "%lld h", seconds / 3600);
	else
		snprintf(text, 32, "%lld d", seconds / 86400);
}

void ctl_age(long long ms, char text[32])
{
	if (ms < 1000)
		snprintf(text, 32, "%lld ms", ms);
	else
		format_duration(ms / 1000, text);
}

static long long sum_of(json_t *object)
{
	const char *key;
	json_t *value;
	long long sum = 0;

	json_object_foreach(object, key, value) sum += json_integer_value(value);
	return sum;
}

static void print_endpoints(const json_t *endpoints)
{
	static const char *const titles[] = {"ENDPOINT", "ADAPTER",  "STATE",  "LINK",
					     "SESSIONS", "RESTARTS", "DETAIL", NULL};
	struct table table;
	json_t *endpoint;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(endpoints, i, endpoint)
	{
		const json_t *sessions = json_object_get(json_object_get(endpoint, "counters"), "sessions");

		table_row(&table);
		table_cell(&table, 0, "%s", ctl_text(endpoint, "name"));
		table_cell(&table, 1, "%s", ctl_text(endpoint, "adapter"));
		table_cell(&table, 2, "%s", ctl_text(endpoint, "state"));
		table_cell(&table, 3, "%s", ctl_text(endpoint, "link"));
		if (sessions)
			table_cell(&table, 4, "%lld", (long long)json_integer_value(sessions));
		table_cell(&table, 5, "%lld", ctl_number(endpoint, "restarts"));
		table_cell(&table, 6, "%s", ctl_text(endpoint, "detail"));
	}
	table_print(&table);
	table_done(&table);
}

static void print_outboxes(const json_t *outboxes)
{
	static const char *const titles[] = {"OUTBOX",  "ACCEPTED", "DELIVERED", "HELD", "DROPPED",
					     "REFUSED", "OLDEST",   "LEDGER",    NULL};
	struct table table;
	json_t *outbox;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(outboxes, i, outbox)
	{
		const json_t *ledger = json_object_get(outbox, "ledger");
		char age[32];

		ctl_age(ctl_number(outbox, "oldest_ms"), age);
		table_row(&table);
		table_cell(&table, 0, "%s", ctl_text(outbox, "endpoint"));
		table_cell(&table, 1, "%lld", ctl_number(ledger, "accepted"));
		table_cell(&table, 2, "%lld", ctl_number(ledger, "delivered"));
		table_cell(&table, 3, "%lld", ctl_number(ledger, "held"));
		table_cell(&table, 4, "%lld", sum_of(json_object_get(ledger, "dropped")));
		table_cell(&table, 5, "%lld", sum_of(json_object_get(ledger, "refused")));
		table_cell(&table, 6, "%s", ctl_number(ledger, "held") ? age : "-");
		table_cell(&table, 7, "%s",
			   json_is_true(json_object_get(ledger, "balanced")) ? "balances" : "DOES NOT BALANCE");
	}
	table_print(&table);
	table_done(&table);
}

static void print_mailboxes(const json_t *mailboxes)
{
	static const char *const titles[] = {"COMMANDS", "ACCEPTED", "DELIVERED", "HELD",   "REFUSED",
					     "EXPIRED",  "DEVICES",  "OLDEST",    "LEDGER", NULL};
	struct table table;
	json_t *mailbox;
	size_t i;

	table_init(&table, titles);
	json_array_foreach(mailboxes, i, mailbox)
	{
		const json_t *ledger = json_object_get(mailbox, "ledger"),
			     *dropped = json_object_get(ledger, "dropped");
		char age[32];

		ctl_age(ctl_number(mailbox, "oldest_ms"), age);
		table_row(&table);
		table_cell(&table, 0, "%s", ctl_text(mailbox, "endpoint"));
		table_cell(&table, 1, "%lld", ctl_number(ledger, "accepted"));
		table_cell(&table, 2, "%lld", ctl_number(ledger, "delivered"));
		table_cell(&table, 3, "%lld", ctl_number(ledger, "held"));
		table_cell(&table, 4, "%lld",
			   ctl_number(dropped, "rejected") + sum_of(json_object_get(ledger, "refused")));
		table_cell(&table, 5, "%lld", ctl_number(dropped, "expired"));
		table_cell(&table, 6, "%lld", ctl_number(mailbox, "devices"));
		table_cell(&table, 7, "%s", ctl_number(ledger, "held") ? age : "-");
		table_cell(&table, 8, "%s",
			   json_is_true(json_object_get(ledger, "balanced")) ? "balances" : "DOES NOT BALANCE");
	}
	table_print(&table);
	table_done(&table);
}

static void print_readings(const json_t *readings)
{
	if (ctl_number(readings, "count") == 0)
		return;
	printf("\nreadings  %lld kept for readers, %lld bytes, %lld evicted, %lld observers\n",
	       ctl_number(readings, "count"), ctl_number(readings, "bytes"), ctl_number(readings, "evicted"),
	       ctl_number(readings, "observers"));
}

static const char *sentence(const json_t *text)
{
	return json_is_string(text) ? json_string_value(text) : "?";
}

static void print_end(const json_t *problems, const json_t *todo)
{
	const json_t *text;
	size_t i;

	putchar('\n');
	json_array_foreach(problems, i, text) printf("%s! %s%s\n", table_red(), sentence(text), table_plain());
	if (json_array_size(todo))
		printf("%sstill to be configured:%s\n", table_bold(), table_plain());
	else if (!json_array_size(problems))
		printf("%sall is well%s\n", table_green(), table_plain());
	json_array_foreach(todo, i, text) printf("- %s\n", sentence(text));
}

int ctl_status(struct ctl *ctl)
{
	const json_t *clock;
	json_t *result;
	char uptime[32];
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "status takes no words");
	r = ctl_ask(ctl, json_pack("{s:s,s:b}", "command", "status", "sessions", ctl->json), &result);
	if (r != CTL_GOOD)
		return r;
	r = json_array_size(json_object_get(result, "problems")) ? CTL_UNWELL : CTL_GOOD;
	if (ctl_print_json(ctl, result)) {
		json_decref(result);
		return r;
	}
	format_duration(ctl_number(result, "uptime_s"), uptime);
	printf("%s%s%s%s%s  tidegate %s, %s, up for %s, %lld device%s\n", table_bold(), ctl_text(result, "gateway"),
	       table_plain(), *ctl_text(result, "site") ? " at " : "", ctl_text(result, "site"),
	       ctl_text(result, "version"), ctl_text(result, "state"), uptime, ctl_number(result, "devices"),
	       ctl_number(result, "devices") == 1 ? "" : "s");
	clock = json_object_get(result, "clock");
	printf("clock  %s, %s\n\n", ctl_text(clock, "time"), ctl_text(clock, "state"));
	print_endpoints(json_object_get(result, "endpoints"));
	if (json_array_size(json_object_get(result, "outboxes"))) {
		putchar('\n');
		print_outboxes(json_object_get(result, "outboxes"));
	}
	if (json_array_size(json_object_get(result, "mailboxes"))) {
		putchar('\n');
		print_mailboxes(json_object_get(result, "mailboxes"));
	}
	print_readings(json_object_get(result, "readings"));
	print_end(json_object_get(result, "problems"), json_object_get(result, "todo"));
	json_decref(result);
	return r;
}

int ctl_outbox(struct ctl *ctl)
{
	static const char *const titles[] = {"OUTBOX", "IN MEMORY",      "ON DISK", "IN FLIGHT",
					     "OLDEST", "LAST CONFIRMED", "BYTES",   NULL};
	struct table table;
	json_t *result, *outbox;
	size_t i;
	int r;

	if (ctl->argc)
		return ctl_bad_usage(ctl, "outbox takes no words");
	r = ctl_ask(ctl, json_pack("{s:s}", "command", "outbox"), &result);
	if (r != CTL_GOOD)
		return r;
	if (ctl_print_json(ctl, result)) {
		json_decref(result);
		return CTL_GOOD;
	}
	table_init(&table, titles);
	json_array_foreach(result, i, outbox)
	{
		long long confirmed = ctl_number(outbox, "confirmed_ms");
		char age[32];

		table_row(&table);
		table_cell(&table, 0, "%s", ctl_text(outbox, "endpoint"));
		table_cell(&table, 1, "%lld", ctl_number(outbox, "held_memory"));
		table_cell(&table, 2, "%lld", ctl_number(outbox, "held_disk"));
		table_cell(&table, 3, "%lld", ctl_number(outbox, "in_flight"));
		ctl_age(ctl_number(outbox, "oldest_ms"), age);
		table_cell(&table, 4, "%s", age);
		ctl_age(confirmed, age);
		table_cell(&table, 5, "%s%s", confirmed < 0 ? "never since start" : age, confirmed < 0 ? "" : " ago");
		table_cell(&table, 6, "%lld", ctl_number(outbox, "bytes"));
	}
	table_print(&table);
	table_done(&table);
	json_decref(result);
	return CTL_GOOD;
}
