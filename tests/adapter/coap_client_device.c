/* SPDX-License-Identifier: Apache-2.0 */
#include "coap_client_device.h"

#include <arpa/inet.h>
#include <coap3/coap.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "child.h"

enum {
	ROOM = 1500,
	HEADER = 4,
	TOKEN = 8,
	OPTION_ETAG = 4,
	OPTION_OBSERVE = 6,
	OPTION_FORMAT = 12,
	OPTION_BLOCK2 = 23,
	CODE_FETCH = 5,
	CODE_BAD_REQUEST = 0x80,
	BLOCK = 16,
	CODE_CONTENT = 0x45,
	CODE_VALID = 0x43,
	TYPE_ACK = 0x60,
	TYPE_RST = 0x70,
	PAYLOAD = 0xff
};

struct device {
	pthread_t thread;
	pthread_mutex_t lock;
	int fd;
	int wake[2];
	uint16_t port;
	struct sockaddr_in client;
	uint8_t observer[TOKEN];
	uint16_t id;
	uint8_t state;
	uint8_t observe;
	unsigned reject;
	int last;      /* message id of the last request, -1: none yet */
	bool rejected; /* it was */
	enum device_mood mood;
	struct device_seen seen;
};

struct request {
	bool etag; /* that of the state */
	bool any_etag;
	bool observe;
	bool format;
	uint8_t block; /* of the answer */
	bool payload;
};

static void send_out(const struct device *device, const uint8_t *data, size_t size)
{
	(void)!sendto(device->fd, data, size, 0, (const struct sockaddr *)&device->client, sizeof(device->client));
}

static struct request look(const struct device *device, const uint8_t *at, size_t left)
{
	struct request request = {.etag = false};
	unsigned number = 0;

	while (left > 0 && *at != PAYLOAD) {
		coap_option_t option;
		size_t size = coap_opt_parse(at, left, &option);

		if (size == 0)
			break;
		number += option.delta;
		request.any_etag |= number == OPTION_ETAG;
		request.etag |= number == OPTION_ETAG && option.length == 1 && *option.value == device->state;
		request.observe |= number == OPTION_OBSERVE && option.length == 0;
		request.format |= number == OPTION_FORMAT;
		if (number == OPTION_BLOCK2 && option.length == 1)
			request.block = *option.value >> 4;
		at += size;
		left -= size;
	}
	request.payload = left > 1;
	return request;
}

/* ETag, Observe, and the state as payload. */
static size_t write_state(const struct device *device, uint8_t *at, bool observe, bool payload)
{
	size_t size = 0;

	at[size++] = OPTION_ETAG << 4 | 1;
	at[size++] = device->state;
	if (observe) {
		at[size++] = (OPTION_OBSERVE - OPTION_ETAG) << 4 | 1;
		at[size++] = device->observe;
	}
	if (payload) {
		at[size++] = PAYLOAD;
		size += (size_t)snprintf((char *)at + size, 8, "%u", device->state);
	}
	return size;
}

/* In two blocks, to those who say what they want with each. Returns the size. */
static size_t write_fetched(const struct request *request, uint8_t *at)
{
	bool first = request->block == 0;

	*at++ = 13 << 4 | 1; /* a delta of 13 and what follows */
	*at++ = OPTION_BLOCK2 - 13;
	*at++ = (uint8_t)(request->block << 4 | (first ? 8 : 0));
	*at++ = PAYLOAD;
	memset(at, first ? 'a' : 'b', BLOCK);
	return 4 + BLOCK;
}

static void answer_fetch(struct device *device, const struct request *request, uint8_t *out)
{
	bool good = request->format && request->payload;

	out[1] = good ? CODE_CONTENT : CODE_BAD_REQUEST;
	send_out(device, out, HEADER + TOKEN + (good ? write_fetched(request, out + HEADER + TOKEN) : 0));
}

static void answer(struct device *device, const uint8_t *data, size_t size)
{
	struct request request = look(device, data + HEADER + TOKEN, size - HEADER - TOKEN);
	uint8_t out[64];

	memcpy(out, data, HEADER + TOKEN);
	out[0] = TYPE_ACK | TOKEN; /* version 1 */
	if (data[1] == CODE_FETCH) {
		answer_fetch(device, &request, out);
		return;
	}
	out[1] = request.etag ? CODE_VALID : CODE_CONTENT;
	device->seen.with_etag += request.any_etag;
	device->seen.validated += request.etag;
	device->seen.observes += request.observe;
	if (request.observe) {
		memcpy(device->observer, data + HEADER, TOKEN);
		device->observe++;
	}
	send_out(device, out,
		 HEADER + TOKEN + write_state(device, out + HEADER + TOKEN, request.observe, !request.etag));
}

