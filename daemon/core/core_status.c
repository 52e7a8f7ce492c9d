/* SPDX-License-Identifier: Apache-2.0 */
#include <config.h> /* the build's */

/* What the gateway says of itself. */

#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"

static const char *const state_names[] = {"starting", "running", "draining", "stopping"};
static const char *const link_names[] = {"down", "connecting", "up"};

static const struct {
	enum ledger_item item;
	const char *name;
} dropped_names[] = {{LEDGER_REJECTED, "rejected"},
		     {LEDGER_EXPIRED, "expired"},
		     {LEDGER_UNREADABLE, "unreadable"},
		     {LEDGER_PURGED, "purged"}};

static const char *const verdict_names[] = {"accepted",  "no_route", "not_allowed", "too_large",   "wrong_format",
					    "malformed", "too_fast", "full",        "unavailable", "unknown_device"};

/* All the processes of one endpoint, put together. */
struct gathered {
	const char *name;
	const struct config_endpoint *config;
	unsigned workers, running, restarts;
	enum tg_link link;
	const char *state;
	const char *detail;
	json_t *pids;
	json_t *counters;
};

static void add_counters(struct gathered *all, const struct process *process)
{
	/* After a reload the names may be those of another adapter than the one that still runs. */
	for (size_t i = 0; i < process->n_counters && i < all->config->descriptor->counters_count; i++) {
		const char *name = all->config->descriptor->counters[i];
		json_int_t sum = json_integer_value(json_object_get(all->counters, name)) + process->counters[i];

		json_object_set_new(all->counters, name, json_integer(sum));
	}
}

static int gather(void *arg, struct instance *instance)
{
	const struct process *process = instance_user(instance);
	struct gathered *all = arg;

	if (strcmp(instance_endpoint(instance), all->name) != 0)
		return 0;
	all->workers++;
	all->restarts += instance_restarts(instance);
	if (instance_pid(instance))
		json_array_append_new(all->pids, json_integer(instance_pid(instance)));
	if (instance_state(instance) == INSTANCE_RUNNING)
		all->running++;
	else
		all->state = instance_state_name(instance);
	if (*instance_problem(instance))
		all->detail = instance_problem(instance);
	if (process && process->link >= all->link) {
		all->link = process->link;
		if (*process->detail)
			all->detail = process->detail;
	}
	if (process)
		add_counters(all, process);
	return 0;
}

static json_t *describe_endpoint(struct core *core, const struct endpoint *endpoint, json_t *problems)
{
	struct gathered all = {.name = endpoint->name,
			       .config = endpoint->config,
			       .state = "running",
			       .detail = "",
			       .pids = json_array(),
			       .counters = json_object()};
	char problem[512];

	supervisor_each(core->supervisor, gather, &all);
	if (all.workers == 0)
		all.state = endpoint->removed ? "removed" : endpoint->config->enabled ? "stopped" : "disabled";
	if (endpoint->config->enabled && !endpoint->removed && (all.running < all.workers || all.link != TG_LINK_UP)) {
		snprintf(problem, sizeof(problem), "endpoint \"%s\" %s%s%s%s", endpoint->name,
			 all.running < all.workers ? "is " : "has its link ",
			 all.running < all.workers ? all.state : link_names[all.link], *all.detail ? ": " : "",
			 all.detail);
		json_array_append_new(problems, control_text(bytes_text(problem)));
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:o,s:i,s:i,s:o,s:o}", "name", endpoint->name, "adapter",
			 endpoint->config->adapter, "state", all.state, "link", link_names[all.link], "detail",
			 control_text(bytes_text(all.detail)), "workers", all.workers, "restarts", all.restarts, "pids",
			 all.pids, "counters", all.counters);
}

