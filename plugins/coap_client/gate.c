/* SPDX-License-Identifier: Apache-2.0 */
#include "gate.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "stack_wire.h"

enum { DATAGRAM_MAX = 1472, DATAGRAMS_A_TURN = 32, ID_AT = 2, PASSED_MAX = 256 };

/* A message of the device that has an id of ours. */
struct passed {
	bool used;
	uint16_t id;
	uint8_t device_id[2];
	bool has_number;
	uint64_t number;
};

struct gate {
	const struct tg_host *host;
	const struct sequence *sequence;
	const struct gate_calls *calls;
	void *arg;
	int inner; /* to libcoap */
	int outer; /* to the device */
	struct sockaddr_in address;
	struct tg_watch *inner_watch, *outer_watch;
	uint16_t last_id;
	struct passed passed[PASSED_MAX]; /* by the id */
};

static const struct passed *find_passed(const struct gate *gate, uint16_t id)
{
	const struct passed *passed = &gate->passed[id % PASSED_MAX];

	return passed->used && passed->id == id ? passed : NULL;
}

bool gate_number(const struct gate *gate, uint16_t id, uint64_t *ret_number)
{
	const struct passed *passed = find_passed(gate, id);

	if (passed && passed->has_number)
		*ret_number = passed->number;
	return passed && passed->has_number;
}

/* Acknowledgements and resets are about messages of libcoap, and keep their ids. */
static void give_id(struct gate *gate, const struct wire *wire, uint8_t *datagram)
{
	uint16_t id;

	if (wire->type == WIRE_ACK || wire->type == WIRE_RST)
		return;
	id = ++gate->last_id;
	gate->passed[id % PASSED_MAX] =
		(struct passed){.used = true, .id = id, .has_number = wire->has_number, .number = wire->number};
	memcpy(gate->passed[id % PASSED_MAX].device_id, wire->id, sizeof(wire->id));
	datagram[ID_AT] = (uint8_t)(id >> 8);
	datagram[ID_AT + 1] = (uint8_t)id;
}

/* Back to the device's own. False: it is of no message that is known. */
static bool restore_id(const struct gate *gate, uint8_t *datagram)
{
	const struct passed *passed = find_passed(gate, (uint16_t)(datagram[ID_AT] << 8 | datagram[ID_AT + 1]));

	if (passed)
		memcpy(datagram + ID_AT, passed->device_id, sizeof(passed->device_id));
	return passed;
}

/* NULL: it may leave. */
static const char *judge_outward(const struct gate *gate, uint8_t *data, size_t size)
{
	struct wire wire = wire_look((struct tg_bytes){.data = data, .size = size});

	if (wire.kind == WIRE_EMPTY)
		return restore_id(gate, data) ? NULL : "an acknowledgement of nothing was held back";
	if (!wire.is_protected)
		return "a message of its own without OSCORE was held back";
	if (wire.has_number && wire.number >= gate->sequence->reserved)
		return "a message with a number that is not reserved was held back";
	return NULL;
}

static const char *judge_inward(const struct gate *gate, const struct wire *wire)
{
	switch (wire->kind) {
	case WIRE_EMPTY:
		return NULL;
	case WIRE_REQUEST:
		return "a request of its own";
	case WIRE_RESPONSE:
		if (!wire->is_protected)
			return "an answer without OSCORE";
		return gate->calls->expects(gate->arg, wire->token) ? NULL : "an answer to no request";
	case WIRE_BROKEN:
		break;
	}
	return "what is no CoAP message";
}

/* The device is not to send it again; and where it was a notification, no more of them. */
static void reject(const struct gate *gate, const struct wire *wire)
{
	uint8_t reset[WIRE_RESET_SIZE];

	if (wire->kind != WIRE_RESPONSE || (wire->type != WIRE_CON && wire->type != WIRE_NON))
		return;
	wire_reset(wire, reset);
	(void)!send(gate->outer, reset, sizeof(reset), MSG_DONTWAIT | MSG_NOSIGNAL);
}

