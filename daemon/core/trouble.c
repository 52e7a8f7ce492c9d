/* SPDX-License-Identifier: Apache-2.0 */
#include "core/trouble.h"

#include "base/clock.h"

static const int64_t quiet_us = 60 * CLOCK_S_US;

enum trouble_news trouble_note(struct trouble *trouble, bool is_there, int64_t now_us)
{
	if (is_there == trouble->told || (is_there && now_us < trouble->quiet_until_us))
		return TROUBLE_NO_NEWS;
	trouble->told = is_there;
	if (is_there)
		trouble->quiet_until_us = now_us + quiet_us;
	return is_there ? TROUBLE_BEGINS : TROUBLE_ENDS;
}
