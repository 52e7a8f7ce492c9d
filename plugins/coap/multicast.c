/* SPDX-License-Identifier: Apache-2.0 */
#include "multicast.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <unistd.h>

#include "multicast_inside.h"

enum { READS_A_TURN = 16, REQUEST_MAX = 1280 };

#define LEISURE_US (INT64_C(1000000) * MULTICAST_LEISURE_S)

static void count(const struct multicast *multicast, enum multicast_count what)
{
	multicast->setup.host->count(multicast->setup.host, multicast->setup.counter + (unsigned)what, 1);
}

/* splitmix64: nobody has to be kept from guessing when an answer comes. */
static uint64_t draw(struct multicast *multicast)
{
	uint64_t z = multicast->random += UINT64_C(0x9e3779b97f4a7c15);
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static void schedule(struct multicast *multicast)
{
	int64_t next_us = INT64_MAX;
	for (size_t i = 0; i < MULTICAST_WAITING_MAX; i++)
		if (multicast->waiting[i].size > 0 && multicast->waiting[i].due_us < next_us)
			next_us = multicast->waiting[i].due_us;
	multicast->setup.host->timer_set(multicast->timer, next_us == INT64_MAX ? 0 : next_us);
}

/* What cannot be sent is lost, as on any network. */
static void waiting_send(struct multicast *multicast, struct multicast_waiting *waiting)
{
	socklen_t length =
		waiting->peer.any.sa_family == AF_INET6 ? sizeof(waiting->peer.v6) : sizeof(waiting->peer.v4);
	if (sendto(waiting->fd, waiting->bytes, waiting->size, MSG_DONTWAIT, &waiting->peer.any, length) > 0)
		count(multicast, MULTICAST_COUNT_ANSWERS);
	waiting->size = 0;
}

static void on_timer(void *arg)
{
	struct multicast *multicast = arg;
	int64_t now_us = multicast->setup.host->now_us(multicast->setup.host);
	for (size_t i = 0; i < MULTICAST_WAITING_MAX; i++)
		if (multicast->waiting[i].size > 0 && multicast->waiting[i].due_us <= now_us)
			waiting_send(multicast, &multicast->waiting[i]);
	schedule(multicast);
}

static bool is_same(const union multicast_address *one, const union multicast_address *other)
{
	if (one->any.sa_family != other->any.sa_family)
		return false;
	if (one->any.sa_family == AF_INET)
		return one->v4.sin_port == other->v4.sin_port && one->v4.sin_addr.s_addr == other->v4.sin_addr.s_addr;
	return one->v6.sin6_port == other->v6.sin6_port && IN6_ARE_ADDR_EQUAL(&one->v6.sin6_addr, &other->v6.sin6_addr);
}

/* A free place, or NULL: there is none, or the same request waits for its answer already (by another group, or sent again). */
static struct multicast_waiting *waiting_take(struct multicast *multicast, const union multicast_address *peer,
					      uint16_t id)
{
	struct multicast_waiting *found = NULL;
	for (size_t i = 0; i < MULTICAST_WAITING_MAX; i++) {
		struct multicast_waiting *waiting = &multicast->waiting[i];
		if (waiting->size == 0)
			found = waiting;
		else if (waiting->id == id && is_same(&waiting->peer, peer))
			return NULL;
	}
	return found;
}

static void take(const struct multicast_socket *socket, const union multicast_address *peer, uint32_t interface,
		 struct tg_bytes datagram)
{
	struct multicast *multicast = socket->multicast;
	char base[MULTICAST_BASE_MAX];
	struct coap_message request;
	count(multicast, MULTICAST_COUNT_REQUESTS);
	if (!multicast_is_near(&peer->any) || message_parse(datagram, &request) < 0 ||
	    !multicast_base(multicast, interface, &peer->any, base))
		return;
	struct multicast_waiting *waiting = waiting_take(multicast, peer, request.id);
	if (!waiting)
		return;
	waiting->size = multicast_answer(&request, multicast->setup.links, base, multicast->next_id++, waiting->bytes);
	if (waiting->size == 0)
		return;
	waiting->fd = socket->fd;
	waiting->peer = *peer;
	waiting->id = request.id;
	waiting->due_us = multicast->setup.host->now_us(multicast->setup.host) +
			  (int64_t)(draw(multicast) % (uint64_t)LEISURE_US);
	schedule(multicast);
}

/* By which interface it came; 0: not known. */
static uint32_t interface_of(struct msghdr *message)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return info.ipi6_ifindex;
		}
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;
			memcpy(&info, CMSG_DATA(c), sizeof(info));
			return (uint32_t)info.ipi_ifindex;
		}
	}
	return 0;
}

