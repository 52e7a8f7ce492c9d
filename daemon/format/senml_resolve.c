/* SPDX-License-Identifier: Apache-2.0 */

/* RFC 8428 section 4.6: records that stand by themselves. */

#include <errno.h>
#include <math.h>
#include <string.h>

#include "base/bytes.h"
#include "base/clock.h"
#include "format/senml.h"

/* From here on a time is absolute (section 4.5.3). Units: seconds. */
enum { TIME_ABSOLUTE = 1 << 28 };

/* A double that is whole and no larger is exact. */
#define EXACT_MAX 9007199254740992.0

/* The base fields that apply to the record that is being read. Their fields are lent by the pack. */
struct bases {
	const struct senml_field *known[SENML_BS + 1];
	const struct senml_field *others[SENML_FIELDS_MAX];
	size_t others_count;
};

/* When a record was measured, to put it where it belongs. */
struct moment {
	double time;
	size_t place;
	struct senml_record record;
};

static const struct senml_field *find(const struct senml_pack *pack, const struct senml_record *record,
				      enum senml_label label)
{
	for (size_t i = 0; i < record->count; i++)
		if (pack->fields[record->first + i].label == label)
			return &pack->fields[record->first + i];
	return NULL;
}

static bool is_measured(const struct senml_pack *pack, const struct senml_record *record)
{
	for (size_t i = 0; i < record->count; i++)
		if (!senml_is_base(&pack->fields[record->first + i]))
			return true;
	return false;
}

static int take_other(struct bases *bases, const struct senml_field *field, struct senml_pack *out)
{
	for (size_t i = 0; i < bases->others_count; i++) {
		if (!bytes_equal(bases->others[i]->name, field->name))
			continue;
		bases->others[i] = field;
		return 0;
	}
	if (bases->others_count == SENML_FIELDS_MAX)
		return senml_complain(out, field, "is one label too many");
	bases->others[bases->others_count++] = field;
	return 0;
}

/* Takes over what the record says of base fields. Returns 1 where it has regular fields too. */
static int take_bases(struct bases *bases, const struct senml_pack *pack, const struct senml_record *record,
		      struct senml_pack *out)
{
	int r = 0;

	for (size_t i = 0; i < record->count && r >= 0; i++) {
		const struct senml_field *field = &pack->fields[record->first + i];

		if (senml_is_base(field) && field->label == SENML_OTHER)
			r = take_other(bases, field, out);
		else if (senml_is_base(field))
			bases->known[field->label] = field;
	}
	return r < 0 ? r : is_measured(pack, record);
}

/* The record at `place`, and one for it in `out`. Returns 0 where it is of base fields alone and gets none. */
static int begin(struct bases *bases, const struct senml_pack *pack, size_t place, struct senml_pack *out)
{
	int r;

	out->number = place + 1;
	r = take_bases(bases, pack, &pack->records[place], out);
	if (r <= 0)
		return r;
	r = senml_begin(out);
	out->number = place + 1;
	return r < 0 ? r : 1;
}

static int add_others(const struct bases *bases, struct senml_pack *out)
{
	int r = 0;

	for (size_t i = 0; i < bases->others_count && r >= 0; i++)
		r = senml_add(out, bases->others[i]);
	return r;
}

static double real_of(const struct senml_value *value)
{
	return value->type == SENML_WHOLE ? (double)value->whole : value->real;
}

/* a + b, of which each may be NULL: zero. Errors: -EBADMSG: no double holds it. */
static int add_up(struct senml_pack *out, enum senml_label label, const struct senml_field *a,
		  const struct senml_field *b, struct senml_field *ret_field)
{
	*ret_field = (struct senml_field){.label = label, .value = a ? a->value : b->value};
	if (!a || !b)
		return 0;
	if (a->value.type == SENML_WHOLE && b->value.type == SENML_WHOLE &&
	    !__builtin_add_overflow(a->value.whole, b->value.whole, &ret_field->value.whole))
		return 0;
	ret_field->value = (struct senml_value){.type = SENML_REAL, .real = real_of(&a->value) + real_of(&b->value)};
	return isfinite(ret_field->value.real) ? 0 : senml_complain(out, ret_field, "is a sum out of range");
}

