/* SPDX-License-Identifier: Apache-2.0 */
#ifndef ENDPOINT_ROUND_H
#define ENDPOINT_ROUND_H

/* One round of settings from the core, kept as it came until CONFIGURED names the adapter whose rows it is to be read by. */

#include <sys/queue.h>

#include "endpoint/settings.h"
#include "wire/frame.h"

enum { ROUND_BYTES_MAX = 4 * 1024 * 1024, ROUND_FILES_MAX = 256 };

struct round_note;
STAILQ_HEAD(round_list, round_note);

struct round {
	struct round_list notes;
	size_t bytes;
	unsigned n_files;
};

void round_init(struct round *round);
/* Forgets what came, for the next round. */
void round_done(struct round *round);

/* Ownership: `fd` is taken in any case. Errors: -EMSGSIZE: more than any endpoint has; -ENOMEM. */
int round_add(struct round *round, const struct frame_setting *setting, int fd) WARN_UNUSED;

/* A socket for an entry of a list. Ownership: `fd` is taken in any case. Errors: as round_add; -EBADMSG: no descriptor came. */
int round_add_socket(struct round *round, const struct frame_socket *socket, int fd) WARN_UNUSED;

/* One more pattern of a route from this endpoint. Errors: as round_add. */
int round_add_route(struct round *round, struct tg_bytes pattern) WARN_UNUSED;

/* Makes settings of what came; the descriptors go over to them. `*ret_name` is the one that is wrong, lent by the round, and
 * empty where none is. Errors: those of settings.h. */
int round_build(struct round *round, const struct tg_setting *rows, struct settings **ret_settings,
		struct tg_bytes *ret_name) WARN_UNUSED;

#endif
