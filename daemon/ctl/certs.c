/* SPDX-License-Identifier: Apache-2.0 */

/* Every certificate in use on a time line from now on. */

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/clock.h"
#include "ctl/command.h"
#include "ctl/table.h"

#define DAY_US  (INT64_C(86400) * CLOCK_S_US)
#define SPAN_US (730 * DAY_US)

enum {
	BAR_MIN = 10,
	BAR_MAX = 73,
	ENDPOINT_MAX = 12,
	WHAT_MAX = 11,
	WHO_MAX = 18,
	STATE_WIDTH = 8,
	UNTIL_WIDTH = 10,
	LEFT_WIDTH = 5
};

struct line {
	int endpoint_width;
	int who_width;
	int bar_width;
	int64_t now_us;
};

static int screen_width(void)
{
	const char *columns = getenv("COLUMNS");
	struct winsize size = {0};
	long width = columns ? ctl_whole(columns, 20) : -1;

	if (width > 0)
		return (int)width;
	return ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col >= 20 ? size.ws_col : 80;
}

/* INT64_MAX where there is none. */
static int64_t time_at(const json_t *certificate, const char *key)
{
	int64_t wall_us;

	return clock_parse(ctl_text(certificate, key), 0, &wall_us) < 0 ? INT64_MAX : wall_us;
}

static int longest(const json_t *certificates, const char *key, int most)
{
	json_t *certificate;
	int width = (int)strlen(key);
	size_t i;

	json_array_foreach(certificates, i, certificate)
	{
		int length = (int)strlen(ctl_text(certificate, key));

		width = length > width ? length : width;
	}
	return width < most ? width : most;
}

static struct line measure(const json_t *result)
{
	const json_t *certificates = json_object_get(result, "certificates");
	struct line line = {.endpoint_width = longest(certificates, "endpoint", ENDPOINT_MAX),
			    .who_width = longest(certificates, "who", WHO_MAX),
			    .now_us = time_at(result, "now")};
	int rest = screen_width() - (line.endpoint_width + WHAT_MAX + STATE_WIDTH + UNTIL_WIDTH + LEFT_WIDTH + 6) -
		   line.who_width;

	line.bar_width = rest < BAR_MIN ? BAR_MIN : rest > BAR_MAX ? BAR_MAX : rest;
	return line;
}

/* '=' while it is fine, '-' from where it should be renewed on, '!' in its last days; '>' where it goes on behind the end. */
static void draw_bar(const struct line *line, const json_t *certificate, char text[BAR_MAX + 1])
{
	int64_t from_us = time_at(certificate, "from"), until_us = time_at(certificate, "until");
	int64_t renew_us = time_at(certificate, "renew_from"), urgent_us = time_at(certificate, "urgent_from");
	bool unusable = strcmp(ctl_text(certificate, "state"), "unusable") == 0;
	int n = 0;

	for (; n < line->bar_width && !unusable; n++) {
		int64_t at_us = line->now_us + SPAN_US / line->bar_width * n;

		if (at_us > until_us)
			break;
		text[n] = at_us < from_us ? ' ' : at_us >= urgent_us ? '!' : at_us >= renew_us ? '-' : '=';
	}
	if (n == line->bar_width)
		text[n - 1] = '>';
	text[n] = '\0';
}

static void format_left(const json_t *certificate, char text[24])
{
	const json_t *left = json_object_get(certificate, "days_left");
	long long days = json_integer_value(left);

	if (!json_is_integer(left))
		snprintf(text, 24, "-");
	else if (days > 3650 || days < -3650)
		snprintf(text, 24, "%lldy", days / 365);
	else
		snprintf(text, 24, "%lldd", days);
}

static void print_line(const struct line *line, const json_t *certificate)
{
	const char *state = ctl_text(certificate, "state"), *until = ctl_text(certificate, "until");
	bool good = strcmp(state, "fine") == 0, renew = strcmp(state, "renew") == 0;
	char bar[BAR_MAX + 1], left[24];

	draw_bar(line, certificate, bar);
	format_left(certificate, left);
	printf("%s%-*.*s %-*.*s %-*.*s %-*.*s %-*.*s %*s%s %s\n",
	       good    ? ""
	       : renew ? table_bold()
		       : table_red(),
	       line->endpoint_width, line->endpoint_width, ctl_text(certificate, "endpoint"), WHAT_MAX, WHAT_MAX,
	       ctl_text(certificate, "role"), line->who_width, line->who_width, ctl_text(certificate, "who"),
	       STATE_WIDTH, STATE_WIDTH, strcmp(state, "not-yet-valid") == 0 ? "early" : state, UNTIL_WIDTH,
	       UNTIL_WIDTH, *until ? until : "-", LEFT_WIDTH, left, good ? "" : table_plain(), bar);
}

static void print_head(const struct line *line)
{
	char end[CLOCK_TEXT_SIZE];

	clock_format(line->now_us + SPAN_US, end);
	printf("%s%-*s %-*s %-*s %-*s %-*s %*s now%*.7s%s\n", table_bold(), line->endpoint_width, "ENDPOINT", WHAT_MAX,
	       "WHAT", line->who_width, "WHO", STATE_WIDTH, "STATE", UNTIL_WIDTH, "UNTIL", LEFT_WIDTH, "LEFT",
	       line->bar_width - 3, end, table_plain());
}

static void print_needs(const json_t *certificates)
{
	json_t *certificate;
	bool first = true;
	size_t i;

	json_array_foreach(certificates, i, certificate)
	{
		const char *state = ctl_text(certificate, "state");

		if (strcmp(state, "fine") == 0 || strcmp(state, "renew") == 0)
			continue;
		printf("%s%s! %s%s\n  %s\n", first ? "\n" : "", table_red(), ctl_text(certificate, "text"),
		       table_plain(), ctl_text(certificate, "remedy"));
		first = false;
	}
}

static void print_time_line(const json_t *result)
{
	const json_t *certificates = json_object_get(result, "certificates");
	const struct line line = measure(result);
	json_t *certificate;
	size_t i;

	if (json_array_size(certificates) == 0) {
		puts("No certificate is in use.");
		return;
	}
	print_head(&line);
	json_array_foreach(certificates, i, certificate) print_line(&line, certificate);
	if (ctl_number(result, "peers_left_out"))
		puts("Devices have shown more certificates, which expire later.");
	print_needs(certificates);
}

static void print_broken(const json_t *result)
{
	const json_t *list = json_object_get(result, "broken");
	json_t *broken;
	size_t i;

	if (json_array_size(list) == 0) {
		printf("On %s everything will still work.\n", ctl_text(result, "at"));
		return;
	}
	printf("On %s:\n", ctl_text(result, "at"));
	json_array_foreach(list, i, broken)
		printf("%s! %s%s\n  since %s; %s\n", table_red(), ctl_text(broken, "text"), table_plain(),
		       ctl_text(broken, "since"), ctl_text(broken, "remedy"));
}

int ctl_certs(struct ctl *ctl)
{
	bool bad = false;
	const char *at = ctl_option(ctl, "--at", &bad);
	json_t *result;
	int r;

	if (bad || ctl->argc)
		return ctl_bad_usage(ctl, "certs takes --at DATE alone");
	r = ctl_ask(ctl, json_pack("{s:s,s:s*}", "command", "certs", "at", at), &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		if (at)
			print_broken(result);
		else
			print_time_line(result);
	}
	if (json_array_size(json_object_get(result, "broken")))
		r = CTL_UNWELL;
	json_decref(result);
	return r;
}