/* Seconds since 1970, whole where they are. */
static struct senml_value absolute(double seconds)
{
	if (floor(seconds) == seconds && seconds <= EXACT_MAX)
		return (struct senml_value){.type = SENML_WHOLE, .whole = (int64_t)seconds};
	return (struct senml_value){.type = SENML_REAL, .real = seconds};
}

static int add_time(struct senml_pack *out, const struct senml_field *base, const struct senml_field *own,
		    int64_t now_wall_us)
{
	struct senml_field field = {.label = SENML_T, .value = {.type = SENML_WHOLE, .whole = 0}};
	double seconds;
	int r = base || own ? add_up(out, SENML_T, base, own, &field) : 0;

	if (r < 0)
		return r;
	seconds = real_of(&field.value);
	if (seconds < TIME_ABSOLUTE) {
		double now = (double)now_wall_us / (double)CLOCK_S_US;

		if (now + seconds < TIME_ABSOLUTE)
			return senml_complain(out, &field, "is a time too long ago");
		seconds = (double)(now_wall_us + llround(seconds * (double)CLOCK_S_US)) / (double)CLOCK_S_US;
	}
	field.value = absolute(seconds);
	return senml_add(out, &field);
}

static int add_name(struct senml_pack *out, const struct senml_field *base, const struct senml_field *own)
{
	struct senml_field field = {.label = SENML_N, .value = {.type = SENML_TEXT}};

	if (base)
		field.value.bytes = senml_copy(out, base->value.bytes);
	if (own) {
		struct tg_bytes copy = senml_copy(out, own->value.bytes);

		field.value.bytes = base ? bytes_of(field.value.bytes.data, field.value.bytes.size + copy.size) : copy;
	}
	return senml_add(out, &field);
}

/* Section 4.6: a version is said only where it is another one. */
static int add_head(const struct bases *bases, const struct senml_pack *pack, const struct senml_record *record,
		    int64_t now_wall_us, struct senml_pack *out)
{
	const struct senml_field *version = bases->known[SENML_BVER], *unit = find(pack, record, SENML_U);
	struct senml_field field;
	int r = 0;

	if (version && version->value.whole != SENML_VERSION)
		r = senml_add(out, version);
	if (r >= 0)
		r = add_others(bases, out);
	if (r >= 0)
		r = add_name(out, bases->known[SENML_BN], find(pack, record, SENML_N));
	if (r >= 0 && (unit || bases->known[SENML_BU])) {
		field = unit ? *unit : *bases->known[SENML_BU];
		field.label = SENML_U;
		r = senml_add(out, &field);
	}
	if (r >= 0)
		r = add_time(out, bases->known[SENML_BT], find(pack, record, SENML_T), now_wall_us);
	return r;
}

static int add_rest(const struct bases *bases, const struct senml_pack *pack, const struct senml_record *record,
		    struct senml_pack *out)
{
	const struct senml_field *sum = find(pack, record, SENML_S);
	struct senml_field field;
	int r = 0;

	for (size_t i = 0; i < record->count && r >= 0; i++) {
		field = pack->fields[record->first + i];
		if (senml_is_base(&field) || field.label == SENML_N || field.label == SENML_U ||
		    field.label == SENML_T || field.label == SENML_S)
			continue;
		if (field.label == SENML_V)
			r = add_up(out, SENML_V, bases->known[SENML_BV], &pack->fields[record->first + i], &field);
		if (r >= 0)
			r = senml_add(out, &field);
	}
	if (r >= 0 && (sum || bases->known[SENML_BS])) {
		r = add_up(out, SENML_S, bases->known[SENML_BS], sum, &field);
		if (r >= 0)
			r = senml_add(out, &field);
	}
	return r;
}

