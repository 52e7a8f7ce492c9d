/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include <stddef.h>

const char *const counters_names[] = {
	[COUNT_CONNECTS] = "connects",   [COUNT_CONNECT_FAILURES] = "connect_failures",
	[COUNT_SENT] = "sent",           [COUNT_CONFIRMED] = "confirmed",
	[COUNT_REJECTED] = "rejected",   [COUNT_RELEASED] = "released",
	[COUNT_BYTES] = "bytes",         [COUNT_IN_FLIGHT] = "in_flight",
	[COUNT_QUEUED] = "queued",       [COUNT_SENDERS] = "senders",
	[COUNT_RECEIVERS] = "receivers", [COUNT_RECEIVED] = "received",
	[COUNT_ACCEPTED] = "accepted",   [COUNT_WAITING] = "waiting",
	[COUNT_REFUSED] = "refused",     [COUNT_RELEASED_BACK] = "released_back",
	[COUNT_IGNORED] = "ignored",     [N_COUNTERS] = NULL,
};
