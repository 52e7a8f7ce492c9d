/* SPDX-License-Identifier: Apache-2.0 */
#include "core/tickets.h"

#include <endian.h>
#include <errno.h>
#include <string.h>

#include "core/trust_seal.h"

_Static_assert(sizeof(struct tg_ticket_key) == 16 + 32 + 32, "no padding: it is written as it stands");

enum { PACKED = 8 + sizeof(struct tg_ticket_key) };

void tickets_wipe(struct tickets *tickets)
{
	explicit_bzero(tickets, sizeof(*tickets));
}

static int fill(uint8_t *bytes, size_t size)
{
	CLEANUP_SECRET struct secret drawn = {.size = 0};
	int r = trust_random(&drawn, size);

	if (r >= 0)
		memcpy(bytes, drawn.data, size);
	return r;
}

static int make(struct tg_ticket_key *ret_key)
{
	int r = fill(ret_key->name, sizeof(ret_key->name));

	if (r >= 0)
		r = fill(ret_key->encryption, sizeof(ret_key->encryption));
	if (r >= 0)
		r = fill(ret_key->authentication, sizeof(ret_key->authentication));
	return r;
}

static void cut(struct tickets *tickets, size_t count)
{
	explicit_bzero(&tickets->keys[count], (TICKETS_MAX - count) * sizeof(tickets->keys[0]));
	tickets->count = count;
}

/* A clock that ran ahead must not keep a key in use for ever. */
static bool settle(struct tickets *tickets, int64_t wall_us)
{
	bool changed = false;

	for (size_t i = 0; i < tickets->count; i++) {
		if (tickets->made_wall_us[i] > wall_us) {
			tickets->made_wall_us[i] = wall_us;
			changed = true;
		}
	}
	return changed;
}

static bool drop_old(struct tickets *tickets, int64_t lifetime_us, int64_t wall_us)
{
	size_t count = 0;

	/* Key i was in use until key i - 1 was made. */
	while (count < tickets->count && (count == 0 || wall_us - tickets->made_wall_us[count - 1] < lifetime_us))
		count++;
	if (lifetime_us <= 0)
		count = 0;
	if (count == tickets->count)
		return false;
	cut(tickets, count);
	return true;
}

static int add(struct tickets *tickets, int64_t wall_us)
{
	struct tg_ticket_key key;
	int r = make(&key);

	if (r < 0)
		return r;
	if (tickets->count == TICKETS_MAX)
		cut(tickets, TICKETS_MAX - 1);
	memmove(&tickets->keys[1], &tickets->keys[0], tickets->count * sizeof(tickets->keys[0]));
	memmove(&tickets->made_wall_us[1], &tickets->made_wall_us[0],
		tickets->count * sizeof(tickets->made_wall_us[0]));
	tickets->keys[0] = key;
	tickets->made_wall_us[0] = wall_us;
	tickets->count++;
	explicit_bzero(&key, sizeof(key));
	return 0;
}

int tickets_turn(struct tickets *tickets, int64_t lifetime_us, int64_t wall_us)
{
	bool changed = settle(tickets, wall_us);
	int r = 0;

	if (lifetime_us > 0 && (tickets->count == 0 || wall_us - tickets->made_wall_us[0] >= lifetime_us / 2)) {
		r = add(tickets, wall_us);
		changed = changed || r >= 0;
	}
	changed = drop_old(tickets, lifetime_us, wall_us) || changed;
	return r < 0 ? r : changed;
}

size_t tickets_pack(const struct tickets *tickets, uint8_t ret_bytes[TICKETS_PACKED_MAX])
{
	for (size_t i = 0; i < tickets->count; i++) {
		uint64_t made = htobe64((uint64_t)tickets->made_wall_us[i]);

		memcpy(ret_bytes + i * PACKED, &made, sizeof(made));
		memcpy(ret_bytes + i * PACKED + sizeof(made), &tickets->keys[i], sizeof(tickets->keys[i]));
	}
	return tickets->count * PACKED;
}

int tickets_unpack(struct tg_bytes bytes, struct tickets *ret_tickets)
{
	const uint8_t *at = bytes.data;
	uint64_t made;

	if (bytes.size % PACKED != 0 || bytes.size > TICKETS_PACKED_MAX)
		return -EBADMSG;
	memset(ret_tickets, 0, sizeof(*ret_tickets));
	for (; ret_tickets->count < bytes.size / PACKED; ret_tickets->count++, at += PACKED) {
		memcpy(&made, at, sizeof(made));
		ret_tickets->made_wall_us[ret_tickets->count] = (int64_t)be64toh(made);
		memcpy(&ret_tickets->keys[ret_tickets->count], at + sizeof(made), sizeof(ret_tickets->keys[0]));
	}
	return 0;
}
