/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_CLIENT_H
#define BENCH_CLIENT_H

/*
 * DTLS 1.2 clients (OpenSSL) on top of a batch: thousands of sessions, each belonging to one peer of the batch. What a session sends goes to
 * the batch; datagrams received for its peer are handed in. With `tickets` a session that was closed can be resumed by its ticket
 * (RFC 5077). Used by one thread.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

struct batch;
struct client_context;
struct client; /* one session */

/* Who the peer is: a PSK identity with its key, or a certificate with its key (PEM files). Lent for the life of the session. */
struct client_identity {
	const char *name;
	const uint8_t *psk; /* NULL: certificate */
	size_t psk_size;
	const char *certificate;
	const char *key;
};

struct client_options {
	bool certificates;   /* the sessions have certificates, not keys */
	const char *ciphers; /* OpenSSL's list; NULL: what RFC 7925 asks for */
	const char *trust;   /* PEM file that the server's certificate must stand under; NULL: not verified */
	uint16_t mtu;
	bool tickets;
};

enum client_state {
	CLIENT_HANDSHAKE = 0,
	CLIENT_OPEN = 1,
	CLIENT_LOST = 2 /* alert, handshake failed or timed out; only client_free is left */
};

/* Where outgoing datagrams go; NULL: to the batch. */
typedef void client_send_fn(void *arg, uint32_t peer, const uint8_t *data, size_t size);

/* Errors: -EINVAL: ciphers or trust file unusable; -ENOMEM. */
int client_context_new(struct batch *batch, const struct client_options *options, struct client_context **ret_context);
void client_context_free(struct client_context *context); /* accepts NULL */
/* Diverts what the sessions of this context send. */
void client_context_divert(struct client_context *context, client_send_fn *fn, void *arg);

/* What a session can be resumed with. */
struct client_ticket;
/* Of an open session; NULL: the server gave none. */
struct client_ticket *client_ticket(struct client *client);
void client_ticket_free(struct client_ticket *ticket); /* accepts NULL */
bool client_ticket_write(const struct client_ticket *ticket, FILE *file);
struct client_ticket *client_ticket_read(FILE *file); /* or NULL */

/* Those of many identities, by their place; each NULL at first. */
struct client_tickets {
	struct client_ticket **list; /* NULL: no tickets are kept */
	size_t count;
};
/* Keeps the ticket of an open session in place of the older one; another session has none. */
void client_tickets_keep(struct client_tickets *tickets, size_t place, struct client *client);
const struct client_ticket *client_tickets_get(const struct client_tickets *tickets, size_t place);
/* A file that is not there holds none. Whether the file could be written. */
void client_tickets_load(struct client_tickets *tickets, const char *file);
bool client_tickets_save(const struct client_tickets *tickets, const char *file);
void client_tickets_done(struct client_tickets *tickets);

/* Begins the handshake: the ClientHello is queued. `ticket`: NULL: none. Errors: -ENOMEM; -EKEYREJECTED: certificate or key unusable. */
int client_new(struct client_context *context, uint32_t peer, const struct client_identity *identity,
	       const struct client_ticket *ticket, struct client **ret_client);
/* Whether an open session was resumed. */
bool client_is_resumed(const struct client *client);
/* Without a word to the server. Accepts NULL. */
void client_free(struct client *client);
/* Queues close_notify. */
void client_shut(struct client *client);

enum client_state client_state(const struct client *client);

/* Hands in one datagram. While it holds plain text, `fn` is called for each record. */
typedef void client_data_fn(void *arg, uint8_t *data, size_t size);
enum client_state client_input(struct client *client, uint8_t *data, size_t size, client_data_fn *fn, void *arg);

/* Queues one record. Returns whether the session is (still) open. */
bool client_send(struct client *client, const void *data, size_t size);

/* When client_timeout must be called during the handshake, or -1. Units: microseconds from now. */
int64_t client_wait_us(struct client *client);
/* Sends the last flight again (RFC 6347 section 4.2.4). */
enum client_state client_timeout(struct client *client);

const char *client_cipher(const struct client *client);

#endif
