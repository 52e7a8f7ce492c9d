/* SPDX-License-Identifier: Apache-2.0 */
#include "address.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>

union address_any {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage space;
};

static const struct in6_addr *address_v6(const struct sockaddr *address)
{
	return &((const struct sockaddr_in6 *)(const void *)address)->sin6_addr;
}

static uint32_t address_v4(const struct sockaddr *address)
{
	return ntohl(((const struct sockaddr_in *)(const void *)address)->sin_addr.s_addr);
}

/* RFC 6890 */
static const char *address_objection_v4(uint32_t v4)
{
	if (v4 >> 24 == 127)
		return "loopback";
	if (v4 >> 24 == 0)
		return "unspecified";
	if (v4 >> 16 == 0xa9fe)
		return "link-local";
	if (v4 >> 28 >= 0xe)
		return v4 >> 28 == 0xe ? "multicast" : "reserved";
	return NULL;
}

/* The IPv4 address inside: RFC 4291 section 2.5.5, RFC 3056, RFC 6052. */
static bool address_wrapped(const struct in6_addr *v6, uint32_t *ret_v4)
{
	static const uint8_t nat64[12] = {0x00, 0x64, 0xff, 0x9b};
	const uint8_t *bytes = v6->s6_addr;
	bool wrapped = IN6_IS_ADDR_V4MAPPED(v6) || IN6_IS_ADDR_V4COMPAT(v6) || memcmp(bytes, nat64, 12) == 0;

	if (bytes[0] == 0x20 && bytes[1] == 0x02)
		bytes += 2;
	else if (wrapped)
		bytes += 12;
	else
		return false;
	*ret_v4 = (uint32_t)bytes[0] << 24 | (uint32_t)bytes[1] << 16 | (uint32_t)bytes[2] << 8 | bytes[3];
	return true;
}

const char *address_objection(const struct sockaddr *address)
{
	const struct in6_addr *v6;
	uint32_t v4;

	if (address->sa_family == AF_INET)
		return address_objection_v4(address_v4(address));
	if (address->sa_family != AF_INET6)
		return "of an unknown kind";
	v6 = address_v6(address);
	if (IN6_IS_ADDR_LOOPBACK(v6))
		return "loopback";
	if (IN6_IS_ADDR_UNSPECIFIED(v6))
		return "unspecified";
	if (IN6_IS_ADDR_LINKLOCAL(v6) || IN6_IS_ADDR_SITELOCAL(v6))
		return "link-local";
	if (IN6_IS_ADDR_MULTICAST(v6))
		return "multicast";
	return address_wrapped(v6, &v4) ? address_objection_v4(v4) : NULL;
}

bool address_is_own(const struct sockaddr *address, socklen_t size)
{
	int fd = socket(address->sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	union address_any local;
	socklen_t local_size = sizeof(local);
	bool own = false;

	if (fd < 0)
		return false;
	/* A datagram socket that is connected has its route, and nothing has been sent. */
	if (connect(fd, address, size) == 0 && getsockname(fd, &local.any, &local_size) == 0 &&
	    local.any.sa_family == address->sa_family) {
		if (address->sa_family == AF_INET)
			own = ntohl(local.v4.sin_addr.s_addr) == address_v4(address);
		else
			own = memcmp(&local.v6.sin6_addr, address_v6(address), sizeof(struct in6_addr)) == 0;
	}
	close(fd);
	return own;
}

bool address_equals(const struct sockaddr *address, const char *text)
{
	struct in6_addr v6;
	struct in_addr v4;

	if (address->sa_family == AF_INET)
		return inet_pton(AF_INET, text, &v4) == 1 && ntohl(v4.s_addr) == address_v4(address);
	return address->sa_family == AF_INET6 && inet_pton(AF_INET6, text, &v6) == 1 &&
	       memcmp(&v6, address_v6(address), sizeof(v6)) == 0;
}

const char *address_text(const struct sockaddr *address, char *ret_text)
{
	const void *bytes = address->sa_family == AF_INET6
				    ? (const void *)address_v6(address)
				    : &((const struct sockaddr_in *)(const void *)address)->sin_addr;

	if (!inet_ntop(address->sa_family, bytes, ret_text, INET6_ADDRSTRLEN))
		memcpy(ret_text, "?", 2);
	return ret_text;
}
