/* SPDX-License-Identifier: Apache-2.0 */
#ifndef UNIT_FAKE_WORLD_H
#define UNIT_FAKE_WORLD_H

/* A world in which the test is the clock, the loop's timers and the dice: these functions take the place of base/loop.h, base/clock.h
 * and base/random.h at link time. */

#include <stdint.h>

/* The clock starts at one second, the dice with this seed. */
void fake_world_init(uint32_t seed);
/* A new process: no timers. */
void fake_world_begin(void);
unsigned fake_timers(void);

uint32_t fake_random(uint32_t below);
/* Time passes; timers fire in their order. */
void fake_pass(int64_t us);

#endif