static void on_ready(void *arg, int fd, uint32_t ready)
{
	const struct multicast_socket *socket = arg;
	(void)ready;
	for (unsigned i = 0; i < READS_A_TURN; i++) {
		union multicast_address peer;
		uint8_t bytes[REQUEST_MAX];
		union {
			size_t align;
			uint8_t bytes[CMSG_SPACE(sizeof(struct in6_pktinfo))];
		} control;
		struct iovec part = {bytes, sizeof(bytes)};
		struct msghdr message = {.msg_name = &peer,
					 .msg_namelen = sizeof(peer),
					 .msg_iov = &part,
					 .msg_iovlen = 1,
					 .msg_control = &control,
					 .msg_controllen = sizeof(control)};
		ssize_t size = recvmsg(fd, &message, MSG_DONTWAIT);
		if (size < 0)
			return;
		if (!(message.msg_flags & MSG_TRUNC))
			take(socket, &peer, interface_of(&message), (struct tg_bytes){bytes, (size_t)size});
	}
}

int multicast_new(const struct multicast_setup *setup, struct multicast **ret_multicast)
{
	const struct tg_host *host = setup->host;
	*ret_multicast = NULL;
	if (!host->setting_item(host, "multicast", 0) || host->worker(host) != 0)
		return 0;
	struct multicast *multicast = calloc(1, sizeof(*multicast));
	int r = multicast ? 0 : -ENOMEM;
	if (r >= 0) {
		multicast->setup = *setup;
		memcpy(&multicast->listener, setup->listener,
		       setup->listener->sa_family == AF_INET6 ? sizeof(struct sockaddr_in6)
							      : sizeof(struct sockaddr_in));
		multicast->setup.listener = (const struct sockaddr *)&multicast->listener;
		r = getrandom(&multicast->random, sizeof(multicast->random), 0) == sizeof(multicast->random) ? 0 : -EIO;
	}
	if (r >= 0) {
		multicast->next_id = (uint16_t)draw(multicast);
		r = host->timer_new(host, on_timer, multicast, &multicast->timer);
	}
	if (r < 0)
		host->log(host, TG_LOG_ERROR, NULL, "cannot begin multicast (%s)", strerror(-r));
	else
		r = multicast_join(multicast);
	if (r < 0) {
		multicast_free(multicast);
		return r;
	}
	*ret_multicast = multicast;
	return 0;
}

int multicast_start(struct multicast *multicast)
{
	int r = 0;
	for (size_t i = 0; r >= 0 && i < multicast->n_sockets; i++) {
		struct multicast_socket *socket = &multicast->sockets[i];
		r = multicast->setup.host->watch(multicast->setup.host, socket->fd, TG_READABLE, on_ready, socket,
						 &socket->watch);
	}
	return r;
}

void multicast_free(struct multicast *multicast)
{
	if (!multicast)
		return;
	for (size_t i = 0; i < multicast->n_sockets; i++) {
		multicast->setup.host->unwatch(multicast->sockets[i].watch);
		close(multicast->sockets[i].fd);
	}
	multicast->setup.host->timer_free(multicast->timer);
	free(multicast);
}
