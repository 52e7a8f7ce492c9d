/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_DTLS_SORT_H
#define COAP_DTLS_SORT_H

/*
 * ClientHellos kept apart from everything else: they are what a stranger can send as fast as his line allows, and in one
 * queue with the datagrams of live sessions they would push those out. The kernel sorts them, into a group of sockets that share one
 * address (SO_REUSEPORT), each of them with a queue of its own.
 */

/* The places in the group, in the order in which the sockets are bound. */
enum dtls_sort {
	DTLS_SORT_SESSIONS,
	DTLS_SORT_HELLO,  /* without a cookie: anybody's */
	DTLS_SORT_COOKIE, /* a ClientHello that says that it brings its cookie back */
	DTLS_SORTS
};

/* From now on the kernel sorts what comes for the group that `fd` is of. Errors: -errno: everything goes to any of them. */
int dtls_sort_attach(int fd);

/* Undoes it: the kernel spreads what comes by the peers' addresses. Where nothing sorts it does nothing. */
void dtls_sort_detach(int fd);

#endif
