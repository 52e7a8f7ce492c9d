/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "plan.h"

enum { OSCORE_FILE_MAX = 1 << 21 };

/* Errors: -errno; -EFBIG. */
static int read_file(int fd, char *ret_text, size_t *ret_size)
{
	size_t size = 0;
	ssize_t n = 1;

	while (size < OSCORE_FILE_MAX && (n = read(fd, ret_text + size, OSCORE_FILE_MAX - size)) > 0)
		size += (size_t)n;
	*ret_size = size;
	return n < 0 ? -errno : size == OSCORE_FILE_MAX ? -EFBIG : 0;
}

static int read_sections(int fd, struct plan *plan, char ret_problem[OSCORE_PROBLEM])
{
	char *text = calloc(1, OSCORE_FILE_MAX);
	size_t size = 0;
	int r = text ? read_file(fd, text, &size) : -ENOMEM;

	if (r >= 0)
		r = oscore_file_read((struct tg_bytes){.data = text, .size = size}, &plan->oscore, ret_problem);
	if (text)
		explicit_bzero(text, size);
	free(text);
	return r;
}

unsigned plan_oscore_read(const struct tg_host *host, struct plan *plan)
{
	char problem[OSCORE_PROBLEM] = "";
	int fd, r;

	if (host->setting_text(host, "oscore")[0] == '\0')
		return 0;
	fd = host->setting_file(host, "oscore");
	r = fd < 0 ? fd : read_sections(fd, plan, problem);
	if (fd >= 0)
		close(fd);
	if (r < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "oscore: %s", problem[0] ? problem : strerror(-r));
		return 1;
	}
	plan->no_oscore = plan->oscore.count > 0 && !stack_has_oscore();
	return 0;
}

unsigned plan_oscore_check(const struct tg_host *host, const struct plan *plan)
{
	unsigned wrong = 0;

	for (size_t i = 0; i < plan->oscore.count; i++) {
		const struct oscore_section *section = &plan->oscore.sections[i];
		const struct texts_device *device = plan_device(plan, section->name);

		if (device && !device->secure)
			continue;
		host->log(host, TG_LOG_ERROR, NULL, "oscore: line %u: '%s' %s", section->line, section->name,
			  device ? "is a device at coaps://, which protects its messages already"
				 : "is no device in 'devices'");
		wrong++;
	}
	return wrong;
}

const struct oscore_section *plan_protection(const struct plan *plan, const struct texts_device *device)
{
	return device->secure ? NULL : oscore_file_find(&plan->oscore, device->name);
}
