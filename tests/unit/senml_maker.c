/* SPDX-License-Identifier: Apache-2.0 */
#include "senml_maker.h"

#include <math.h>
#include <string.h>

#include "base/bytes.h"

enum { ROOM = 8192 };

static void require(int r)
{
	if (r < 0)
		abort();
}

static uint64_t draw(struct maker *maker)
{
	maker->state ^= maker->state << 13;
	maker->state ^= maker->state >> 7;
	maker->state ^= maker->state << 17;
	return maker->state;
}

uint32_t maker_below(struct maker *maker, uint32_t limit)
{
	return (uint32_t)(draw(maker) >> 32) % limit;
}

static double make_real(struct maker *maker)
{
	static const double odd[] = {0.0,
				     -0.0,
				     0.1,
				     1.5,
				     23.1,
				     65504.0,
				     65505.0,
				     5.9604644775390625e-8,
				     6.103515625e-5,
				     5e-324,
				     1.7976931348623157e308,
				     3.4028234663852886e38,
				     1e39,
				     -1e-7,
				     1e15,
				     1e17};
	uint64_t bits = draw(maker);
	double real;

	if (maker_below(maker, 2))
		return odd[maker_below(maker, sizeof(odd) / sizeof(odd[0]))];
	memcpy(&real, &bits, sizeof(real));
	return isfinite(real) ? real : (double)(int64_t)bits;
}

static struct senml_value make_number(struct maker *maker)
{
	static const int64_t odd[] = {0, 1, -1, 23, 24, 255, 256, 65536, -25, INT64_MAX, INT64_MIN, 1LL << 53};

	if (maker_below(maker, 2))
		return (struct senml_value){.type = SENML_REAL, .real = make_real(maker)};
	if (maker_below(maker, 2))
		return (struct senml_value){.type = SENML_WHOLE, .whole = (int64_t)draw(maker)};
	return (struct senml_value){.type = SENML_WHOLE,
				    .whole = odd[maker_below(maker, sizeof(odd) / sizeof(odd[0]))]};
}

static struct senml_value make_string(struct maker *maker, struct senml_pack *pack, enum senml_type type)
{
	static const char *const pieces[] = {"a", " ", "\"", "\\", "\xc3\xa9", "\xf0\x9f\x8c\x8a", "\n", "/", "\x7f"};
	size_t before = pack->bytes_used;

	for (uint32_t left = maker_below(maker, 6); left > 0; left--) {
		uint8_t byte = (uint8_t)draw(maker);

		if (type == SENML_DATA)
			senml_copy(pack, bytes_of(&byte, 1));
		else if (maker_below(maker, 12) == 0)
			senml_copy(pack, bytes_of("", 1));
		else
			senml_copy(pack, bytes_text(pieces[maker_below(maker, sizeof(pieces) / sizeof(pieces[0]))]));
	}
	return (struct senml_value){.type = type, .bytes = bytes_of(pack->bytes + before, pack->bytes_used - before)};
}

static struct senml_value text(const char *text)
{
	return (struct senml_value){.type = SENML_TEXT, .bytes = bytes_text(text)};
}

static void add(struct senml_pack *pack, enum senml_label label, struct senml_value value)
{
	require(senml_add(pack, &(struct senml_field){.label = label, .value = value}));
}

static void add_other(struct maker *maker, struct senml_pack *pack, const char *name)
{
	struct senml_value value = maker_below(maker, 2)   ? make_number(maker)
				   : maker_below(maker, 2) ? make_string(maker, pack, SENML_TEXT)
							   : (struct senml_value){.type = SENML_BOOL, .yes = true};

	require(senml_add(pack, &(struct senml_field){SENML_OTHER, bytes_text(name), value}));
}

static void add_time(struct maker *maker, struct senml_pack *pack, enum senml_label label)
{
	static const double times[] = {0, -1, -0.5, 10, 1.276020076001e+09, 1320067464, -3600.25};
	double time = times[maker_below(maker, sizeof(times) / sizeof(times[0]))];

	if (floor(time) == time && maker_below(maker, 2))
		add(pack, label, (struct senml_value){.type = SENML_WHOLE, .whole = (int64_t)time});
	else
		add(pack, label, (struct senml_value){.type = SENML_REAL, .real = time});
}

