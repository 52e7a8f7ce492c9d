/* SPDX-License-Identifier: Apache-2.0 */
#include "keys.h"

#include <stdlib.h>

#include "bridge.h"

enum { LOOK_AT_LEAST = 1024 };

void keys_clear(struct keys *keys, struct ddsi_domaingv *domain)
{
	for (size_t i = 0; i < keys->n_ended; i++)
		bridge_release(keys->ended[i]);
	free(keys->ended);
	*keys = (struct keys){.domain = domain};
}

static void one_less(struct keys *keys)
{
	if (keys->n > 0)
		keys->n--;
}

/* Takes over the reference. */
static void remember(struct keys *keys, struct ddsi_serdata *key)
{
	size_t room = keys->room ? 2 * keys->room : 64;
	struct ddsi_serdata **ended = keys->ended;

	if (keys->n_ended == keys->room) {
		ended = reallocarray(keys->ended, room, sizeof(*ended));
		if (!ended) {
			bridge_release(key);
			one_less(keys);
			return;
		}
		keys->ended = ended;
		keys->room = room;
	}
	keys->ended[keys->n_ended++] = key;
}

static bool is_first_life(const dds_sample_info_t *info)
{
	return info->disposed_generation_count == 0 && info->no_writers_generation_count == 0;
}

/* `cut`: this may not have been its last sample. */
static void end_one(struct keys *keys, struct ddsi_serdata *sample, const dds_sample_info_t *info, bool cut)
{
	struct ddsi_serdata *key = bridge_find_key(keys->domain, sample);

	if (key && (!cut || info->instance_state == DDS_NOT_ALIVE_DISPOSED_INSTANCE_STATE))
		remember(keys, key);
	else if (key)
		bridge_release(key);
	else if (is_first_life(info)) /* else it is among the ended ones */
		one_less(keys);
}

void keys_count(struct keys *keys, struct ddsi_serdata *const *samples, const dds_sample_info_t *infos, size_t n,
		bool full)
{
	for (size_t i = 0; i < n; i++) {
		bool first = i == 0 || infos[i - 1].instance_handle != infos[i].instance_handle;
		bool last = i + 1 == n || infos[i + 1].instance_handle != infos[i].instance_handle;

		if (first && infos[i].view_state == DDS_NEW_VIEW_STATE && is_first_life(&infos[i]))
			keys->n++;
		if (last && infos[i].instance_state != DDS_ALIVE_INSTANCE_STATE)
			end_one(keys, samples[i], &infos[i], full && i + 1 == n);
	}
}

static int compare(const void *a, const void *b)
{
	struct ddsi_serdata *const *x = a, *const *y = b;

	return *x < *y ? -1 : *x > *y;
}

static void look(struct keys *keys)
{
	size_t n = keys->n_ended, n_left = 0;

	if (n)
		qsort(keys->ended, n, sizeof(*keys->ended), compare);
	for (size_t i = 0; i < n; i++) {
		struct ddsi_serdata *key = keys->ended[i];

		if (n_left && keys->ended[n_left - 1] == key) {
			bridge_release(key);
		} else if (bridge_has_key(keys->domain, key)) {
			keys->ended[n_left++] = key;
		} else {
			one_less(keys);
			/* not released while it is compared with what follows */
			while (i + 1 < n && keys->ended[i + 1] == key) {
				bridge_release(key);
				i++;
			}
			bridge_release(key);
		}
	}
	keys->n_ended = keys->n_left = n_left;
}

bool keys_exceed(struct keys *keys, size_t most)
{
	if (keys->n > most || keys->n_ended >= 2 * keys->n_left + LOOK_AT_LEAST)
		look(keys);
	return keys->n > most;
}

bool keys_are_alive(const struct keys *keys)
{
	return keys->n_ended < keys->n / 2;
}
