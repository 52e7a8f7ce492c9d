/* SPDX-License-Identifier: Apache-2.0 */
#ifndef BENCH_TOOL_H
#define BENCH_TOOL_H

/* What the tools of tests/bench and tests/fuzz share: the clock, repeatable randomness, numbers from the command line. They
 * share nothing with the gateway: a mistake in its code must not be made twice and cancel out. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TOOL_CLEANUP(fn) __attribute__((cleanup(fn)))

enum { TOOL_MS_US = 1000, TOOL_S_US = 1000000 };

/* Monotonic. Units: microseconds. */
int64_t tool_now_us(void);
/* Processor time of this process so far. Units: microseconds. */
int64_t tool_cpu_us(void);

/* Says why on standard error and ends the program with exit code 2. */
void tool_fail(const char *format, ...) __attribute__((noreturn, format(printf, 1, 2)));

/* The argument of option `name` as a number; a wrong one ends the program. */
uint64_t tool_number(const char *name, const char *text, uint64_t lowest, uint64_t highest);
double tool_real(const char *name, const char *text, double lowest, double highest);

/* A sequence of random numbers that the seed repeats (splitmix64). Not for keys. */
struct tool_random {
	uint64_t state;
};
uint64_t tool_random_u64(struct tool_random *random);
/* 0 to below - 1; 0 for below = 0. */
uint32_t tool_random_below(struct tool_random *random, uint32_t below);
void tool_random_bytes(struct tool_random *random, void *ret_bytes, size_t size);
/* A seed from the kernel. */
uint64_t tool_seed(void);

/* As many open descriptors as the hard limit allows. */
void tool_raise_limits(void);

#endif
