/* SPDX-License-Identifier: Apache-2.0 */
#ifndef HYPERCAT_CLIENT_NAMES_H
#define HYPERCAT_CLIENT_NAMES_H

/* Looks up host names in threads, because the C library's look-up blocks for as long as no name server answers. libcurl would do the same,
 * but with a pair of sockets for each look-up, which the sandbox does not permit. */

#include <tidegate/adapter.h>

enum { NAMES_MOST = 8, NAMES_TEXT = 512 };

struct names_question;

/* `addresses`: up to NAMES_MOST in digits with commas between, those of IPv6 in brackets, as libcurl wants them; NULL where there is none, and
 * `problem` says why. In the main thread. */
typedef void names_done_fn(void *arg, const char *addresses, const char *problem);

/* Ends in one call of `done`, unless names_forget comes before or memory runs out. Errors: -EAGAIN, -ENOMEM: no thread. */
int names_ask(const struct tg_host *host, const char *name, names_done_fn *done, void *arg,
	      struct names_question **ret_question);

/* Nothing comes any more; the thread ends by itself. Accepts NULL. */
void names_forget(struct names_question *question);

#endif
