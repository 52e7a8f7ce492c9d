/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include <stddef.h>

const char *const counters_names[] = {
	[COUNT_CONNECTS] = "connects",
	[COUNT_CONNECT_FAILURES] = "connect_failures",
	[COUNT_PUBLISHED] = "published",
	[COUNT_CONFIRMED] = "confirmed",
	[COUNT_REJECTED] = "rejected",
	[COUNT_RELEASED] = "released",
	[COUNT_BYTES] = "bytes",
	[COUNT_IN_FLIGHT] = "in_flight",
	[COUNT_QUEUED] = "queued",
	[COUNT_RECEIVE_MAXIMUM] = "receive_maximum",
	[COUNT_QOS_LOWERED] = "qos_lowered",
	[COUNT_NO_SUBSCRIBERS] = "no_subscribers",
	[COUNT_RECEIVING] = "receiving",
	[COUNT_SUBSCRIPTIONS] = "subscriptions",
	[COUNT_RECEIVED] = "received",
	[COUNT_RECEIVED_AGAIN] = "received_again",
	[COUNT_ACKNOWLEDGED] = "acknowledged",
	[COUNT_WAITING] = "waiting",
	[COUNT_REFUSED] = "refused",
	[COUNT_IGNORED] = "ignored",
	[N_COUNTERS] = NULL,
};
