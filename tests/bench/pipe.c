/* SPDX-License-Identifier: Apache-2.0 */

/*
 * What goes in at one MQTT broker and comes out at another: publishes with QoS 1 at the first, counts what arrives at the second,
 * and never has more on the way than it is told, so that no queue in between is overrun. MQTT 3.1.1 without TLS to both. Whatever
 * carries the messages is between them.
 */

#include <errno.h>
#include <getopt.h>
#include <inttypes.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "bench/tool.h"

enum { PIPE_IN = 1 << 18, PIPE_OUT = 1 << 18, PIPE_TOPICS = 10, PIPE_SEQUENCE = 16, PIPE_SIZE_MAX = 16384 };
enum { PIPE_CONNECT_MS = 10000, PIPE_PAUSE_US = 500 };

struct pipe_end {
	int fd;
	uint8_t in[PIPE_IN];
	size_t in_size;
	uint8_t out[PIPE_OUT];
	size_t out_size;
};

struct pipe_run {
	struct pipe_end from, to;
	const char *topic; /* of what arrives */
	size_t size;
	uint64_t window;
	uint64_t sent, acknowledged, arrived, repeated;
	uint8_t *seen; /* by sequence */
	size_t seen_room;
	bool subscribed;
};

static uint16_t pipe_port(const char *name, const char *text)
{
	return (uint16_t)tool_number(name, text, 1, 65535);
}

static void pipe_put(struct pipe_end *end, const void *data, size_t size)
{
	if (size > PIPE_OUT - end->out_size)
		tool_fail("no room for %zu bytes", size);
	memcpy(end->out + end->out_size, data, size);
	end->out_size += size;
}

static void pipe_put_number(struct pipe_end *end, unsigned number, unsigned width)
{
	uint8_t bytes[2] = {(uint8_t)(number >> 8), (uint8_t)number};

	pipe_put(end, bytes + 2 - width, width);
}

static void pipe_put_text(struct pipe_end *end, const char *text)
{
	pipe_put_number(end, (unsigned)strlen(text), 2);
	pipe_put(end, text, strlen(text));
}

static void pipe_put_header(struct pipe_end *end, unsigned first, size_t size)
{
	pipe_put_number(end, first, 1);
	do {
		pipe_put_number(end, (unsigned)(size & 0x7f) | (size > 0x7f ? 0x80u : 0), 1);
		size >>= 7;
	} while (size > 0);
}

/* Returns the size of the packet at `data`, 0 where it is not there whole. */
static size_t pipe_packet(const uint8_t *data, size_t size, size_t *ret_header)
{
	size_t body = 0, i = 1;

	do {
		if (i >= size || i > 4)
			return 0;
		body |= (size_t)(data[i] & 0x7f) << 7 * (i - 1);
	} while (data[i++] & 0x80);
	*ret_header = i;
	return size - i < body ? 0 : i + body;
}

