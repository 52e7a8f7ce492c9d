/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CORE_AUDIT_H
#define CORE_CORE_AUDIT_H

/* What the files that make up the audit (core_audit*.c) share. Each adds its lines (audit.h) to the report. */

#include "core/core_inside.h"
#include "wire/audit_line.h"

/* core_audit_box.c: keys and files at rest, what is kept, how outages are met. */
void core_audit_box(struct core *core, json_t *lines);
/* core_audit_crypto.c: policy, plain listeners, certificates; `below` gets each session and certificate below the policy. */
void core_audit_crypto(struct core *core, json_t *lines, json_t *below);

#endif
