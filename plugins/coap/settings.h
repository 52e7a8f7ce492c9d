/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_SETTINGS_H
#define COAP_SETTINGS_H

/* The rows of the coap adapter's settings, and their values as the parts of the adapter want them. */

#include "block.h"
#include "catalogue_server.h"
#include "command.h"
#include "directory.h"
#include "dtls.h"
#include "exchange.h"
#include "reader.h"

enum { SETTINGS_LISTEN_MAX = 8 };

extern const struct tg_setting settings_rows[];

struct settings {
	struct dtls_limits dtls;
	struct exchange_limits exchange;
	struct block_limits block;
	struct reader_limits reader;
	const char *readings; /* lent until the next reload */
	struct catalogue_settings catalogue;
	struct command_limits command;
	size_t plain_peers;
	bool has_directory;
	struct directory_limits directory;
};

struct settings_address {
	struct sockaddr_storage address;
	socklen_t length;
	bool secure; /* no: without DTLS, as the settings say in as many words */
};

void settings_read(const struct tg_host *host, struct settings *ret_settings);

/* The listening address at `index`. Logs what is wrong. Errors: -ENOENT: behind the last; -EINVAL. */
int settings_address(const struct tg_host *host, size_t index, struct settings_address *ret_address);

/* What does not go together. Logs it. Errors: -EINVAL. */
int settings_check(const struct tg_host *host);

/* Several processes share the address. */
bool settings_shared(const struct tg_host *host);

/* Ownership: settings_credentials_close, on success. Logs what is wrong. Errors: why a file could not be opened. */
int settings_credentials_open(const struct tg_host *host, struct dtls_credentials *ret_credentials);
void settings_credentials_close(struct dtls_credentials *credentials);

#endif
