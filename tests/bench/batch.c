/* SPDX-License-Identifier: Apache-2.0 */
#include "batch.h"

#include <arpa/inet.h>
#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "tool.h"

/* The stride is no power of two, or all slots would meet in the same lines of the cache. */
enum { BATCH_SLOTS = 64, BATCH_STRIDE = BATCH_DATAGRAM_MAX + 64, BATCH_SOCKET_BYTES = 16 << 20 };

struct batch_control {
	_Alignas(struct cmsghdr) uint8_t bytes[CMSG_SPACE(sizeof(struct in_pktinfo))];
};

struct batch {
	int fd;
	uint32_t source;
	uint32_t peers;
	struct sockaddr_in server;
	unsigned queued;
	struct mmsghdr out[BATCH_SLOTS];
	struct iovec out_part[BATCH_SLOTS];
	struct batch_control out_control[BATCH_SLOTS];
	uint8_t out_data[BATCH_SLOTS][BATCH_STRIDE];
	struct mmsghdr in[BATCH_SLOTS];
	struct iovec in_part[BATCH_SLOTS];
	struct batch_control in_control[BATCH_SLOTS];
	struct sockaddr_in in_name[BATCH_SLOTS];
	uint8_t in_data[BATCH_SLOTS][BATCH_STRIDE];
};

int batch_address(const char *text, struct sockaddr_in *ret_address)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	char host[INET_ADDRSTRLEN];
	const char *colon = strrchr(text, ':');

	if (!colon || (size_t)(colon - text) >= sizeof(host))
		return -EINVAL;
	memcpy(host, text, (size_t)(colon - text));
	host[colon - text] = '\0';
	if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
		return -EINVAL;
	address.sin_port = htons((uint16_t)tool_number("server", colon + 1, 1, UINT16_MAX));
	*ret_address = address;
	return 0;
}

