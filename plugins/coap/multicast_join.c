/* SPDX-License-Identifier: Apache-2.0 */
#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "multicast_inside.h"

enum { COAPS_PORT = 5684 };

/* Source: RFC 7252 section 12.8, RFC 9176 section 9.5. */
static const struct group {
	const char *address;
	bool directory; /* where there is one */
	bool link;      /* each link has its own */
} groups[MULTICAST_GROUPS] = {
	{"224.0.1.187", false, false}, {"ff02::fd", false, true}, {"ff05::fd", false, false},
	{"ff02::fe", true, true},      {"ff05::fe", true, false},
};

static void note_address(struct multicast_interface *interface, const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	if (address->sa_family == AF_INET && interface->v4.s_addr == INADDR_ANY)
		interface->v4 = v4->sin_addr;
	if (address->sa_family != AF_INET6)
		return;
	struct in6_addr *place = IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr) ? &interface->link_local : &interface->v6;
	if (IN6_IS_ADDR_UNSPECIFIED(place))
		*place = v6->sin6_addr;
}

static int interfaces_find(struct multicast *multicast)
{
	const struct tg_host *host = multicast->setup.host;
	struct ifaddrs *all = NULL;
	const char *name;
	if (getifaddrs(&all) < 0)
		all = NULL; /* then they are named by the listener alone */
	for (size_t i = 0; i < MULTICAST_INTERFACES_MAX && (name = host->setting_item(host, "multicast", i)); i++) {
		struct multicast_interface *interface = &multicast->interfaces[i];
		interface->index = if_nametoindex(name);
		if (interface->index == 0) {
			host->log(host, TG_LOG_ERROR, NULL, "cannot listen to multicast on '%s' (no such interface)",
				  name);
			freeifaddrs(all);
			return -ENODEV;
		}
		for (const struct ifaddrs *entry = all; entry; entry = entry->ifa_next)
			if (entry->ifa_addr && strcmp(entry->ifa_name, name) == 0)
				note_address(interface, entry->ifa_addr);
		multicast->n_interfaces++;
	}
	freeifaddrs(all);
	return 0;
}

static void set(int fd, int level, int option, int value)
{
	(void)setsockopt(fd, level, option, &value, sizeof(value));
}

/* Bound to the group, so that what is sent to this machine alone never comes here. */
static int socket_open(const struct group *group, uint32_t scope)
{
	union multicast_address address = {.v6 = {.sin6_family = AF_INET6, .sin6_port = htons(MULTICAST_PORT)}};
	socklen_t length = sizeof(address.v6);
	if (inet_pton(AF_INET6, group->address, &address.v6.sin6_addr) == 1) {
		address.v6.sin6_scope_id = scope;
	} else {
		address = (union multicast_address){.v4 = {.sin_family = AF_INET, .sin_port = htons(MULTICAST_PORT)}};
		inet_pton(AF_INET, group->address, &address.v4.sin_addr);
		length = sizeof(address.v4);
	}
	int fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	set(fd, SOL_SOCKET, SO_REUSEADDR, 1); /* others on this machine may be in the group as well */
	if (address.any.sa_family == AF_INET6) {
		set(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
		set(fd, IPPROTO_IPV6, IPV6_RECVPKTINFO, 1);
		set(fd, IPPROTO_IPV6, IPV6_MULTICAST_ALL, 0);
	} else {
		set(fd, IPPROTO_IP, IP_PKTINFO, 1);
		set(fd, IPPROTO_IP, IP_MULTICAST_ALL, 0);
	}
	if (bind(fd, &address.any, length) < 0) {
		int error = errno;
		close(fd);
		return -error;
	}
	return fd;
}

static int group_join(int fd, const struct group *group, uint32_t interface)
{
	struct ipv6_mreq v6 = {.ipv6mr_interface = interface};
	struct ip_mreqn v4 = {.imr_ifindex = (int)interface};
	int r;
	if (inet_pton(AF_INET6, group->address, &v6.ipv6mr_multiaddr) == 1) {
		r = setsockopt(fd, IPPROTO_IPV6, IPV6_ADD_MEMBERSHIP, &v6, sizeof(v6));
	} else {
		inet_pton(AF_INET, group->address, &v4.imr_multiaddr);
		r = setsockopt(fd, IPPROTO_IP, IP_ADD_MEMBERSHIP, &v4, sizeof(v4));
	}
	return r < 0 ? -errno : 0;
}

/* One socket for interfaces `first` to `last`. An interface may do without one of the protocols: returns how many are in the group. */
static int group_open(struct multicast *multicast, const struct group *group, size_t first, size_t last)
{
	const struct tg_host *host = multicast->setup.host;
	struct multicast_socket *socket = &multicast->sockets[multicast->n_sockets];
	int joined = 0, error = 0;
	int fd = socket_open(group, group->link ? multicast->interfaces[first].index : 0);
	if (fd == -EAFNOSUPPORT)
		return 0;
	if (fd < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot listen to group %s at port %d (%s)", group->address,
			  MULTICAST_PORT, strerror(-fd));
		return fd;
	}
	for (size_t i = first; i <= last; i++) {
		int r = group_join(fd, group, multicast->interfaces[i].index);
		joined += r >= 0;
		error = r < 0 ? -r : error;
	}
	if (error)
		host->log(host, TG_LOG_NOTICE, NULL, "cannot join group %s on each interface (%s)", group->address,
			  strerror(error));
	if (joined == 0) {
		close(fd);
		return 0;
	}
	*socket = (struct multicast_socket){.multicast = multicast, .fd = fd};
	multicast->n_sockets++;
	return joined;
}

