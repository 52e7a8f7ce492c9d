/* SPDX-License-Identifier: Apache-2.0 */
#include "oscore.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tls_digest.h"

#define NOTE_PREFIX "!oscore-"
#define NOTE_LOSS   "oscore-loss"
#define NOTE_LOST   "lost"

/* A fingerprint has as many bytes of a SHA-256. */
enum { FINGERPRINT = 16, RETRY_US = 5000000, NOTE_NAME = sizeof(NOTE_PREFIX) + 2 * FINGERPRINT };

struct oscore_context {
	struct oscore_context *next;
	struct oscore *oscore;
	uint64_t token;
	char note[NOTE_NAME];
	bool configured; /* by the file as it is now */
	bool begun;      /* what was kept of it is known */
	struct sequence sequence;
	const char *problem;
};

struct oscore {
	const struct tg_host *host;
	oscore_changed_fn *changed;
	void *arg;
	struct oscore_context *contexts;
	uint64_t tokens;
	uint64_t loss; /* the last one that was dealt with */
	bool noted;    /* the core has told all */
	struct tg_timer *retry;
};

void oscore_free(struct oscore *oscore)
{
	if (!oscore)
		return;
	for (struct oscore_context *context = oscore->contexts, *next; context; context = next) {
		next = context->next;
		free(context);
	}
	oscore->host->timer_free(oscore->retry);
	free(oscore);
}

static struct tg_bytes bytes_of(const struct oscore_value *value)
{
	return (struct tg_bytes){.data = value->bytes, .size = value->size};
}

/* Of what the key for sending and the nonces are made of, and nothing else. */
static bool name_note(const struct oscore_section *section, char ret_note[NOTE_NAME])
{
	const struct tg_bytes pieces[] = {bytes_of(&section->secret), bytes_of(&section->salt),
					  bytes_of(&section->context), bytes_of(&section->sender)};
	uint8_t digest[TLS_DIGEST_SIZE];

	if (!tls_digest(pieces, sizeof(pieces) / sizeof(pieces[0]), digest))
		return false;
	memcpy(ret_note, NOTE_PREFIX, sizeof(NOTE_PREFIX));
	for (size_t i = 0; i < FINGERPRINT; i++)
		snprintf(ret_note + sizeof(NOTE_PREFIX) - 1 + 2 * i, 3, "%02x", digest[i]);
	return true;
}

static struct oscore_context *find(const struct oscore *oscore, const char *note)
{
	for (struct oscore_context *context = oscore->contexts; context; context = context->next)
		if (strcmp(context->note, note) == 0)
			return context;
	return NULL;
}

static struct oscore_context *find_or_add(struct oscore *oscore, const char *note)
{
	struct oscore_context *context = find(oscore, note);

	if (context)
		return context;
	context = calloc(1, sizeof(*context));
	if (!context)
		return NULL;
	context->next = oscore->contexts;
	context->oscore = oscore;
	snprintf(context->note, sizeof(context->note), "%s", note);
	oscore->contexts = context;
	return context;
}

static int keep(struct oscore *oscore, const char *name, const char *value, uint64_t token)
{
	return oscore->host->keep(oscore->host, (struct tg_bytes){.data = name, .size = strlen(name)},
				  (struct tg_bytes){.data = value, .size = strlen(value)}, token);
}

static void set_retry(struct oscore *oscore)
{
	oscore->host->timer_set(oscore->retry, oscore->host->now_us(oscore->host) + RETRY_US);
}

/* Without a core all is asked for again when it is back; what else is in the way may be over later on. */
static void reserve(struct oscore_context *context)
{
	struct oscore *oscore = context->oscore;
	uint64_t wanted;
	char text[24];
	int r;

	if (!oscore->noted || !context->configured || !context->begun || context->problem)
		return;
	if (sequence_is_at_its_end(&context->sequence))
		context->problem = "its sequence numbers are used up, it needs other keys";
	wanted = sequence_ask(&context->sequence);
	if (wanted == 0)
		return;
	snprintf(text, sizeof(text), "%" PRIu64, wanted);
	context->token = ++oscore->tokens;
	r = keep(oscore, context->note, text, context->token);
	if (r < 0)
		sequence_answered(&context->sequence, false);
	if (r < 0 && r != -ENOTCONN)
		set_retry(oscore);
}

/* What the core knows nothing of is new, now that it has told all. */
static void begin_all(struct oscore *oscore)
{
	for (struct oscore_context *context = oscore->contexts; context; context = context->next) {
		if (context->configured && !context->begun)
			sequence_begin(&context->sequence, 0);
		context->begun |= context->configured;
		reserve(context);
	}
}

static void on_retry(void *arg)
{
	struct oscore *oscore = arg;

	if (oscore->noted)
		begin_all(oscore);
}

