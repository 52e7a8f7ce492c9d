/* SPDX-License-Identifier: Apache-2.0 */
#ifndef RENEW_FILES_H
#define RENEW_FILES_H

/* The files of a job, which the core opened: read whole, written whole. */

#include "base/buffer.h"

struct evp_pkey_st;
struct stack_st_X509;
struct X509_req_st;

enum { FILES_MAX = 1024 * 1024 };

/* Reads it from its start. Ownership: buffer_done; it is wiped then. Errors: -EFBIG; as of read(2); -ENOMEM. */
int files_read(int fd, struct buffer *ret_text) WARN_UNUSED;

/* Each of them may be NULL. PEM. Errors: -errno. */
int files_write(int fd, struct stack_st_X509 *chain, struct evp_pkey_st *key, struct X509_req_st *request) WARN_UNUSED;

#endif
