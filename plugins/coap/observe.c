/* SPDX-License-Identifier: Apache-2.0 */
#include "observe.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "due.h"
#include "exchange.h"

/* A tick of 16 us: the numbers of 128 s are less than 2^23 apart, and go round behind that (RFC 7641 section 3.4). */
enum { TICK_SHIFT = 4, NUMBER_MASK = 0xffffff };
enum { MS_US = 1000, S_US = 1000000, FIRST_CAPACITY = 16, IDS = 4 };

struct observer {
	struct observe_peer *peer;
	struct observer *next; /* of this peer */
	void *owner;
	uint32_t place;

	/* The newest state. */
	struct resource_answer news;
	uint8_t *payload; /* its own */
	int64_t fresh_until_us;
	bool waits;     /* has not been sent */
	bool uncertain; /* has been sent, but need not have arrived */
	bool last;

	/* The confirmable notification under way. */
	uint8_t *datagram; /* NULL: there is none */
	size_t datagram_size;
	int64_t timeout_us;
	unsigned retransmits;

	uint16_t ids[IDS]; /* sent last, the newest first */
	unsigned n_ids;
	int64_t sent_us;
	int64_t confirmed_us;
	int64_t round_trip_us; /* 0: not known */
	int64_t tick;
	uint8_t token_size;
	uint8_t token[MESSAGE_TOKEN_MAX];
};

struct observe_table {
	struct observe_limits limits;
	struct observe_events events;
	void *arg;
	struct observer **observers; /* by place, NULL where it is free */
	size_t capacity;
	size_t count;
	struct due due; /* by place */
	uint64_t random;
};

int observe_table_new(const struct observe_limits *limits, uint64_t random, const struct observe_events *events,
		      void *arg, struct observe_table **ret_table)
{
	struct observe_table *table = calloc(1, sizeof(*table));
	if (!table)
		return -ENOMEM;
	table->limits = *limits;
	table->random = random | 1;
	table->events = *events;
	table->arg = arg;
	*ret_table = table;
	return 0;
}

void observe_table_free(struct observe_table *table)
{
	if (!table)
		return;
	assert(table->count == 0);
	free(table->observers);
	due_done(&table->due);
	free(table);
}

void observe_set_limits(struct observe_table *table, const struct observe_limits *limits)
{
	table->limits = *limits;
}

size_t observe_observers(const struct observe_table *table)
{
	return table->count;
}

