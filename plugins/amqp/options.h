/* SPDX-License-Identifier: Apache-2.0 */
#ifndef AMQP_OPTIONS_H
#define AMQP_OPTIONS_H

/* The settings of an endpoint, read and ready for use. For amqp.c, uplink.c, wire.c, sink.c and source.c. */

#include <stdbool.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/url.h"

enum { OPTIONS_FINGERPRINT_SIZE = 32 };

struct tls;

struct options {
	struct url *brokers;
	size_t n_brokers;
	struct tls *tls; /* NULL where no broker is amqps:// */
	char *problem;   /* NULL, or why no broker can be connected to: a file cannot be used */
	bool insecure;
	const char *mechanism; /* of SASL */
	char *server_name;     /* NULL: the broker's own */
	char *username;        /* NULL: none */
	char *password;        /* NULL: none */
	char *container_id;
	char *virtual_host; /* NULL: the broker's host */
	char *target;       /* NULL: the address of the route */
	bool reject_address;
	unsigned receive_window;
	unsigned window;
	unsigned links;
	unsigned release_limit; /* 0: none */
	int64_t idle_timeout_us;
	int64_t connect_timeout_us;
	int64_t confirm_timeout_us;
	int64_t backoff_min_us;
	int64_t backoff_max_us;
	int64_t failback_us; /* 0: never */
	/* Over the settings and the files' contents: the same where nothing has changed that wants a new connection. */
	uint8_t fingerprint[OPTIONS_FINGERPRINT_SIZE];
};

extern const struct tg_setting options_rows[];

/* Reads everything anew. Where a certificate, key, trust anchor or password cannot be used: with `patient` the options come with their
 * `problem`, logged, else it is an error. Ownership: options_free. Errors: negative errno; logged. */
int options_read(const struct tg_host *host, bool patient, struct options **ret_options);
void options_free(struct options *options);

#endif
