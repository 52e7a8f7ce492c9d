/* SPDX-License-Identifier: Apache-2.0 */
#include "dtls_bind.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>

#include "dtls_peer.h"
#include "dtls_sort.h"

enum { SOCKET_BUFFER = 4 << 20 };

static bool group_is_any(const union dtls_address *address)
{
	if (address->any.sa_family == AF_INET)
		return address->v4.sin_addr.s_addr == INADDR_ANY;
	return IN6_IS_ADDR_UNSPECIFIED(&address->v6.sin6_addr);
}

static void group_set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* What one that is bound already can still be told. Its buffers are as whoever has bound it wants them: the kernel would cut them down. */
static void group_tune(const struct dtls_group *g, int fd)
{
	/* What another socket of this machine has joined is not for this one. */
	group_set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	if (g->family == AF_INET6)
		group_set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	/* Beyond the kernel's limit, where this process may. */
	group_set(fd, SOL_SOCKET, SO_RCVBUFFORCE, SOCKET_BUFFER);
	group_set(fd, SOL_SOCKET, SO_SNDBUFFORCE, SOCKET_BUFFER);
	if (g->any && g->family == AF_INET)
		group_set(fd, IPPROTO_IP, IP_PKTINFO, 1);
	if (g->any && g->family == AF_INET6)
		group_set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
}

static int group_open(const struct dtls_group *g, bool shared)
{
	int fd = socket(g->family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (g->family == AF_INET6)
		group_set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 0);
	if (shared)
		group_set(fd, SOL_SOCKET, SO_REUSEPORT, 1);
	group_set(fd, SOL_SOCKET, SO_RCVBUF, SOCKET_BUFFER);
	group_set(fd, SOL_SOCKET, SO_SNDBUF, SOCKET_BUFFER);
	group_tune(g, fd);
	return fd;
}

static int group_take_given(struct dtls_group *g, const struct dtls_bind *place)
{
	for (size_t i = 0; i < place->n_given; i++) {
		int type = 0, fd = fcntl(place->given[i], F_DUPFD_CLOEXEC, 3);
		socklen_t size = sizeof(type);

		if (fd < 0)
			return -errno;
		g->fds[i] = fd;
		if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0 || type != SOCK_DGRAM)
			return -EPROTOTYPE;
		group_tune(g, fd);
	}
	return 0;
}

static int group_bind(struct dtls_group *g, const struct dtls_bind *place, union dtls_address *ret_own)
{
	socklen_t own_length = sizeof(*ret_own);
	union dtls_address wanted;
	int fd, r;

	if (place->address->sa_family != AF_INET && place->address->sa_family != AF_INET6)
		return -EAFNOSUPPORT;
	if (place->n_given > DTLS_BIND_GIVEN_MAX)
		return -E2BIG;
	memcpy(&wanted, place->address, place->length < sizeof(wanted) ? place->length : sizeof(wanted));
	g->family = place->address->sa_family;
	g->any = group_is_any(&wanted);
	r = place->n_given > 0 ? group_take_given(g, place)
			       : (g->fds[DTLS_SORT_SESSIONS] = group_open(g, place->shared));
	if (r < 0)
		return r;
	fd = g->fds[DTLS_SORT_SESSIONS];
	if ((place->n_given == 0 && bind(fd, place->address, place->length) < 0) ||
	    getsockname(fd, &ret_own->any, &own_length) < 0)
		return -errno;
	g->port = g->family == AF_INET ? ret_own->v4.sin_port : ret_own->v6.sin6_port;
	return 0;
}

static void close_one(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* The other queues of the group. The first socket was bound alone, so the address is nobody else's. Without them, as where the kernel
 * does not sort, everything comes by the first one. */
static bool group_split(struct dtls_group *g, const union dtls_address *own)
{
	socklen_t length = g->family == AF_INET ? sizeof(own->v4) : sizeof(own->v6);
	int first = g->fds[DTLS_SORT_SESSIONS];
	bool good = true;

	group_set(first, SOL_SOCKET, SO_REUSEPORT, 1);
	for (unsigned i = 1; i < DTLS_SORTS && good; i++) {
		g->fds[i] = group_open(g, true);
		good = g->fds[i] >= 0 && bind(g->fds[i], &own->any, length) == 0;
	}
	if (good && dtls_sort_attach(first) == 0)
		return true;
	for (unsigned i = 1; i < DTLS_SORTS; i++)
		close_one(&g->fds[i]);
	group_set(first, SOL_SOCKET, SO_REUSEPORT, 0);
	return false;
}

/* What comes is sorted where the sockets make that possible. */
static void group_sort(struct dtls_group *g, const struct dtls_bind *place, const union dtls_address *own)
{
	if (!place->shared && place->n_given <= 1)
		g->sorted = group_split(g, own);
	else if (!place->shared && place->n_given == DTLS_SORTS)
		g->sorted = dtls_sort_attach(g->fds[DTLS_SORT_SESSIONS]) == 0;
	if (!g->sorted)
		dtls_sort_detach(g->fds[DTLS_SORT_SESSIONS]);
}

int dtls_group_open(const struct dtls_bind *place, struct dtls_group *ret_group)
{
	struct dtls_group group = {.sorted = false};
	union dtls_address own;

	for (unsigned i = 0; i < DTLS_BIND_GIVEN_MAX; i++)
		group.fds[i] = -1;
	int r = group_bind(&group, place, &own);
	if (r < 0) {
		dtls_group_close(&group);
		return r;
	}
	group_sort(&group, place, &own);
	*ret_group = group;
	return 0;
}

void dtls_group_close(struct dtls_group *group)
{
	for (unsigned i = 0; i < DTLS_BIND_GIVEN_MAX; i++)
		close_one(&group->fds[i]);
}
