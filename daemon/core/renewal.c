/* SPDX-License-Identifier: Apache-2.0 */
#include "core/renewal.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/clock.h"
#include "base/random.h"
#include "core/renewal_inside.h"

#define LOOK_US (60 * CLOCK_S_US)

int64_t renewal_now_s(const struct renewal *renewal)
{
	return renewal->ops->wall_us(renewal->arg) / CLOCK_S_US;
}

static void read_slot(const struct renewal *renewal, enum renewal_slot slot, struct renewal_pair *ret_pair)
{
	CLEANUP_CLOSE int fd = renewal_slots_open(&renewal->slots, slot);

	renewal_pair_read(fd, fd, ret_pair);
}

void renewal_look(struct renewal *renewal)
{
	CLEANUP_CLOSE int certificate = renewal_pair_open(renewal->settings.certificate);
	CLEANUP_CLOSE int key = renewal_pair_open(renewal->settings.key);

	renewal->looked_us = loop_now_us(renewal->loop);
	renewal_pair_read(certificate, key, &renewal->configured);
	read_slot(renewal, SLOT_CURRENT, &renewal->current);
	read_slot(renewal, SLOT_CANDIDATE, &renewal->candidate);
}

const struct renewal_pair *renewal_used(const struct renewal *renewal)
{
	int chosen = renewal_pair_choose(&renewal->configured, &renewal->current, renewal_now_s(renewal));

	return chosen < 0 ? NULL : chosen ? &renewal->current : &renewal->configured;
}

struct renewal_life renewal_life_of(const struct renewal *renewal, const struct renewal_pair *pair)
{
	return (struct renewal_life){pair->begin_s, pair->end_s, renewal->settings.percent, pair->seed};
}

static bool is_wanted(const struct renewal *renewal)
{
	return *renewal->settings.url || renewal->command;
}

static bool is_due(const struct renewal *renewal)
{
	const struct renewal_pair *used = renewal_used(renewal);
	struct renewal_life life;

	if (renewal->wanted || !used)
		return true;
	life = renewal_life_of(renewal, used);
	return renewal_need(&life, renewal_now_s(renewal)) != RENEWAL_FINE;
}

static bool is_urgent(const struct renewal *renewal)
{
	const struct renewal_pair *used = renewal_used(renewal);
	struct renewal_life life;

	if (!used)
		return true;
	life = renewal_life_of(renewal, used);
	return renewal_need(&life, renewal_now_s(renewal)) >= RENEWAL_URGENT;
}

/* Without any certificate there is no life to measure by: as if it were one of a day that is about to end. */
static int64_t next_wait_us(const struct renewal *renewal, int64_t asked_s)
{
	const struct renewal_pair *used = renewal_used(renewal);
	int64_t now_s = renewal_now_s(renewal);
	struct renewal_life life = {now_s - 86400, now_s + 4800, renewal->settings.percent, 0};

	if (used)
		life = renewal_life_of(renewal, used);
	return asked_s > 0 ? renewal_asked_wait_us(&life, now_s, asked_s)
			   : renewal_wait_us(&life, now_s, renewal->failures, random_u32());
}

void renewal_failed(struct renewal *renewal, int64_t asked_s, const char *format, ...)
{
	const struct renewal_pair *used = renewal_used(renewal);
	char day[RENEWAL_DAY_SIZE];
	int64_t wait_us;
	va_list args;

	va_start(args, format);
	vsnprintf(renewal->problem, sizeof(renewal->problem), format, args);
	va_end(args);
	if (asked_s <= 0) {
		renewal->failures++;
		renewal->wanted = false; /* what is not due is tried once */
	}
	wait_us = next_wait_us(renewal, asked_s);
	renewal->state = RENEWAL_WAITING;
	renewal->next_us = loop_now_us(renewal->loop) + wait_us;
	if (asked_s > 0)
		renewal_log(renewal, LOG_LEVEL_NOTICE, "%s", renewal->problem);
	else
		renewal_log(renewal, is_urgent(renewal) ? LOG_LEVEL_ERROR : LOG_LEVEL_WARNING,
			    "the certificate was not renewed, trying again in %.1f s; %s %s (%s)",
			    (double)wait_us / 1e6, used ? "the one in use is valid until" : "there is none to use",
			    used ? renewal_day(used->end_s, day) : "yet", renewal->problem);
}

void renewal_made(struct renewal *renewal)
{
	char day[RENEWAL_DAY_SIZE];

	renewal_look(renewal);
	if (!renewal->candidate.usable) {
		renewal_failed(renewal, 0, "the new certificate and its key do not fit");
		return;
	}
	renewal->state = RENEWAL_READY;
	renewal->wanted = false;
	renewal->next_us = 0;
	renewal_log(renewal, LOG_LEVEL_NOTICE,
		    "there is a new certificate, valid until %s; it is tried before it replaces the old",
		    renewal_day(renewal->candidate.end_s, day));
	renewal_try(renewal);
}

