/* SPDX-License-Identifier: Apache-2.0 */
#include "target.h"

#include <string.h>
#include <strings.h>

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* One character, decoded. Returns how many bytes it took, 0: it is broken. */
static size_t decode(const char *text, size_t size, char *ret_c)
{
	if (text[0] != '%') {
		*ret_c = text[0];
		return 1;
	}
	if (size < 3 || digit(text[1]) < 0 || digit(text[2]) < 0)
		return 0;
	*ret_c = (char)(digit(text[1]) * 16 + digit(text[2]));
	return 3;
}

/* A segment as it stands in the path of a submission: '%' and '/' in it stay encoded. */
static int add_segment(struct target *target, const char *segment, size_t size)
{
	static const char codes[] = "%25%2F";
	size_t taken;
	char c;

	for (; size > 0; segment += taken, size -= taken) {
		taken = decode(segment, size, &c);
		if (taken == 0 || c == '\0')
			return 400;
		if (target->path_size + 3 > sizeof(target->path))
			return 414;
		if (c == '%' || c == '/') {
			memcpy(target->path + target->path_size, codes + (c == '/' ? 3 : 0), 3);
			target->path_size += 3;
		} else {
			target->path[target->path_size++] = c;
		}
	}
	return 0;
}

static int add_path(struct target *target, const char *path, size_t size)
{
	while (size > 0) {
		const char *slash = memchr(path, '/', size);
		size_t segment = slash ? (size_t)(slash - path) : size;
		int r = segment ? add_segment(target, path, segment) : 400;

		if (r != 0)
			return r;
		if (slash && segment + 1 == size)
			return 400; /* nothing behind it */
		if (slash && target->path_size == sizeof(target->path))
			return 414;
		if (slash)
			target->path[target->path_size++] = '/';
		path += segment + (slash != NULL);
		size -= segment + (slash != NULL);
	}
	return 0;
}

/* The first segment as a name. */
static int take_device(struct target *target)
{
	const char *slash = memchr(target->path, '/', target->path_size);
	size_t size = slash ? (size_t)(slash - target->path) : target->path_size, taken;

	target->rest = slash ? size + 1 : target->path_size;
	for (const char *at = target->path, *end = target->path + size; at < end; at += taken) {
		taken = decode(at, (size_t)(end - at), &target->device[target->device_size]);
		if (++target->device_size > TG_DEVICE_MAX) {
			target->device_size = 0;
			return 404; /* nobody is called so */
		}
	}
	return 0;
}

/* What is behind `prefix` where the path begins with it, and ends or goes on with '/'. NULL: it does not. */
static const char *behind(const char *path, size_t size, const char *prefix)
{
	size_t length = strlen(prefix);

	if (size < length || memcmp(path, prefix, length) != 0 || (size > length && path[length] != '/'))
		return NULL;
	return path + length + (size > length);
}

/* The path of an absolute URI, which a server has to take as well (RFC 9112 section 3.2.2). */
static const char *path_of(const char *uri)
{
	if (strncasecmp(uri, "https://", 8) != 0)
		return uri;
	uri += 8;
	uri += strcspn(uri, "/?#");
	return *uri == '/' ? uri : "/";
}

int target_read(const char *uri, struct target *ret_target)
{
	const char *end, *rest;
	size_t size;
	int r = 0;

	uri = path_of(uri);
	size = strcspn(uri, "?#");
	end = uri + size;

	ret_target->kind = TARGET_UNKNOWN;
	ret_target->device_size = ret_target->path_size = ret_target->rest = 0;
	ret_target->query = *end == '?' ? end + 1 : "";
	if (uri[0] != '/')
		return 400;
	if (size == strlen("/.well-known/core") && memcmp(uri, "/.well-known/core", size) == 0) {
		ret_target->kind = TARGET_LINKS;
	} else if (size == strlen("/events") && memcmp(uri, "/events", size) == 0) {
		ret_target->kind = TARGET_EVENTS;
	} else if ((rest = behind(uri, size, "/cat")) != NULL) {
		ret_target->kind = TARGET_CATALOGUE;
		r = add_path(ret_target, rest, (size_t)(end - rest));
		if (r == 0)
			r = take_device(ret_target);
		if (r == 0 && ret_target->rest < ret_target->path_size)
			r = 404;
	} else if ((rest = behind(uri, size, "/readings")) != NULL) {
		ret_target->kind = TARGET_READINGS;
		r = rest == end ? 404 : add_path(ret_target, rest, (size_t)(end - rest));
	}
	if (r == 0 && ret_target->kind == TARGET_READINGS)
		(void)take_device(ret_target); /* where it is none, as a path it may be good */
	ret_target->device[ret_target->device_size] = '\0';
	return r != 0 ? r : ret_target->kind == TARGET_UNKNOWN ? 404 : 0;
}

/* Source: application/x-www-form-urlencoded, where '+' is a space. */
static bool decode_value(const char *text, size_t size, char ret_value[TARGET_VALUE_MAX])
{
	size_t length = 0, taken;

	for (; size > 0; text += taken, size -= taken) {
		taken = decode(text, size, &ret_value[length]);
		if (taken == 0 || ret_value[length] == '\0' || length + 2 > TARGET_VALUE_MAX)
			return false;
		if (text[0] == '+')
			ret_value[length] = ' ';
		length++;
	}
	ret_value[length] = '\0';
	return true;
}

int target_parameter(const char **at, char ret_name[TARGET_VALUE_MAX], char ret_value[TARGET_VALUE_MAX])
{
	const char *text = *at + strspn(*at, "&");
	size_t size = strcspn(text, "&#"), name = strcspn(text, "=&#");

	if (size == 0)
		return 0;
	*at = text + size;
	if (!decode_value(text, name, ret_name) ||
	    !decode_value(text + name + (name < size), size - name - (name < size), ret_value))
		return -1;
	return 1;
}
