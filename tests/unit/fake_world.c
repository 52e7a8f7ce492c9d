/* SPDX-License-Identifier: Apache-2.0 */
#include "fake_world.h"

#include <check.h>
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "base/clock.h"
#include "base/loop.h"
#include "base/random.h"

enum { TIMERS_MAX = 16 };

struct loop_timer {
	loop_call_fn *fn;
	void *arg;
	int64_t at_us;
	bool used;
};

static struct {
	uint32_t seed;
	int64_t now_us;
	struct loop_timer timers[TIMERS_MAX];
} world;

void fake_world_init(uint32_t seed)
{
	world.seed = seed * 2654435761u + 1;
	world.now_us = CLOCK_S_US;
	fake_world_begin();
}

void fake_world_begin(void)
{
	memset(world.timers, 0, sizeof(world.timers));
}

unsigned fake_timers(void)
{
	unsigned n = 0;

	for (unsigned i = 0; i < TIMERS_MAX; i++)
		n += world.timers[i].used;
	return n;
}

uint32_t fake_random(uint32_t below)
{
	world.seed ^= world.seed << 13;
	world.seed ^= world.seed >> 17;
	world.seed ^= world.seed << 5;
	return below ? world.seed % below : world.seed;
}

uint32_t random_u32(void)
{
	return fake_random(0);
}

void random_bytes(void *ret_bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		((uint8_t *)ret_bytes)[i] = (uint8_t)fake_random(256);
}

int64_t clock_now_us(void)
{
	return world.now_us;
}

int64_t clock_wall_us(void)
{
	return world.now_us;
}

int64_t loop_now_us(struct loop *loop)
{
	(void)loop;
	return world.now_us;
}

int loop_timer_new(struct loop *loop, loop_call_fn *fn, void *arg, struct loop_timer **ret_timer)
{
	(void)loop;
	for (unsigned i = 0; i < TIMERS_MAX; i++) {
		struct loop_timer *timer = &world.timers[i];

		if (timer->used)
			continue;
		*timer = (struct loop_timer){.fn = fn, .arg = arg, .used = true};
		*ret_timer = timer;
		return 0;
	}
	return -ENOMEM;
}

void loop_timer_set(struct loop_timer *timer, int64_t at_us)
{
	timer->at_us = at_us;
}

void loop_timer_free(struct loop_timer *timer)
{
	if (timer)
		timer->used = false;
}

static struct loop_timer *first_timer(int64_t until_us)
{
	struct loop_timer *first = NULL;

	for (unsigned i = 0; i < TIMERS_MAX; i++) {
		struct loop_timer *timer = &world.timers[i];

		if (timer->used && timer->at_us && timer->at_us <= until_us && (!first || timer->at_us < first->at_us))
			first = timer;
	}
	return first;
}

void fake_pass(int64_t us)
{
	int64_t until_us = world.now_us + us;
	struct loop_timer *timer;
	unsigned fired = 0;

	while ((timer = first_timer(until_us))) {
		if (timer->at_us > world.now_us)
			world.now_us = timer->at_us;
		timer->at_us = 0;
		timer->fn(timer->arg);
		ck_assert_uint_lt(fired++, 100000); /* a timer that keeps firing */
	}
	world.now_us = until_us;
}
