/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DEVICE_H
#define TESTS_DEVICE_H

/* The parts of the device that device.c describes: device_server.c has its resources, device.c all else. */

#include <coap3/coap.h>
#include <stddef.h>
#include <stdint.h>

/* Adds /set, /slow and /big to the context, and `more`, a path without its first '/' (NULL: none), which is as /set. */
void device_serve(coap_context_t *context, const char *more);
/* The session is about to end: what it was asked is forgotten, and is not answered any more. */
void device_forget(coap_session_t *session);

/* Prints one event that has a name alone. */
void device_print_event(const char *event);
/* Prints a member with bytes as text; those that are not printable ASCII as \u00XX. */
void device_print_text(const char *name, const uint8_t *data, size_t size);
/* The Content-Format, -1: none. */
int device_format(const coap_pdu_t *pdu);
/* Of coap_add_data_large_*: frees `data`. */
void device_release(coap_session_t *session, void *data);

#endif