static json_t *describe_account(const struct ledger_account *account)
{
	json_t *dropped = json_object(), *refused = json_object();

	for (size_t i = 0; i < sizeof(dropped_names) / sizeof(dropped_names[0]); i++) {
		int64_t n = ledger_get(account, dropped_names[i].item);

		if (n)
			json_object_set_new(dropped, dropped_names[i].name, json_integer(n));
	}
	for (size_t i = 1; i <= TG_UNKNOWN_DEVICE; i++) {
		int64_t n = ledger_get(account, (enum ledger_item)(LEDGER_REFUSED + i));

		if (n)
			json_object_set_new(refused, verdict_names[i], json_integer(n));
	}
	return json_pack("{s:I,s:I,s:I,s:o,s:o,s:b}", "accepted", (json_int_t)ledger_get(account, LEDGER_ACCEPTED),
			 "delivered", (json_int_t)ledger_get(account, LEDGER_DELIVERED), "held",
			 (json_int_t)ledger_held(account), "dropped", dropped, "refused", refused, "balanced",
			 ledger_balanced(account));
}

static json_t *describe_outbox(const struct core *core, const struct endpoint *endpoint, json_t *problems)
{
	int64_t now = loop_now_us(core->loop);
	struct outbox_stats stats;
	char problem[256];

	outbox_stats(endpoint->outbox, &stats);
	if (!ledger_balanced(endpoint->account)) {
		snprintf(problem, sizeof(problem), "the ledger of \"%s\" does not balance", endpoint->name);
		json_array_append_new(problems, json_string(problem));
	}
	if (stats.disk_failing) {
		snprintf(problem, sizeof(problem), "what waits for \"%s\" cannot be written to disk", endpoint->name);
		json_array_append_new(problems, json_string(problem));
	}
	return json_pack("{s:s,s:I,s:I,s:I,s:I,s:I,s:I,s:o}", "endpoint", endpoint->name, "held_memory",
			 (json_int_t)stats.held_memory, "held_disk", (json_int_t)stats.held_disk, "in_flight",
			 (json_int_t)stats.in_flight, "oldest_ms", (json_int_t)(stats.oldest_age_us / CLOCK_MS_US),
			 "confirmed_ms",
			 (json_int_t)(stats.last_confirmed_us ? (now - stats.last_confirmed_us) / CLOCK_MS_US : -1),
			 "bytes", (json_int_t)stats.memory_bytes, "ledger", describe_account(endpoint->account));
}

static json_t *describe_mailbox(const struct endpoint *endpoint, json_t *problems)
{
	json_t *mailbox = core_mailbox_describe(endpoint, problems);

	if (mailbox)
		json_object_set_new(mailbox, "ledger", describe_account(endpoint->account));
	return mailbox;
}

static json_t *describe_refused(const struct core *core)
{
	json_t *refused = json_object();

	for (size_t i = 1; i <= TG_UNKNOWN_DEVICE; i++) {
		if (core->refused[i])
			json_object_set_new(refused, verdict_names[i], json_integer((json_int_t)core->refused[i]));
	}
	return refused;
}

/* What is held for an endpoint waits until that is configured again. */
static void find_stranded(struct core *core, const struct ledger_account *account, json_t *problems)
{
	const struct endpoint *endpoint = core_endpoint(core, ledger_name(account));
	char problem[256];

	if (ledger_held(account) == 0 || (endpoint && !endpoint->removed))
		return;
	snprintf(problem, sizeof(problem), "%lld messages wait for \"%s\", which is not configured any more",
		 (long long)ledger_held(account), ledger_name(account));
	json_array_append_new(problems, json_string(problem));
}

/* The sums over all accounts, also of those that are not configured any more. */
static json_t *describe_total(struct core *core, json_t *problems)
{
	json_int_t accepted = 0, delivered = 0, held = 0, dropped = 0;
	const struct ledger_account *account;
	bool balanced = true;

	for (unsigned i = 0; (account = ledger_at(core->ledger, i)); i++) {
		accepted += ledger_get(account, LEDGER_ACCEPTED);
		delivered += ledger_get(account, LEDGER_DELIVERED);
		held += ledger_held(account);
		dropped += ledger_dropped(account);
		balanced &= ledger_balanced(account);
		find_stranded(core, account, problems);
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:b,s:o}", "accepted", accepted, "delivered", delivered, "held", held,
			 "dropped", dropped, "balanced", balanced, "refused", describe_refused(core));
}

