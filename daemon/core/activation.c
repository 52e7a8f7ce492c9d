/* SPDX-License-Identifier: Apache-2.0 */
#include "core/activation.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/log.h"
#include "base/loop.h"
#include "core/events.h"

enum { HOST_TEXT = 64 };

union address {
	struct sockaddr any;
	struct sockaddr_in v4;
	struct sockaddr_in6 v6;
	struct sockaddr_storage room;
};

struct held {
	int fd;
	char *name;
	union address address;
	int type;
	bool used;
};

struct activation {
	size_t count;
	struct held *held;
};

/* What sockets can be held for: those whose adapters take them over. */
static const struct {
	const char *start;
	const char *port;
	int type;
} schemes[] = {{"coaps://", "5684", SOCK_DGRAM}, {"coap://", "5683", SOCK_DGRAM}};

static int compare(const void *a, const void *b)
{
	const struct held *x = a, *y = b;
	int r = strcmp(x->name, y->name);

	return r ? r : (x->fd > y->fd) - (x->fd < y->fd);
}

static void read_address(struct held *held)
{
	socklen_t size = sizeof(held->address);

	if (getsockname(held->fd, &held->address.any, &size) < 0)
		held->address.any.sa_family = AF_UNSPEC;
	size = sizeof(held->type);
	if (getsockopt(held->fd, SOL_SOCKET, SO_TYPE, &held->type, &size) < 0)
		held->type = 0;
}

static void let_go(struct held *held)
{
	close(held->fd);
	free(held->name);
}

int activation_new(struct activation **ret_activation)
{
	struct activation *activation = calloc(1, sizeof(*activation));
	CLEANUP_FREE char **names = NULL;
	int first, n = loop_sockets(&first, &names);
	struct held *held = calloc(n > 0 ? (size_t)n : 1, sizeof(*held));

	for (int i = 0; i < n; i++) {
		struct held one = {.fd = first + i, .name = names[i]};

		if (held)
			held[i] = one;
		else
			let_go(&one);
	}
	if (n < 0 || !held || !activation) {
		for (int i = 0; held && i < n; i++)
			let_go(&held[i]);
		free(held);
		free(activation);
		return n < 0 ? n : -ENOMEM;
	}
	for (int i = 0; i < n; i++)
		read_address(&held[i]);
	qsort(held, (size_t)n, sizeof(*held), compare);
	*activation = (struct activation){(size_t)n, held};
	*ret_activation = activation;
	return 0;
}

void activation_free(struct activation *activation)
{
	if (!activation)
		return;
	for (size_t i = 0; i < activation->count; i++)
		let_go(&activation->held[i]);
	free(activation->held);
	free(activation);
}

/* Digits alone, as the adapter wants them. */
static bool resolve(const char *host, size_t host_size, const char *port, union address *ret_address)
{
	const struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV, .ai_socktype = SOCK_DGRAM};
	struct addrinfo *found;
	char text[HOST_TEXT];

	if (host_size >= sizeof(text))
		return false;
	snprintf(text, sizeof(text), "%.*s", (int)host_size, host);
	if (getaddrinfo(text, port, &hints, &found) != 0)
		return false;
	memcpy(ret_address, found->ai_addr, found->ai_addrlen);
	freeaddrinfo(found);
	return true;
}

static bool parse(const char *uri, union address *ret_address, int *ret_type)
{
	for (size_t i = 0; i < sizeof(schemes) / sizeof(schemes[0]); i++) {
		size_t size = strlen(schemes[i].start);
		const char *host = uri + size, *end;
		bool v6;

		if (strncmp(uri, schemes[i].start, size) != 0)
			continue;
		v6 = *host == '[';
		host += v6;
		end = host + strcspn(host, v6 ? "]" : ":/");
		*ret_type = schemes[i].type;
		uri = end + (v6 && *end);
		return (*uri == ':' || *uri == '\0') &&
		       resolve(host, (size_t)(end - host), *uri ? uri + 1 : schemes[i].port, ret_address);
	}
	return false;
}

static bool same(const union address *a, const union address *b)
{
	if (a->any.sa_family != b->any.sa_family)
		return false;
	if (a->any.sa_family == AF_INET)
		return a->v4.sin_port == b->v4.sin_port && a->v4.sin_addr.s_addr == b->v4.sin_addr.s_addr;
	return a->any.sa_family == AF_INET6 && a->v6.sin6_port == b->v6.sin6_port &&
	       a->v6.sin6_scope_id == b->v6.sin6_scope_id &&
	       memcmp(&a->v6.sin6_addr, &b->v6.sin6_addr, sizeof(a->v6.sin6_addr)) == 0;
}

int activation_socket(struct activation *activation, const char *uri, size_t number)
{
	union address address;
	int type;

	if (activation->count == 0 || !parse(uri, &address, &type))
		return -1;
	for (size_t i = 0; i < activation->count; i++) {
		struct held *held = &activation->held[i];

		if (held->type != type || !same(&held->address, &address) || number-- > 0)
			continue;
		held->used = true;
		return held->fd;
	}
	return -1;
}

static void complain(const struct held *held)
{
	char host[HOST_TEXT] = "?", port[8] = "?";

	(void)getnameinfo(&held->address.any, sizeof(held->address), host, sizeof(host), port, sizeof(port),
			  NI_NUMERICHOST | NI_NUMERICSERV);
	log_fields_write(LOG_LEVEL_WARNING, &(struct log_fields){.event = EVENT_SOCKET_UNUSED},
			 "the service manager's socket \"%s\" (%s, port %s) is in no \"listen\" of coap, closed",
			 held->name, host, port);
}

void activation_close_unused(struct activation *activation)
{
	size_t kept = 0;

	for (size_t i = 0; i < activation->count; i++) {
		struct held *held = &activation->held[i];

		if (held->used) {
			activation->held[kept++] = *held;
			continue;
		}
		complain(held);
		let_go(held);
	}
	activation->count = kept;
}
