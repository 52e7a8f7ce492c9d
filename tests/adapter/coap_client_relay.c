/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_client_relay.h"

#include <arpa/inet.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"
#include "coap_client/stack_wire.h"

enum { NUMBERS_MAX = 65536, DATAGRAM_MAX = 2048, ID_AT = 2, FIRST_OPTION = 12, OPTION_OBSERVE = 6 };

struct number {
	uint64_t number;
	uint32_t sum;
	bool twice;
};

struct relay {
	pthread_t thread;
	pthread_mutex_t lock;
	int front; /* to the adapter */
	int back;  /* to the device */
	int wake[2];
	uint16_t port;
	struct sockaddr_in client;
	enum relay_trick trick;
	struct relay_seen seen;
	struct number *numbers;
	uint8_t held[DATAGRAM_MAX];
	size_t held_size;
};

static uint32_t sum_of(const uint8_t *data, size_t size)
{
	uint32_t sum = 2166136261u;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ data[i]) * 16777619u;
	return sum;
}

static void note_number(struct relay *relay, uint64_t number, uint32_t sum)
{
	struct relay_seen *seen = &relay->seen;

	seen->requests++;
	if (number > seen->highest)
		seen->highest = number;
	for (size_t i = 0; i < seen->numbers; i++) {
		if (relay->numbers[i].number != number)
			continue;
		if (relay->numbers[i].sum != sum && !relay->numbers[i].twice) {
			relay->numbers[i].twice = true;
			seen->twice++;
		}
		return;
	}
	if (seen->numbers == NUMBERS_MAX)
		child_die("the relay has seen too many numbers");
	relay->numbers[seen->numbers++] = (struct number){.number = number, .sum = sum};
}

static void to_client(const struct relay *relay, const uint8_t *data, size_t size)
{
	(void)!sendto(relay->front, data, size, 0, (const struct sockaddr *)&relay->client, sizeof(relay->client));
}

static void take_request(struct relay *relay, uint8_t *data, size_t size)
{
	struct wire wire = wire_look((struct tg_bytes){.data = data, .size = size});
	uint8_t reset[WIRE_RESET_SIZE];

	if (wire.kind == WIRE_EMPTY && wire.type == WIRE_RST)
		relay->seen.resets++;
	if (wire.kind != WIRE_EMPTY && !wire.is_protected)
		relay->seen.unguarded++;
	if (wire.has_number)
		note_number(relay, wire.number, sum_of(data, size));
	if (relay->trick == RELAY_RESET && wire.kind == WIRE_REQUEST && wire.type == WIRE_CON) {
		wire_reset(&wire, reset);
		to_client(relay, reset, sizeof(reset));
		return;
	}
	(void)!send(relay->back, data, size, 0);
}

static void say_plainly(const struct relay *relay, const uint8_t *data)
{
	size_t token = data[0] & 15;
	uint8_t plain[32];

	memcpy(plain, data, 4 + token);
	plain[1] = 0x45;
	memcpy(plain + 4 + token,
	       "\xff"
	       "forged",
	       7);
	to_client(relay, plain, 4 + token + 7);
}

static void hold(struct relay *relay, const uint8_t *data, size_t size)
{
	memcpy(relay->held, data, size);
	relay->held_size = size;
	if ((data[0] & 0x20) != 0 || size < FIRST_OPTION + 8 || data[FIRST_OPTION] >> 4 != OPTION_OBSERVE)
		return;
	/* A notification: as a newer message, by all that OSCORE does not protect. */
	relay->held[ID_AT]++;
	relay->held[FIRST_OPTION + (data[FIRST_OPTION] & 15)] += 50;
}

static void take_answer(struct relay *relay, uint8_t *data, size_t size)
{
	struct wire wire = wire_look((struct tg_bytes){.data = data, .size = size});

	if (relay->trick == RELAY_DEAF)
		return;
	if (wire.kind != WIRE_RESPONSE || relay->trick == RELAY_HONEST || relay->trick == RELAY_RESET) {
		to_client(relay, data, size);
		return;
	}
	if (relay->trick == RELAY_PLAIN) {
		say_plainly(relay, data);
		return;
	}
	if (relay->trick == RELAY_FORGED)
		data[size - 1] ^= 1;
	to_client(relay, data, size);
	if (relay->trick == RELAY_TWICE && relay->held_size > 0)
		to_client(relay, relay->held, relay->held_size);
	if (relay->trick == RELAY_TWICE)
		hold(relay, data, size);
}

static void *run(void *arg)
{
	struct relay *relay = arg;
	struct pollfd fds[] = {{relay->front, POLLIN, 0}, {relay->back, POLLIN, 0}, {relay->wake[0], POLLIN, 0}};
	uint8_t data[DATAGRAM_MAX];
	socklen_t size;
	ssize_t n;

	for (;;) {
		if (poll(fds, 3, -1) < 0)
			continue;
		if (fds[2].revents)
			return NULL;
		pthread_mutex_lock(&relay->lock);
		size = sizeof(relay->client);
		if (fds[0].revents && (n = recvfrom(relay->front, data, sizeof(data), MSG_DONTWAIT,
						    (struct sockaddr *)&relay->client, &size)) > 0)
			take_request(relay, data, (size_t)n);
		if (fds[1].revents && (n = recv(relay->back, data, sizeof(data), MSG_DONTWAIT)) > 0)
			take_answer(relay, data, (size_t)n);
		pthread_mutex_unlock(&relay->lock);
	}
}

struct relay *relay_new(uint16_t device_port)
{
	struct relay *relay = calloc(1, sizeof(*relay));
	struct sockaddr_in front = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct sockaddr_in back = front;
	socklen_t size = sizeof(front);

	if (!relay)
		child_die("no memory");
	relay->numbers = calloc(NUMBERS_MAX, sizeof(*relay->numbers));
	relay->front = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	relay->back = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	back.sin_port = htons(device_port);
	if (!relay->numbers || pipe(relay->wake) < 0 || bind(relay->front, (struct sockaddr *)&front, size) < 0 ||
	    getsockname(relay->front, (struct sockaddr *)&front, &size) < 0 ||
	    connect(relay->back, (struct sockaddr *)&back, size) < 0)
		child_die("no sockets for the relay");
	relay->port = ntohs(front.sin_port);
	pthread_mutex_init(&relay->lock, NULL);
	if (pthread_create(&relay->thread, NULL, run, relay) != 0)
		child_die("no thread for the relay");
	return relay;
}

void relay_free(struct relay *relay)
{
	if (!relay)
		return;
	(void)!write(relay->wake[1], "", 1);
	pthread_join(relay->thread, NULL);
	pthread_mutex_destroy(&relay->lock);
	close(relay->front);
	close(relay->back);
	close(relay->wake[0]);
	close(relay->wake[1]);
	free(relay->numbers);
	free(relay);
}

uint16_t relay_port(const struct relay *relay)
{
	return relay->port;
}

void relay_set(struct relay *relay, enum relay_trick trick)
{
	pthread_mutex_lock(&relay->lock);
	relay->trick = trick;
	pthread_mutex_unlock(&relay->lock);
}

struct relay_seen relay_seen(struct relay *relay)
{
	struct relay_seen seen;

	pthread_mutex_lock(&relay->lock);
	seen = relay->seen;
	pthread_mutex_unlock(&relay->lock);
	return seen;
}
