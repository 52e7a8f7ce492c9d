/* SPDX-License-Identifier: Apache-2.0 */
#include "ctl/client.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

enum { ANSWER_MAX_BYTES = 128 * 1024 * 1024 };

int client_open(struct client *client, const char *path)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	*client = (struct client){.fd = -1};
	if (strlen(path) >= sizeof(address.sun_path))
		return -ENAMETOOLONG;
	memcpy(address.sun_path, path, strlen(path));
	client->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (client->fd < 0)
		return -errno;
	if (connect(client->fd, (struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	return 0;
}

void client_close(struct client *client)
{
	if (client->fd >= 0)
		close(client->fd);
	if (client->data)
		explicit_bzero(client->data, client->capacity);
	free(client->data);
	*client = (struct client){.fd = -1};
}

static int send_all(int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = send(fd, data, size, MSG_NOSIGNAL);

		if (n < 0 && errno != EINTR)
			return -errno;
		if (n > 0) {
			data += n;
			size -= (size_t)n;
		}
	}
	return 0;
}

int client_send(struct client *client, json_t *request)
{
	CLEANUP_FREE char *text = request ? json_dumps(request, JSON_COMPACT) : NULL;
	int r;

	json_decref(request);
	if (!text)
		return -ENOMEM;
	r = send_all(client->fd, text, strlen(text));
	return r < 0 ? r : send_all(client->fd, "\n", 1);
}

static int receive_more(struct client *client, int timeout_ms)
{
	struct pollfd poll_fd = {.fd = client->fd, .events = POLLIN};
	ssize_t n;
	int r = poll(&poll_fd, 1, timeout_ms);

	if (r <= 0)
		return r == 0 ? -ETIMEDOUT : -errno;
	if (client->size > ANSWER_MAX_BYTES)
		return -EMSGSIZE;
	if (client->capacity - client->size < 4096) {
		size_t capacity = client->capacity ? client->capacity * 2 : 16384;
		char *data = realloc(client->data, capacity);

		if (!data)
			return -ENOMEM;
		client->data = data;
		client->capacity = capacity;
	}
	n = recv(client->fd, client->data + client->size, client->capacity - client->size, 0);
	if (n <= 0)
		return n == 0 ? -EPIPE : -errno;
	client->size += (size_t)n;
	return 0;
}

json_t *client_receive(struct client *client, int timeout_ms, int *ret_error)
{
	size_t searched = 0;

	for (;;) {
		char *end =
			client->size > searched ? memchr(client->data + searched, '\n', client->size - searched) : NULL;
		json_error_t error;
		json_t *line;
		int r;

		if (end) {
			size_t length = (size_t)(end - client->data);

			line = json_loadb(client->data, length, 0, &error);
			client->size -= length + 1;
			memmove(client->data, end + 1, client->size);
			*ret_error = line ? 0 : -EBADMSG;
			return line;
		}
		searched = client->size;
		r = receive_more(client, timeout_ms);
		if (r < 0) {
			*ret_error = r;
			return NULL;
		}
	}
}
