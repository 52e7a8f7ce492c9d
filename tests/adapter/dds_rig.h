/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_DDS_RIG_H
#define TESTS_DDS_RIG_H

/* What the tests of the dds adapter share: the adapter in a mock host, a domain of its own on the loopback interface, and peers
 * that CycloneDDS's own tools made (dds_peer.c). */

#include <check.h>
#include <sys/types.h>

#include "mock_host.h"

enum { RIG_SOON_MS = 60000, RIG_PEERS_MOST = 4 };

struct rig_peer {
	pid_t pid;
	int in, out;
	char text[65536]; /* what it has said and nobody has asked for */
	size_t size;
};

extern struct mock_host *mock;

/* The fixture of each test: an adapter that takes topics T*, and is insecure. */
void rig_setup(void);
void rig_teardown(void);

/* Starts a peer of the test's domain: "write", "read", and what dds_peer takes behind the type. `program`: NULL: dds_peer. */
struct rig_peer *rig_peer(const char *program, const char *role, const char *topic, const char *type,
			  const char *options);
void rig_say(struct rig_peer *peer, const char *format, ...) __attribute__((format(printf, 2, 3)));
/* Waits, with the adapter's loop running, for a line that begins so, and takes it and what stands before it away. Returns the line. */
const char *rig_expect(struct rig_peer *peer, const char *line);
/* Takes in what it has said. */
void rig_peek(struct rig_peer *peer);
/* How many lines so far that begin so; they stay. */
unsigned rig_count(struct rig_peer *peer, const char *line);
/* It does nothing any more, acknowledge nothing either, until it goes on. */
void rig_pause(struct rig_peer *peer);
void rig_go_on(struct rig_peer *peer);
void rig_kill(struct rig_peer *peer);
void rig_end(struct rig_peer *peer);

/* A writer that has found the adapter. */
struct rig_peer *rig_writer(const char *type, const char *options);

/* Waits for so many submissions, and says of the last of them. */
void rig_expect_submission(size_t n, const char *path, const char *text_in_payload);

/* One delivery of JSON, given until the adapter has a reader for it; waits for its result. */
int rig_deliver(const char *address, const char *json);
/* The same with CBOR. */
int rig_deliver_cbor(const char *address, const void *cbor, size_t size);

/* Runs the suite, which it frees, and returns what main returns. */
int rig_main(Suite *suite);

#endif
