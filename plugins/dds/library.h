/* SPDX-License-Identifier: Apache-2.0 */
#ifndef DDS_LIBRARY_H
#define DDS_LIBRARY_H

/* Types from shared objects made with idlc (setting `types`), for writers that do not describe theirs. Loaded in open. */

#include <dds/dds.h>
#include <tidegate/adapter.h>

struct library {
	struct library_type {
		char *name; /* "plant::Reading" */
		const dds_topic_descriptor_t *descriptor;
	} * types;
	size_t n_types;
};

/* Errors: -EINVAL: not "FILE TYPE"; -ENOENT: no such file, or no such type in it; -ENOTSUP: made without type information; -ENOMEM.
 * It has logged why. */
int library_open(const struct tg_host *host, struct library *ret_library) __attribute__((warn_unused_result));
void library_done(struct library *library);

/* NULL: none of this name. */
const dds_topic_descriptor_t *library_find(const struct library *library, const char *type_name);

#endif
