/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_COUNTERS_H
#define DDS_COUNTERS_H

/* By their place in tg_adapter.counters. */
enum counter {
	COUNT_TOPICS,
	COUNT_SAMPLES,
	COUNT_ACCEPTED,
	COUNT_REFUSED,
	COUNT_AGAIN,
	COUNT_WAITING,
	COUNT_MALFORMED,
	COUNT_UNKNOWN_TYPES,
	COUNT_INCOMPATIBLE,
	COUNT_WRITTEN,
	COUNT_CONFIRMED,
	COUNT_REJECTED,
	COUNT_WRITTEN_AGAIN,
	N_COUNTERS
};

extern const char *const counters_names[];

#endif
