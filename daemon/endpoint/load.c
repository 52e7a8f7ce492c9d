/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/load.h"

#include <dlfcn.h>
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

/* The size of struct tg_adapter in version 1.0: no adapter's is smaller. */
static const size_t first_size = offsetof(struct tg_adapter, close) + sizeof(void (*)(void *));

static int __attribute__((format(printf, 3, 4))) fail(char *ret_error, int error, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(ret_error, LOAD_ERROR_SIZE, format, args);
	va_end(args);
	return error;
}

/* What is wrong with a table of settings, or NULL. */
static const char *wrong_settings(const struct tg_setting *rows)
{
	for (const struct tg_setting *row = rows; row && row->name; row++) {
		if (row->type < TG_BOOL || row->type > TG_KEY_FILE)
			return "a setting has an unknown type";
		if (row->type == TG_CHOICE && !row->choices)
			return "a setting has no choices";
		for (const struct tg_setting *other = rows; other < row; other++) {
			if (strcmp(other->name, row->name) == 0)
				return "two settings have one name";
		}
	}
	return NULL;
}

static const char *wrong_functions(const struct tg_adapter *a)
{
	if (!a->open || !a->start || !a->close)
		return "open, start or close is missing";
	if ((a->roles & (TG_SOURCE | TG_SINK)) == 0)
		return "it is neither source nor sink";
	if (a->roles & TG_SOURCE && !a->verdict)
		return "a source must have verdict";
	if (a->roles & TG_SINK && !a->deliver)
		return "a sink must have deliver";
	if (a->flags & TG_DEVICES && (!a->identity || !a->device_changed))
		return "identity or device_changed is missing";
	return NULL;
}

static int check(const struct tg_adapter *found, const char *name, struct tg_adapter *ret_adapter, char *ret_error)
{
	struct tg_adapter a = {.name = NULL};
	const char *wrong;

	if (found->major != TG_ADAPTER_MAJOR || found->minor > TG_ADAPTER_MINOR)
		return fail(ret_error, -EPROTO, "adapter '%s' is made for contract %u.%u, this is %u.%u", name,
			    found->major, found->minor, TG_ADAPTER_MAJOR, TG_ADAPTER_MINOR);
	if (found->size < first_size)
		return fail(ret_error, -EPROTO, "adapter '%s' is smaller than the contract says", name);
	memcpy(&a, found, found->size < sizeof(a) ? found->size : sizeof(a));
	if (!a.name || strcmp(a.name, name) != 0)
		return fail(ret_error, -EPROTO, "adapter '%s' calls itself '%s'", name, a.name ? a.name : "");
	wrong = wrong_functions(&a);
	if (!wrong)
		wrong = wrong_settings(a.settings);
	if (wrong)
		return fail(ret_error, -EPROTO, "adapter '%s' breaks the contract (%s)", name, wrong);
	*ret_adapter = a;
	return 0;
}

int load_adapter(const char *dir, const char *name, struct tg_adapter *ret_adapter, char ret_error[LOAD_ERROR_SIZE])
{
	const struct tg_adapter *found;
	char path[PATH_MAX];
	void *library;

	if (name[0] == 0 || name[strspn(name, "abcdefghijklmnopqrstuvwxyz0123456789_-")] != 0)
		return fail(ret_error, -EINVAL, "'%.64s' is no name of an adapter", name);
	if (snprintf(path, sizeof(path), "%s/%s.so", dir, name) >= (int)sizeof(path))
		return fail(ret_error, -EINVAL, "the folder's name is too long");
	library = dlopen(path, RTLD_NOW | RTLD_LOCAL);
	if (!library)
		return fail(ret_error, -ENOENT, "adapter '%s' cannot be loaded (%s)", name, dlerror());
	found = dlsym(library, "tidegate_adapter");
	if (!found)
		return fail(ret_error, -EPROTO, "'%s' is no adapter (no symbol 'tidegate_adapter')", path);
	return check(found, name, ret_adapter, ret_error);
}
