/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_LOAD_H
#define ENDPOINT_LOAD_H

/* Finds and checks an adapter's shared object. Once loaded it stays until the process ends. */

#include <tidegate/adapter.h>

#include "base/cleanup.h"

/* Loads DIR/NAME.so and fills in `ret_adapter`, of which what lies behind the adapter's own size is empty. On failure says why,
 * in one line, in `ret_error`. Errors: -EINVAL: a name with other characters than a-z, 0-9, '_' and '-'; -ENOENT: not loadable;
 * -EPROTO: it breaks the contract. */
enum { LOAD_ERROR_SIZE = 512 };
int load_adapter(const char *dir, const char *name, struct tg_adapter *ret_adapter,
		 char ret_error[LOAD_ERROR_SIZE]) WARN_UNUSED;

#endif