/* xorshift64*: for jitter alone. */
static uint32_t random_next(struct observe_table *table)
{
	table->random ^= table->random >> 12;
	table->random ^= table->random << 25;
	table->random ^= table->random >> 27;
	return (uint32_t)(table->random * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

static int table_grow(struct observe_table *table)
{
	size_t capacity = table->capacity ? table->capacity * 2 : FIRST_CAPACITY;
	int r = due_reserve(&table->due, capacity);
	if (r < 0)
		return r;
	struct observer **observers = realloc(table->observers, capacity * sizeof(struct observer *));
	if (!observers)
		return -ENOMEM;
	memset(observers + table->capacity, 0, (capacity - table->capacity) * sizeof(struct observer *));
	table->observers = observers;
	table->capacity = capacity;
	return 0;
}

/* Looks from a place on that moves with the number of observers: mostly the first look finds one. */
static uint32_t place_unused(const struct observe_table *table)
{
	size_t place = table->count;
	while (table->observers[place % table->capacity])
		place++;
	return (uint32_t)(place % table->capacity);
}

int observe_add(struct observe_table *table, struct observe_peer *peer, struct tg_bytes token, void *owner,
		struct observer **ret_observer)
{
	if (peer->count >= table->limits.a_peer)
		return -EDQUOT;
	if (table->count >= table->limits.observers)
		return -ENOBUFS;
	int r = table->count == table->capacity ? table_grow(table) : 0;
	struct observer *observer = r < 0 ? NULL : calloc(1, sizeof(*observer));
	if (!observer)
		return -ENOMEM;
	observer->peer = peer;
	observer->owner = owner;
	observer->place = place_unused(table);
	observer->token_size = (uint8_t)token.size;
	if (token.size > 0)
		memcpy(observer->token, token.data, token.size);
	observer->next = peer->first;
	peer->first = observer;
	peer->count++;
	table->observers[observer->place] = observer;
	table->count++;
	*ret_observer = observer;
	return 0;
}

void observe_remove(struct observe_table *table, struct observer *observer)
{
	struct observer **link = &observer->peer->first;
	while (*link != observer)
		link = &(*link)->next;
	*link = observer->next;
	observer->peer->count--;
	due_clear(&table->due, observer->place);
	table->observers[observer->place] = NULL;
	table->count--;
	free(observer->payload);
	free(observer->datagram);
	free(observer);
}

void *observe_find(const struct observe_peer *peer, struct tg_bytes token)
{
	for (const struct observer *observer = peer->first; observer; observer = observer->next)
		if (observer->token_size == token.size &&
		    (token.size == 0 || memcmp(observer->token, token.data, token.size) == 0))
			return observer->owner;
	return NULL;
}

uint32_t observe_number(struct observer *observer, int64_t now_us)
{
	int64_t tick = now_us >> TICK_SHIFT;
	observer->tick = tick > observer->tick ? tick : observer->tick + 1;
	return (uint32_t)(observer->tick & NUMBER_MASK);
}

static void end(struct observe_table *table, struct observer *observer)
{
	table->events.ended(table->arg, observer->owner);
	observe_remove(table, observer);
}

/* When there is something to do for it, INT64_MAX: never. */
static int64_t due_at_us(const struct observe_table *table, const struct observer *observer)
{
	int64_t distance_us = observer->round_trip_us ? observer->round_trip_us : OBSERVE_DISTANCE_S * S_US;
	if (observer->datagram)
		return observer->sent_us + observer->timeout_us;
	if (observer->waits)
		return observer->n_ids > 0 ? observer->sent_us + distance_us : INT64_MIN;
	return observer->uncertain ? observer->sent_us + table->limits.confirm_us : INT64_MAX;
}

static void schedule(struct observe_table *table, const struct observer *observer)
{
	int64_t at_us = due_at_us(table, observer);
	if (at_us == INT64_MAX)
		due_clear(&table->due, observer->place);
	else
		due_set(&table->due, observer->place, at_us);
}

static struct tg_bytes compose(struct observer *observer, bool confirmable, uint16_t id,
			       uint8_t bytes[EXCHANGE_DATAGRAM_MAX], int64_t now_us)
{
	uint8_t memory[RESOURCE_BODY_MAX];
	struct resource_answer answer = observer->news;
	struct message_writer writer;
	struct tg_bytes body;
	int64_t fresh_us = observer->fresh_until_us - now_us;
	if (!observer->last)
		answer.observe = observe_number(observer, now_us);
	if (answer.max_age != MESSAGE_ABSENT)
		answer.max_age = fresh_us > 0 ? (uint32_t)((fresh_us + S_US - 1) / S_US) : 0;
	resource_encode(&answer, memory, &body);
	message_writer_init(&writer, bytes, EXCHANGE_DATAGRAM_MAX);
	message_write_header(&writer, confirmable ? MESSAGE_CON : MESSAGE_NON, answer.code, id,
			     (struct tg_bytes){.data = observer->token, .size = observer->token_size});
	message_write_raw(&writer, body);
	assert(!writer.failed);
	return (struct tg_bytes){.data = bytes, .size = writer.size};
}

static void note_id(struct observer *observer, uint16_t id)
{
	memmove(observer->ids + 1, observer->ids, sizeof(observer->ids) - sizeof(observer->ids[0]));
	observer->ids[0] = id;
	observer->n_ids += observer->n_ids < IDS;
}

static bool is_confirmable(const struct observe_table *table, const struct observer *observer, int64_t now_us)
{
	return observer->last || observer->round_trip_us == 0 ||
	       now_us - observer->confirmed_us >= table->limits.confirm_us;
}

/* The newest state, as a message of its own. One that cannot be kept for retransmission leaves all the same. */
static void send_news(struct observe_table *table, struct observer *observer, int64_t now_us)
{
	uint8_t bytes[EXCHANGE_DATAGRAM_MAX];
	bool confirmable = observer->datagram || is_confirmable(table, observer, now_us);
	uint16_t id = table->events.next_id(table->arg, observer->peer);
	const struct tg_bytes datagram = compose(observer, confirmable, id, bytes, now_us);
	free(observer->datagram);
	observer->datagram = confirmable ? malloc(datagram.size) : NULL;
	if (observer->datagram) {
		memcpy(observer->datagram, datagram.data, datagram.size);
		observer->datagram_size = datagram.size;
	}
	observer->sent_us = now_us;
	observer->waits = false;
	observer->uncertain = !observer->datagram;
	note_id(observer, id);
	table->events.send(table->arg, observer->peer, datagram);
	table->events.count(table->arg, OBSERVE_COUNT_SENT);
}

static void begin_news(struct observe_table *table, struct observer *observer, int64_t now_us)
{
	send_news(table, observer, now_us);
	observer->retransmits = 0;
	/* ACK_TIMEOUT times a factor from 1 to ACK_RANDOM_FACTOR, 1.5 */
	observer->timeout_us = EXCHANGE_ACK_TIMEOUT_MS * (MS_US + random_next(table) % (MS_US / 2 + 1));
	schedule(table, observer);
}

static bool keep_news(struct observer *observer, const struct resource_answer *answer)
{
	uint8_t *payload = answer->payload.size > 0 ? malloc(answer->payload.size) : NULL;
	if (answer->payload.size > 0 && !payload)
		return false;
	if (payload)
		memcpy(payload, answer->payload.data, answer->payload.size);
	free(observer->payload);
	observer->payload = payload;
	observer->news = *answer;
	observer->news.payload.data = payload;
	return true;
}

void observe_tell(struct observe_table *table, struct observer *observer, const struct resource_answer *answer,
		  bool last, int64_t now_us)
{
	if (!keep_news(observer, answer))
		return;
	if (observer->waits)
		table->events.count(table->arg, OBSERVE_COUNT_SKIPPED);
	observer->waits = true;
	observer->last = last;
	observer->fresh_until_us = now_us + (answer->max_age == MESSAGE_ABSENT ? 0 : answer->max_age * (int64_t)S_US);
	if (!observer->datagram && due_at_us(table, observer) <= now_us)
		begin_news(table, observer, now_us);
	else
		schedule(table, observer);
}

/* A retransmission, or, where there is a newer state, that one as a message of its own, which goes on where the old one was (RFC 7641
 * section 4.5.2). */
static void send_again(struct observe_table *table, struct observer *observer, int64_t now_us)
{
	if (observer->retransmits >= EXCHANGE_MAX_RETRANSMIT) {
		table->events.count(table->arg, OBSERVE_COUNT_GIVEN_UP);
		end(table, observer);
		return;
	}
	observer->retransmits++;
	observer->timeout_us *= 2;
	table->events.count(table->arg, OBSERVE_COUNT_RETRANSMIT);
	if (observer->waits) {
		send_news(table, observer, now_us);
	} else {
		observer->sent_us = now_us;
		table->events.send(table->arg, observer->peer,
				   (struct tg_bytes){.data = observer->datagram, .size = observer->datagram_size});
	}
	schedule(table, observer);
}

/* Measured where it is clear which transmission was acknowledged, as for TCP (RFC 6298 section 3). */
static void measure(struct observer *observer, int64_t now_us)
{
	int64_t highest_us = OBSERVE_DISTANCE_S * S_US;
	int64_t sample_us = now_us - observer->sent_us;
	if (observer->retransmits > 0)
		sample_us = observer->round_trip_us ? observer->round_trip_us : highest_us;
	else if (observer->round_trip_us)
		sample_us = (7 * observer->round_trip_us + sample_us) / 8;
	observer->round_trip_us = sample_us > highest_us ? highest_us : sample_us > 0 ? sample_us : 1;
}

static void settle_acknowledged(struct observe_table *table, struct observer *observer, int64_t now_us)
{
	measure(observer, now_us);
	observer->confirmed_us = now_us;
	free(observer->datagram);
	observer->datagram = NULL;
	if (observer->waits)
		begin_news(table, observer, now_us);
	else if (observer->last)
		end(table, observer);
	else
		schedule(table, observer);
}

bool observe_settle(struct observe_table *table, struct observe_peer *peer, const struct coap_message *message,
		    int64_t now_us)
{
	if (message->code != MESSAGE_EMPTY || (message->type != MESSAGE_ACK && message->type != MESSAGE_RST))
		return false;
	for (struct observer *observer = peer->first; observer; observer = observer->next) {
		unsigned place = 0;
		while (place < observer->n_ids && observer->ids[place] != message->id)
			place++;
		if (place == observer->n_ids)
			continue;
		if (message->type == MESSAGE_RST) {
			table->events.count(table->arg, OBSERVE_COUNT_RESET);
			end(table, observer);
		} else if (place == 0 && observer->datagram) {
			settle_acknowledged(table, observer, now_us);
		}
		return true;
	}
	return false;
}

void observe_run(struct observe_table *table, int64_t now_us)
{
	while (due_next_us(&table->due) <= now_us) {
		struct observer *observer = table->observers[due_first(&table->due)];
		if (observer->datagram)
			send_again(table, observer, now_us);
		else if (observer->last && !observer->waits)
			end(table, observer); /* it left, but there was no memory to have it confirmed */
		else
			begin_news(table, observer, now_us);
	}
}

int64_t observe_next_us(const struct observe_table *table)
{
	return due_next_us(&table->due);
}
