/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_WILDCARD_H
#define CORE_WILDCARD_H

/* How the configuration names several devices at once: as a text in which '*' stands for any number of any characters. Nothing
 * else has a meaning of its own. */

#include <stdbool.h>
#include <tidegate/message.h>

/* Takes at most as many steps as both lengths multiplied. */
bool wildcard_match(const char *pattern, struct tg_bytes text);

#endif
