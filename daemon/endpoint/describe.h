/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_DESCRIBE_H
#define ENDPOINT_DESCRIBE_H

/*
 * Prints an adapter's descriptor as one JSON object: how the core learns of adapters without loading their code. Roles, needs
 * and flags are lists of words, a setting's type is the number of enum tg_setting_type, and null is a NULL.
 */

#include <tidegate/adapter.h>

#include "base/cleanup.h"

/* Errors: -ENOMEM: out of memory, or text that is no UTF-8; -EIO. */
int describe_adapter(const struct tg_adapter *adapter) WARN_UNUSED;

#endif
