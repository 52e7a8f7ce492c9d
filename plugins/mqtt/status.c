/* SPDX-License-Identifier: Apache-2.0 */
#include "status.h"

#include <stdio.h>
#include <stdlib.h>

#include "text.h"

char *status_text(const struct tg_host *host, enum status_kind kind, int64_t wall_us)
{
	static const char *const states[] = {"\"online\"", "\"offline\",\"reason\":\"stopped\"",
					     "\"offline\",\"reason\":\"lost\""};
	char *site = text_json(host->site(host)), *gateway = text_json(host->gateway(host));
	char *endpoint = text_json(host->endpoint(host)), *text = NULL;
	char time[TEXT_TIME_SIZE];

	text_time(wall_us, time);
	if (!site || !gateway || !endpoint ||
	    asprintf(&text, "{\"state\":%s,\"site\":%s,\"gateway\":%s,\"endpoint\":%s,\"%s\":\"%s\"}", states[kind],
		     site, gateway, endpoint, kind == STATUS_LOST ? "since" : "time", time) < 0)
		text = NULL;
	free(site);
	free(gateway);
	free(endpoint);
	return text;
}
