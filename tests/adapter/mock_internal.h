/* SPDX-License-Identifier: Apache-2.0 */
#ifndef TESTS_MOCK_INTERNAL_H
#define TESTS_MOCK_INTERNAL_H

/* Shared by the halves of the mock host: mock_host.c drives, mock_services.c is what the adapter calls. */

#include "mock_host.h"

struct mock_identity {
	struct mock_identity *next;
	char *identity;
	char *device;
	uint8_t key[64];
	size_t key_size;
};

void mock_services_init(struct tg_host *host);
/* Runs the timers that are due. Returns whether there was one. */
bool mock_fire_timers(struct mock_host *mock);
/* When the earliest timer is due, 0: none runs. */
int64_t mock_next_timer(const struct mock_host *mock);
void mock_free_timers(struct mock_host *mock);

/* tg_host.read, read_end, list */
int mock_read(const struct tg_host *host, struct tg_bytes reader, struct tg_bytes device, struct tg_bytes path,
	      bool observe, uint64_t token, uint64_t *ret_number);
void mock_read_end(const struct tg_host *host, uint64_t number);
int mock_list(const struct tg_host *host, struct tg_bytes reader, enum tg_list what, uint64_t after,
	      struct tg_bytes behind, uint64_t token);

/* mock_notes.c */
int mock_keep(const struct tg_host *host, struct tg_bytes name, struct tg_bytes value, uint64_t token);
bool mock_answer_keeps(struct mock_host *mock);
void mock_free_keeps(struct mock_host *mock);

/* Ends the test. */
void mock_die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
void *mock_grow(void *array, size_t n, size_t size);
char *mock_copy(struct tg_bytes bytes);

#endif