int multicast_join(struct multicast *multicast)
{
	const struct tg_host *host = multicast->setup.host;
	int r = interfaces_find(multicast);
	for (size_t i = 0; r >= 0 && i < MULTICAST_GROUPS; i++) {
		if (groups[i].directory && !multicast->setup.directory)
			continue;
		if (!groups[i].link) {
			r = group_open(multicast, &groups[i], 0, multicast->n_interfaces - 1);
			continue;
		}
		for (size_t j = 0; r >= 0 && j < multicast->n_interfaces; j++)
			r = group_open(multicast, &groups[i], j, j);
	}
	if (r >= 0 && multicast->n_sockets == 0) {
		host->log(host, TG_LOG_ERROR, NULL, "cannot listen to multicast (no interface is in any group)");
		r = -ENODEV;
	}
	return r < 0 ? r : 0;
}

static const struct multicast_interface *interface_find(const struct multicast *multicast, uint32_t index)
{
	for (size_t i = 0; i < multicast->n_interfaces; i++)
		if (multicast->interfaces[i].index == index)
			return &multicast->interfaces[i];
	return NULL;
}

/* The address that is reached by the interface in the family, and within the scope, of who asks. */
static bool own_address(const struct multicast_interface *interface, const struct sockaddr *listener,
			const struct sockaddr *peer, union multicast_address *ret_own)
{
	const struct sockaddr_in6 *v6 = (const void *)peer;
	bool local = peer->sa_family == AF_INET6 && IN6_IS_ADDR_LINKLOCAL(&v6->sin6_addr);
	memset(ret_own, 0, sizeof(*ret_own));
	if (peer->sa_family == AF_INET || listener->sa_family == AF_INET) {
		ret_own->v4 = (struct sockaddr_in){.sin_family = AF_INET, .sin_addr = interface->v4};
		return interface->v4.s_addr != INADDR_ANY;
	}
	ret_own->v6.sin6_family = AF_INET6;
	ret_own->v6.sin6_addr =
		local || IN6_IS_ADDR_UNSPECIFIED(&interface->v6) ? interface->link_local : interface->v6;
	return !IN6_IS_ADDR_UNSPECIFIED(&ret_own->v6.sin6_addr);
}

bool multicast_base(const struct multicast *multicast, uint32_t index, const struct sockaddr *peer,
		    char ret_base[MULTICAST_BASE_MAX])
{
	const struct sockaddr *listener = multicast->setup.listener;
	const struct multicast_interface *interface = interface_find(multicast, index);
	union multicast_address own;
	char text[INET6_ADDRSTRLEN], port[8] = "";
	memcpy(&own, listener, listener->sa_family == AF_INET6 ? sizeof(own.v6) : sizeof(own.v4));
	unsigned number = ntohs(listener->sa_family == AF_INET6 ? own.v6.sin6_port : own.v4.sin_port);
	bool any = own.any.sa_family == AF_INET6 ? IN6_IS_ADDR_UNSPECIFIED(&own.v6.sin6_addr)
						 : own.v4.sin_addr.s_addr == INADDR_ANY;
	if (!interface || (any && !own_address(interface, listener, peer, &own)))
		return false;
	bool is_v6 = own.any.sa_family == AF_INET6;
	inet_ntop(own.any.sa_family, is_v6 ? (const void *)&own.v6.sin6_addr : (const void *)&own.v4.sin_addr, text,
		  sizeof(text));
	if (number != COAPS_PORT)
		snprintf(port, sizeof(port), ":%u", number);
	snprintf(ret_base, MULTICAST_BASE_MAX, is_v6 ? "coaps://[%s]%s" : "coaps://%s%s", text, port);
	return true;
}