static void add_bases(struct maker *maker, struct senml_pack *pack, bool first)
{
	static const char *const names[] = {"urn:dev:ow:10e2073a01080063:", "a", "2001:db8::1/"};

	if (first || maker_below(maker, 4) == 0)
		add(pack, SENML_BN, text(names[maker_below(maker, 3)]));
	if (maker_below(maker, 4) == 0)
		add_time(maker, pack, SENML_BT);
	if (maker_below(maker, 4) == 0)
		add(pack, SENML_BU, text("Cel"));
	if (maker_below(maker, 6) == 0)
		add(pack, SENML_BV, make_number(maker));
	if (maker_below(maker, 8) == 0)
		add(pack, SENML_BS, make_number(maker));
	if (maker_below(maker, 8) == 0)
		add_other(maker, pack, maker_below(maker, 2) ? "bx" : "blue");
}

static void add_value(struct maker *maker, struct senml_pack *pack)
{
	switch (maker_below(maker, 6)) {
	case 0:
		add(pack, SENML_VS, make_string(maker, pack, SENML_TEXT));
		break;
	case 1:
		add(pack, SENML_VB, (struct senml_value){.type = SENML_BOOL, .yes = maker_below(maker, 2)});
		break;
	case 2:
		add(pack, SENML_VD, make_string(maker, pack, SENML_DATA));
		break;
	case 3:
		add(pack, SENML_S, make_number(maker));
		break;
	default:
		add(pack, SENML_V, make_number(maker));
	}
}

void maker_pack(struct maker *maker, struct senml_pack *ret_pack)
{
	uint32_t count = 1 + maker_below(maker, MAKER_RECORDS_MAX);
	bool version = maker_below(maker, 4) == 0;

	require(senml_room(ret_pack, ROOM));
	for (uint32_t i = 0; i < count; i++) {
		require(senml_begin(ret_pack));
		add_bases(maker, ret_pack, i == 0);
		if (version && i == 0)
			add(ret_pack, SENML_BVER, (struct senml_value){.type = SENML_WHOLE, .whole = 5});
		if (maker_below(maker, 8) == 0 && ret_pack->records[i].count > 0)
			continue; /* base fields alone */
		if (maker_below(maker, 2))
			add(ret_pack, SENML_N, text(maker_below(maker, 2) ? "temp" : "b/c_1.2"));
		if (maker_below(maker, 3) == 0)
			add(ret_pack, SENML_U, text("%RH"));
		if (maker_below(maker, 2))
			add_time(maker, ret_pack, SENML_T);
		add_value(maker, ret_pack);
		if (maker_below(maker, 6) == 0)
			add(ret_pack, SENML_UT, make_number(maker));
		if (maker_below(maker, 4) == 0)
			add_other(maker, ret_pack, maker_below(maker, 2) ? "colour" : "\xc3\xa9t\xc3\xa9");
	}
}

static bool same_value(const struct senml_value *a, const struct senml_value *b)
{
	if (a->type != b->type)
		return false;
	switch (a->type) {
	case SENML_WHOLE:
		return a->whole == b->whole;
	case SENML_REAL:
		return memcmp(&a->real, &b->real, sizeof(double)) == 0;
	case SENML_BOOL:
		return a->yes == b->yes;
	default:
		return bytes_equal(a->bytes, b->bytes);
	}
}

bool maker_same(const struct senml_pack *a, const struct senml_pack *b)
{
	if (a->records_count != b->records_count)
		return false;
	for (size_t i = 0; i < a->records_count; i++) {
		const struct senml_record *x = &a->records[i], *y = &b->records[i];

		if (x->count != y->count)
			return false;
		for (size_t f = 0; f < x->count; f++) {
			const struct senml_field *p = &a->fields[x->first + f], *q = &b->fields[y->first + f];

			if (p->label != q->label || !bytes_equal(p->name, q->name) || !same_value(&p->value, &q->value))
				return false;
		}
	}
	return true;
}
