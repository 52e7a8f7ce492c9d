/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_OSCORE_H
#define COAP_CLIENT_OSCORE_H

/*
 * The security contexts in use, and how far the numbers of each are used up. The core keeps that (tg_host.keep), under a name that is made
 * from the keys: whatever the device is called, the same keys go on with their own numbers, and no two endpoints have them.
 *
 * A context without a note is a new one, and begins at 0; unless the core says that notes were lost, and it was configured when that was
 * found out: then its numbers may be used up, nobody knows how far, and it is of no use any more until it gets other keys.
 */

#include <tidegate/adapter.h>

#include "oscore_file.h"
#include "sequence.h"

struct oscore;
struct oscore_context;

typedef void oscore_changed_fn(void *arg);

/* `changed`: something can be used that could not before, or is of no use any more. Errors: -ENOMEM. */
int oscore_new(const struct tg_host *host, oscore_changed_fn *changed, void *arg, struct oscore **ret_oscore);
void oscore_free(struct oscore *oscore); /* accepts NULL */

/* At the beginning and at each reload, the whole file. What is gone from it is remembered. Errors: -ENOMEM. */
int oscore_apply(struct oscore *oscore, const struct oscore_file *file);

/* The context of the section's keys. Ownership: lives as long as the table. NULL: none was applied. */
struct oscore_context *oscore_find(const struct oscore *oscore, const struct oscore_section *section);

/* Its numbers. */
struct sequence *oscore_sequence(struct oscore_context *context);
/* Why it cannot be used at all; NULL: it can, perhaps not yet. */
const char *oscore_problem(const struct oscore_context *context);
bool oscore_is_ready(const struct oscore_context *context);
/* Numbers were used: asks for the next ones in time. */
void oscore_used(struct oscore_context *context);

/* What the adapter hears of the core. `joined`: one is there, and tells its notes next; until then nothing begins. */
void oscore_joined(struct oscore *oscore);
void oscore_note(struct oscore *oscore, struct tg_bytes name, struct tg_bytes value);
void oscore_noted(struct oscore *oscore, uint64_t loss);
void oscore_kept(struct oscore *oscore, uint64_t token, int result);

#endif