static void pipe_connect(struct pipe_end *end, uint16_t port, const char *name)
{
	const struct sockaddr_in address = {
		.sin_family = AF_INET, .sin_port = htons(port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
	int on = 1;

	end->fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (end->fd < 0 || connect(end->fd, (const struct sockaddr *)&address, sizeof(address)) < 0)
		tool_fail("port %u: %s", port, strerror(errno));
	setsockopt(end->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	pipe_put_header(end, 0x10, 12 + strlen(name));
	pipe_put_text(end, "MQTT");
	pipe_put(end, "\4\2\0\0", 4); /* version 3.1.1, clean, no keep-alive */
	pipe_put_text(end, name);
}

static void pipe_arrived(struct pipe_run *run, const uint8_t *payload)
{
	char text[PIPE_SEQUENCE + 1] = "";
	uint64_t sequence;

	memcpy(text, payload, PIPE_SEQUENCE);
	sequence = strtoull(text, NULL, 16);
	if (sequence >= run->sent)
		return; /* of another run */
	run->repeated += run->seen[sequence];
	run->arrived += !run->seen[sequence];
	run->seen[sequence] = 1;
}

static void pipe_take(struct pipe_run *run, struct pipe_end *end, const uint8_t *packet, size_t header, size_t size)
{
	switch (packet[0] >> 4) {
	case 2:
		if (packet[header + 1] != 0)
			tool_fail("the broker refuses the connection (%u)", packet[header + 1]);
		break;
	case 3:
		if (size - header >= run->size)
			pipe_arrived(run, packet + size - run->size);
		break;
	case 4:
		run->acknowledged++;
		break;
	case 9:
		run->subscribed = end == &run->to;
		break;
	default:
		tool_fail("a packet that was not expected (%02x)", packet[0]);
	}
}

static void pipe_read(struct pipe_run *run, struct pipe_end *end)
{
	ssize_t n = recv(end->fd, end->in + end->in_size, PIPE_IN - end->in_size, MSG_DONTWAIT);
	size_t used = 0, size, header;

	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR))
		tool_fail("the broker has gone");
	end->in_size += n > 0 ? (size_t)n : 0;
	while ((size = pipe_packet(end->in + used, end->in_size - used, &header)) > 0) {
		pipe_take(run, end, end->in + used, header, size);
		used += size;
	}
	end->in_size -= used;
	memmove(end->in, end->in + used, end->in_size);
}

static void pipe_write(struct pipe_end *end)
{
	ssize_t n = end->out_size ? send(end->fd, end->out, end->out_size, MSG_DONTWAIT | MSG_NOSIGNAL) : 0;

	if (n < 0 && errno != EAGAIN && errno != EINTR)
		tool_fail("the broker has gone");
	if (n > 0) {
		end->out_size -= (size_t)n;
		memmove(end->out, end->out + n, end->out_size);
	}
}

static void pipe_publish(struct pipe_run *run)
{
	char topic[64], payload[PIPE_SIZE_MAX];
	int length = snprintf(topic, sizeof(topic), "sensors/s%02u/temp", (unsigned)(run->sent % PIPE_TOPICS));

	if (run->sent == run->seen_room) {
		run->seen_room = run->seen_room ? 2 * run->seen_room : 1 << 16;
		run->seen = realloc(run->seen, run->seen_room);
		if (!run->seen)
			tool_fail("out of memory");
	}
	run->seen[run->sent] = 0;
	memset(payload, '.', run->size);
	snprintf(payload, sizeof(payload), "%0*" PRIx64, PIPE_SEQUENCE, run->sent);
	payload[PIPE_SEQUENCE] = '.';
	pipe_put_header(&run->from, 0x32, (size_t)length + 4 + run->size);
	pipe_put_text(&run->from, topic);
	pipe_put_number(&run->from, (unsigned)(run->sent % 65535 + 1), 2);
	pipe_put(&run->from, payload, run->size);
	run->sent++;
}

/* One turn; `sending`: as many go out as may be under way. It begins with a pause: to wake up for each packet would take this program as
 * much time as carrying it takes the others. */
static void pipe_turn(struct pipe_run *run, bool sending)
{
	struct pollfd fds[] = {{.fd = run->from.fd, .events = POLLIN}, {.fd = run->to.fd, .events = POLLIN}};

	nanosleep(&(struct timespec){.tv_nsec = PIPE_PAUSE_US * 1000L}, NULL);
	while (sending && run->sent - run->arrived < run->window && PIPE_OUT - run->from.out_size > run->size + 128)
		pipe_publish(run);
	pipe_write(&run->from);
	pipe_write(&run->to);
	if (run->from.out_size)
		fds[0].events |= POLLOUT;
	poll(fds, 2, 100);
	if (fds[0].revents)
		pipe_read(run, &run->from);
	if (fds[1].revents)
		pipe_read(run, &run->to);
}

static void pipe_begin(struct pipe_run *run, uint16_t from, uint16_t to)
{
	int64_t end_us = tool_now_us() + PIPE_CONNECT_MS * (int64_t)TOOL_MS_US;

	pipe_connect(&run->from, from, "pipe-from");
	pipe_connect(&run->to, to, "pipe-to");
	pipe_put_header(&run->to, 0x82, 5 + strlen(run->topic));
	pipe_put_number(&run->to, 1, 2);
	pipe_put_text(&run->to, run->topic);
	pipe_put_number(&run->to, 0, 1);
	while (!run->subscribed) {
		if (tool_now_us() > end_us)
			tool_fail("the second broker does not answer");
		pipe_turn(run, false);
	}
}

static void pipe_measure(struct pipe_run *run, double warm_up_s, double seconds, double linger_s)
{
	int64_t begin_us = tool_now_us() + (int64_t)(warm_up_s * TOOL_S_US), end_us, now_us, cpu_us;
	uint64_t before, count;

	while (tool_now_us() < begin_us)
		pipe_turn(run, true);
	before = run->arrived;
	cpu_us = tool_cpu_us();
	begin_us = tool_now_us();
	end_us = begin_us + (int64_t)(seconds * TOOL_S_US);
	while ((now_us = tool_now_us()) < end_us)
		pipe_turn(run, true);
	count = run->arrived - before;
	cpu_us = tool_cpu_us() - cpu_us;
	seconds = (double)(now_us - begin_us) / TOOL_S_US;
	end_us = now_us + (int64_t)(linger_s * TOOL_S_US);
	while ((run->arrived < run->sent || run->acknowledged < run->sent) && tool_now_us() < end_us)
		pipe_turn(run, false);
	printf("{\"rate\": %.1f, \"seconds\": %.3f, \"counted\": %" PRIu64 ", \"sent\": %" PRIu64
	       ", \"acknowledged\": %" PRIu64 ", \"missing\": %" PRIu64 ", \"repeated\": %" PRIu64
	       ", \"cpu_us\": %.2f}\n",
	       (double)count / seconds, seconds, count, run->sent, run->acknowledged, run->sent - run->arrived,
	       run->repeated, (double)cpu_us / (double)(count ? count : 1));
}

int main(int count, char **arguments)
{
	static const struct option options[] = {{"from", required_argument, NULL, 'f'},
						{"to", required_argument, NULL, 't'},
						{"topic", required_argument, NULL, 'p'},
						{"size", required_argument, NULL, 's'},
						{"window", required_argument, NULL, 'w'},
						{"warm-up", required_argument, NULL, 'u'},
						{"seconds", required_argument, NULL, 'd'},
						{"linger", required_argument, NULL, 'l'},
						{NULL, 0, NULL, 0}};
	static struct pipe_run run = {.topic = "sensors/#", .size = 64, .window = 500};
	double warm_up_s = 1, seconds = 5, linger_s = 10;
	uint16_t from = 0, to = 0;
	int c;

	while ((c = getopt_long(count, arguments, "", options, NULL)) >= 0) {
		if (c == 'f')
			from = pipe_port("from", optarg);
		else if (c == 't')
			to = pipe_port("to", optarg);
		else if (c == 'p')
			run.topic = optarg;
		else if (c == 's')
			run.size = (size_t)tool_number("size", optarg, PIPE_SEQUENCE + 1, PIPE_SIZE_MAX);
		else if (c == 'w')
			run.window = tool_number("window", optarg, 1, 60000);
		else if (c == 'u')
			warm_up_s = tool_real("warm-up", optarg, 0, 600);
		else if (c == 'd')
			seconds = tool_real("seconds", optarg, 0.1, 3600);
		else if (c == 'l')
			linger_s = tool_real("linger", optarg, 0, 600);
		else
			return 2;
	}
	if (!from || !to)
		tool_fail("--from PORT and --to PORT are wanted");
	pipe_begin(&run, from, to);
	pipe_measure(&run, warm_up_s, seconds, linger_s);
	close(run.from.fd);
	close(run.to.fd);
	free(run.seen);
	return 0;
}
