/* SPDX-License-Identifier: Apache-2.0 */

/* The rules of RFC 8428 section 4 that a pack has to obey, in either representation. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "format/senml.h"

struct check {
	struct senml_pack *pack;
	size_t at; /* record */
	struct tg_bytes base_name;
	bool base_sum;
	bool versioned; /* a record had a version */
	int64_t version;
};

static int complain(struct check *check, enum senml_label label, const char *what)
{
	struct tg_bytes text = bytes_text(label < SENML_LABELS ? senml_rows[label].text : NULL);

	return senml_complain_at(check->pack, check->at + 1, text, what);
}

static const char *wanted(uint8_t kinds)
{
	if (kinds == 1 << SENML_TEXT)
		return "must be a text";
	if (kinds == 1 << SENML_BOOL)
		return "must be true or false";
	if (kinds == 1 << SENML_DATA)
		return "must be data";
	return kinds == 1 << SENML_WHOLE ? "must be a whole number" : "must be a number";
}

static bool same_label(const struct senml_field *a, const struct senml_field *b)
{
	return a->label == b->label && bytes_equal(a->name, b->name);
}

/* Section 4.4: all records have the same version, and none that is newer than what is known here. */
static int check_version(struct check *check, int64_t version)
{
	if (version < 1)
		return complain(check, SENML_BVER, "must be positive");
	if (version > SENML_VERSION)
		return complain(check, SENML_BVER, "is a version that is not known here");
	if ((check->versioned || check->at > 0) && version != check->version)
		return complain(check, SENML_BVER, "is not the version of the records before it");
	check->versioned = true;
	check->version = version;
	return 0;
}

static int check_other(struct check *check, const struct senml_field *field)
{
	size_t size = field->name.size;
	const char *name = field->name.data;

	if (size == 0)
		return senml_complain_at(check->pack, check->at + 1, field->name, "a label is empty");
	if (name[size - 1] == '_')
		return senml_complain_at(check->pack, check->at + 1, field->name,
					 "must be understood, and is not known here");
	return 0;
}

static int check_field(struct check *check, const struct senml_record *record, size_t place)
{
	const struct senml_field *field = &check->pack->fields[record->first + place];

	for (size_t i = 0; i < place; i++) {
		const struct senml_field *other = &check->pack->fields[record->first + i];

		if (same_label(other, field))
			return senml_complain_at(
				check->pack, check->at + 1,
				field->label == SENML_OTHER ? field->name : bytes_text(senml_rows[field->label].text),
				"stands there twice");
	}
	if (field->label == SENML_OTHER)
		return check_other(check, field);
	if (!(senml_rows[field->label].kinds & 1 << field->value.type))
		return complain(check, field->label, wanted(senml_rows[field->label].kinds));
	if (field->label == SENML_BVER)
		return check_version(check, field->value.whole);
	if (field->label == SENML_BN)
		check->base_name = field->value.bytes;
	if (field->label == SENML_BS)
		check->base_sum = true;
	return 0;
}

static bool is_name_character(char c, bool first)
{
	bool plain = (c >= 'A' && c <= 'Z') || (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9');

	return plain || (!first && c != '\0' && strchr("-:./_", c));
}

/* Section 4.5.1. */
static int check_name(struct check *check, struct tg_bytes name)
{
	struct tg_bytes parts[] = {check->base_name, name};
	enum senml_label label = SENML_BN;
	bool first = true;

	if (check->base_name.size + name.size == 0)
		return complain(check, SENML_OTHER, "has no name, neither \"n\" nor \"bn\"");
	if (check->base_name.size + name.size > SENML_NAME_MAX)
		return complain(check, name.size ? SENML_N : SENML_BN, "makes a name of more than 1024 bytes");
	for (size_t part = 0; part < 2; part++, label = SENML_N) {
		const char *data = parts[part].data;

		for (size_t i = 0; i < parts[part].size; i++, first = false) {
			if (is_name_character(data[i], first))
				continue;
			return complain(check, label,
					first ? "makes a name that does not begin with a letter or digit"
					      : "has a character that no name may have");
		}
	}
	return 0;
}

/* Section 4.2: exactly one value, but none is needed beside a sum. A record of base fields alone is for those behind it. */
static int check_record(struct check *check, const struct senml_record *record)
{
	struct tg_bytes name = {NULL, 0};
	bool measured = false, sum = check->base_sum;
	enum senml_label value = SENML_OTHER;

	for (size_t i = 0; i < record->count; i++) {
		const struct senml_field *field = &check->pack->fields[record->first + i];

		measured |= !senml_is_base(field);
		if (field->label == SENML_N)
			name = field->value.bytes;
		sum |= field->label == SENML_S;
		if (field->label < SENML_V || field->label > SENML_VD)
			continue;
		if (value != SENML_OTHER)
			return complain(check, field->label, "is a second value");
		value = field->label;
	}
	if (!measured)
		return 0;
	if (value == SENML_OTHER && !sum)
		return complain(check, SENML_OTHER, "has no value");
	return check_name(check, name);
}

int senml_check(struct senml_pack *pack)
{
	struct check check = {.pack = pack, .version = SENML_VERSION};
	int r = 0;

	if (pack->records_count == 0)
		return senml_complain_at(pack, 0, bytes_text(NULL), "has no record");
	for (check.at = 0; check.at < pack->records_count && r >= 0; check.at++) {
		const struct senml_record *record = &pack->records[check.at];

		if (record->count == 0)
			return complain(&check, SENML_OTHER, "is empty");
		for (size_t i = 0; i < record->count && r >= 0; i++)
			r = check_field(&check, record, i);
		if (r >= 0)
			r = check_record(&check, record);
		if (r < 0)
			return r;
	}
	return r;
}
