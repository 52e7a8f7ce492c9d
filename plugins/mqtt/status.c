/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "common/stamp.h"
#include "text.h"

char *status_text(const struct tg_host *host, enum status_kind kind, int64_t wall_us)
{
	static const char *const states[] = {
		[STATUS_ONLINE] = "\"online\"",
		[STATUS_STOPPED] = "\"offline\",\"reason\":\"stopped\"",
		[STATUS_LEAVING] = "\"offline\",\"reason\":\"connecting anew\"",
		[STATUS_LOST] = "\"offline\",\"reason\":\"lost\"",
	};
	char *site = text_json(host->site(host)), *gateway = text_json(host->gateway(host));
	char *endpoint = text_json(host->endpoint(host)), *text = NULL;
	char time[STAMP_TIME_SIZE];

	stamp_time(wall_us, time);
	if (!site || !gateway || !endpoint ||
	    asprintf(&text, "{\"state\":%s,\"site\":%s,\"gateway\":%s,\"endpoint\":%s,\"%s\":\"%s\"}", states[kind],
		     site, gateway, endpoint, kind == STATUS_LOST ? "since" : "time", time) < 0)
		text = NULL;
	free(site);
	free(gateway);
	free(endpoint);
	return text;
}

int status_notices_add(struct status_notices *notices, const char *json)
{
	char *copy = strdup(json);

	if (!copy)
		return -ENOMEM;
	if (notices->count == STATUS_NOTICES)
		status_notices_drop_first(notices);
	notices->text[(notices->first + notices->count++) % STATUS_NOTICES] = copy;
	return 0;
}

const char *status_notices_first(const struct status_notices *notices)
{
	return notices->count ? notices->text[notices->first] : NULL;
}

void status_notices_drop_first(struct status_notices *notices)
{
	free(notices->text[notices->first]);
	notices->text[notices->first] = NULL;
	notices->first = (notices->first + 1) % STATUS_NOTICES;
	notices->count--;
}

void status_notices_done(struct status_notices *notices)
{
	while (notices->count)
		status_notices_drop_first(notices);
}
