/* SPDX-License-Identifier: Apache-2.0 */
#ifndef MQTT_OPTIONS_H
#define MQTT_OPTIONS_H

/* The settings of one endpoint, read, checked and copied: a reload makes a second one and swaps. Immutable once made. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <tidegate/adapter.h>

#include "common/url.h"

enum { OPTIONS_FINGERPRINT_SIZE = 32 };
/* Behind the client identifier: there are two connections, and a broker takes each identifier once. */
#define OPTIONS_RECEIVE_SUFFIX "-in"

struct tls;

struct options {
	struct url *brokers;
	size_t n_brokers;
	struct tls *tls; /* NULL where no broker is mqtts:// */
	char *problem;   /* NULL, or why no broker can be connected to: a file cannot be used */
	bool insecure;
	char *server_name; /* NULL: the broker's own */
	char *client_id;
	char *username; /* NULL: none */
	char *password; /* NULL: none */
	bool version5;  /* MQTT 5, else 3.1.1 */
	int keepalive_s;
	unsigned window;
	unsigned release_limit; /* 0: none */
	int64_t connect_timeout_us;
	int64_t confirm_timeout_us;
	int64_t backoff_min_us;
	int64_t backoff_max_us;
	int64_t failback_us; /* 0: never */
	char *status_topic;  /* NULL: no status message */
	bool status_retain;
	char *receive_client_id; /* of the receiving connection */
	uint32_t session_expiry_s;
	unsigned subscribe_qos;
	char *share_group; /* NULL: none */
	char *publisher;   /* the user property that names the publisher; NULL: none */
	unsigned receive_window;
	/* Over the settings and the files' contents: the same where nothing has changed that wants a new connection, to publish or to
	 * receive. */
	uint8_t fingerprint[OPTIONS_FINGERPRINT_SIZE];
	uint8_t receive_fingerprint[OPTIONS_FINGERPRINT_SIZE];
};

extern const struct tg_setting options_rows[];

/* Reads everything anew. Where a certificate, key, trust anchor or password cannot be used: with `patient` the options come with their
 * `problem`, logged, else it is an error. Ownership: options_free. Errors: negative errno; logged. */
int options_read(const struct tg_host *host, bool patient, struct options **ret_options);
void options_free(struct options *options);

#endif
