/* SPDX-License-Identifier: Apache-2.0 */

/* How the news of an observer leave: which are confirmable, when the next may go, and what becomes of those that nobody acknowledges. */

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "exchange.h"
#include "observe_inside.h"

enum { MS_US = 1000, S_US = 1000000 };

/* xorshift64*: for jitter alone. */
static uint32_t random_next(struct observe_table *table)
{
	table->random ^= table->random >> 12;
	table->random ^= table->random << 25;
	table->random ^= table->random >> 27;
	return (uint32_t)(table->random * UINT64_C(0x2545f4914f6cdd1d) >> 32);
}

static void end(struct observe_table *table, struct observer *observer)
{
	table->events.ended(table->arg, observer->owner);
	observe_remove(table, observer);
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
	observer->n_ids += observer->n_ids < OBSERVE_IDS;
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

/* Unless another observer of the peer is in the way, that wakes it up. */
static void begin_news(struct observe_table *table, struct observer *observer, int64_t now_us)
{
	if (observer->peer->under_way && is_confirmable(table, observer, now_us)) {
		due_clear(&table->due, observer->place);
		return;
	}
	send_news(table, observer, now_us);
	if (observer->datagram)
		observer->peer->under_way = observer;
	observer->retransmits = 0;
	/* ACK_TIMEOUT times a factor from 1 to ACK_RANDOM_FACTOR, 1.5 */
	observer->timeout_us = EXCHANGE_ACK_TIMEOUT_MS * (MS_US + random_next(table) % (MS_US / 2 + 1));
	observe_schedule(table, observer);
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
	if (!observer->datagram && observe_due_us(table, observer) <= now_us)
		begin_news(table, observer, now_us);
	else
		observe_schedule(table, observer);
}

/* Those that wait behind the one that was never acknowledged have waited as long. */
static void give_up(struct observe_table *table, struct observe_peer *peer)
{
	for (struct observer *observer = peer->first, *next; observer; observer = next) {
		next = observer->next;
		if (observer != peer->under_way && !observer->waits)
			continue;
		table->events.count(table->arg, OBSERVE_COUNT_GIVEN_UP);
		end(table, observer);
	}
}

/* A retransmission, or, where there is a newer state, that one as a message of its own, which goes on where the old one was (RFC 7641
 * section 4.5.2). */
static void send_again(struct observe_table *table, struct observer *observer, int64_t now_us)
{
	if (observer->retransmits >= EXCHANGE_MAX_RETRANSMIT) {
		give_up(table, observer->peer);
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
	observe_schedule(table, observer);
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
	observe_way_is_free(table, observer->peer);
	if (observer->waits)
		begin_news(table, observer, now_us);
	else if (observer->last)
		end(table, observer);
	else
		observe_schedule(table, observer);
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
