/* SPDX-License-Identifier: Apache-2.0 */
#include "endpoint/round.h"

#include <errno.h>
#include <string.h>

#include "base/bytes.h"

enum round_kind { ROUND_SETTING, ROUND_ROUTE, ROUND_SOCKET };

struct round_note {
	STAILQ_ENTRY(round_note) link;
	uint32_t index;
	int fd;
	int file_error;
	bool file;
	enum round_kind kind;
	struct tg_bytes name; /* both behind the struct */
	struct tg_bytes value;
};

void round_init(struct round *round)
{
	*round = (struct round){.bytes = 0};
	STAILQ_INIT(&round->notes);
}

void round_done(struct round *round)
{
	struct round_note *note;

	while ((note = STAILQ_FIRST(&round->notes))) {
		STAILQ_REMOVE_HEAD(&round->notes, link);
		if (note->fd >= 0)
			close(note->fd);
		free(note);
	}
	round_init(round);
}

static int add(struct round *round, const struct frame_setting *setting, int fd, enum round_kind kind)
{
	CLEANUP_CLOSE int owned = fd;
	size_t size = sizeof(struct round_note) + setting->name.size + setting->value.size;
	struct round_note *note;
	uint8_t *p;

	if (round->bytes + size > ROUND_BYTES_MAX || (fd >= 0 && round->n_files >= ROUND_FILES_MAX))
		return -EMSGSIZE;
	note = malloc(size);
	if (!note)
		return -ENOMEM;
	p = (uint8_t *)(note + 1);
	*note = (struct round_note){.index = setting->index,
				    .fd = fd,
				    .file_error = setting->file_error,
				    .file = setting->file,
				    .kind = kind,
				    .name = bytes_of(p, setting->name.size),
				    .value = bytes_of(p + setting->name.size, setting->value.size)};
	if (setting->name.size)
		memcpy(p, setting->name.data, setting->name.size);
	if (setting->value.size)
		memcpy(p + setting->name.size, setting->value.data, setting->value.size);
	STAILQ_INSERT_TAIL(&round->notes, note, link);
	round->bytes += size;
	round->n_files += fd >= 0;
	owned = -1;
	return 0;
}

int round_add(struct round *round, const struct frame_setting *setting, int fd)
{
	return add(round, setting, fd, ROUND_SETTING);
}

int round_add_socket(struct round *round, const struct frame_socket *socket, int fd)
{
	if (fd < 0)
		return -EBADMSG;
	return add(round, &(struct frame_setting){.name = socket->name, .index = socket->index}, fd, ROUND_SOCKET);
}

int round_add_route(struct round *round, struct tg_bytes pattern)
{
	return add(round, &(struct frame_setting){.value = pattern}, -1, ROUND_ROUTE);
}

static int apply(struct settings *settings, struct round_note *note)
{
	int fd = note->fd, r;

	if (note->kind == ROUND_ROUTE)
		return settings_add_route(settings, note->value);
	if (note->kind == ROUND_SOCKET) {
		note->fd = -1;
		return settings_put_socket(settings, note->name, note->index, fd);
	}
	r = settings_put(settings, note->name, note->index, note->value);
	if (r < 0 || !note->file)
		return r;
	note->fd = -1;
	return settings_put_file(settings, note->name, fd, note->file_error);
}

int round_build(struct round *round, const struct tg_setting *rows, struct settings **ret_settings,
		struct tg_bytes *ret_name)
{
	CLEANUP(settings_freep) struct settings *settings = NULL;
	struct round_note *note;
	int r = settings_new(rows, &settings);

	*ret_name = bytes_of(NULL, 0);
	if (r < 0)
		return r;
	STAILQ_FOREACH(note, &round->notes, link)
	{
		*ret_name = note->name;
		r = apply(settings, note);
		if (r < 0)
			return r;
	}
	*ret_settings = settings;
	settings = NULL;
	return 0;
}
