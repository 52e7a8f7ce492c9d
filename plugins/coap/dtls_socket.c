/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_socket.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "dtls_sort.h"

enum {
	SOCKET_BATCH = 64,
	SOCKET_ROUNDS =
		4, /* batches of live sessions read in one turn; of ClientHellos it is one: others want theirs too */
	SOCKET_OUT = 512, /* datagrams that may wait for the kernel; a power of two */
};

union socket_control { /* struct cmsghdr wants to be aligned as a size_t */
	size_t align;
	uint8_t v4[CMSG_SPACE(sizeof(struct in_pktinfo))];
	uint8_t v6[CMSG_SPACE(sizeof(struct in6_pktinfo))];
};

struct socket_in {
	uint8_t bytes[DTLS_SOCKET_IN_MAX];
	union dtls_address address;
	union socket_control control;
	struct iovec part;
};

struct socket_out {
	uint8_t bytes[DTLS_SOCKET_OUT_MAX];
	union dtls_address address;
	union socket_control control;
	struct iovec part;
};

/* One file descriptor, and which of the group it is. */
struct socket_queue {
	struct dtls_socket *socket;
	enum dtls_sort sort;
	int fd; /* -1: there is none */
	struct tg_watch *watch;
};

struct dtls_socket {
	const struct tg_host *host;
	dtls_socket_fn *receive;
	void *arg;
	struct tg_timer *idle;
	struct socket_queue queues[DTLS_BIND_GIVEN_MAX]; /* the first one is there always, and sends */
	sa_family_t family;
	uint16_t port;
	bool any;     /* bound to every address of this machine */
	bool sorted;  /* ClientHellos come by queues of their own */
	bool blocked; /* waits until the kernel takes more */
	bool idle_set;
	unsigned out_begin;
	unsigned out_count;
	struct mmsghdr in_messages[SOCKET_BATCH];
	struct mmsghdr out_messages[SOCKET_OUT];
	struct socket_in in[SOCKET_BATCH];
	struct socket_out out[SOCKET_OUT];
};

static void socket_local(struct dtls_socket *socket, struct msghdr *message, struct dtls_local *ret_local)
{
	struct dtls_local local = {.known = false};

	for (struct cmsghdr *c = socket->any ? CMSG_FIRSTHDR(message) : NULL; c; c = CMSG_NXTHDR(message, c)) {
		if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_PKTINFO) {
			struct in6_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(local.address, &info.ipi6_addr, 16);
			if (IN6_IS_ADDR_LINKLOCAL(&info.ipi6_addr))
				local.interface = info.ipi6_ifindex;
			local.known = !IN6_IS_ADDR_MULTICAST(&info.ipi6_addr);
		} else if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_PKTINFO) {
			struct in_pktinfo info;

			memcpy(&info, CMSG_DATA(c), sizeof(info));
			memcpy(local.address, &info.ipi_spec_dst, 4);
			local.known = true;
		}
	}
	*ret_local = local;
}

static void socket_set_local(struct dtls_socket *socket, const struct dtls_local *local, union socket_control *control,
			     struct msghdr *message)
{
	if (!local->known)
		return;
	bool v6 = socket->family == AF_INET6;
	memset(control, 0, sizeof(*control));
	message->msg_control = control;
	message->msg_controllen = v6 ? sizeof(control->v6) : sizeof(control->v4);
	struct cmsghdr *c = CMSG_FIRSTHDR(message);
	if (v6) {
		struct in6_pktinfo info = {.ipi6_ifindex = local->interface};

		memcpy(&info.ipi6_addr, local->address, 16);
		c->cmsg_level = IPPROTO_IPV6;
		c->cmsg_type = IPV6_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	} else {
		struct in_pktinfo info = {.ipi_ifindex = 0};

		memcpy(&info.ipi_spec_dst, local->address, 4);
		c->cmsg_level = IPPROTO_IP;
		c->cmsg_type = IP_PKTINFO;
		c->cmsg_len = CMSG_LEN(sizeof(info));
		memcpy(CMSG_DATA(c), &info, sizeof(info));
	}
}