int oscore_new(const struct tg_host *host, oscore_changed_fn *changed, void *arg, struct oscore **ret_oscore)
{
	struct oscore *oscore = calloc(1, sizeof(*oscore));
	int r;

	if (!oscore)
		return -ENOMEM;
	*oscore = (struct oscore){.host = host, .changed = changed, .arg = arg};
	r = host->timer_new(host, on_retry, oscore, &oscore->retry);
	if (r < 0) {
		free(oscore);
		return r;
	}
	*ret_oscore = oscore;
	return 0;
}

int oscore_apply(struct oscore *oscore, const struct oscore_file *file)
{
	char note[NOTE_NAME];

	for (struct oscore_context *context = oscore->contexts; context; context = context->next)
		context->configured = false;
	for (size_t i = 0; i < file->count; i++) {
		struct oscore_context *context = name_note(&file->sections[i], note) ? find_or_add(oscore, note) : NULL;

		if (!context)
			return -ENOMEM;
		context->configured = true;
	}
	if (oscore->noted)
		begin_all(oscore);
	return 0;
}

struct oscore_context *oscore_find(const struct oscore *oscore, const struct oscore_section *section)
{
	char note[NOTE_NAME];

	return name_note(section, note) ? find(oscore, note) : NULL;
}

struct sequence *oscore_sequence(struct oscore_context *context)
{
	return &context->sequence;
}

const char *oscore_problem(const struct oscore_context *context)
{
	return context->problem;
}

bool oscore_is_ready(const struct oscore_context *context)
{
	return !context->problem && context->begun && sequence_may(&context->sequence);
}

void oscore_used(struct oscore_context *context)
{
	reserve(context);
}

static bool read_number(struct tg_bytes value, uint64_t *ret_number)
{
	char text[24] = "", *end;

	if (value.size == 0 || value.size >= sizeof(text))
		return false;
	memcpy(text, value.data, value.size);
	*ret_number = strtoull(text, &end, 10);
	return *end == '\0';
}

static bool is_text(struct tg_bytes bytes, const char *text)
{
	return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

void oscore_note(struct oscore *oscore, struct tg_bytes name, struct tg_bytes value)
{
	struct oscore_context *context;
	char note[NOTE_NAME] = "";
	uint64_t number = 0;

	if (is_text(name, NOTE_LOSS) && read_number(value, &number))
		oscore->loss = number;
	if (name.size != NOTE_NAME - 1 || memcmp(name.data, NOTE_PREFIX, sizeof(NOTE_PREFIX) - 1) != 0)
		return;
	memcpy(note, name.data, name.size);
	context = find_or_add(oscore, note);
	if (!context || context->begun) /* a core that is back tells what it was told */
		return;
	context->begun = true;
	if (read_number(value, &number))
		sequence_begin(&context->sequence, number);
	else
		context->problem = "the numbers that it has used were lost, it needs other keys";
}

/* What has been used before is not known any more. A process that has outlived the loss knows its own. */
static void take_loss(struct oscore *oscore, uint64_t loss)
{
	char text[24];

	for (struct oscore_context *context = oscore->contexts; context; context = context->next) {
		if (context->configured && !context->begun) {
			context->begun = true;
			context->problem = "the numbers that it has used were lost, it needs other keys";
			(void)!keep(oscore, context->note, NOTE_LOST, 0);
		} else if (context->begun && !context->problem) {
			snprintf(text, sizeof(text), "%" PRIu64, context->sequence.reserved);
			(void)!keep(oscore, context->note, text, 0);
		}
	}
	/* Last, so that it is never there without the others. */
	snprintf(text, sizeof(text), "%" PRIu64, loss);
	if (keep(oscore, NOTE_LOSS, text, 0) >= 0)
		oscore->loss = loss;
}

/* Settings may have come before the notes. What was never kept may be known to them by now, or may have been with what is lost. */
void oscore_joined(struct oscore *oscore)
{
	oscore->noted = false;
	for (struct oscore_context *context = oscore->contexts; context; context = context->next)
		if (!context->problem && context->sequence.reserved == 0)
			context->begun = false;
}

void oscore_noted(struct oscore *oscore, uint64_t loss)
{
	if (loss != 0 && loss != oscore->loss)
		take_loss(oscore, loss);
	oscore->noted = true;
	begin_all(oscore);
	oscore->changed(oscore->arg);
}

/* What cannot be written now may be later on. */
static void take_answer(struct oscore_context *context, int result)
{
	context->token = 0;
	sequence_answered(&context->sequence, result >= 0);
	if (result == -EEXIST)
		context->problem = "another endpoint uses its keys, or did so before: it needs other ones";
	else if (result < 0 && result != -ENOTCONN)
		set_retry(context->oscore);
}

void oscore_kept(struct oscore *oscore, uint64_t token, int result)
{
	if (result == -ENOTCONN)
		oscore->noted = false; /* until it is back */
	if (token == 0)
		return;
	for (struct oscore_context *context = oscore->contexts; context; context = context->next)
		if (context->token == token)
			take_answer(context, result);
	oscore->changed(oscore->arg);
}
