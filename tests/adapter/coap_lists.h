/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_LISTS_H
#define TESTS_COAP_LISTS_H

/* What the core lists for the adapter's catalogue: the steps "listed", "entry", "page" and "refused" of coap_conformance.h, and the same
 * for other tests. */

#include "coap_rig.h"

/* So many lists have been asked for by now, and no more; the newest by `reader` (NULL: whoever), from behind this ETag on. */
void lists_expect(size_t count, const char *reader, uint64_t after);
/* An entry of list `number`, which counts from 1. */
void lists_entry(size_t number, const char *device, const char *path, int32_t content_format, int64_t time_wall_us);
/* The end of its page. */
void lists_page(size_t number, uint64_t etag, uint64_t generation, bool more);
void lists_refuse(size_t number, enum tg_verdict verdict);

/* Returns whether it is one of these steps; it is done then. */
bool lists_step(const char *step);

#endif
