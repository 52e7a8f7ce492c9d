/* SPDX-License-Identifier: Apache-2.0 */
#include "oscore_file.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define AEAD_NAME "AES-CCM-16-64-128"
#define HKDF_NAME "direct+HKDF-SHA-256"

static struct tg_bytes trim(struct tg_bytes text)
{
	const char *at = text.data;

	while (text.size > 0 && (at[text.size - 1] == ' ' || at[text.size - 1] == '\t' || at[text.size - 1] == '\r'))
		text.size--;
	while (text.size > 0 && (*at == ' ' || *at == '\t')) {
		at++;
		text.size--;
	}
	return (struct tg_bytes){.data = at, .size = text.size};
}

static bool is_text(struct tg_bytes bytes, const char *text)
{
	return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

/* Without its end; `*text` goes on behind that. */
static struct tg_bytes next_line(struct tg_bytes *text)
{
	const char *begin = text->data;
	const char *end = memchr(begin, '\n', text->size);
	struct tg_bytes line = {.data = begin, .size = end ? (size_t)(end - begin) : text->size};
	size_t taken = line.size + (end != NULL);

	*text = (struct tg_bytes){.data = begin + taken, .size = text->size - taken};
	return trim(line);
}

static int digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

static const char *read_hex(struct tg_bytes text, size_t least, size_t most, struct oscore_value *ret_value)
{
	const char *at = text.data;

	if (ret_value->given)
		return "stands there twice";
	if (is_text(text, "\"\""))
		text.size = 0;
	if (text.size % 2 != 0 || text.size / 2 < least || text.size / 2 > most)
		return least > 0 ? "wants 16 to 64 bytes, in hexadecimal digits" : "is too long, or has half a byte";
	for (size_t i = 0; i < text.size / 2; i++) {
		int high = digit(at[2 * i]), low = digit(at[2 * i + 1]);

		if (high < 0 || low < 0)
			return "wants hexadecimal digits";
		ret_value->bytes[i] = (uint8_t)(high << 4 | low);
	}
	ret_value->size = (uint8_t)(text.size / 2);
	ret_value->given = true;
	return NULL;
}

static const char *read_algorithm(struct tg_bytes text, const char *only, bool *ret_given)
{
	if (*ret_given)
		return "stands there twice";
	*ret_given = true;
	return is_text(text, only) ? NULL : "is none that libcoap can do";
}

static const char *read_value(struct oscore_section *section, struct tg_bytes name, struct tg_bytes value)
{
	if (is_text(name, "master_secret"))
		return read_hex(value, OSCORE_SECRET_MIN, OSCORE_SECRET_MAX, &section->secret);
	if (is_text(name, "master_salt"))
		return read_hex(value, 0, OSCORE_SALT_MAX, &section->salt);
	if (is_text(name, "sender_id"))
		return read_hex(value, 0, OSCORE_ID_MAX, &section->sender);
	if (is_text(name, "recipient_id"))
		return read_hex(value, 0, OSCORE_ID_MAX, &section->recipient);
	if (is_text(name, "id_context"))
		return read_hex(value, 0, OSCORE_CONTEXT_MAX, &section->context);
	if (is_text(name, "aead"))
		return read_algorithm(value, AEAD_NAME, &section->aead);
	if (is_text(name, "hkdf"))
		return read_algorithm(value, HKDF_NAME, &section->hkdf);
	return "is no setting of a context";
}

static int complain(char *ret_problem, unsigned line, struct tg_bytes what, const char *problem)
{
	int size = what.size > 40 ? 40 : (int)what.size;

	snprintf(ret_problem, OSCORE_PROBLEM, "line %u: '%.*s' %s", line, size, size ? (const char *)what.data : "",
		 problem);
	return -EINVAL;
}

static bool is_same(const struct oscore_value *a, const struct oscore_value *b)
{
	return a->size == b->size && memcmp(a->bytes, b->bytes, a->size) == 0;
}

/* Whether they make the same keys. Two that use one key for sending would use its numbers twice, in whichever direction; of two that
 * share one for receiving, each could speak for the other. */
static bool share_a_key(const struct oscore_section *a, const struct oscore_section *b)
{
	return is_same(&a->secret, &b->secret) && is_same(&a->salt, &b->salt) && is_same(&a->context, &b->context) &&
	       (is_same(&a->sender, &b->sender) || is_same(&a->sender, &b->recipient) ||
		is_same(&a->recipient, &b->sender) || is_same(&a->recipient, &b->recipient));
}

static const char *check_section(const struct oscore_file *file, const struct oscore_section *section)
{
	if (!section->secret.given || !section->sender.given || !section->recipient.given)
		return "lacks master_secret, sender_id or recipient_id";
	if (is_same(&section->sender, &section->recipient))
		return "has the same sender_id and recipient_id";
	for (size_t i = 0; i < file->count; i++) {
		const struct oscore_section *other = &file->sections[i];

		if (other != section && strcmp(other->name, section->name) == 0)
			return "has a section already";
		if (other < section && share_a_key(other, section))
			return "has a key that another section has, too";
	}
	return NULL;
}

static int begin_section(struct oscore_file *file, unsigned line_number, struct tg_bytes line, char *ret_problem)
{
	struct tg_bytes name = {.data = (const char *)line.data + 1, .size = line.size - 1};
	struct oscore_section *section = &file->sections[file->count];

	if (name.size < 2 || name.size - 1 > TG_DEVICE_MAX || ((const char *)name.data)[name.size - 1] != ']')
		return complain(ret_problem, line_number, line, "is no \"[NAME]\" of a device");
	if (file->count == OSCORE_SECTIONS_MAX)
		return complain(ret_problem, line_number, line, "is one section too many");
	memcpy(section->name, name.data, name.size - 1);
	section->line = line_number;
	file->count++;
	return 0;
}

static int read_line(struct oscore_file *file, unsigned line_number, struct tg_bytes line, char *ret_problem)
{
	const char *begin = line.data;
	const char *equals = memchr(begin, '=', line.size);
	struct tg_bytes name = {.data = begin, .size = equals ? (size_t)(equals - begin) : 0};
	const char *problem;

	if (memchr(begin, '\0', line.size))
		return complain(ret_problem, line_number, (struct tg_bytes){.size = 0}, "holds a zero byte");
	if (*begin == '[')
		return begin_section(file, line_number, line, ret_problem);
	if (!equals || file->count == 0)
		return complain(ret_problem, line_number, trim(name),
				equals ? "stands before the first \"[NAME]\"" : "is no line \"NAME = VALUE\"");
	name = trim(name);
	problem = read_value(
		&file->sections[file->count - 1], name,
		trim((struct tg_bytes){.data = equals + 1, .size = line.size - (size_t)(equals + 1 - begin)}));
	return problem ? complain(ret_problem, line_number, name, problem) : 0;
}

static size_t count_sections(struct tg_bytes text)
{
	size_t count = 0;

	while (text.size > 0) {
		struct tg_bytes line = next_line(&text);

		count += line.size > 0 && *(const char *)line.data == '[';
	}
	return count < OSCORE_SECTIONS_MAX ? count : OSCORE_SECTIONS_MAX;
}

int oscore_file_read(struct tg_bytes text, struct oscore_file *ret_file, char *ret_problem)
{
	struct oscore_file file = {.sections = calloc(count_sections(text) + 1, sizeof(*file.sections))};
	int r = 0;

	if (!file.sections)
		return -ENOMEM;
	for (unsigned line_number = 1; text.size > 0 && r >= 0; line_number++) {
		struct tg_bytes line = next_line(&text);

		if (line.size > 0 && *(const char *)line.data != '#')
			r = read_line(&file, line_number, line, ret_problem);
	}
	for (size_t i = 0; i < file.count && r >= 0; i++) {
		const struct oscore_section *section = &file.sections[i];
		const char *problem = check_section(&file, section);

		if (problem)
			r = complain(ret_problem, section->line,
				     (struct tg_bytes){.data = section->name, .size = strlen(section->name)}, problem);
	}
	if (r < 0) {
		oscore_file_free(&file);
		return r;
	}
	*ret_file = file;
	return 0;
}

void oscore_file_free(struct oscore_file *file)
{
	if (file->sections)
		explicit_bzero(file->sections, file->count * sizeof(*file->sections));
	free(file->sections);
	*file = (struct oscore_file){.sections = NULL};
}

const struct oscore_section *oscore_file_find(const struct oscore_file *file, const char *name)
{
	for (size_t i = 0; i < file->count; i++)
		if (strcmp(file->sections[i].name, name) == 0)
			return &file->sections[i];
	return NULL;
}

static char *put_text(char *at, const char *text)
{
	memcpy(at, text, strlen(text));
	return at + strlen(text);
}

static char *put_value(char *at, const char *name, const struct oscore_value *value)
{
	static const char digits[] = "0123456789abcdef";

	at = put_text(put_text(at, name), ",hex,\"");
	for (unsigned i = 0; i < value->size; i++) {
		*at++ = digits[value->bytes[i] >> 4];
		*at++ = digits[value->bytes[i] & 15];
	}
	return put_text(at, "\"\n");
}

/* Neither an Echo that the gateway would ask for (appendix B.1.2), which takes numbers of its own, nor new keys (B.2). */
size_t oscore_file_conf(const struct oscore_section *section, char *ret_text)
{
	char *at = put_value(ret_text, "master_secret", &section->secret);

	if (section->salt.size > 0)
		at = put_value(at, "master_salt", &section->salt);
	if (section->context.size > 0)
		at = put_value(at, "id_context", &section->context);
	at = put_value(at, "sender_id", &section->sender);
	at = put_value(at, "recipient_id", &section->recipient);
	at = put_text(at, "aead_alg,text,\"" AEAD_NAME "\"\nhkdf_alg,text,\"" HKDF_NAME "\"\n");
	at = put_text(at, "replay_window,integer,32\nssn_freq,integer,1\n");
	at = put_text(at, "rfc8613_b_1_2,bool,false\nrfc8613_b_2,bool,false\n");
	return (size_t)(at - ret_text);
}
