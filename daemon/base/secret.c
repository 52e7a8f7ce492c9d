/* SPDX-License-Identifier: Apache-2.0 */
#include "base/secret.h"

#include <errno.h>
#include <string.h>

int secret_set(struct secret *secret, struct tg_bytes bytes)
{
	if (bytes.size > sizeof(secret->data))
		return -EMSGSIZE;
	if (bytes.size)
		memcpy(secret->data, bytes.data, bytes.size);
	secret->size = bytes.size;
	return 0;
}

void secret_wipe(struct secret *secret)
{
	explicit_bzero(secret, sizeof(*secret));
}
