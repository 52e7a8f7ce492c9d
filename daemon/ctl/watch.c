/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "ctl/command.h"
#include "ctl/table.h"

void ctl_event_print(const json_t *event)
{
	const char *what = ctl_text(event, "what");

	if (strcmp(what, "missed") == 0) {
		printf("(%lld events left out: they came faster than they could be shown)\n",
		       ctl_number(event, "count"));
		return;
	}
	printf("%s  %-9s %s", ctl_text(event, "time"), what, ctl_text(event, "device"));
	if (*ctl_text(event, "path"))
		printf(" /%s", ctl_text(event, "path"));
	if (*ctl_text(event, "to"))
		printf("  -> %s %s", ctl_text(event, "to"), ctl_text(event, "address"));
	if (json_object_get(event, "bytes"))
		printf("  %lld bytes", ctl_number(event, "bytes"));
	if (*ctl_text(event, "reason"))
		printf("  %s(%s)%s", table_red(), ctl_text(event, "reason"), table_plain());
	if (*ctl_text(event, "id"))
		printf("  %s", ctl_text(event, "id"));
	putchar('\n');
	fflush(stdout);
}

int ctl_tail(struct ctl *ctl)
{
	bool bad = false;
	const char *device = ctl_option(ctl, "--device", &bad), *count = ctl_option(ctl, "--count", &bad);
	long left = count ? ctl_whole(count, 1) : -1;
	json_t *result, *line;
	int r;

	if (bad || ctl->argc || (count && left < 0))
		return ctl_bad_usage(ctl, "tail takes --device NAME and --count N");
	r = ctl_ask(ctl, json_pack("{s:s,s:s*}", "command", "tail", "device", device), &result);
	if (r != CTL_GOOD)
		return r;
	json_decref(result);
	while (left != 0 && (line = client_receive(&ctl->client, -1, &r))) {
		json_t *event = json_object_get(line, "event");

		if (!json_is_object(event)) {
			json_decref(line);
			r = -EBADMSG;
			break;
		}
		if (ctl->json) {
			json_dumpf(event, stdout, JSON_COMPACT);
			putchar('\n');
			fflush(stdout);
		} else {
			ctl_clean(event);
			ctl_event_print(event);
		}
		json_decref(line);
		left -= left > 0;
	}
	if (left == 0)
		return CTL_GOOD;
	fprintf(stderr, "tidegatectl: the gateway has gone (%s)\n", strerror(-r));
	return CTL_NO_GATEWAY;
}
