/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DEVICE_RIG_H
#define TESTS_DEVICE_RIG_H

/*
 * The device of tests/integration (its first comment tells what it can do) as a child of a test that has the coap adapter on a
 * mock host (coap_rig.h). Its events are its lines.
 */

#include "coap_rig.h"

struct device;

/* Of the identity with the key RIG_KEY; connected when this returns. `more`: further arguments, NULL behind the last. Ownership:
 * device_end. */
struct device *device_begin(const char *identity, const char *const *more);
/* Closes its standard input and waits for its end, with the adapter at work. */
void device_end(struct device *device);

/* One line to its standard input. */
void device_tell(struct device *device, const char *line);
/* Waits for the next line that contains `text`, behind those that were waited for before; it is lent until the next call. The test
 * fails where none comes. */
const char *device_wait(struct device *device, const char *text);
/* Takes its lines in: a device whose pipe is full does nothing else. */
void device_read(struct device *device);
/* How many lines so far contain `text`. */
unsigned device_count(struct device *device, const char *text);

#endif
