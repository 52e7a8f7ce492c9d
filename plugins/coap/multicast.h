/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_MULTICAST_H
#define COAP_MULTICAST_H

/*
 * Discovery by multicast (RFC 7252 section 8) on the interfaces that the settings name: who asks all CoAP nodes for /.well-known/core hears, by
 * unicast and after a random time, what there is at the listener with DTLS. Everything else, and everybody from further away than the site, hears
 * nothing. Groups are joined when it is made; addresses of the interfaces are those of that time.
 */

#include <netinet/in.h>
#include <tidegate/adapter.h>

#include "resource.h"

struct multicast;

enum {
	MULTICAST_PORT = 5683,
	MULTICAST_LEISURE_S = 5, /* DEFAULT_LEISURE, RFC 7252 section 4.8 */
	MULTICAST_INTERFACES_MAX = 8,
	MULTICAST_WAITING_MAX = 64,    /* answers; of more requests in that time no notice is taken */
	MULTICAST_DATAGRAM_MAX = 1152, /* of an answer */
	MULTICAST_BASE_MAX = INET6_ADDRSTRLEN + 20
};

/* What is reported, each as one more. */
enum multicast_count { MULTICAST_COUNT_REQUESTS, MULTICAST_COUNT_ANSWERS, MULTICAST_COUNTS };

struct multicast_setup {
	const struct tg_host *host;
	const struct sockaddr *listener;    /* at coaps://; lent for the call of multicast_new */
	const struct resource_links *links; /* lent until multicast_free */
	bool directory;                     /* the groups of directories too (RFC 9176 section 9.5) */
	unsigned counter;                   /* the first of enum multicast_count */
};

/* Joins the groups on the interfaces of the setting "multicast"; without any there is nothing to do, and *ret_multicast is NULL. Logs what
 * is wrong. Errors: -errno of socket, bind; -ENODEV: no such interface, or it is in no group; -ENOMEM. */
int multicast_new(const struct multicast_setup *setup, struct multicast **ret_multicast);
/* Begins to read. */
int multicast_start(struct multicast *multicast);
/* Accepts NULL. */
void multicast_free(struct multicast *multicast);

/* multicast_answer.c, pure: */

/* Link-local, private or loopback. */
bool multicast_is_near(const struct sockaddr *address);
/* The datagram for who asks, or 0: silence. `base`: "coaps://192.0.2.1", in front of each target.
 * Source: RFC 7252 sections 8.1, 8.2; RFC 6690 section 4.1. */
size_t multicast_answer(const struct coap_message *request, const struct resource_links *links, const char *base,
			uint16_t id, uint8_t memory[MULTICAST_DATAGRAM_MAX]);

#endif
