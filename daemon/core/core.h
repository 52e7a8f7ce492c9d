/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_CORE_H
#define CORE_CORE_H

/*
 * The gateway itself, and the one place where its stages are joined. The life of a message, told once:
 *
 * An endpoint process authenticates a device and hands a message in (FRAME_SUBMIT, supervisor.h). Intake asks the registry whether the
 * device may, makes a message of it, and asks the router where it goes. Each outbox named there takes a reference and holds the
 * receipt. The outbox sends it to its sink's process (FRAME_DELIVER) while the link keeps up, and to the store when it does not; as soon as
 * the route's `ack` is fulfilled it settles the receipt, and intake answers the process that handed it in (FRAME_VERDICT), which lets the device
 * know. When the sink has confirmed (FRAME_DELIVERED) the outbox lets go. The ledger counts every step.
 */

#include "base/loop.h"

struct core;
struct config;
struct descriptor_set;
struct activation;

struct core_places {
	const char *config_file;
	const char *state_dir;
	const char *run_dir;
	const char *adapter_dir;
	const char *endpoint_program;
	const char *renew_program;
	const char *clock_socket; /* of tidegate-clock */
};

/* Opens store, registry and sockets and starts the endpoints; READY=1 is told once they run. Logs what goes wrong.
 * Ownership: takes a reference of `config`; `places`, `adapters` and `activation` stay the caller's. Errors: -errno. */
int core_new(struct loop *loop, const struct core_places *places, struct descriptor_set *adapters,
	     struct activation *activation, struct config *config, struct core **ret_core) WARN_UNUSED;
void core_free(struct core *core);

/* Ends in good order: sources first, then what is held goes to the sinks or to the disk; loop_exit when done, at the latest after
 * the configured deadline. */
void core_stop(struct core *core);
/* The same for a restart: endpoint processes that the next core can take over stay, and keep their sessions. A core_stop that comes
 * later ends them as well. */
void core_leave(struct core *core);

/* Reads the configuration again: all of it or, where it has errors, nothing. Logs the outcome. */
void core_reload(struct core *core);

#endif