/* A repetition, by a client that was too slow to read, gets what the first one got, and counts once. */
static void take(struct device *device, const uint8_t *data, size_t size)
{
	uint8_t reset[HEADER] = {TYPE_RST, 0, data[2], data[3]};
	uint8_t acknowledgement[HEADER] = {TYPE_ACK, 0, data[2], data[3]};
	bool again;

	if (size == HEADER && data[1] == 0) {
		device->seen.acknowledged += data[0] == TYPE_ACK;
		device->seen.rejected += data[0] == TYPE_RST;
		return;
	}
	if (size < HEADER + TOKEN || (data[0] & 15) != TOKEN)
		return;
	again = device->last == (data[2] << 8 | data[3]);
	device->last = data[2] << 8 | data[3];
	device->seen.requests += !again;
	if (device->mood == DEVICE_SILENT)
		return;
	if (device->mood == DEVICE_ACKNOWLEDGES) {
		send_out(device, acknowledgement, sizeof(acknowledgement));
		return;
	}
	if (!again) {
		device->rejected = device->reject > 0;
		device->reject -= device->rejected;
	}
	if (device->rejected) {
		send_out(device, reset, sizeof(reset));
		return;
	}
	answer(device, data, size);
}

static void *run(void *arg)
{
	struct device *device = arg;
	struct pollfd fds[] = {{device->fd, POLLIN, 0}, {device->wake[0], POLLIN, 0}};
	uint8_t data[ROOM];

	for (;;) {
		socklen_t size = sizeof(device->client);
		ssize_t n;

		if (poll(fds, 2, -1) < 0)
			continue;
		if (fds[1].revents)
			return NULL;
		pthread_mutex_lock(&device->lock);
		n = recvfrom(device->fd, data, sizeof(data), MSG_DONTWAIT, (struct sockaddr *)&device->client, &size);
		if (n >= HEADER)
			take(device, data, (size_t)n);
		pthread_mutex_unlock(&device->lock);
	}
}

struct device *device_new(void)
{
	struct device *device = calloc(1, sizeof(*device));
	struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(address);

	if (!device)
		child_die("no memory");
	device->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (pipe(device->wake) < 0 || bind(device->fd, (struct sockaddr *)&address, size) < 0 ||
	    getsockname(device->fd, (struct sockaddr *)&address, &size) < 0)
		child_die("no socket for the device");
	device->port = ntohs(address.sin_port);
	device->state = 1;
	device->last = -1;
	pthread_mutex_init(&device->lock, NULL);
	if (pthread_create(&device->thread, NULL, run, device) != 0)
		child_die("no thread for the device");
	return device;
}

void device_free(struct device *device)
{
	if (!device)
		return;
	(void)!write(device->wake[1], "", 1);
	pthread_join(device->thread, NULL);
	pthread_mutex_destroy(&device->lock);
	close(device->fd);
	close(device->wake[0]);
	close(device->wake[1]);
	free(device);
}

uint16_t device_port(const struct device *device)
{
	return device->port;
}

void device_reject(struct device *device, unsigned count)
{
	pthread_mutex_lock(&device->lock);
	device->reject = count;
	pthread_mutex_unlock(&device->lock);
}

void device_feel(struct device *device, enum device_mood mood)
{
	pthread_mutex_lock(&device->lock);
	device->mood = mood;
	pthread_mutex_unlock(&device->lock);
}

void device_change(struct device *device)
{
	pthread_mutex_lock(&device->lock);
	device->state++;
	pthread_mutex_unlock(&device->lock);
}

static void send_state(struct device *device, bool confirmable, const uint8_t *token, size_t size, bool observe)
{
	uint8_t out[64];

	device->id++;
	out[0] = (uint8_t)(0x40 | (confirmable ? 0 : 0x10) | size);
	out[1] = CODE_CONTENT;
	out[2] = (uint8_t)(device->id >> 8);
	out[3] = (uint8_t)device->id;
	memcpy(out + HEADER, token, size);
	send_out(device, out, HEADER + size + write_state(device, out + HEADER + size, observe, true));
}

void device_notify(struct device *device, bool confirmable)
{
	pthread_mutex_lock(&device->lock);
	device->observe++;
	send_state(device, confirmable, device->observer, TOKEN, true);
	pthread_mutex_unlock(&device->lock);
}

void device_babble(struct device *device, size_t token_size)
{
	const uint8_t token[TOKEN] = {0};

	pthread_mutex_lock(&device->lock);
	send_state(device, false, token, token_size, false);
	pthread_mutex_unlock(&device->lock);
}

struct device_seen device_seen(struct device *device)
{
	struct device_seen seen;

	pthread_mutex_lock(&device->lock);
	seen = device->seen;
	pthread_mutex_unlock(&device->lock);
	return seen;
}
