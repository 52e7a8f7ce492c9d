/* SPDX-License-Identifier: Apache-2.0 */
#include "tests/adapter/dds_samples.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "dds_types.h"

#define ROW(array)                                                                                                     \
	._maximum = sizeof(array) / sizeof((array)[0]), ._length = sizeof(array) / sizeof((array)[0]),                 \
	._buffer = (array)

static void fill_reading(void *sample, int n, int instances)
{
	static char text[64];

	snprintf(text, sizeof(text), "reading \"%d\"", n);
	*(plant_Reading *)sample = (plant_Reading){
		.id = n % instances, .seq = (uint32_t)n, .value = n + 0.5, .scale = plant_PERCENT, .text = text};
}

static void print_reading(const void *sample)
{
	const plant_Reading *r = sample;

	printf("sample %d %" PRIu32 " %g %d %s\n", r->id, r->seq, r->value, (int)r->scale, r->text);
}

static void fill_everything(void *sample, int n, int instances)
{
	static uint8_t blob[] = {0, 1, 254, 255};
	static int64_t numbers[] = {INT64_MIN, -1, 0, INT64_MAX};
	static char one[] = "one", empty[] = "", text[] = "gr\xc3\xbc\xc3\x9f\"\n", latin[] = "caf\xe9";
	static char *words[] = {one, empty, latin};
	static plant_Point track[] = {{1.5, -1}, {2.5, -2}};
	static plant_Grown growns[] = {{7, one}};
	static plant_Unit moods[] = {plant_PERCENT, plant_CELSIUS};
	static plant_Choice choices[] = {{._d = plant_KELVIN, ._u.text = one}, {._d = plant_CELSIUS, ._u.degrees = 1}};
	static int16_t inner_a[] = {1, 2}, inner_b[] = {-3};
	static dds_sequence_short nested[] = {{ROW(inner_a)}, {ROW(inner_b)}};
	static plant_Point perhaps = {9, 9};
	static int32_t maybe, elsewhere = 77;
	static char name[20];
	plant_Everything *e = sample;

	(void)instances;
	maybe = n;
	*e = (plant_Everything){.name = name,
				.yes = true,
				.raw = 200,
				.letter = 'x',
				.i16 = INT16_MIN,
				.u16 = UINT16_MAX,
				.i32 = INT32_MIN,
				.u32 = UINT32_MAX,
				.i64 = INT64_MIN,
				.u64 = UINT64_MAX,
				.f32 = 0.1f,
				.f64 = 0.1,
				.text = text,
				.scale = plant_KELVIN,
				.size = plant_HIGH,
				.marks = plant_ALARM | plant_LAST,
				.spot = {-0.25, 3},
				.more = {5, one},
				.either = {._d = plant_PERCENT, ._u.spot = {4, 4}},
				.other = {._d = 2, ._u.number = 1ll << 60},
				.bytes = {ROW(blob)},
				.mac = {1, 2, 3, 4, 5, 6},
				.direction = {1, 2, 3},
				.grid = {{1, 2, 3}, {4, 5, 6}},
				.units = {plant_KELVIN, plant_PERCENT},
				.points = {{1, 1}, {2, 2}},
				.numbers = {ROW(numbers)},
				.words = {ROW(words)},
				.track = {ROW(track)},
				.growns = {ROW(growns)},
				.moods = {ROW(moods)},
				.choices = {ROW(choices)},
				.nested = {ROW(nested)},
				.maybe = n % 2 ? &maybe : NULL,
				.perhaps = n % 2 ? &perhaps : NULL,
				.elsewhere = &elsewhere};
	snprintf(name, sizeof(name), "a/b %d%%", n);
	snprintf(e->short_text, sizeof(e->short_text), "%s", "12345678");
}

