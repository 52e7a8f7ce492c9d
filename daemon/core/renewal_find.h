/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_FIND_H
#define CORE_RENEWAL_FIND_H

/* Which files an endpoint's own certificate is read from, for those who only look: the watch over certificates, and the checks without a
 * running gateway. */

#include <stdint.h>

#include "core/renewal_slots.h"

/* The renewed pair that is used in place of the configured files, or NULL: those are, or the folder may not be read. A candidate in its
 * trial does not count. */
const char *renewal_find(const char *state_dir, const char *endpoint, const char *certificate, const char *key,
			 int64_t now_s, char ret_path[RENEWAL_PATH_MAX]);

#endif
