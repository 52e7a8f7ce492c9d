/* SPDX-License-Identifier: Apache-2.0 */
#include "library.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { SYMBOL_SIZE = 300 };

/* What idlc calls the descriptor of a type: "plant_Reading_desc". */
static int symbol_of(const char *name, char ret_symbol[SYMBOL_SIZE])
{
	size_t n = 0;

	for (; *name && n < SYMBOL_SIZE - sizeof("_desc"); name++) {
		if (name[0] == ':' && name[1] == ':')
			name++;
		ret_symbol[n++] = *name == ':' ? '_' : *name;
	}
	if (*name || n == 0)
		return -EINVAL;
	snprintf(ret_symbol + n, SYMBOL_SIZE - n, "_desc");
	return 0;
}

static int load(const struct tg_host *host, const char *item, struct library_type *ret_type)
{
	const char *space = strrchr(item, ' ');
	char symbol[SYMBOL_SIZE], *file;
	void *handle;

	if (!space || item[0] != '/' || symbol_of(space + 1, symbol) < 0) {
		host->log(host, TG_LOG_ERROR, NULL, "type \"%s\" is not \"/FILE TYPE\"", item);
		return -EINVAL;
	}
	file = strndup(item, (size_t)(space - item));
	if (!file)
		return -ENOMEM;
	handle = dlopen(file, RTLD_NOW | RTLD_LOCAL | RTLD_NODELETE);
	free(file);
	ret_type->name = strdup(space + 1); /* what the host lends ends with a reload */
	if (!ret_type->name)
		return -ENOMEM;
	ret_type->descriptor = handle ? dlsym(handle, symbol) : NULL;
	if (!ret_type->descriptor) {
		host->log(host, TG_LOG_ERROR, NULL, "type \"%s\" cannot be loaded (%s)", item, dlerror());
		return -ENOENT;
	}
	if (!(ret_type->descriptor->m_flagset & DDS_TOPIC_XTYPES_METADATA)) {
		host->log(host, TG_LOG_ERROR, NULL, "type \"%s\" was made without type information (idlc -t)", item);
		return -ENOTSUP;
	}
	return 0;
}

int library_open(const struct tg_host *host, struct library *ret_library)
{
	struct library library = {.n_types = 0};
	const char *item;
	int r = 0;

	while (host->setting_item(host, "types", library.n_types))
		library.n_types++;
	library.types = calloc(library.n_types ? library.n_types : 1, sizeof(*library.types));
	if (!library.types)
		return -ENOMEM;
	for (size_t i = 0; i < library.n_types && r >= 0; i++) {
		item = host->setting_item(host, "types", i);
		r = load(host, item, &library.types[i]);
	}
	if (r < 0) {
		library_done(&library);
		return r;
	}
	*ret_library = library;
	return 0;
}

void library_done(struct library *library)
{
	for (size_t i = 0; i < library->n_types; i++)
		free(library->types[i].name);
	free(library->types);
	*library = (struct library){.n_types = 0};
}

const dds_topic_descriptor_t *library_find(const struct library *library, const char *type_name)
{
	for (size_t i = 0; i < library->n_types; i++)
		if (strcmp(library->types[i].name, type_name) == 0)
			return library->types[i].descriptor;
	return NULL;
}
