/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_OUT_H
#define CTL_OUT_H

/*
 * A file for secrets that the gateway tells once: it is made (0600) before the gateway is asked, never in the place of another one, and
 * goes again where there is nothing to be written.
 */

#include <stdbool.h>
#include <stdio.h>

struct out {
	const char *path; /* NULL: none is wanted */
	FILE *file;
};

/* Says what is wrong, and returns false, where the file cannot be made. */
bool out_open(struct out *out, const char *path);
/* On disk when it returns; says what is wrong, and returns false, where it is not, and the file goes. */
bool out_keep(struct out *out);
/* What was written so far is on disk when it returns. Errors: -errno: not all of it is, now or before. */
int out_sync(struct out *out);
/* Without a look at what is in it, which stays. */
void out_close(struct out *out);
/* There is nothing to be written. */
void out_drop(struct out *out);

#endif
