/* SPDX-License-Identifier: Apache-2.0 */
#include "config.h"

#include "confine/resolve.h"

#include <dlfcn.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>

static void load_module(const char *name, size_t size)
{
	char file[128];

	if (snprintf(file, sizeof(file), "libnss_%.*s.so.2", (int)size, name) < (int)sizeof(file))
		(void)!dlopen(file, RTLD_NOW | RTLD_GLOBAL); /* for good; one that is not there is passed over */
}

/* Loads the modules that the line "hosts:" of nsswitch.conf(5) names. */
static void load_modules(void)
{
	FILE *file = fopen("/etc/nsswitch.conf", "re");
	char line[1024];

	while (file && fgets(line, sizeof(line), file)) {
		if (strncmp(line, "hosts:", 6) != 0)
			continue;
		line[strcspn(line, "#\n")] = 0;
		for (char *word = line + 6, *end; *(word += strspn(word, " \t")); word = end) {
			end = word + strcspn(word, " \t");
			if (word[0] != '[')
				load_module(word, (size_t)(end - word));
		}
	}
	if (file)
		fclose(file);
}

static void look_up_once(void)
{
	struct addrinfo *list = NULL;

	if (getaddrinfo("localhost", "443", NULL, &list) == 0)
		freeaddrinfo(list);
}

void resolve_prepare(void)
{
	load_modules();
	look_up_once();
}
