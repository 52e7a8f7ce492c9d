/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_BIND_H
#define COAP_DTLS_BIND_H

/*
 * Where a listener listens, and the sockets for it: one that is bound here, with queues of their own for ClientHellos beside it
 * (dtls_sort.h), or those that somebody else has bound and holds, so that nothing is lost while nobody reads.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

enum { DTLS_BIND_GIVEN_MAX = 16 };

struct dtls_bind {
	const struct sockaddr *address;
	socklen_t length;
	bool shared;      /* other processes listen there too (SO_REUSEPORT) */
	const int *given; /* sockets that are bound there already, the first one first; borrowed */
	size_t n_given;   /* 0: it is to be bound */
};

struct dtls_group {
	int fds[DTLS_BIND_GIVEN_MAX]; /* -1: none. The first one is there always */
	sa_family_t family;
	uint16_t port; /* network order */
	bool any;      /* bound to every address of this machine */
	bool sorted;   /* in the order of enum dtls_sort */
};

/* Beside one socket that is given alone others can be bound by the user who has bound that one. Errors: -errno of socket, bind;
 * -EPROTOTYPE: what is given is not for datagrams; -E2BIG: more are given than one process can read. */
int dtls_group_open(const struct dtls_bind *place, struct dtls_group *ret_group);
void dtls_group_close(struct dtls_group *group);

#endif
