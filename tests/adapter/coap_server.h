/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_COAP_SERVER_H
#define TESTS_COAP_SERVER_H

/*
 * Devices that are CoAP servers, for the tests of the coap_client adapter: libcoap's example servers, built with OpenSSL and with
 * GnuTLS, on loopback. They have /time (observable), /example_data (observable, takes large payloads) and more. Whatever goes wrong
 * here ends the test with a line. Children die with the test.
 */

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#define COAP_SERVER_KEY "a key of the test's"

struct coap_server {
	uint16_t port; /* coap://; coaps:// is on the next one */
	pid_t pid;     /* 0: not running */
	const char *program;
	const char *certificate; /* "NAME": NAME.crt and NAME.key of the folder; NULL: pre-shared key */
	const char *key;         /* NULL: COAP_SERVER_KEY */
	const char *option;      /* one more; NULL: none */
};

/* Makes a folder with ca, other-ca, gateway and device certificates (device, stranger: another name, foreign: under other-ca),
 * NAME.crt and NAME.key each. Once for the whole program. */
void coap_server_make_pki(void);
void coap_server_remove_pki(void);
/* The path of a file in that folder. Valid until the eighth next call. */
const char *coap_server_file(const char *name);

/* A server of this program ("coap-server-openssl") on a free port; not started yet. */
void coap_server_init(struct coap_server *server, const char *program);
/* Starts it and returns when it listens. */
void coap_server_start(struct coap_server *server);
/* Instead of it: one that makes DTLS sessions with this cipher suite alone, and knows no CoAP; returns at once. */
void coap_server_start_suite(struct coap_server *server, const char *suite);
/* Ends it by SIGKILL. */
void coap_server_stop(struct coap_server *server);

/* "NAME coaps://127.0.0.1:PORT". Valid until the eighth next call. */
const char *coap_server_entry(const struct coap_server *server, const char *name, bool secure);

/* Changes a resource through coap-client-notls, from outside. */
void coap_server_put(const struct coap_server *server, const char *path, const char *payload);

#endif