static int compare_moments(const void *one, const void *other)
{
	const struct moment *a = one, *b = other;

	if (a->time < b->time || a->time > b->time)
		return a->time < b->time ? -1 : 1;
	return a->place < b->place ? -1 : a->place > b->place;
}

/* Moved to the front, a base field that is not known would apply to records that it did not apply to. */
static bool keeps_order(const struct senml_pack *pack)
{
	for (size_t i = 0; i < pack->fields_count; i++)
		if (pack->fields[i].label == SENML_OTHER && senml_is_base(&pack->fields[i]))
			return true;
	return false;
}

/* Those of the same time stay in the order that they came in. */
static int sort(struct senml_pack *pack)
{
	CLEANUP_FREE struct moment *moments = calloc(pack->records_count, sizeof(*moments));

	if (!moments)
		return -ENOMEM;
	for (size_t i = 0; i < pack->records_count; i++)
		moments[i] =
			(struct moment){real_of(&find(pack, &pack->records[i], SENML_T)->value), i, pack->records[i]};
	qsort(moments, pack->records_count, sizeof(*moments), compare_moments);
	for (size_t i = 0; i < pack->records_count; i++)
		pack->records[i] = moments[i].record;
	return 0;
}

/* Bytes of all names, base names applied. */
static size_t names_size(const struct senml_pack *pack)
{
	const struct senml_field *base = NULL;
	size_t size = 0;

	for (size_t i = 0; i < pack->records_count; i++) {
		const struct senml_field *own = find(pack, &pack->records[i], SENML_N);
		const struct senml_field *here = find(pack, &pack->records[i], SENML_BN);

		base = here ? here : base;
		if (!is_measured(pack, &pack->records[i]))
			continue;
		size += (own ? own->value.bytes.size : 0) + (base ? base->value.bytes.size : 0);
	}
	return size;
}

int senml_resolve(const struct senml_pack *pack, int64_t now_wall_us, size_t bytes_max, struct senml_pack *ret_pack)
{
	struct bases bases = {.others_count = 0};
	size_t size = names_size(pack);
	int r;

	if (size > bytes_max)
		return -EMSGSIZE;
	r = senml_room(ret_pack, size);
	for (size_t i = 0; i < pack->records_count && r >= 0; i++) {
		r = begin(&bases, pack, i, ret_pack);
		if (r <= 0)
			continue;
		r = add_head(&bases, pack, &pack->records[i], now_wall_us, ret_pack);
		if (r >= 0)
			r = add_rest(&bases, pack, &pack->records[i], ret_pack);
	}
	if (r >= 0 && ret_pack->records_count == 0)
		return senml_complain_at(ret_pack, 0, bytes_text(NULL), "has no measurement");
	return r < 0 || keeps_order(ret_pack) ? r : sort(ret_pack);
}

int senml_spread(const struct senml_pack *pack, struct senml_pack *ret_pack)
{
	struct bases bases = {.others_count = 0};
	int r = 0;

	for (size_t i = 0; i < pack->records_count && r >= 0; i++) {
		const struct senml_record *record = &pack->records[i];

		r = begin(&bases, pack, i, ret_pack);
		if (r <= 0)
			continue;
		for (int label = SENML_BVER; label <= SENML_BS && r >= 0; label++)
			if (bases.known[label])
				r = senml_add(ret_pack, bases.known[label]);
		if (r >= 0)
			r = add_others(&bases, ret_pack);
		for (size_t f = 0; f < record->count && r >= 0; f++)
			if (!senml_is_base(&pack->fields[record->first + f]))
				r = senml_add(ret_pack, &pack->fields[record->first + f]);
	}
	if (r >= 0 && ret_pack->records_count == 0)
		return senml_complain_at(ret_pack, 0, bytes_text(NULL), "has no measurement");
	return r < 0 ? r : 0;
}
