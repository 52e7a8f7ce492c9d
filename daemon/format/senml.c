/* SPDX-License-Identifier: Apache-2.0 */
#include "format/senml.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/bytes.h"

#define NUMBER (1 << SENML_WHOLE | 1 << SENML_REAL)

/* RFC 8428 section 6, table 4. */
const struct senml_row senml_rows[SENML_LABELS] = {
	[SENML_BVER] = {"bver", -1, 1 << SENML_WHOLE},
	[SENML_BN] = {"bn", -2, 1 << SENML_TEXT},
	[SENML_BT] = {"bt", -3, NUMBER},
	[SENML_BU] = {"bu", -4, 1 << SENML_TEXT},
	[SENML_BV] = {"bv", -5, NUMBER},
	[SENML_BS] = {"bs", -6, NUMBER},
	[SENML_N] = {"n", 0, 1 << SENML_TEXT},
	[SENML_U] = {"u", 1, 1 << SENML_TEXT},
	[SENML_V] = {"v", 2, NUMBER},
	[SENML_VS] = {"vs", 3, 1 << SENML_TEXT},
	[SENML_VB] = {"vb", 4, 1 << SENML_BOOL},
	[SENML_VD] = {"vd", 8, 1 << SENML_DATA},
	[SENML_S] = {"s", 5, NUMBER},
	[SENML_T] = {"t", 6, NUMBER},
	[SENML_UT] = {"ut", 7, NUMBER},
};

enum senml_label senml_label(struct tg_bytes text)
{
	int label = 0;

	while (label < SENML_LABELS && !bytes_equal(text, bytes_text(senml_rows[label].text)))
		label++;
	return (enum senml_label)label;
}

void senml_init(struct senml_pack *pack, size_t records_max)
{
	*pack = (struct senml_pack){.records_max = records_max};
}

void senml_done(struct senml_pack *pack)
{
	free(pack->fields);
	free(pack->records);
	free(pack->bytes);
	*pack = (struct senml_pack){.records_max = pack->records_max};
}

int senml_room(struct senml_pack *pack, size_t bytes)
{
	assert(!pack->bytes);
	pack->bytes = malloc(bytes ? bytes : 1);
	pack->bytes_room = bytes;
	return pack->bytes ? 0 : -ENOMEM;
}

struct tg_bytes senml_copy(struct senml_pack *pack, struct tg_bytes bytes)
{
	uint8_t *to = pack->bytes + pack->bytes_used;

	assert(bytes.size <= pack->bytes_room - pack->bytes_used);
	if (bytes.size)
		memcpy(to, bytes.data, bytes.size);
	pack->bytes_used += bytes.size;
	return bytes_of(to, bytes.size);
}

/* Room for one more of `size` bytes; doubles. */
static int grow(void **items, size_t *room, size_t count, size_t size)
{
	size_t wanted = *room ? *room * 2 : 16;
	void *grown;

	if (count < *room)
		return 0;
	grown = realloc(*items, wanted * size);
	if (!grown)
		return -ENOMEM;
	*items = grown;
	*room = wanted;
	return 0;
}

int senml_complain_many(struct senml_pack *pack)
{
	snprintf(pack->problem, sizeof(pack->problem), "the pack has more than %zu records", pack->records_max);
	return -EBADMSG;
}

int senml_begin(struct senml_pack *pack)
{
	void *records = pack->records;
	int r;

	if (pack->records_count >= pack->records_max)
		return senml_complain_many(pack);
	r = grow(&records, &pack->records_room, pack->records_count, sizeof(*pack->records));
	pack->records = records;
	if (r < 0)
		return r;
	pack->records[pack->records_count++] = (struct senml_record){.first = pack->fields_count};
	pack->number = pack->records_count;
	return 0;
}

int senml_add(struct senml_pack *pack, const struct senml_field *field)
{
	struct senml_record *record = &pack->records[pack->records_count - 1];
	void *fields = pack->fields;
	int r;

	if (record->count >= SENML_FIELDS_MAX)
		return senml_complain(pack, field, "is one label too many");
	r = grow(&fields, &pack->fields_room, pack->fields_count, sizeof(*pack->fields));
	pack->fields = fields;
	if (r < 0)
		return r;
	pack->fields[pack->fields_count++] = *field;
	record->count++;
	return 0;
}

/* What a device has sent goes into a line of text: nothing but plain characters, and not too many. */
static void quote(struct tg_bytes label, char ret_text[32])
{
	const char *data = label.data;
	size_t size = label.size < 24 ? label.size : 24;

	for (size_t i = 0; i < size; i++)
		ret_text[i] = (char)(data[i] > ' ' && data[i] < 127 && data[i] != '"' ? data[i] : '?');
	memcpy(ret_text + size, size < label.size ? "..." : "", size < label.size ? 4 : 1);
}

int senml_complain_at(struct senml_pack *pack, size_t record, struct tg_bytes label, const char *what)
{
	char text[32];

	quote(label, text);
	if (record == 0)
		snprintf(pack->problem, sizeof(pack->problem), "the pack %s", what);
	else if (label.size == 0)
		snprintf(pack->problem, sizeof(pack->problem), "record %zu: %s", record, what);
	else
		snprintf(pack->problem, sizeof(pack->problem), "record %zu, label \"%s\": %s", record, text, what);
	return -EBADMSG;
}

int senml_complain(struct senml_pack *pack, const struct senml_field *field, const char *what)
{
	struct tg_bytes label = {NULL, 0};

	if (field)
		label = field->label == SENML_OTHER ? field->name : bytes_text(senml_rows[field->label].text);
	return senml_complain_at(pack, pack->number, label, what);
}