static void socket_take(struct dtls_socket *socket, unsigned i)
{
	struct mmsghdr *message = &socket->in_messages[i];
	struct dtls_datagram datagram = {.bytes = {socket->in[i].bytes, message->msg_len}};

	if (message->msg_hdr.msg_flags & MSG_TRUNC)
		datagram.bytes = (struct tg_bytes){NULL, 0};
	dtls_peer_of(&socket->in[i].address, &datagram.peer);
	socket_local(socket, &message->msg_hdr, &datagram.local);
	socket->receive(socket->arg, &datagram);
}

/* Returns whether there may be more. */
static bool socket_read(struct dtls_socket *socket, int fd)
{
	for (unsigned i = 0; i < SOCKET_BATCH; i++) {
		socket->in_messages[i].msg_hdr.msg_namelen = sizeof(socket->in[i].address);
		socket->in_messages[i].msg_hdr.msg_controllen = socket->any ? sizeof(socket->in[i].control) : 0;
	}
	int n = recvmmsg(fd, socket->in_messages, SOCKET_BATCH, MSG_DONTWAIT, NULL);
	if (n < 0)
		return errno == EINTR;
	for (unsigned i = 0; i < (unsigned)n; i++)
		socket_take(socket, i);
	return n == SOCKET_BATCH;
}

static void socket_block(struct dtls_socket *socket, bool blocked)
{
	struct tg_watch *watch = socket->queues[DTLS_SORT_SESSIONS].watch;

	if (socket->blocked == blocked || !watch)
		return;
	socket->blocked = blocked;
	socket->host->watch_set(watch, blocked ? TG_READABLE | TG_WRITABLE : TG_READABLE);
}

static void socket_flush(struct dtls_socket *socket)
{
	while (socket->out_count > 0) {
		unsigned begin = socket->out_begin, n = socket->out_count;

		if (n > SOCKET_OUT - begin)
			n = SOCKET_OUT - begin;
		int sent =
			sendmmsg(socket->queues[DTLS_SORT_SESSIONS].fd, socket->out_messages + begin, n, MSG_DONTWAIT);
		if (sent < 0 && (errno == EAGAIN || errno == EWOULDBLOCK)) {
			socket_block(socket, true);
			return;
		}
		if (sent < 0 && errno == EINTR)
			continue;
		/* One that cannot be sent (no route, a firewall, a full device) is lost, as on any network. */
		if (sent <= 0)
			sent = 1;
		socket->out_begin = (begin + (unsigned)sent) % SOCKET_OUT;
		socket->out_count -= (unsigned)sent;
	}
	socket_block(socket, false);
}

static void socket_idle(void *arg)
{
	struct dtls_socket *socket = arg;

	socket->idle_set = false;
	if (!socket->blocked)
		socket_flush(socket);
}

static void socket_ready(void *arg, int fd, uint32_t ready)
{
	const struct socket_queue *queue = arg;
	struct dtls_socket *socket = queue->socket;

	if (ready & TG_WRITABLE && socket->blocked)
		socket_flush(socket);
	for (unsigned i = 0; i < (queue->sort == DTLS_SORT_SESSIONS ? SOCKET_ROUNDS : 1); i++)
		if (!socket_read(socket, fd))
			break;
}

int dtls_socket_send(struct dtls_socket *socket, const struct dtls_peer *peer, const struct dtls_local *local,
		     struct tg_bytes bytes)
{
	if (bytes.size > DTLS_SOCKET_OUT_MAX)
		return -EMSGSIZE;
	if (socket->out_count == SOCKET_OUT && !socket->blocked)
		socket_flush(socket);
	if (socket->out_count == SOCKET_OUT)
		return -ENOBUFS;
	unsigned i = (socket->out_begin + socket->out_count) % SOCKET_OUT;
	struct socket_out *out = &socket->out[i];
	struct msghdr *message = &socket->out_messages[i].msg_hdr;
	memcpy(out->bytes, bytes.data, bytes.size);
	out->part = (struct iovec){out->bytes, bytes.size};
	*message = (struct msghdr){.msg_name = &out->address, .msg_iov = &out->part, .msg_iovlen = 1};
	message->msg_namelen = dtls_peer_address(peer, socket->family, &out->address);
	socket_set_local(socket, local, &out->control, message);
	socket->out_count++;
	if (!socket->idle_set && !socket->blocked) {
		socket->idle_set = true;
		socket->host->timer_set(socket->idle, 1);
	}
	if (socket->out_count % SOCKET_BATCH == 0 && !socket->blocked)
		socket_flush(socket);
	return 0;
}

