/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DTLS_VERIFY_RIG_H
#define TESTS_DTLS_VERIFY_RIG_H

/* The DTLS server under one device authority, and devices that it is to let in or not. */

#include "adapter/dtls_server.h"

extern struct server server;
extern struct pki root;      /* what is trusted at first */
extern struct pki next_root; /* another one */

/* The fixture of each test. */
void verify_setup(void);
void verify_teardown(void);

/* What the settings say from now on; -1: nothing. Ownership: takes the descriptors. */
int verify_take_over(int trust_fd, int crl_fd, bool expired_crl, const char **ret_problem);
/* These anchors, no lists. `second` may be NULL. */
void verify_trust(const struct pki *first, const struct pki *second);
/* The first anchor, and these revocation lists. */
void verify_lists(const struct pki_list *list, unsigned count, bool expired_crl);

/* A client with this certificate, and with its issuer's where that is given. Ownership: client_free. */
struct client *verify_device(const struct pki *pki, const struct pki *issuer);

void verify_expect_in(const struct pki *pki, const struct pki *issuer);
/* The operator reads why, and which certificate; the peer gets an alert and no more. */
void verify_expect_out(const struct pki *pki, const struct pki *issuer, const char *why);

#endif
