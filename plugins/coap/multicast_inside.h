/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_MULTICAST_INSIDE_H
#define COAP_MULTICAST_INSIDE_H

/* What multicast.c, which answers, and multicast_join.c, which has the sockets, share. */

#include <net/if.h>

#include "multicast.h"

enum { MULTICAST_GROUPS = 5, MULTICAST_SOCKETS_MAX = MULTICAST_GROUPS * MULTICAST_INTERFACES_MAX };

union multicast_address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
};

/* What it is reached at, when the sockets were made; unspecified: nothing of that kind. */
struct multicast_interface {
	uint32_t index;
	struct in_addr v4;
	struct in6_addr v6;
	struct in6_addr link_local;
};

struct multicast_socket {
	struct multicast *multicast;
	int fd;
	struct tg_watch *watch;
};

/* An answer whose time has not come. */
struct multicast_waiting {
	int64_t due_us;
	int fd;
	uint16_t id; /* of the request */
	union multicast_address peer;
	size_t size; /* 0: this place is free */
	uint8_t bytes[MULTICAST_DATAGRAM_MAX];
};

struct multicast {
	struct multicast_setup setup;
	struct sockaddr_storage listener;
	struct tg_timer *timer;
	uint64_t random;
	uint16_t next_id;
	struct multicast_interface interfaces[MULTICAST_INTERFACES_MAX];
	size_t n_interfaces;
	struct multicast_socket sockets[MULTICAST_SOCKETS_MAX];
	size_t n_sockets;
	struct multicast_waiting waiting[MULTICAST_WAITING_MAX];
};

/* Finds the interfaces and joins the groups. Logs what is wrong. */
int multicast_join(struct multicast *multicast);
/* Where the listener is for who asks from `peer` by this interface. Returns false where it is not to be reached that way. */
bool multicast_base(const struct multicast *multicast, uint32_t interface, const struct sockaddr *peer,
		    char ret_base[MULTICAST_BASE_MAX]);

#endif
