/* SPDX-License-Identifier: Apache-2.0 */
#ifndef CTL_DIAG_SCRUB_H
#define CTL_DIAG_SCRUB_H

/*
 * Takes secrets out of text that is to leave the box. The gateway writes none into its log and its answers; this is for what others
 * may have put there, in names, arguments and comments. What is taken out:
 *
 *   - every secret that it was told (scrub_add), as it is
 *   - private keys in PEM
 *   - 32 hexadecimal digits or more in a row: keys look so, and so do a few harmless things
 *   - the value behind password, passwd, passphrase, secret, token or psk and '=' or ':', and behind --password and their like
 *   - user and password in a URL
 */

#include <stddef.h>

struct scrub {
	char **secrets;
	size_t count;
	size_t removed; /* in all texts so far */
};

void scrub_init(struct scrub *scrub);
/* Wipes what it was told. */
void scrub_done(struct scrub *scrub);

/* The lines of a secret file, each on its own. Those shorter than 8 bytes, and the frame of PEM, are no secrets. Ownership: copied. */
void scrub_add(struct scrub *scrub, const char *text);

/* Ownership: free the answer. Errors: NULL: out of memory. */
char *scrub_text(struct scrub *scrub, const char *text);

#endif
