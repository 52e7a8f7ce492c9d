/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COMMON_CONTENT_H
#define COMMON_CONTENT_H

/* What the files of settings hold, and digests over them and over settings, by which a reload tells what has changed. What was read
 * may be a secret: it is wiped. For adapters that connect to brokers. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

struct evp_md_ctx_st;

struct content {
	uint8_t *data; /* NULL: the setting is empty */
	size_t size;
};

/* Reads the file of a setting; where that is empty nothing is written. Ownership: content_done. Errors: why it cannot be read;
 * -EFBIG; -ENOMEM. */
int content_read(const struct tg_host *host, const char *setting, struct content *ret_content);
void content_done(struct content *content);

struct tg_bytes content_bytes(const struct content *content);

/* The password that the file holds, without line ends behind it. Ownership: wipe and free it. Errors: -EINVAL: empty, too long, or
 * with a zero byte; -ENOMEM. */
int content_password(const struct content *content, char **ret_password);

/* Adds what was read, or a setting of any type. Returns false without memory. */
bool content_digest(struct evp_md_ctx_st *digest, const struct content *content);
bool content_digest_row(struct evp_md_ctx_st *digest, const struct tg_setting *row, const struct tg_host *host);

#endif
