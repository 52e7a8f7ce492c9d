/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CORE_DEVICE_H
#define CORE_CORE_DEVICE_H

/* What the commands about devices share (core_device*.c). */

#include "core/core_inside.h"

const char *core_device_proof(enum device_proof proof);
json_t *core_device_describe(const struct device *device);
/* What is told once: the new key, in hexadecimal digits. */
json_t *core_device_with_key(const struct core *core, const struct device *device, const struct secret *key);

/* The endpoint of that name (NULL: the only one that authenticates devices). Returns NULL with *ret_problem set, for
 * control_fail's "%s", where there is none. */
const char *core_device_endpoint(struct core *core, const char *name, char *ret_problem, size_t room);

/* In words what `error` of a change of that device means; `ret_text` has CORE_DEVICE_PROBLEM bytes. Returns the word for programs. */
enum { CORE_DEVICE_PROBLEM = 1400 };
const char *core_device_problem(struct core *core, const char *name, int error, char ret_text[CORE_DEVICE_PROBLEM]);
void core_device_fail(struct core *core, struct control_call *call, const char *name, int error);

/* Tells every process of its endpoint that its sessions are over. */
void core_device_end(struct core *core, const struct device *device);

#endif