/* Reads the next datagram. Returns false where there is none, or the socket has failed. */
static bool receive(const struct gate *gate, int fd, uint8_t room[DATAGRAM_MAX], struct tg_bytes *ret_datagram)
{
	ssize_t n;

	do
		n = recv(fd, room, DATAGRAM_MAX, MSG_DONTWAIT | MSG_TRUNC);
	while (n < 0 && errno == EINTR);
	if (n < 0 && errno != EAGAIN && errno != EWOULDBLOCK && fd == gate->outer)
		gate->calls->down(gate->arg);
	/* One that is cut is broken. */
	*ret_datagram = (struct tg_bytes){.data = room, .size = n > DATAGRAM_MAX ? 0 : (size_t)n};
	return n >= 0;
}

/* What cannot be sent at the moment is lost on the way, as UDP may, and is sent again. */
static void on_inner(void *arg, int fd, uint32_t ready)
{
	const struct gate *gate = arg;
	uint8_t room[DATAGRAM_MAX];
	struct tg_bytes datagram;

	(void)ready;
	for (unsigned i = 0; i < DATAGRAMS_A_TURN && receive(gate, fd, room, &datagram); i++) {
		const char *problem = judge_outward(gate, room, datagram.size);

		if (problem)
			gate->calls->refused(gate->arg, problem);
		else if (send(gate->outer, datagram.data, datagram.size, MSG_DONTWAIT | MSG_NOSIGNAL) < 0 &&
			 errno != EAGAIN && errno != EWOULDBLOCK)
			gate->calls->down(gate->arg);
	}
}

static void on_outer(void *arg, int fd, uint32_t ready)
{
	struct gate *gate = arg;
	uint8_t room[DATAGRAM_MAX];
	struct tg_bytes datagram;
	bool passed = false;

	(void)ready;
	for (unsigned i = 0; i < DATAGRAMS_A_TURN && receive(gate, fd, room, &datagram); i++) {
		struct wire wire = wire_look(datagram);
		const char *problem = judge_inward(gate, &wire);

		if (problem) {
			reject(gate, &wire);
			gate->calls->refused(gate->arg, problem);
			continue;
		}
		give_id(gate, &wire, room);
		passed |= send(gate->inner, datagram.data, datagram.size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0;
	}
	if (passed)
		gate->calls->passed(gate->arg);
}

static int open_inner(struct gate *gate)
{
	socklen_t size = sizeof(gate->address);

	gate->address = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = {.s_addr = htonl(INADDR_LOOPBACK)}};
	gate->inner = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (gate->inner < 0 || bind(gate->inner, (const struct sockaddr *)&gate->address, size) < 0 ||
	    getsockname(gate->inner, (struct sockaddr *)&gate->address, &size) < 0)
		return -errno;
	return gate->host->watch(gate->host, gate->inner, TG_READABLE, on_inner, gate, &gate->inner_watch);
}

static int open_outer(struct gate *gate, const struct sockaddr *device)
{
	socklen_t size = device->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);

	gate->outer = socket(device->sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (gate->outer < 0 || connect(gate->outer, device, size) < 0)
		return -errno;
	return gate->host->watch(gate->host, gate->outer, TG_READABLE, on_outer, gate, &gate->outer_watch);
}

int gate_new(const struct tg_host *host, const struct sockaddr *device, const struct sequence *sequence,
	     const struct gate_calls *calls, void *arg, struct gate **ret_gate)
{
	struct gate *gate = calloc(1, sizeof(*gate));
	int r;

	if (!gate)
		return -ENOMEM;
	*gate = (struct gate){.host = host, .sequence = sequence, .calls = calls, .arg = arg, .inner = -1, .outer = -1};
	r = open_inner(gate);
	if (r >= 0)
		r = open_outer(gate, device);
	if (r < 0) {
		gate_free(gate);
		return r;
	}
	*ret_gate = gate;
	return 0;
}

void gate_free(struct gate *gate)
{
	if (!gate)
		return;
	gate->host->unwatch(gate->inner_watch);
	gate->host->unwatch(gate->outer_watch);
	if (gate->inner >= 0)
		close(gate->inner);
	if (gate->outer >= 0)
		close(gate->outer);
	free(gate);
}

const struct sockaddr *gate_address(const struct gate *gate)
{
	return (const struct sockaddr *)&gate->address;
}

int gate_attach(struct gate *gate, const struct sockaddr *libcoap, socklen_t size)
{
	return connect(gate->inner, libcoap, size) < 0 ? -errno : 0;
}
