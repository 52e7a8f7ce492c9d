/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_ADDRESS_H
#define HYPERCAT_CLIENT_ADDRESS_H

/* Which network addresses a catalogue must not lead the gateway to: its own, and those that mean something on one link alone. */

#include <stdbool.h>
#include <sys/socket.h>

/* Why an address is no ordinary one ("loopback", "link-local", "multicast", "unspecified"), or NULL. IPv4 addresses that are wrapped in IPv6
 * ones (mapped, compatible, 6to4, NAT64) are taken out first. In static storage. Pure. */
const char *address_objection(const struct sockaddr *address);

/* Whether the address is one of this machine's: then the system would choose it as the source as well. Sends nothing. */
bool address_is_own(const struct sockaddr *address, socklen_t size);

/* Whether `text` is this address in digits. Pure. */
bool address_equals(const struct sockaddr *address, const char *text);

/* `ret_text` has INET6_ADDRSTRLEN bytes. Returns it. */
const char *address_text(const struct sockaddr *address, char *ret_text);

#endif
