/* SPDX-License-Identifier: Apache-2.0 */
#include <stdarg.h>
#include <stdio.h>

#include "base/clock.h"
#include "core/renewal_inside.h"

static const char *const state_names[] = {"waiting", "asking", "ready", "trying", "putting back"};

void renewal_log(const struct renewal *renewal, enum log_level level, const char *format, ...)
{
	const struct log_fields fields = {.endpoint = renewal->endpoint};
	va_list args;

	va_start(args, format);
	log_fields_writev(level, &fields, format, args);
	va_end(args);
}

const char *renewal_day(int64_t wall_s, char ret_text[RENEWAL_DAY_SIZE])
{
	char text[CLOCK_TEXT_SIZE];

	clock_format(wall_s * CLOCK_S_US, text);
	snprintf(ret_text, RENEWAL_DAY_SIZE, "%.19sZ", text);
	return ret_text;
}

static const char *source_of(const struct renewal *renewal, const struct renewal_pair *used)
{
	if (renewal->state == RENEWAL_TRYING)
		return "candidate";
	return !used ? "none" : used == &renewal->current ? "renewed" : "configured";
}

json_t *renewal_describe(struct renewal *renewal)
{
	const struct renewal_pair *used = renewal_used(renewal);
	char day[RENEWAL_DAY_SIZE] = "", due[RENEWAL_DAY_SIZE] = "";
	enum renewal_need need = RENEWAL_EXPIRED;
	int64_t wait_us = renewal->next_us - loop_now_us(renewal->loop);

	if (used) {
		struct renewal_life life = renewal_life_of(renewal, used);

		need = renewal_need(&life, renewal_now_s(renewal));
		renewal_day(used->end_s, day);
		renewal_day(renewal_due_s(&life), due);
	}
	return json_pack("{s:s,s:s,s:s,s:s,s:s,s:s,s:s,s:i,s:I,s:s}", "endpoint", renewal->endpoint, "by",
			 renewal->command ? "renew_command" : "est", "state", state_names[renewal->state],
			 "certificate", source_of(renewal, used), "need", used ? renewal_need_name(need) : "missing",
			 "not_after", day, "due", due, "failures", (int)renewal->failures, "next_s",
			 (json_int_t)(wait_us > 0 ? wait_us / CLOCK_S_US : 0), "problem", renewal->problem);
}

const char *renewal_problem(struct renewal *renewal)
{
	const struct renewal_pair *used = renewal_used(renewal);
	char day[RENEWAL_DAY_SIZE];

	if (renewal->failures == 0 || !*renewal->problem)
		return NULL;
	snprintf(renewal->report, sizeof(renewal->report),
		 "the certificate of \"%s\" was not renewed, %u time%s so far; %s %s: %s", renewal->endpoint,
		 renewal->failures, renewal->failures == 1 ? "" : "s",
		 used ? "the one in use is valid until" : "there is none to use",
		 used ? renewal_day(used->end_s, day) : "yet", renewal->problem);
	return renewal->report;
}
