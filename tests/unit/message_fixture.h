/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_MESSAGE_FIXTURE_H
#define UNIT_MESSAGE_FIXTURE_H

/* Messages by number. */

#include "core/message.h"

/* A message that says which one it is, with a payload of that size. */
struct message *fixture_message(unsigned number, size_t payload_size);
/* Which one it is; fails the test where anything in it is not as fixture_message has made it. */
unsigned fixture_number(const struct message *message);

#endif
