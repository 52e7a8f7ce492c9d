/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_TROUBLE_H
#define CORE_TROUBLE_H

/*
 * A trouble that comes and goes, and when its log is worth a line: its beginning and its end, but one that flickers no more often than
 * once a minute. Pure; zeroed to begin with.
 */

#include <stdbool.h>
#include <stdint.h>

enum trouble_news { TROUBLE_NO_NEWS, TROUBLE_BEGINS, TROUBLE_ENDS };

struct trouble {
	bool told;
	int64_t quiet_until_us;
};

/* How it is now. Units: microseconds of the monotonic clock. The end is told of where the beginning was. */
enum trouble_news trouble_note(struct trouble *trouble, bool is_there, int64_t now_us);

#endif
