/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/bytes.h"
#include "base/log.h"

struct held_socket {
	uint32_t index; /* of the entry */
	int fd;
};

struct value {
	char **items; /* one, but for lists */
	size_t n_items;
	int64_t number;
	int fd;
	int file_error;
	struct held_socket *sockets; /* of a list */
	size_t n_sockets;
};

struct settings {
	const struct tg_setting *rows;
	size_t n_rows;
	struct value routes; /* its items alone */
	struct value values[];
};

int settings_new(const struct tg_setting *rows, struct settings **ret_settings)
{
	struct settings *settings;
	size_t n = 0;

	while (rows && rows[n].name)
		n++;
	settings = calloc(1, sizeof(*settings) + n * sizeof(settings->values[0]));
	if (!settings)
		return -ENOMEM;
	settings->rows = rows;
	settings->n_rows = n;
	settings->routes.fd = -1;
	for (size_t i = 0; i < n; i++)
		settings->values[i].fd = -1;
	*ret_settings = settings;
	return 0;
}

static void empty_value(struct value *value)
{
	for (size_t i = 0; i < value->n_items; i++)
		free(value->items[i]);
	free(value->items);
	if (value->fd >= 0)
		close(value->fd);
	for (size_t i = 0; i < value->n_sockets; i++)
		close(value->sockets[i].fd);
	free(value->sockets);
	*value = (struct value){.fd = -1};
}

void settings_free(struct settings *settings)
{
	if (!settings)
		return;
	for (size_t i = 0; i < settings->n_rows; i++)
		empty_value(&settings->values[i]);
	empty_value(&settings->routes);
	free(settings);
}

static bool is_file(const struct tg_setting *row)
{
	return row->type == TG_FILE || row->type == TG_KEY_FILE;
}

static struct value *find(struct settings *settings, struct tg_bytes name, const struct tg_setting **ret_row)
{
	for (size_t i = 0; i < settings->n_rows; i++) {
		if (bytes_equal(bytes_text(settings->rows[i].name), name)) {
			*ret_row = &settings->rows[i];
			return &settings->values[i];
		}
	}
	return NULL;
}

static int parse_number(uint32_t type, const char *text, int64_t *ret_number)
{
	char *end;
	long long number;

	if (type == TG_BOOL) {
		if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
			return -EINVAL;
		*ret_number = text[0] == 't';
	} else if (type == TG_INT) {
		errno = 0;
		number = strtoll(text, &end, 10);
		if (errno || end == text || *end)
			return -EINVAL;
		*ret_number = number;
	}
	return 0;
}

static int add_item(struct value *value, char *text)
{
	char **items = reallocarray(value->items, value->n_items + 1, sizeof(*items));

	if (!items)
		return -ENOMEM;
	value->items = items;
	value->items[value->n_items++] = text;
	return 0;
}

int settings_put(struct settings *settings, struct tg_bytes name, uint32_t index, struct tg_bytes value)
{
	CLEANUP_FREE char *text = bytes_to_text(value);
	const struct tg_setting *row;
	struct value *v = find(settings, name, &row);
	int r;

	if (!v)
		return -ENOENT;
	if (!text)
		return value.size && memchr(value.data, 0, value.size) ? -EINVAL : -ENOMEM;
	if (v->n_items >= SETTINGS_ITEMS_MAX)
		return -E2BIG;
	if (index != v->n_items || (index > 0 && row->type != TG_LIST))
		return -EINVAL;
	r = parse_number(row->type, text, &v->number);
	if (r < 0)
		return r;
	r = add_item(v, text);
	if (r >= 0)
		text = NULL;
	return r;
}

int settings_add_route(struct settings *settings, struct tg_bytes pattern)
{
	char *text = bytes_to_text(pattern);
	int r = !text ? -ENOMEM : settings->routes.n_items >= SETTINGS_ITEMS_MAX ? -E2BIG : 0;

	if (r >= 0)
		r = add_item(&settings->routes, text);
	if (r < 0)
		free(text);
	return r;
}

