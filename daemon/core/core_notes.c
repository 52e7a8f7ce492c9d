/* SPDX-License-Identifier: Apache-2.0 */

/* Notes that are kept for endpoints: between their processes and the file. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "core/core_inside.h"
#include "core/notes.h"

enum { NOTES_BURST = 16 };

static void answer(struct instance *instance, uint64_t number, int result)
{
	const struct frame frame = {.type = FRAME_KEPT, .kept = {.number = number, .result = result}};

	if (instance_send(instance, &frame) == -ENOBUFS)
		supervisor_kill(instance, "could not be told what is kept for it");
}

static void on_kept(void *arg, const struct notes_asker *asker, int result)
{
	struct core *core = arg;
	struct instance *instance = supervisor_find(core->supervisor, asker->instance);
	unsigned left_out;

	if (result < 0 && result != -EEXIST && log_limit_pass(&core->notes_log, loop_now_us(core->loop), &left_out))
		log_fields_write(LOG_LEVEL_ERROR,
				 &(struct log_fields){.endpoint = instance ? instance_endpoint(instance) : NULL},
				 "a note could not be kept (%s; %u more before it)", strerror(-result), left_out);
	if (instance && instance_generation(instance) == asker->generation)
		answer(instance, asker->number, result);
}

int core_notes_new(struct core *core)
{
	const struct notes_settings settings = {
		.folder = core->places->state_dir, .period_us = CLOCK_S_US, .burst = NOTES_BURST};
	int r = notes_new(core->loop, &settings, on_kept, core, &core->notes);

	if (r < 0)
		log_error("cannot open the notes in \"%s\" (%s)", settings.folder, strerror(-r));
	return r;
}

int core_notes_keep(struct endpoint *endpoint, struct instance *instance, const struct frame_keep *keep)
{
	const struct notes_asker asker = {instance_id(instance), instance_generation(instance), keep->number};
	int r;

	if (keep->name.size == 0)
		return -EBADMSG;
	r = notes_keep(endpoint->core->notes, endpoint->name, keep->name, keep->value, &asker);
	if (r < 0)
		answer(instance, keep->number, r);
	return 0;
}

static int send_note(void *arg, struct tg_bytes name, struct tg_bytes value)
{
	const struct frame frame = {.type = FRAME_NOTE, .note = {.name = name, .value = value}};

	return instance_send(arg, &frame);
}

void core_notes_tell(struct core *core, struct instance *instance)
{
	const struct frame noted = {.type = FRAME_NOTED, .noted = {.loss = notes_loss(core->notes)}};
	int r = notes_each(core->notes, instance_endpoint(instance), send_note, instance);

	if (r >= 0)
		r = instance_send(instance, &noted);
	/* An adapter that builds on notes does not begin without them. */
	if (r < 0 && r != -ENOTCONN)
		log_fields_write(LOG_LEVEL_ERROR, &(struct log_fields){.endpoint = instance_endpoint(instance)},
				 "what is kept for it cannot be read (%s)", strerror(-r));
}