static void fill_changing(void *sample, int n, int instances)
{
	static plant_Point third[] = {{1, 2}};
	static double second = 2.5;
	static char first[] = "first";

	(void)instances;
	*(plant_Changing *)sample = (plant_Changing){.serial = (uint32_t)n,
						     .first = first,
						     .second = n % 2 ? &second : NULL,
						     .third = {ROW(third)},
						     .fourth = 4,
						     .room = -3};
}

static void fill_placed(void *sample, int n, int instances)
{
	static char what[] = "pump", note[] = "beside the door";

	(void)instances;
	*(plant_Placed *)sample =
		(plant_Placed){.what = what, .where = {.building = n, .floor = -2, .note = note}, .slot = 7};
}

static void fill_truck(void *sample, int n, int instances)
{
	static char owner[] = "depot";

	(void)instances;
	*(plant_Truck *)sample = (plant_Truck){.parent = {.id = n, .owner = owner}, .load = 3.5, .at = {1, 2}};
}

static void fill_branch(void *sample, int n, int instances)
{
	static char leaf[] = "green";

	(void)instances;
	*(plant_Branch *)sample = (plant_Branch){.parent = {.id = n}, .leaf = leaf};
}

static void fill_plain(void *sample, int n, int instances)
{
	static char b[] = "no key";

	(void)instances;
	*(plant_Plain *)sample = (plant_Plain){.a = n, .b = b};
}

static void fill_tagged(void *sample, int n, int instances)
{
	plant_Tagged *tagged = sample;

	tagged->value = n;
	snprintf(tagged->tag, sizeof(tagged->tag), "tag %d", n % instances);
}

static void fill_big(void *sample, int n, int instances)
{
	static uint8_t data[600000];

	memset(data, n, sizeof(data));
	*(plant_Big *)sample = (plant_Big){.id = n % instances, .data = {ROW(data)}};
}

static void print_everything(const void *sample)
{
	const plant_Everything *e = sample;

	printf("sample %s %d %s %s %d %d %" PRId64 " %" PRIu64 " %u\n", e->name, e->yes, e->text, e->short_text,
	       (int)e->size, (int)e->marks, e->i64, e->u64, e->choices._length);
}

static void print_changing(const void *sample)
{
	const plant_Changing *c = sample;

	printf("sample %" PRIu32 " %s %g %u %d %d\n", c->serial, c->first, c->second ? *c->second : 0, c->third._length,
	       c->fourth, c->room);
}

static void print_placed(const void *sample)
{
	const plant_Placed *p = sample;

	printf("sample %s %d %d %s %d\n", p->what, p->where.building, p->where.floor, p->where.note, p->slot);
}

static void print_other(const void *sample)
{
	(void)sample;
	printf("sample\n");
}

#define TYPE(name, lower, print)                                                                                       \
	{                                                                                                              \
#name, &plant_##name##_desc, sizeof(plant_##name), fill_##lower, print                                 \
	}

static const struct dds_sample_type types[] = {
	TYPE(Reading, reading, print_reading),
	TYPE(Everything, everything, print_everything),
	TYPE(Changing, changing, print_changing),
	TYPE(Placed, placed, print_placed),
	TYPE(Truck, truck, print_other),
	TYPE(Branch, branch, print_other),
	TYPE(Plain, plain, print_other),
	TYPE(Tagged, tagged, print_other),
	TYPE(Big, big, print_other),
};

/* Plain by another type's name. */
static const struct dds_sample_type *impostor(void)
{
	static dds_topic_descriptor_t descriptor;
	static const struct dds_sample_type type = {"Impostor", &descriptor, sizeof(plant_Plain), fill_plain,
						    print_other};

	memcpy(&descriptor, &plant_Plain_desc, sizeof(descriptor));
	descriptor.m_typename = plant_Reading_desc.m_typename;
	return &type;
}

const struct dds_sample_type *dds_sample_type(const char *name)
{
	if (strcmp(name, "Impostor") == 0)
		return impostor();
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++)
		if (strcmp(types[i].name, name) == 0)
			return &types[i];
	return NULL;
}