static json_t *describe_store(const struct core *core, json_t *problems)
{
	struct store_stats stats;
	char problem[256];

	store_stats(core->store, &stats);
	if (stats.set_aside) {
		snprintf(problem, sizeof(problem),
			 "%lld damaged store file(s) set aside since start, %lld messages came back from them",
			 (long long)stats.set_aside, (long long)stats.salvaged);
		json_array_append_new(problems, json_string(problem));
	}
	if (stats.error < 0) {
		snprintf(problem, sizeof(problem), "the store cannot be written (%s)", strerror(-stats.error));
		json_array_append_new(problems, json_string(problem));
	}
	return json_pack("{s:I,s:I,s:I,s:I,s:I}", "used_bytes", (json_int_t)stats.used_bytes, "limit_bytes",
			 (json_int_t)stats.limit_bytes, "commits", (json_int_t)stats.commits, "set_aside",
			 (json_int_t)stats.set_aside, "salvaged", (json_int_t)stats.salvaged);
}

json_t *core_status(struct core *core)
{
	json_t *endpoints = json_array(), *outboxes = json_array(), *problems = json_array(), *store, *total, *clock;
	json_t *renewals, *certificates, *trial, *upgrade, *mailboxes = json_array();

	for (const struct endpoint *e = core->endpoints; e; e = e->next) {
		json_array_append_new(endpoints, describe_endpoint(core, e, problems));
		if (e->outbox)
			json_array_append_new(outboxes, describe_outbox(core, e, problems));
		if (e->mailbox)
			json_array_append_new(mailboxes, describe_mailbox(e, problems));
	}
	if (core->state == CORE_DRAINING)
		json_array_append_new(problems, json_string("draining: new messages are refused until drain is "
							    "switched off (tidegatectl drain --off)"));
	if (*core->registry_problem)
		json_array_append_new(problems, control_text(bytes_text(core->registry_problem)));
	if (devices_is_behind(core->devices))
		json_array_append_new(problems, json_string("the mirror of the registry (devices-mirror.db) cannot be "
							    "written: is the disk full?"));
	renewals = core_renewal_status(core, problems);
	store = describe_store(core, problems);
	total = describe_total(core, problems);
	clock = core_clock_describe(core, problems);
	certificates = core_certs_describe(core, problems);
	trial = core_trial_describe(core, problems);
	upgrade = core_upgrade_describe(core, problems);
	return json_pack("{s:s,s:s,s:s,s:s,s:I,s:I,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "gateway",
			 core->config->gateway, "site", core->config->site, "version", PACKAGE_VERSION, "state",
			 state_names[core->state], "uptime_s",
			 (json_int_t)((loop_now_us(core->loop) - core->started_us) / CLOCK_S_US), "devices",
			 (json_int_t)devices_count(core->devices), "endpoints", endpoints, "outboxes", outboxes,
			 "mailboxes", mailboxes, "ledger", total, "store", store, "clock", clock, "renewals", renewals,
			 "certificates", certificates, "readings", core_readings_status(core), "trial", trial,
			 "upgrade", upgrade, "problems", problems, "todo", core_todo(core));
}

void core_command_status(void *arg, struct control_call *call, const json_t *request)
{
	json_t *status = core_status(arg);

	/* Thousands of lines that whoever asks now and then does not want. */
	if (status && json_is_true(json_object_get(request, "sessions")))
		json_object_set_new(status, "sessions", core_sessions(arg, NULL));
	control_reply(call, status);
}

void core_command_outbox(void *arg, struct control_call *call, const json_t *request)
{
	json_t *problems = json_array(), *list = json_array();
	struct core *core = arg;

	(void)request;
	for (const struct endpoint *e = core->endpoints; e; e = e->next) {
		if (e->outbox)
			json_array_append_new(list, describe_outbox(core, e, problems));
	}
	json_decref(problems);
	control_reply(call, list);
}
