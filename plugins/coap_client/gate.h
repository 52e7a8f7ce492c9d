/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_GATE_H
#define COAP_CLIENT_GATE_H

/*
 * Stands between libcoap and a device whose messages OSCORE protects: libcoap sends to a socket of ours on the loopback interface, and
 * what comes on it goes on to the device, and back. libcoap takes an answer without OSCORE for one to a protected request, lets a request
 * of anybody choose the keys of a session, stops sending a request again for an answer that is not its own, and sends errors of its own
 * in plain: nothing of that passes the gate, in either direction. Nor does a number that is not reserved, whatever libcoap counts.
 *
 * libcoap tells nobody the number (Partial IV) of a notification, by which an old one is known: it gives the request's, or what stands
 * outside of the protection. So each message of the device gets an id of our own on its way to libcoap, which acknowledges that, and
 * the number is known by it. OSCORE does not protect ids.
 */

#include <sys/socket.h>
#include <tidegate/adapter.h>

#include "sequence.h"

struct gate;

struct gate_calls {
	bool (*expects)(void *arg, uint64_t token);  /* an answer with this token */
	void (*passed)(void *arg);                   /* something came from the device: libcoap is to read it */
	void (*refused)(void *arg, const char *why); /* something did not pass */
	void (*down)(void *arg);                     /* nobody is there (ICMP) */
};

/* `sequence` is lent. Ownership: gate_free. Errors: -errno. */
int gate_new(const struct tg_host *host, const struct sockaddr *device, const struct sequence *sequence,
	     const struct gate_calls *calls, void *arg, struct gate **ret_gate);
void gate_free(struct gate *gate); /* accepts NULL; not from within its calls */

/* The number of the device's message that libcoap has with this id. False: it is an acknowledgement, has none, or is long ago. */
bool gate_number(const struct gate *gate, uint16_t id, uint64_t *ret_number);

/* Where libcoap is to send to. */
const struct sockaddr *gate_address(const struct gate *gate);
/* Where it sends from: nobody else is listened to. */
int gate_attach(struct gate *gate, const struct sockaddr *libcoap, socklen_t size);

#endif
