/* SPDX-License-Identifier: Apache-2.0 */
#include "core/certs.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"

/* A device whose certificate expired so long ago does not come any more. */
#define PEER_FORGET_US (30 * INT64_C(86400) * CLOCK_S_US)

struct certs {
	struct certs_item *files;
	size_t n_files;
	struct certs_item *peers;
	size_t n_peers;
	size_t left_out;
};

int certs_new(struct certs **ret_certs)
{
	*ret_certs = calloc(1, sizeof(**ret_certs));
	return *ret_certs ? 0 : -ENOMEM;
}

static void item_free(struct certs_item *item)
{
	free(item->place);
	free(item->file);
	free(item);
}

void certs_free(struct certs *certs)
{
	struct certs_item *next;

	if (!certs)
		return;
	for (struct certs_item *item = certs->files; item; item = next) {
		next = item->next;
		item_free(item);
	}
	for (struct certs_item *item = certs->peers; item; item = next) {
		next = item->next;
		item_free(item);
	}
	free(certs);
}

static void item_fill(struct certs_item *item, const struct certs_find *find)
{
	item->role = find->role;
	item->listens = find->listens;
	item->renews = find->renews;
	item->found = true;
	item->facts = find->facts ? *find->facts : (struct trust_x509){.list = false};
	snprintf(item->problem, sizeof(item->problem), "%s", find->facts ? "" : find->problem);
}

static int item_new(const struct certs_find *find, struct certs_item **ret_item)
{
	struct certs_item *item = calloc(1, sizeof(*item));

	if (!item)
		return -ENOMEM;
	item->place = strdup(find->place);
	item->file = strdup(find->file);
	if (!item->place || !item->file) {
		item_free(item);
		return -ENOMEM;
	}
	snprintf(item->endpoint, sizeof(item->endpoint), "%s", find->endpoint);
	item->number = find->number;
	item_fill(item, find);
	*ret_item = item;
	return 0;
}

static struct certs_item *item_find(struct certs_item *list, const struct certs_find *find)
{
	for (; list; list = list->next) {
		if (list->number == find->number && strcmp(list->endpoint, find->endpoint) == 0 &&
		    strcmp(list->place, find->place) == 0)
			return list;
	}
	return NULL;
}

void certs_begin(struct certs *certs)
{
	for (struct certs_item *item = certs->files; item; item = item->next)
		item->found = false;
}

int certs_found(struct certs *certs, const struct certs_find *find)
{
	struct certs_item *item = item_find(certs->files, find);
	int r;

	if (item && strcmp(item->file, find->file) == 0) {
		item_fill(item, find);
		return 0;
	}
	if (certs->n_files >= CERTS_FILES_MAX)
		return -ENOBUFS;
	r = item_new(find, &item);
	if (r < 0)
		return r;
	item->next = certs->files;
	certs->files = item;
	certs->n_files++;
	return 0;
}

void certs_end(struct certs *certs)
{
	for (struct certs_item **place = &certs->files; *place;) {
		struct certs_item *item = *place;

		if (item->found) {
			place = &item->next;
			continue;
		}
		*place = item->next;
		certs->n_files--;
		item_free(item);
	}
}

static struct certs_item **peer_last(struct certs *certs)
{
	struct certs_item **last = &certs->peers;

	for (struct certs_item **place = &certs->peers; *place; place = &(*place)->next) {
		if ((*place)->facts.until_wall_us > (*last)->facts.until_wall_us)
			last = place;
	}
	return last;
}

static void peer_remove(struct certs *certs, struct certs_item **place)
{
	struct certs_item *item = *place;

	*place = item->next;
	certs->n_peers--;
	item_free(item);
}

static void peers_forget(struct certs *certs, int64_t wall_us)
{
	for (struct certs_item **place = &certs->peers; *place;) {
		if ((*place)->facts.until_wall_us < wall_us - PEER_FORGET_US)
			peer_remove(certs, place);
		else
			place = &(*place)->next;
	}
}

int certs_shown(struct certs *certs, const struct certs_find *find, int64_t wall_us)
{
	struct certs_item *item = item_find(certs->peers, find);
	int r;

	if (item) {
		item_fill(item, find);
		return 0;
	}
	if (certs->n_peers >= CERTS_PEERS_MAX) {
		struct certs_item **last;

		peers_forget(certs, wall_us);
		last = peer_last(certs);
		if (certs->n_peers >= CERTS_PEERS_MAX) {
			certs->left_out++;
			if ((*last)->facts.until_wall_us <= find->facts->until_wall_us)
				return 0;
			peer_remove(certs, last);
		}
	}
	r = item_new(find, &item);
	if (r < 0)
		return r;
	item->next = certs->peers;
	certs->peers = item;
	certs->n_peers++;
	return 0;
}