static void socket_wire(struct dtls_socket *socket)
{
	for (unsigned i = 0; i < SOCKET_BATCH; i++) {
		struct socket_in *in = &socket->in[i];

		in->part = (struct iovec){in->bytes, sizeof(in->bytes)};
		socket->in_messages[i].msg_hdr = (struct msghdr){
			.msg_name = &in->address, .msg_iov = &in->part, .msg_iovlen = 1, .msg_control = &in->control};
	}
}

/* Where nothing is sorted any of them may bring anything. */
static void socket_take_group(struct dtls_socket *socket, const struct dtls_group *group)
{
	for (unsigned i = 0; i < DTLS_BIND_GIVEN_MAX; i++) {
		socket->queues[i].fd = group->fds[i];
		socket->queues[i].sort = group->sorted ? (enum dtls_sort)i : DTLS_SORT_SESSIONS;
	}
	socket->family = group->family;
	socket->port = group->port;
	socket->any = group->any;
	socket->sorted = group->sorted;
}

int dtls_socket_new(const struct tg_host *host, const struct dtls_bind *place, dtls_socket_fn *receive, void *arg,
		    struct dtls_socket **ret_socket)
{
	struct dtls_socket *socket = calloc(1, sizeof(*socket));
	struct dtls_group group;

	if (!socket)
		return -ENOMEM;
	socket->host = host;
	socket->receive = receive;
	socket->arg = arg;
	for (unsigned i = 0; i < DTLS_BIND_GIVEN_MAX; i++)
		socket->queues[i] = (struct socket_queue){.socket = socket, .fd = -1};
	int r = dtls_group_open(place, &group);
	if (r >= 0) {
		socket_take_group(socket, &group);
		r = host->idle_new(host, socket_idle, socket, &socket->idle);
	}
	if (r < 0) {
		dtls_socket_free(socket);
		return r;
	}
	socket_wire(socket);
	*ret_socket = socket;
	return 0;
}

int dtls_socket_start(struct dtls_socket *socket)
{
	int r = 0;

	for (unsigned i = 0; i < DTLS_BIND_GIVEN_MAX && r >= 0; i++) {
		struct socket_queue *queue = &socket->queues[i];

		if (queue->fd >= 0)
			r = socket->host->watch(socket->host, queue->fd, TG_READABLE, socket_ready, queue,
						&queue->watch);
	}
	return r;
}

void dtls_socket_free(struct dtls_socket *socket)
{
	if (!socket)
		return;
	if (socket->queues[DTLS_SORT_SESSIONS].fd >= 0)
		socket_flush(socket);
	for (unsigned i = 0; i < DTLS_BIND_GIVEN_MAX; i++) {
		socket->host->unwatch(socket->queues[i].watch);
		if (socket->queues[i].fd >= 0)
			close(socket->queues[i].fd);
	}
	socket->host->timer_free(socket->idle);
	free(socket);
}

bool dtls_socket_is_full(const struct dtls_socket *socket)
{
	return socket->blocked && socket->out_count == SOCKET_OUT;
}

sa_family_t dtls_socket_family(const struct dtls_socket *socket)
{
	return socket->family;
}

bool dtls_socket_is_sorted(const struct dtls_socket *socket)
{
	return socket->sorted;
}

uint16_t dtls_socket_port(const struct dtls_socket *socket)
{
	return socket->port;
}