static int batch_open_socket(void)
{
	struct sockaddr_in any = {.sin_family = AF_INET};
	int on = 1, size = BATCH_SOCKET_BYTES, whole = IP_PMTUDISC_PROBE;
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	if (bind(fd, (struct sockaddr *)&any, sizeof(any)) < 0 ||
	    setsockopt(fd, IPPROTO_IP, IP_PKTINFO, &on, sizeof(on)) < 0) {
		int error = -errno;

		close(fd);
		return error;
	}
	/* Never fragmented: saves the kernel the search for an IP id. */
	(void)setsockopt(fd, IPPROTO_IP, IP_MTU_DISCOVER, &whole, sizeof(whole));
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (setsockopt(fd, SOL_SOCKET, SO_SNDBUFFORCE, &size, sizeof(size)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
	return fd;
}

static void batch_prepare(struct batch *batch)
{
	for (unsigned i = 0; i < BATCH_SLOTS; i++) {
		struct cmsghdr *header = (struct cmsghdr *)batch->out_control[i].bytes;

		header->cmsg_level = IPPROTO_IP;
		header->cmsg_type = IP_PKTINFO;
		header->cmsg_len = CMSG_LEN(sizeof(struct in_pktinfo));
		batch->out_part[i].iov_base = batch->out_data[i];
		batch->out[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->server,
			.msg_namelen = sizeof(batch->server),
			.msg_iov = &batch->out_part[i],
			.msg_iovlen = 1,
			.msg_control = batch->out_control[i].bytes,
			.msg_controllen = sizeof(batch->out_control[i].bytes),
		};
		batch->in_part[i] = (struct iovec){.iov_base = batch->in_data[i], .iov_len = BATCH_DATAGRAM_MAX};
		batch->in[i].msg_hdr = (struct msghdr){
			.msg_name = &batch->in_name[i],
			.msg_namelen = sizeof(batch->in_name[i]),
			.msg_iov = &batch->in_part[i],
			.msg_iovlen = 1,
			.msg_control = batch->in_control[i].bytes,
			.msg_controllen = sizeof(batch->in_control[i].bytes),
		};
	}
}

int batch_new(const struct sockaddr_in *server, uint32_t source, uint32_t peers, struct batch **ret_batch)
{
	struct batch *batch;

	if (source >> 24 != 127 || peers > 0x7fffffffu - source)
		return -ERANGE;
	batch = calloc(1, sizeof(*batch));
	if (!batch)
		return -ENOMEM;
	batch->fd = batch_open_socket();
	if (batch->fd < 0) {
		int error = batch->fd;

		free(batch);
		return error;
	}
	batch->source = source;
	batch->peers = peers;
	batch->server = *server;
	batch_prepare(batch);
	batch_set_wait(batch, 10 * TOOL_MS_US);
	*ret_batch = batch;
	return 0;
}

void batch_free(struct batch *batch)
{
	if (!batch)
		return;
	close(batch->fd);
	free(batch);
}

void batch_put(struct batch *batch, uint32_t peer, const void *data, size_t size)
{
	unsigned slot = batch->queued;
	struct in_pktinfo info = {.ipi_spec_dst.s_addr = htonl(batch->source + peer)};

	if (size > BATCH_DATAGRAM_MAX)
		return;
	memcpy(batch->out_data[slot], data, size);
	batch->out_part[slot].iov_len = size;
	memcpy(CMSG_DATA((struct cmsghdr *)batch->out_control[slot].bytes), &info, sizeof(info));
	batch->queued = slot + 1;
	if (batch->queued == BATCH_SLOTS)
		batch_flush(batch);
}

void batch_flush(struct batch *batch)
{
	unsigned sent = 0;

	while (sent < batch->queued) {
		int count = sendmmsg(batch->fd, &batch->out[sent], batch->queued - sent, 0);

		/* What the kernel does not take is lost, as on any network: one datagram, not the batch. */
		if (count > 0)
			sent += (unsigned)count;
		else if (errno != EINTR)
			sent++;
	}
	batch->queued = 0;
}

void batch_set_wait(struct batch *batch, int64_t wait_us)
{
	struct timeval wait = {.tv_sec = (time_t)(wait_us / TOOL_S_US), .tv_usec = (suseconds_t)(wait_us % TOOL_S_US)};

	(void)setsockopt(batch->fd, SOL_SOCKET, SO_RCVTIMEO, &wait, sizeof(wait));
}

static bool batch_to_peer(const struct batch *batch, const struct mmsghdr *message, uint32_t *ret_peer)
{
	const struct sockaddr_in *from = message->msg_hdr.msg_name;
	struct cmsghdr *header = CMSG_FIRSTHDR(&message->msg_hdr);
	struct in_pktinfo info;
	uint32_t peer;

	if (!header || header->cmsg_type != IP_PKTINFO || from->sin_port != batch->server.sin_port)
		return false;
	memcpy(&info, CMSG_DATA(header), sizeof(info));
	peer = ntohl(info.ipi_addr.s_addr) - batch->source;
	if (peer >= batch->peers)
		return false;
	*ret_peer = peer;
	return true;
}

static int batch_take(struct batch *batch, int flags, batch_receive_fn *fn, void *arg, int64_t *ret_now_us)
{
	int count = recvmmsg(batch->fd, batch->in, BATCH_SLOTS, flags, NULL);

	*ret_now_us = tool_now_us();
	if (count < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++) {
		struct mmsghdr *message = &batch->in[i];
		uint32_t peer;

		if (batch_to_peer(batch, message, &peer))
			fn(arg, peer, batch->in_data[i], message->msg_len);
		message->msg_hdr.msg_namelen = sizeof(batch->in_name[i]);
		message->msg_hdr.msg_controllen = sizeof(batch->in_control[i].bytes);
	}
	return count;
}

int batch_receive(struct batch *batch, batch_receive_fn *fn, void *arg, int64_t *ret_now_us)
{
	return batch_take(batch, MSG_WAITFORONE, fn, arg, ret_now_us);
}

int batch_receive_ready(struct batch *batch, batch_receive_fn *fn, void *arg, int64_t *ret_now_us)
{
	return batch_take(batch, MSG_DONTWAIT, fn, arg, ret_now_us);
}
