/* SPDX-License-Identifier: Apache-2.0 */
#include "adapter/mqtt_front.h"

#include <stdio.h>

const char *front_url(void)
{
	static char url[64];

	snprintf(url, sizeof(url), "mqtts://localhost:%u", front_port);
	return url;
}

void front_setup(void)
{
	rig_setup();
	broker.server[0] = '\0';
	broker_start(&broker);
	front_begin(broker.port);
	mock_set(mock, "broker", front_url());
	mock_set(mock, "certificate", NULL);
	mock_set(mock, "key", NULL);
	mock_set(mock, "trust", broker_file("root.crt"));
}

void front_teardown(void)
{
	front_end();
	rig_teardown();
}

void front_expect_up(void)
{
	ck_assert_int_eq(mock_begin(mock), 0);
	ck_assert_msg(MOCK_UNTIL(mock, mock->link == TG_LINK_UP, RIG_SOON_MS), "down: %s", mock->link_detail);
}

/* `cause`: NULL: the link comes up. */
void front_expect(const char *cause)
{
	if (cause)
		rig_expect_failure(cause);
	else
		front_expect_up();
}
