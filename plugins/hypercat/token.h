/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_TOKEN_H
#define HYPERCAT_TOKEN_H

/*
 * The token by which a reader without a certificate proves who it is: "NAME:KEY", the name of an enrolled device and its key in
 * hexadecimal digits, as `tidegatectl device add` has printed it. It comes as `Authorization: Bearer NAME:KEY` (RFC 6750), or as
 * `Authorization: Basic`, of NAME and KEY or, as clients of HyperCat send their keys, of the whole token as user without a password
 * (RFC 7617). Pure.
 */

#include <stdbool.h>
#include <tidegate/message.h>

enum { TOKEN_KEY_MAX = 64 };

struct token {
	char name[TG_DEVICE_MAX + 1];
	size_t name_size;
	uint8_t key[TOKEN_KEY_MAX];
	size_t key_size;
};

/* Reads the value of an Authorization field. Returns whether it is a token. Ownership: `ret_token` is a secret, to be wiped. */
bool token_read(const char *authorization, struct token *ret_token);
void token_wipe(struct token *token);

#endif
