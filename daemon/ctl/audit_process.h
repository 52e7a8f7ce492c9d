/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_AUDIT_PROCESS_H
#define CTL_AUDIT_PROCESS_H

/* The audit of the gateway's processes: what each could still do, and which sockets are open to the network. Looked at from outside:
 * the service itself does not see the processes of others, nor more of /proc than its own. */

#include <jansson.h>

/* `running` are the processes that the gateway names; what is seen of them goes to `processes`, and their sockets to `sockets`. */
void audit_processes(json_t *lines, const json_t *running, json_t *processes, json_t *sockets);

#endif
