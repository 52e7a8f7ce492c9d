/* SPDX-License-Identifier: Apache-2.0 */

/* The sockets that the service manager holds, and the endpoints that listen at their addresses. */

#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "base/bytes.h"
#include "core/core_inside.h"

static const char listen_setting[] = "listen";

struct search {
	struct core *core;
	const struct config_endpoint *config;
	struct instance *instance; /* NULL: they are only looked for */
};

static int send_socket(const struct search *search, uint32_t index, int fd)
{
	const struct frame frame = {.type = FRAME_SOCKET,
				    .socket = {.name = bytes_text(listen_setting), .index = index}};
	int copy = fcntl(fd, F_DUPFD_CLOEXEC, 3);

	return copy < 0 ? -errno : instance_send_fd(search->instance, &frame, copy);
}

/* Of several workers each gets its share of the sockets of one address. */
static int on_setting(void *arg, const char *name, uint32_t index, const char *value, bool file)
{
	const struct search *search = arg;
	int r = 0, fd;

	if (file || strcmp(name, listen_setting) != 0)
		return 0;
	for (size_t n = 0; r >= 0 && (fd = activation_socket(search->core->activation, value, n)) >= 0; n++) {
		if (search->instance && n % search->config->workers == instance_worker(search->instance))
			r = send_socket(search, index, fd);
	}
	return r;
}

int core_sockets_send(struct endpoint *endpoint, struct instance *instance)
{
	struct search search = {endpoint->core, endpoint->config, instance};

	return config_each_setting(endpoint->config, on_setting, &search);
}

void core_sockets_sort_out(struct core *core)
{
	for (size_t i = 0; i < core->config->endpoints_count; i++) {
		struct search search = {core, &core->config->endpoints[i], NULL};

		(void)!config_each_setting(search.config, on_setting, &search);
	}
	activation_close_unused(core->activation);
}
