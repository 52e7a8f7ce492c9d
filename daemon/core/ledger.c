/* SPDX-License-Identifier: Apache-2.0 */
#include "core/ledger.h"

#include <errno.h>
#include <string.h>

#include "core/store.h"

struct ledger_account {
	struct ledger *ledger;
	const char *name;
	int64_t total[LEDGER_ITEMS];
	int64_t held;
	int64_t unsaved[LEDGER_ITEMS];
	bool dirty;         /* something in `unsaved` is not 0 */
	bool saving;        /* `op` and `count` are with the store */
	struct store_op op; /* first of its kind: see account_of */
	struct store_count count;
};

struct ledger {
	struct store *store;
	unsigned count;
	struct ledger_account *accounts[STORE_ENDPOINTS_MAX];
};

static struct ledger_account *account_of(struct store_op *op)
{
	return (struct ledger_account *)((char *)op - offsetof(struct ledger_account, op));
}

static int open_account(struct ledger *ledger, uint32_t endpoint)
{
	struct ledger_account *account = calloc(1, sizeof(*account));

	if (!account)
		return -ENOMEM;
	account->ledger = ledger;
	account->name = store_endpoint_name(ledger->store, endpoint);
	account->count.endpoint = endpoint;
	for (int item = 0; item < LEDGER_ITEMS; item++)
		account->total[item] = store_found_count(ledger->store, endpoint, (enum ledger_item)item);
	account->held = store_found_rows(ledger->store, endpoint);
	ledger->accounts[ledger->count++] = account;
	return 0;
}

int ledger_new(struct store *store, struct ledger **ret_ledger)
{
	struct ledger *ledger = calloc(1, sizeof(*ledger));
	int r = ledger ? 0 : -ENOMEM;

	if (ledger)
		ledger->store = store;
	for (uint32_t i = 0; r >= 0 && store_endpoint_name(store, i); i++)
		r = open_account(ledger, i);
	if (r < 0) {
		ledger_free(ledger);
		return r;
	}
	*ret_ledger = ledger;
	return 0;
}

void ledger_free(struct ledger *ledger)
{
	if (!ledger)
		return;
	for (unsigned i = 0; i < ledger->count; i++)
		free(ledger->accounts[i]);
	free(ledger);
}

int ledger_account(struct ledger *ledger, const char *endpoint, struct ledger_account **ret_account)
{
	uint32_t number;
	int r = store_endpoint(ledger->store, endpoint, &number);

	/* The store numbers its endpoints from 0 on, and so do we. */
	while (r >= 0 && ledger->count <= number)
		r = open_account(ledger, ledger->count);
	if (r >= 0)
		*ret_account = ledger->accounts[number];
	return r;
}

static void add_unsaved(struct ledger_account *account, int item, int64_t add)
{
	account->unsaved[item] += add;
	account->dirty = true;
}

void ledger_accept(struct ledger_account *account)
{
	account->total[LEDGER_ACCEPTED]++;
	account->held++;
}

void ledger_finish(struct ledger_account *account, enum ledger_item item, bool on_disk)
{
	account->total[item]++;
	account->held--;
	if (!on_disk)
		ledger_finish_unsaved(account, item);
}

void ledger_finish_unsaved(struct ledger_account *account, enum ledger_item item)
{
	add_unsaved(account, LEDGER_ACCEPTED, 1);
	add_unsaved(account, (int)item, 1);
}

void ledger_withdraw(struct ledger_account *account)
{
	account->total[LEDGER_ACCEPTED]--;
	account->held--;
}

void ledger_refuse(struct ledger_account *account, enum tg_verdict verdict)
{
	int item = LEDGER_REFUSED + (verdict <= TG_UNKNOWN_DEVICE ? (int)verdict : TG_UNAVAILABLE);

	account->total[item]++;
	add_unsaved(account, item, 1);
}

static void on_saved(struct store_op *op, int result)
{
	struct ledger_account *account = account_of(op);

	account->saving = false;
	for (int item = 0; result < 0 && item < LEDGER_ITEMS; item++) {
		if (account->count.add[item])
			add_unsaved(account, item, account->count.add[item]);
	}
}

bool ledger_save(struct ledger_account *account)
{
	if (account->saving || !account->dirty)
		return account->saving;
	memcpy(account->count.add, account->unsaved, sizeof(account->unsaved));
	memset(account->unsaved, 0, sizeof(account->unsaved));
	account->dirty = false;
	account->saving = true;
	store_add(account->ledger->store, &account->op, &account->count, on_saved);
	return true;
}

bool ledger_save_all(struct ledger *ledger)
{
	bool busy = false;

	for (unsigned i = 0; i < ledger->count; i++)
		busy |= ledger_save(ledger->accounts[i]);
	return busy;
}

int64_t ledger_get(const struct ledger_account *account, enum ledger_item item)
{
	return account->total[item];
}

int64_t ledger_held(const struct ledger_account *account)
{
	return account->held;
}

int64_t ledger_dropped(const struct ledger_account *account)
{
	return account->total[LEDGER_REJECTED] + account->total[LEDGER_EXPIRED] + account->total[LEDGER_UNREADABLE] +
	       account->total[LEDGER_PURGED];
}

bool ledger_balanced(const struct ledger_account *account)
{
	return account->held >= 0 && account->total[LEDGER_ACCEPTED] ==
					     account->total[LEDGER_DELIVERED] + account->held + ledger_dropped(account);
}

const char *ledger_name(const struct ledger_account *account)
{
	return account->name;
}

struct ledger_account *ledger_at(const struct ledger *ledger, unsigned index)
{
	return index < ledger->count ? ledger->accounts[index] : NULL;
}
