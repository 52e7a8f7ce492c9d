/* SPDX-License-Identifier: Apache-2.0 */
#include "counters.h"

#include <stddef.h>

const char *const counters_names[] = {
	[COUNT_TOPICS] = "topics",
	[COUNT_SAMPLES] = "samples",
	[COUNT_ACCEPTED] = "accepted",
	[COUNT_REFUSED] = "refused",
	[COUNT_AGAIN] = "again",
	[COUNT_WAITING] = "waiting",
	[COUNT_MALFORMED] = "malformed",
	[COUNT_UNKNOWN_TYPES] = "unknown_types",
	[COUNT_INCOMPATIBLE] = "incompatible",
	[COUNT_WRITTEN] = "written",
	[COUNT_CONFIRMED] = "confirmed",
	[COUNT_REJECTED] = "rejected",
	[COUNT_WRITTEN_AGAIN] = "written_again",
	[N_COUNTERS] = NULL,
};
