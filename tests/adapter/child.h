/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_CHILD_H
#define TESTS_CHILD_H

/* Programs that tests of adapters run beside them. What goes wrong ends the test by abort with a line. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

void child_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));

/* A text that stays for the next seven calls. */
const char *child_text(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* A line for the shell, which has to succeed. Blocks. */
void child_shell(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Starts a program that goes when the test goes. `arguments` end with NULL. What it writes goes to these descriptors; -1: nowhere. */
pid_t child_start(const char *const *arguments, int out, int err);

/* Whether no other test on this machine has been given this port, listening or not. It is ours as long as the test runs; the tests of the
 * built programs keep to it, too. */
bool child_claim_port(uint16_t port);

/* A TCP port of 127.0.0.1 that nobody listens on, outside of the range that the kernel gives to clients, so that it stays free
 * while its server is away. */
uint16_t child_free_port(void);

/* Whether somebody takes TCP connections at this port of 127.0.0.1. */
bool child_listens(uint16_t port);

/* Reads the file from its start to its end and closes it. `text` is terminated, what has no room is left out. */
void child_read(int fd, char *text, size_t room);

#endif
