/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CORE_LEDGER_H
#define CORE_LEDGER_H

/*
 * The count that must always balance, one account an endpoint:
 *
 *     accepted = delivered + held + dropped by reason
 *
 * It counts custody. A message is accepted and held from the moment that the outbox takes it in; it leaves
 * held when the sink has confirmed it or when it was dropped. One that is refused after all is taken back out of
 * both. Messages that were refused are counted beside the balance, by verdict.
 *
 * What is saved. The store writes the accounts in the same transaction as the rows that they speak of: a row that
 * comes adds one to accepted, a row that goes adds one to what became of it. Messages that were never on disk are
 * added ("unsaved") when something is written anyway and at a graceful stop. So at every commit
 *
 *     accepted saved = delivered saved + dropped saved + rows on disk
 *
 * holds in each file by itself, whatever moment the power is cut at, and a healthy link writes nothing. After a kill the
 * messages that only ever lived in memory are missing on both sides of the balance.
 */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/message.h>

#include "base/cleanup.h"

struct store;
struct ledger;
struct ledger_account;

/* The numbers stand in the file: only append. */
enum ledger_item {
	LEDGER_ACCEPTED = 0,
	LEDGER_DELIVERED = 1,
	LEDGER_REJECTED = 2,   /* dropped: the sink refused it for good */
	LEDGER_EXPIRED = 3,    /* dropped: its route's expiry passed while it was held */
	LEDGER_UNREADABLE = 4, /* dropped: its row on disk was damaged or gone */
	LEDGER_PURGED = 5,     /* dropped: by the operator */
	LEDGER_REFUSED = 6,    /* + enum tg_verdict; not part of the balance */
	LEDGER_ITEMS = LEDGER_REFUSED + TG_UNKNOWN_DEVICE + 1
};

/* The accounts as the store found them. Ownership: the store has to live until ledger_free. */
int ledger_new(struct store *store, struct ledger **ret_ledger) WARN_UNUSED;
/* After store_stop; accepts NULL. */
void ledger_free(struct ledger *ledger);

/* The endpoint's account, opened where it is new. Ownership: lives as long as the ledger. */
int ledger_account(struct ledger *ledger, const char *endpoint, struct ledger_account **ret_account) WARN_UNUSED;

/* A message is taken into custody. */
void ledger_accept(struct ledger_account *account);
/* A message leaves custody: LEDGER_DELIVERED or one of the dropped. `on_disk`: the store counts it with its row. */
void ledger_finish(struct ledger_account *account, enum ledger_item item, bool on_disk);
/* Refused after custody. */
void ledger_withdraw(struct ledger_account *account);
/* Refused, before or after custody. */
void ledger_refuse(struct ledger_account *account, enum tg_verdict verdict);
/* The store has turned out not to have counted what was left to it by ledger_finish. */
void ledger_finish_unsaved(struct ledger_account *account, enum ledger_item item);

/* Hands what is unsaved to the store, to be written with what was given to it last. Returns whether something is still on
 * the way or has to wait for what is: call again behind a store_barrier to be sure. */
bool ledger_save(struct ledger_account *account);
/* All accounts. */
bool ledger_save_all(struct ledger *ledger);

int64_t ledger_get(const struct ledger_account *account, enum ledger_item item);
int64_t ledger_held(const struct ledger_account *account);
int64_t ledger_dropped(const struct ledger_account *account);
bool ledger_balanced(const struct ledger_account *account);
const char *ledger_name(const struct ledger_account *account);
/* The account at `index`, or NULL behind the last. */
struct ledger_account *ledger_at(const struct ledger *ledger, unsigned index);

#endif
