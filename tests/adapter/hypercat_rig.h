/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_HYPERCAT_RIG_H
#define TESTS_HYPERCAT_RIG_H

/*
 * The hypercat adapter in the mock host, a core behind it that knows some readings, certificates, and curl to ask it with. "reader-1" has a
 * certificate, "reader-2" a key; both may read all. Devices are "dev-N" and have handed in what rig_put says.
 */

#include <check.h>
#include <stdio.h>

#include "dtls_pki.h"
#include "mock_host.h"

enum { RIG_SOON_MS = 60000, RIG_TEXT = 1 << 20 };

#define RIG_TOKEN "reader-2:00112233445566778899aabbccddeeff"

extern struct mock_host *rig;
extern char rig_text[RIG_TEXT]; /* what the last program has written */

/* Certificates of the authority, the server, of reader-1, and of some that are not to be let in. */
enum rig_who { RIG_AUTHORITY, RIG_SERVER, RIG_READER, RIG_STRANGER, RIG_EXPIRED, RIG_FOREIGN, RIG_WHO };
extern struct pki rig_pki[RIG_WHO];

/* Its certificate or key, as a file. */
const char *rig_certificate(enum rig_who who);
const char *rig_key(enum rig_who who);

void rig_setup(void); /* settings and identities, before the adapter is opened */
void rig_begin(void);
void rig_teardown(void);
unsigned rig_port(void);

/* The core's: readings, in the order of their ETags. */
void rig_put(const char *device, const char *path, int32_t content_format, const char *payload);
void rig_forget(const char *device);
/* `count` readings of dev-0 to dev-N, `each` of a device, without payloads that anybody asks for. */
void rig_put_many(unsigned devices, unsigned each);
/* Answers lists and reads that wait, and gives true. */
bool rig_serve(void);
extern bool rig_silent;   /* rig_serve does nothing */
extern bool rig_outsider; /* lists and reads are not allowed */

#define RIG_UNTIL(condition) MOCK_UNTIL(rig, (rig_serve() && (condition)), RIG_SOON_MS)

/* A program that runs beside the adapter; its output goes to a file. */
struct rig_program {
	pid_t pid;
	int out;
	int status;
	bool over;
};
void rig_program_start(struct rig_program *program, const char *const *arguments);
bool rig_program_over(struct rig_program *program);
/* What it has written until now, terminated: lent until the next call. */
const char *rig_program_text(const struct rig_program *program);
void rig_program_kill(struct rig_program *program);

/* Runs curl to its end with these arguments and then the address of `path`, waits, and gives what it has written: with -i, headers and body. */
const char *rig_curl(const char *path, const char *const *arguments);
/* The same as reader-1 by certificate. */
const char *rig_get(const char *path);
void rig_expect(const char *text); /* in rig_text */
void rig_expect_not(const char *text);

#define RIG_ARGUMENTS(...)                                                                                             \
	(const char *const[])                                                                                          \
	{                                                                                                              \
		__VA_ARGS__, NULL                                                                                      \
	}

#endif