void renewal_tick(struct renewal *renewal)
{
	int64_t now = loop_now_us(renewal->loop);

	if (now - renewal->looked_us >= LOOK_US)
		renewal_look(renewal);
	if (renewal->state == RENEWAL_ASKING)
		return;
	if (renewal->state != RENEWAL_WAITING)
		renewal_try(renewal);
	else if (now >= renewal->next_us && is_wanted(renewal) && is_due(renewal))
		renewal_ask(renewal);
}

int renewal_begin(struct renewal *renewal)
{
	if (renewal->state == RENEWAL_ASKING || renewal->state == RENEWAL_TRYING)
		return -EALREADY;
	renewal->next_us = 0;
	if (renewal->state == RENEWAL_WAITING)
		renewal->wanted = true;
	renewal_tick(renewal);
	return 0;
}

int renewal_open(struct renewal *renewal)
{
	enum renewal_slot slot = renewal->state == RENEWAL_TRYING ? SLOT_CANDIDATE : SLOT_CURRENT;

	renewal_look(renewal);
	if (slot == SLOT_CURRENT && renewal_used(renewal) != &renewal->current)
		return -ENOENT;
	return renewal_slots_open(&renewal->slots, slot);
}

static void free_settings(struct renewal_settings *settings, char **command)
{
	/* Both were made by copy_settings. */
	free((char *)(uintptr_t)settings->certificate);
	free((char *)(uintptr_t)settings->key);
	free((char *)(uintptr_t)settings->url);
	free((char *)(uintptr_t)settings->trust);
	free((char *)(uintptr_t)settings->username);
	free((char *)(uintptr_t)settings->password);
	free((char *)(uintptr_t)settings->common_name);
	for (size_t i = 0; command && command[i]; i++)
		free(command[i]);
	free(command);
}

static int copy_command(const char *const *command, char ***ret_command)
{
	size_t count = 0;
	char **copy;

	*ret_command = NULL;
	if (!command)
		return 0;
	while (command[count])
		count++;
	copy = calloc(count + 1, sizeof(*copy));
	if (!copy)
		return -ENOMEM;
	*ret_command = copy;
	for (size_t i = 0; i < count; i++) {
		copy[i] = strdup(command[i]);
		if (!copy[i])
			return -ENOMEM;
	}
	return 0;
}

int renewal_set(struct renewal *renewal, const struct renewal_settings *settings)
{
	struct renewal_settings copy = *settings;
	char **command;
	int r = copy_command(settings->command, &command);

	copy.certificate = strdup(settings->certificate);
	copy.key = strdup(settings->key);
	copy.url = strdup(settings->url);
	copy.trust = strdup(settings->trust);
	copy.username = strdup(settings->username);
	copy.password = strdup(settings->password);
	copy.common_name = strdup(settings->common_name);
	copy.command = NULL;
	if (r < 0 || !copy.certificate || !copy.key || !copy.url || !copy.trust || !copy.username || !copy.password ||
	    !copy.common_name) {
		free_settings(&copy, command);
		return -ENOMEM;
	}
	free_settings(&renewal->settings, renewal->command);
	renewal->settings = copy;
	renewal->command = command;
	renewal->next_us = 0;
	renewal_look(renewal);
	return 0;
}

int renewal_new(struct loop *loop, const char *state_dir, const char *program, const char *endpoint,
		const struct renewal_settings *settings, const struct renewal_ops *ops, void *arg,
		struct renewal **ret_renewal)
{
	struct renewal *renewal = calloc(1, sizeof(*renewal));
	int r = 0;

	if (!renewal)
		return -ENOMEM;
	*renewal = (struct renewal){.loop = loop, .program = program, .ops = ops, .arg = arg};
	renewal->endpoint = strdup(endpoint);
	if (!renewal->endpoint)
		r = -ENOMEM;
	if (r >= 0)
		r = renewal_slots_init(&renewal->slots, state_dir, endpoint);
	if (r >= 0)
		r = renewal_set(renewal, settings);
	if (r < 0) {
		renewal_free(renewal);
		return r;
	}
	/* Left by an earlier life: its trial begins anew. */
	if (renewal->candidate.usable)
		renewal->state = RENEWAL_READY;
	*ret_renewal = renewal;
	return 0;
}

void renewal_free(struct renewal *renewal)
{
	if (!renewal)
		return;
	renewal_work_free(renewal->work);
	renewal_slots_done(&renewal->slots);
	free_settings(&renewal->settings, renewal->command);
	free(renewal->endpoint);
	free(renewal);
}

bool renewal_owns(const struct renewal *renewal, pid_t pid)
{
	return renewal->work && renewal_work_pid(renewal->work) == pid;
}
