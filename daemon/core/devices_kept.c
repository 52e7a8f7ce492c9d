/* SPDX-License-Identifier: Apache-2.0 */

/* Secrets of the gateway that lie in the registry's file beside the devices' keys, sealed like them. */

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"
#include "core/devices_private.h"
#include "core/trust_seal.h"

enum { NAME_MAX_BYTES = 128 };

/* Also the context that it is sealed for. */
static int name_of(const char *name, char ret_name[NAME_MAX_BYTES])
{
	return snprintf(ret_name, NAME_MAX_BYTES, "kept %s", name) < NAME_MAX_BYTES ? 0 : -EINVAL;
}

int devices_keep(struct devices *devices, const char *name, struct tg_bytes clear)
{
	uint8_t sealed[DEVICES_KEPT_MAX + TRUST_SEAL_EXTRA];
	char full[NAME_MAX_BYTES];
	int r = name_of(name, full);

	if (r < 0 || clear.size > DEVICES_KEPT_MAX)
		return -EINVAL;
	if (devices_is_locked(devices))
		return -ENOKEY;
	r = trust_seal(&devices->data, bytes_text(full), clear, sealed);
	if (r < 0)
		return r;
	r = devices_file_begin(devices->file);
	if (r < 0)
		return r;
	r = devices_file_set_value(devices->file, full, bytes_of(sealed, clear.size + TRUST_SEAL_EXTRA));
	if (r >= 0)
		return devices_file_commit(devices->file);
	devices_file_rollback(devices->file);
	return r;
}

int devices_kept(struct devices *devices, const char *name, uint8_t ret_clear[DEVICES_KEPT_MAX])
{
	uint8_t sealed[DEVICES_KEPT_MAX + TRUST_SEAL_EXTRA];
	char full[NAME_MAX_BYTES];
	int r = name_of(name, full);

	if (r < 0)
		return r;
	if (devices_is_locked(devices))
		return -ENOKEY;
	r = devices_file_value(devices->file, full, sealed, sizeof(sealed));
	if (r < 0)
		return r;
	return trust_unseal(&devices->data, bytes_text(full), bytes_of(sealed, (size_t)r), ret_clear);
}
