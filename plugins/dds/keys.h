/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_KEYS_H
#define DDS_KEYS_H

/*
 * How many instances a reader holds, as far as that is seen in the samples that are taken from it. One that a writer has disposed of
 * stays in the reader until that writer has unregistered it too, which no sample tells: those are kept here, and looked at again.
 */

#include <dds/dds.h>
#include <stdbool.h>
#include <stddef.h>

struct ddsi_domaingv;
struct ddsi_serdata;

struct keys {
	struct ddsi_domaingv *domain;
	size_t n; /* all, as far as is known */
	struct ddsi_serdata *
		*ended; /* the keys of those that are not alive; some of them twice, or gone, or alive again */
	size_t n_ended, room;
	size_t n_left; /* of them, at the last look */
};

/* None. Ownership: what is in there ends with it, too; before the reader does. */
void keys_clear(struct keys *keys, struct ddsi_domaingv *domain);

/* What was taken at once, where samples of one instance stand side by side. `full`: there may be more of the last one's.
 * Keys for which there is no memory are not counted any more. */
void keys_count(struct keys *keys, struct ddsi_serdata *const *samples, const dds_sample_info_t *infos, size_t n,
		bool full);

/* Whether there are more than so many. */
bool keys_exceed(struct keys *keys, size_t most);
/* Whether most of them are alive. */
bool keys_are_alive(const struct keys *keys);

#endif
