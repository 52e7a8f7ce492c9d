/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_RENEWAL_SLOTS_H
#define CORE_RENEWAL_SLOTS_H

/*
 * The files of one endpoint's renewal, in pki/ENDPOINT of the state folder, for the gateway's user alone (0600). A pair is the certificate
 * with its chain and its key in one file, so that they never come apart.
 *
 *   pending.pem     the new key and the request, while the certificate is being asked for
 *   incoming.pem    a new pair while it is being written; nobody reads it
 *   candidate.pem   a new pair that waits for its trial, or is in it
 *   current.pem     the pair in use, once there was a renewal
 *   previous.pem    the one before it
 *   request.csr, answer.crt   what goes to and comes from the operator's own tools
 *
 * A pair gets its name by a rename when it is whole and on disk: whatever moment the power goes, current.pem is one that worked, and
 * what stands beside it is left over or tried again.
 */

#include <stdbool.h>

#include "base/cleanup.h"

enum renewal_slot {
	SLOT_PENDING,
	SLOT_INCOMING,
	SLOT_CANDIDATE,
	SLOT_CURRENT,
	SLOT_PREVIOUS,
	SLOT_REQUEST,
	SLOT_ANSWER,
	SLOT_FOLDER
};

struct renewal_slots {
	char *folder;
};

/* Makes the folder, and removes what was left half done. Errors: -errno. Ownership: renewal_slots_done. */
int renewal_slots_init(struct renewal_slots *slots, const char *state_dir, const char *endpoint) WARN_UNUSED;
void renewal_slots_done(struct renewal_slots *slots);

/* The path, in the caller's array. */
enum { RENEWAL_PATH_MAX = 1024 };
const char *renewal_slots_path(const struct renewal_slots *slots, enum renewal_slot slot,
			       char ret_path[RENEWAL_PATH_MAX]);

/* Opens a slot for reading. Errors: -errno. */
int renewal_slots_open(const struct renewal_slots *slots, enum renewal_slot slot) WARN_UNUSED;
/* Opens a slot for reading and writing; `empty`: without what it held. Errors: -errno. */
int renewal_slots_create(const struct renewal_slots *slots, enum renewal_slot slot, bool empty) WARN_UNUSED;

/* incoming is whole: it becomes the candidate. On disk when it returns. Errors: -errno. */
int renewal_slots_take_in(const struct renewal_slots *slots) WARN_UNUSED;
/* The candidate becomes the current one, and that, if any, the previous one. On disk when it returns. Errors: -errno. */
int renewal_slots_promote(const struct renewal_slots *slots) WARN_UNUSED;
/* One that is not there is dropped already. */
void renewal_slots_drop(const struct renewal_slots *slots, enum renewal_slot slot);

#endif
