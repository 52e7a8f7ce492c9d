/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_LOGIN_H
#define AMQP_LOGIN_H

/* What the library is to say first: who logs in and how (SASL), and what OPEN has. For wire.c. */

struct options;
struct pn_connection_driver_t;

/* The most sessions at once. */
enum { LOGIN_SESSIONS = 320 };

/* `host`: of the broker. */
void login_begin(struct pn_connection_driver_t *driver, const struct options *options, const char *host);
/* The peer has answered: the library's copy of the password is wiped. */
void login_over(struct pn_connection_driver_t *driver);

#endif
