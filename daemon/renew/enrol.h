/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_ENROL_H
#define RENEW_ENROL_H

/*
 * One job from its files to its outcome. enrol_prepare reads what is on disk, makes the key and the request and writes them down, so
 * that a request that a server wants to think about (202) is repeated as it was; enrol_run, behind the sandbox, reads what comes from
 * elsewhere.
 *
 * Over EST: cacerts first, then simplereenroll with the old certificate as long as that is valid, else simpleenroll with the
 * password, which also is the second try where the server does not take the old certificate.
 */

#include "renew/job.h"
#include "renew/outcome.h"

struct enrol;

/* Ownership: enrol_free; the job stays the caller's. Errors: as noted in `ret_outcome`. */
int enrol_prepare(const struct job *job, struct outcome *ret_outcome, struct enrol **ret_enrol) WARN_UNUSED;
void enrol_free(struct enrol *enrol); /* accepts NULL */
CLEANUP_DEFINE(struct enrol *, enrol_free)

/* Errors: as noted in `ret_outcome`. */
int enrol_run(struct enrol *enrol, struct outcome *ret_outcome) WARN_UNUSED;

#endif