const char *settings_route(const struct settings *settings, size_t index)
{
	return index < settings->routes.n_items ? settings->routes.items[index] : NULL;
}

int settings_put_file(struct settings *settings, struct tg_bytes name, int fd, int error)
{
	const struct tg_setting *row;
	struct value *v = find(settings, name, &row);

	if (!v || !is_file(row)) {
		if (fd >= 0)
			close(fd);
		return v ? -EINVAL : -ENOENT;
	}
	if (v->fd >= 0)
		close(v->fd);
	v->fd = fd;
	v->file_error = error;
	return 0;
}

int settings_put_socket(struct settings *settings, struct tg_bytes name, uint32_t index, int fd)
{
	CLEANUP_CLOSE int owned = fd;
	struct held_socket *sockets;
	const struct tg_setting *row;
	struct value *v = find(settings, name, &row);

	if (!v)
		return -ENOENT;
	if (row->type != TG_LIST)
		return -EINVAL;
	if (v->n_sockets >= SETTINGS_SOCKETS_MAX)
		return -E2BIG;
	sockets = reallocarray(v->sockets, v->n_sockets + 1, sizeof(*sockets));
	if (!sockets)
		return -ENOMEM;
	v->sockets = sockets;
	sockets[v->n_sockets++] = (struct held_socket){index, fd};
	owned = -1;
	return 0;
}

static bool same_items(const struct value *a, const struct value *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++) {
		if (strcmp(a->items[i], b->items[i]) != 0)
			return false;
	}
	return true;
}

const char *settings_keep_fixed(struct settings *settings, struct settings *old)
{
	const char *kept = NULL;

	for (size_t i = 0; i < settings->n_rows; i++) {
		struct value changed = settings->values[i];

		if (settings->rows[i].flags & TG_LIVE || same_items(&changed, &old->values[i]))
			continue;
		settings->values[i] = old->values[i];
		old->values[i] = changed;
		kept = settings->rows[i].name;
	}
	return kept;
}

/* The row that the adapter reads. It ends the process where there is none of this type. */
static const struct value *read_row(const struct settings *settings, const char *name, uint32_t types)
{
	for (size_t i = 0; i < settings->n_rows; i++) {
		if (strcmp(settings->rows[i].name, name) == 0 && types & 1u << settings->rows[i].type)
			return &settings->values[i];
	}
	log_error("the adapter reads setting '%s', which it has not declared so", name);
	abort();
}

bool settings_bool(const struct settings *settings, const char *name)
{
	return read_row(settings, name, 1u << TG_BOOL)->number != 0;
}

int64_t settings_int(const struct settings *settings, const char *name)
{
	return read_row(settings, name, 1u << TG_INT)->number;
}

const char *settings_text(const struct settings *settings, const char *name)
{
	const uint32_t types = 1u << TG_TEXT | 1u << TG_CHOICE | 1u << TG_FILE | 1u << TG_KEY_FILE;
	const struct value *v = read_row(settings, name, types);

	return v->n_items ? v->items[0] : "";
}

const char *settings_item(const struct settings *settings, const char *name, size_t index)
{
	const struct value *v = read_row(settings, name, 1u << TG_LIST);

	return index < v->n_items ? v->items[index] : NULL;
}

int settings_file(const struct settings *settings, const char *name)
{
	const struct value *v = read_row(settings, name, 1u << TG_FILE | 1u << TG_KEY_FILE);
	int fd;

	if (v->file_error)
		return v->file_error;
	if (v->fd < 0)
		return -ENOENT;
	fd = fcntl(v->fd, F_DUPFD_CLOEXEC, 3);
	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_SET);
	return fd;
}

int settings_socket(const struct settings *settings, const char *name, size_t index, size_t number)
{
	const struct value *v = read_row(settings, name, 1u << TG_LIST);

	for (size_t i = 0; i < v->n_sockets; i++) {
		if (v->sockets[i].index == index && number-- == 0) {
			int fd = fcntl(v->sockets[i].fd, F_DUPFD_CLOEXEC, 3);

			return fd < 0 ? -errno : fd;
		}
	}
	return -ENOENT;
}
