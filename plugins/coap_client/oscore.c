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

#define PROBLEM_LOST "the numbers that it has used were lost, it needs other keys"

/* A fingerprint has as many bytes of a SHA-256. */
enum { FINGERPRINT = 16, RETRY_US = 5000000, NOTE_NAME = sizeof(NOTE_PREFIX) + 2 * FINGERPRINT };

struct oscore_context {
	struct oscore_context *next;
	struct oscore *oscore;
	uint64_t token; /* of what the core is to keep; 0: nothing */
	char note[NOTE_NAME];
	bool configured; /* by the file as it is now */
	bool begun;      /* what was kept of it is known */
	bool owed;       /* its note was lost, and is not kept anew yet */
	struct sequence sequence;
	const char *problem;
};

struct oscore {
	const struct tg_host *host;
	oscore_changed_fn *changed;
	void *arg;
	struct oscore_context *contexts;
	uint64_t tokens;
	uint64_t loss;       /* the last one that was dealt with */
	uint64_t loss_found; /* one that is not yet; 0: none */
	uint64_t loss_token;
	bool noted; /* the core has told all */
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

static void set_retry(struct oscore *oscore)
{
	oscore->host->timer_set(oscore->retry, oscore->host->now_us(oscore->host) + RETRY_US);
}

/* Without a core all is asked for again when it is back; what else is in the way may be over later on. */
static bool keep(struct oscore *oscore, const char *name, const char *value, uint64_t *ret_token)
{
	const struct tg_host *host = oscore->host;
	int r = host->keep(host, (struct tg_bytes){.data = name, .size = strlen(name)},
			   (struct tg_bytes){.data = value, .size = strlen(value)}, ++oscore->tokens);

	if (r >= 0)
		*ret_token = oscore->tokens;
	else if (r != -ENOTCONN)
		set_retry(oscore);
	return r >= 0;
}

static bool keep_number(struct oscore *oscore, const char *name, uint64_t number, uint64_t *ret_token)
{
	char text[24];

	snprintf(text, sizeof(text), "%" PRIu64, number);
	return keep(oscore, name, text, ret_token);
}

static void reserve(struct oscore_context *context)
{
	struct oscore *oscore = context->oscore;
	uint64_t wanted;

	if (!oscore->noted || !context->configured || !context->begun || context->owed || context->problem)
		return;
	if (sequence_is_at_its_end(&context->sequence))
		context->problem = "its sequence numbers are used up, it needs other keys";
	wanted = sequence_ask(&context->sequence);
	if (wanted > 0 && !keep_number(oscore, context->note, wanted, &context->token))
		sequence_answered(&context->sequence, false);
}

/* A number that was used up tells so by itself; what else must not be used is lost. */
static void renew(struct oscore_context *context)
{
	struct oscore *oscore = context->oscore;

	if (!context->owed || context->token > 0)
		return;
	if (context->problem && !sequence_is_at_its_end(&context->sequence))
		(void)keep(oscore, context->note, NOTE_LOST, &context->token);
	else
		(void)keep_number(oscore, context->note, context->sequence.reserved, &context->token);
}

/* A loss is over when all is kept anew, and not before: it is never on disk without the others. */
static void end_loss(struct oscore *oscore)
{
	if (oscore->loss_found == 0 || oscore->loss_token > 0)
		return;
	for (const struct oscore_context *context = oscore->contexts; context; context = context->next)
		if (context->owed)
			return;
	(void)keep_number(oscore, NOTE_LOSS, oscore->loss_found, &oscore->loss_token);
}

/* What the core knows nothing of is new, now that it has told all. */
static void begin_all(struct oscore *oscore)
{
	for (struct oscore_context *context = oscore->contexts; context; context = context->next) {
		if (context->configured && !context->begun)
			sequence_begin(&context->sequence, 0);
		context->begun |= context->configured;
		renew(context);
		reserve(context);
	}
	end_loss(oscore);
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
		context->problem = PROBLEM_LOST;
}

/* What has been used before is not known any more, but for what this process, which has outlived the loss, knows itself. */
static void take_loss(struct oscore *oscore, uint64_t loss)
{
	for (struct oscore_context *context = oscore->contexts; context; context = context->next) {
		if (context->configured && !context->begun) {
			context->begun = true;
			context->problem = PROBLEM_LOST;
		}
		context->owed |= context->begun;
	}
	oscore->loss_found = loss;
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

/* What cannot be written now may be later on. What another endpoint has kept it goes on with, or never will. */
static void take_answer(struct oscore_context *context, int result)
{
	struct oscore *oscore = context->oscore;

	context->token = 0;
	if (result == -EEXIST)
		context->problem = "another endpoint uses its keys, or did so before: it needs other ones";
	if (!context->owed)
		sequence_answered(&context->sequence, result >= 0);
	else if (result >= 0 || result == -EEXIST)
		context->owed = false;
	if (result < 0 && result != -EEXIST) {
		if (result != -ENOTCONN)
			set_retry(oscore);
		return;
	}
	reserve(context);
	end_loss(oscore);
}

static void take_loss_answer(struct oscore *oscore, int result)
{
	oscore->loss_token = 0;
	if (result >= 0) {
		oscore->loss = oscore->loss_found;
		oscore->loss_found = 0;
	} else if (result != -ENOTCONN) {
		set_retry(oscore);
	}
}

void oscore_kept(struct oscore *oscore, uint64_t token, int result)
{
	if (result == -ENOTCONN)
		oscore->noted = false; /* until it is back */
	if (token == oscore->loss_token)
		take_loss_answer(oscore, result);
	for (struct oscore_context *context = oscore->contexts; context; context = context->next)
		if (context->token == token)
			take_answer(context, result);
	oscore->changed(oscore->arg);
}
