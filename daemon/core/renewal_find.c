/* SPDX-License-Identifier: Apache-2.0 */
#include "core/renewal_find.h"

#include <stdio.h>

#include "core/renewal_pair.h"

const char *renewal_find(const char *state_dir, const char *endpoint, const char *certificate, const char *key,
			 int64_t now_s, char ret_path[RENEWAL_PATH_MAX])
{
	CLEANUP_CLOSE int slot_fd = -1, certificate_fd = -1, key_fd = -1;
	struct renewal_pair configured, slot;

	if (!state_dir ||
	    snprintf(ret_path, RENEWAL_PATH_MAX, "%s/pki/%s/current.pem", state_dir, endpoint) >= RENEWAL_PATH_MAX)
		return NULL;
	slot_fd = renewal_pair_open(ret_path);
	if (slot_fd < 0)
		return NULL;
	certificate_fd = renewal_pair_open(certificate);
	key_fd = renewal_pair_open(key);
	renewal_pair_read(slot_fd, slot_fd, &slot);
	renewal_pair_read(certificate_fd, key_fd, &configured);
	return renewal_pair_choose(&configured, &slot, now_s) == 1 ? ret_path : NULL;
}