size_t certs_left_out(const struct certs *certs)
{
	return certs->left_out;
}

static int64_t least(int64_t a, int64_t b)
{
	return a < b ? a : b;
}

void certs_marks(const struct certs_item *item, int64_t urgent_us, int64_t *ret_renew_wall_us,
		 int64_t *ret_urgent_wall_us)
{
	int64_t from_us = item->facts.from_wall_us, until_us = item->facts.until_wall_us, life_us, last_us;

	*ret_renew_wall_us = *ret_urgent_wall_us = INT64_MAX;
	/* A revocation list is made anew each time, soon before it is due. */
	if (*item->problem || until_us == INT64_MAX || item->facts.list)
		return;
	life_us = until_us - from_us;
	last_us = least(urgent_us, life_us / 6);
	if (last_us < life_us / 10)
		last_us = life_us / 10;
	*ret_urgent_wall_us = until_us - last_us;
	*ret_renew_wall_us = from_us + life_us / 3 * 2;
}

enum certs_state certs_state_at(const struct certs_item *item, int64_t wall_us, int64_t urgent_us,
				int64_t *ret_next_wall_us)
{
	int64_t renew_us, urgent_at_us;

	*ret_next_wall_us = INT64_MAX;
	if (*item->problem)
		return CERTS_UNUSABLE;
	if (wall_us > item->facts.until_wall_us)
		return CERTS_EXPIRED;
	if (wall_us < item->facts.from_wall_us) {
		*ret_next_wall_us = item->facts.from_wall_us;
		return CERTS_EARLY;
	}
	certs_marks(item, urgent_us, &renew_us, &urgent_at_us);
	if (wall_us < renew_us && renew_us != INT64_MAX) {
		*ret_next_wall_us = renew_us;
		return CERTS_FINE;
	}
	if (wall_us < urgent_at_us && urgent_at_us != INT64_MAX) {
		*ret_next_wall_us = urgent_at_us;
		return CERTS_RENEW;
	}
	if (item->facts.until_wall_us != INT64_MAX)
		*ret_next_wall_us = item->facts.until_wall_us + 1;
	return renew_us == INT64_MAX ? CERTS_FINE : CERTS_URGENT;
}

static int64_t judge_list(struct certs_item *list, int64_t wall_us, int64_t urgent_us, certs_change_fn *fn, void *arg)
{
	int64_t due_us = INT64_MAX, next_us;

	for (struct certs_item *item = list; item; item = item->next) {
		enum certs_state before = item->state;

		item->state = certs_state_at(item, wall_us, urgent_us, &next_us);
		due_us = least(due_us, next_us);
		if (item->state != before)
			fn(arg, item, before);
	}
	return due_us;
}

int64_t certs_judge(struct certs *certs, int64_t wall_us, int64_t urgent_us, certs_change_fn *fn, void *arg)
{
	int64_t files_us, peers_us;

	peers_forget(certs, wall_us);
	files_us = judge_list(certs->files, wall_us, urgent_us, fn, arg);
	peers_us = judge_list(certs->peers, wall_us, urgent_us, fn, arg);
	return least(files_us, peers_us);
}

static int compare(const void *a, const void *b)
{
	const struct certs_item *one = *(const struct certs_item *const *)a,
				*two = *(const struct certs_item *const *)b;
	int r;

	if (one->facts.until_wall_us != two->facts.until_wall_us)
		return one->facts.until_wall_us < two->facts.until_wall_us ? -1 : 1;
	r = strcmp(one->endpoint, two->endpoint);
	if (r == 0)
		r = strcmp(one->place, two->place);
	return r ? r : (int)one->number - (int)two->number;
}

int certs_list(const struct certs *certs, const struct certs_item ***ret_list, size_t *ret_count)
{
	const struct certs_item **list = calloc(certs->n_files + certs->n_peers + 1, sizeof(struct certs_item *));
	size_t count = 0;

	if (!list)
		return -ENOMEM;
	for (const struct certs_item *item = certs->files; item; item = item->next)
		list[count++] = item;
	for (const struct certs_item *item = certs->peers; item; item = item->next)
		list[count++] = item;
	qsort(list, count, sizeof(struct certs_item *), compare);
	*ret_list = list;
	*ret_count = count;
	return 0;
}
