/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_AUDIT_BOX_H
#define CTL_AUDIT_BOX_H

/* The lines of the audit that tidegatectl can see better than the gateway: they have the form of the core's (see tidegatectl(1)). */

#include <jansson.h>

/* Who may use the control socket. */
void audit_box_socket(json_t *lines, const char *run_dir);
/* Updates that apt knows of, without asking the network. Blocks: up to a minute. */
void audit_box_updates(json_t *lines);
/* Where problems are reported to. */
void audit_box_reports(json_t *lines);

#endif
