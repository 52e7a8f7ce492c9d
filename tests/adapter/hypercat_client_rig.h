/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HYPERCAT_CLIENT_RIG_H
#define TESTS_HYPERCAT_CLIENT_RIG_H

/* The hypercat_client adapter on a mock host, and nginx as the server of catalogues: it has ETags of its own, and we did not write it. */

#include <check.h>

#include "mock_host.h"

struct pki;

enum { RIG_SOON_MS = 40000 };

extern struct mock_host *mock;
extern struct pki rig_root; /* what is trusted, as root.crt */

/* The fixture of each test: a folder, certificates, a server that runs, a mock host whose settings name it. */
void rig_setup(void);
void rig_teardown(void);

/* What nginx is to say besides, in its `server` block. Before rig_serve. */
void rig_configure(const char *text);
/* Shows the certificate of this authority for these names ("DNS:localhost,IP:127.0.0.1"). Runs from now on. */
void rig_serve(const struct pki *authority, const char *names, struct pki *ret_pki);
void rig_stop_server(void);

/* A file that is served; its name without a leading '/'. Types go by the ending: .txt, .json. */
void rig_put(const char *name, const char *text);
/* The catalogue /cat with these items, names as above, ended by NULL. */
void rig_list(const char *const *names);

/* A path in the test's folder; stays for a few calls. */
const char *rig_file(const char *name);
/* Puts what the descriptor holds there. Ownership: takes the descriptor. */
void rig_save(const char *name, int from);

/* How many requests for "/name" nginx has answered with this status; 0: any. */
unsigned rig_asked(const char *name, unsigned status);

size_t rig_readings_of(const char *path);
/* Ends the test where there is none. */
const struct mock_submission *rig_last_of(const char *path);

#endif
