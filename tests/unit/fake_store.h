/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_FAKE_STORE_H
#define UNIT_FAKE_STORE_H

/* A store for the outbox in which the test is the writer: it takes the place of core/store.h at link time. What is on "disk"
 * outlives the outbox, and every transaction can be made to fail. */

#include <stdbool.h>

#include "core/store.h"
#include "fake_world.h"

/* A new world with an empty disk. The seed is the dice's. */
void fake_init(uint32_t seed);
void fake_done(void);
/* The process ends: what the writer has begun is done, or fails with `error`; the rest fails. Rows and accounts stay. The outbox must
 * be freed already. */
void fake_end(int error);
/* As store_stop: everything that was handed in is done, and what comes later fails from within. */
void fake_stop(void);
/* The next process begins. */
void fake_begin_life(void);

/* The writer takes up to `n` operations: they cannot be cancelled any more. */
void fake_begin(unsigned n);
/* The writer's transaction ends: with `error` no row of it was inserted and none deleted. Calls all `done`. */
void fake_finish(int error);
/* As fake_finish with an error, but the rows stay on disk: one of two files has them, and they cannot be taken back. */
void fake_finish_half(int error);
/* Both, until nothing is left to do. */
void fake_run(void);
unsigned fake_waiting(void);
unsigned fake_writes(void); /* operations that wrote something, since fake_init */

/* The row on disk by the message's number (fixture_number), or NULL. */
const struct store_row *fake_row(unsigned number);
unsigned fake_rows(void);
unsigned fake_rows_of(unsigned number);
/* Ruins a row: it can be read no more; or it disappears. */
void fake_ruin(unsigned number, bool disappear);
int64_t fake_number(enum ledger_item item);
bool fake_balanced(void);
void fake_set_room(int64_t rows); /* -1: no limit */

#endif
