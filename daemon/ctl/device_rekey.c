/* SPDX-License-Identifier: Apache-2.0 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>

#include "ctl/command.h"

enum { KEY_BYTES = 32, FILE_MAX = 128 };

/* The key in hexadecimal digits, whichever way the file has it. */
static bool read_key(const char *path, char ret_hex[FILE_MAX + 1])
{
	char data[FILE_MAX];
	CLEANUP_CLOSE int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOCTTY);
	ssize_t size = fd < 0 ? -1 : read(fd, data, sizeof(data));

	if (size < 0) {
		fprintf(stderr, "tidegatectl: cannot read \"%s\" (%s)\n", path, strerror(errno));
		return false;
	}
	if (size == KEY_BYTES) {
		for (size_t i = 0; i < KEY_BYTES; i++)
			snprintf(ret_hex + 2 * i, 3, "%02x", (unsigned char)data[i]);
	} else {
		while (size > 0 && (data[size - 1] == '\n' || data[size - 1] == '\r'))
			size--;
		snprintf(ret_hex, FILE_MAX + 1, "%.*s", (int)size, data);
	}
	explicit_bzero(data, sizeof(data));
	return true;
}

int ctl_device_rekey(struct ctl *ctl)
{
	bool bad = false;
	const char *path = ctl_option(ctl, "--key", &bad);
	char hex[FILE_MAX + 1] = "";
	json_t *request, *result;
	int r;

	if (bad || ctl->argc)
		return ctl_bad_usage(ctl, "device rekey takes nothing but --key FILE");
	if (path && !read_key(path, hex))
		return CTL_FAILED;
	request = json_pack("{s:s,s:s*}", "command", "device-rekey", "key", path ? hex : NULL);
	explicit_bzero(hex, sizeof(hex));
	r = ctl_ask(ctl, request, &result);
	if (r != CTL_GOOD)
		return r;
	if (!ctl_print_json(ctl, result)) {
		printf("The keys of %lld devices are sealed under the new master key.\n",
		       ctl_number(result, "devices"));
		if (!json_is_true(json_object_get(result, "own")))
			printf("Put it in the place of \"%s\" before the gateway starts again.\n",
			       ctl_text(result, "file"));
		else
			printf("It is in \"%s\": renew the copy that you keep of it.\n", ctl_text(result, "file"));
	}
	json_decref(result);
	return CTL_GOOD;
}
