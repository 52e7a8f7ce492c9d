/* SPDX-License-Identifier: Apache-2.0 */
#ifndef COAP_CLIENT_NAMES_H
#define COAP_CLIENT_NAMES_H

/* Looks up host names in threads, because the C library's look-up blocks for as long as no name server answers. Addresses in digits need
 * none. */

#include <sys/socket.h>
#include <tidegate/adapter.h>

struct names_question;

/* `address` is NULL where there is none; `problem` says why. In the main thread. */
typedef void names_done_fn(void *arg, const struct sockaddr *address, const char *problem);

/* Whether the host is an address in digits: then it is filled in. */
bool names_digits(const char *host, uint16_t port, struct sockaddr_storage *ret_address);

/* Of several addresses the one whose turn it is: `turn` counts the attempts that failed. Ends in exactly one call of `done`, unless
 * names_forget comes before. Errors: -EAGAIN, -ENOMEM: no thread. */
int names_ask(const struct tg_host *host, const char *name, uint16_t port, unsigned turn, names_done_fn *done,
	      void *arg, struct names_question **ret_question);

/* Nothing comes any more; the thread ends by itself. Accepts NULL. */
void names_forget(struct names_question *question);

#endif
