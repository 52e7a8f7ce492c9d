/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MQTT_BROKER_H
#define TESTS_MQTT_BROKER_H

/*
 * Real brokers and subscribers for the tests of the mqtt adapter: mosquitto on loopback with TLS and certificates made for the
 * run, mosquitto_sub behind a pipe. Whatever goes wrong here ends the test with a line. Children die with the test.
 */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Makes a folder with ca, other-ca (which nobody trusts), server (localhost, 127.0.0.1, ::1), stranger (a name that is
 * not ours) and client, each as NAME.crt and NAME.key. Once for the whole program. */
void broker_make_pki(void);
void broker_remove_pki(void);
/* The path of a file in that folder. Valid until the eighth next call. */
const char *broker_file(const char *name);

struct broker {
	uint16_t port;
	pid_t pid; /* 0: not running */
	char name[32];
	char server[32]; /* the certificate's name, "" for none: plain MQTT */
	char extra[512]; /* further lines of its configuration */
};

/* A broker on a free port, with TLS and client certificates required; not started yet. */
void broker_init(struct broker *broker, const char *name);
/* Starts it and returns when it listens. */
void broker_start(struct broker *broker);
/* Ends it, by SIGTERM or SIGKILL, and waits. */
void broker_stop(struct broker *broker, int signal);
/* "mqtts://localhost:PORT", or with mqtt://. Valid until the eighth next call. */
const char *broker_url(const struct broker *broker);

struct subscriber {
	pid_t pid;
	int fd;
	char *text; /* everything that came, terminated */
	size_t size;
};

/* Returns when the subscription stands. */
void subscriber_start(struct subscriber *subscriber, const struct broker *broker, const char *topic);
void subscriber_stop(struct subscriber *subscriber);
/* Reads what is there. How often the text stands in it. */
unsigned subscriber_count(struct subscriber *subscriber, const char *text);
/* Reads what is there. The message (a line of JSON) in which the text stands first, or NULL; the caller's to free. */
char *subscriber_line(struct subscriber *subscriber, const char *text);

#endif
