/* SPDX-License-Identifier: Apache-2.0 */

/* What holds for every pack, tried on many random ones. */

#include <errno.h>
#include <string.h>

#include "base/bytes.h"
#include "format/senml.h"
#include "senml_maker.h"
#include "suite.h"

enum { TURNS = 2000, ROOM = 1 << 20 };

#define NOW INT64_C(1760000000123456)

static void write_one(const struct senml_pack *pack, size_t first, size_t count, bool cbor, struct buffer *buffer)
{
	buffer_init(buffer, ROOM);
	if (cbor)
		ck_assert_int_eq(senml_write_cbor(pack, first, count, buffer), 0);
	else
		ck_assert_int_eq(senml_write_json(pack, first, count, buffer), 0);
}

/* Through JSON or CBOR. */
static void pass(const struct senml_pack *pack, size_t first, size_t count, bool cbor, struct senml_pack *ret_pack)
{
	struct buffer buffer;
	int r;

	write_one(pack, first, count, cbor, &buffer);
	senml_init(ret_pack, MAKER_RECORDS_MAX);
	r = cbor ? senml_read_cbor(ret_pack, bytes_of_buffer(&buffer))
		 : senml_read_json(ret_pack, bytes_of_buffer(&buffer));
	ck_assert_msg(r == 0, "%s (%.*s)", ret_pack->problem, cbor ? 0 : (int)buffer_size(&buffer),
		      (const char *)buffer_data(&buffer));
	buffer_done(&buffer);
}

static void begin(struct maker *maker, unsigned turn, struct senml_pack *pack)
{
	maker->state = 0x9e3779b97f4a7c15u * (turn + 1);
	senml_init(pack, MAKER_RECORDS_MAX);
	maker_pack(maker, pack);
	ck_assert_msg(senml_check(pack) == 0, "turn %u: %s", turn, pack->problem);
}

START_TEST(test_nothing_is_lost_on_the_way)
{
	for (unsigned turn = 0; turn < TURNS; turn++) {
		struct senml_pack pack, json, cbor, both;
		struct maker maker;

		begin(&maker, turn, &pack);
		pass(&pack, 0, pack.records_count, false, &json);
		ck_assert_msg(maker_same(&pack, &json), "turn %u: JSON", turn);
		pass(&pack, 0, pack.records_count, true, &cbor);
		ck_assert_msg(maker_same(&pack, &cbor), "turn %u: CBOR", turn);
		pass(&cbor, 0, cbor.records_count, false, &both);
		ck_assert_msg(maker_same(&pack, &both), "turn %u: both", turn);
		senml_done(&both);
		senml_done(&cbor);
		senml_done(&json);
		senml_done(&pack);
	}
}
END_TEST

static bool has_other_base(const struct senml_pack *pack)
{
	for (size_t i = 0; i < pack->fields_count; i++)
		if (pack->fields[i].label == SENML_OTHER && senml_is_base(&pack->fields[i]))
			return true;
	return false;
}

static bool is_resolved(const struct senml_pack *pack)
{
	const bool ordered = !has_other_base(pack);
	double last = 0;

	for (size_t i = 0; i < pack->records_count; i++) {
		bool timed = false;

		for (size_t f = 0; f < pack->records[i].count; f++) {
			const struct senml_field *field = &pack->fields[pack->records[i].first + f];
			double time = field->value.type == SENML_WHOLE ? (double)field->value.whole : field->value.real;

			if (field->label <= SENML_BS && field->label != SENML_BVER)
				return false;
			if (field->label != SENML_T)
				continue;
			timed = time >= 1 << 28 && (time >= last || !ordered);
			last = time;
		}
		if (!timed)
			return false;
	}
	return true;
}

START_TEST(test_resolved_is_resolved)
{
	unsigned good = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		struct senml_pack pack, once, twice;
		struct maker maker;
		int r;

		begin(&maker, turn, &pack);
		senml_init(&once, MAKER_RECORDS_MAX);
		senml_init(&twice, MAKER_RECORDS_MAX);
		r = senml_resolve(&pack, NOW, ROOM, &once);
		ck_assert_msg(r == 0 || (r == -EBADMSG && *once.problem), "turn %u: %d", turn, r);
		if (r == 0) {
			ck_assert_msg(senml_check(&once) == 0, "turn %u: %s", turn, once.problem);
			ck_assert_msg(is_resolved(&once), "turn %u", turn);
			ck_assert_int_eq(senml_resolve(&once, 0, ROOM, &twice), 0);
			ck_assert_msg(maker_same(&once, &twice), "turn %u: resolved twice", turn);
			good++;
		}
		senml_done(&twice);
		senml_done(&once);
		senml_done(&pack);
	}
	ck_assert_uint_gt(good, TURNS / 2);
}
END_TEST

/* The record among those of `pack` that are not used yet. */
static bool take(const struct senml_pack *pack, bool *used, const struct senml_pack *one)
{
	for (size_t i = 0; i < pack->records_count; i++) {
		struct senml_pack view = *pack;

		view.records = &pack->records[i];
		view.records_count = 1;
		if (used[i] || !maker_same(&view, one))
			continue;
		used[i] = true;
		return true;
	}
	return false;
}

/* A record that travels alone says the same as it did in its pack. */
START_TEST(test_spread_says_the_same)
{
	unsigned good = 0;

	for (unsigned turn = 0; turn < TURNS; turn++) {
		struct senml_pack pack, spread, whole;
		bool used[MAKER_RECORDS_MAX] = {false};
		struct maker maker;

		begin(&maker, turn, &pack);
		senml_init(&spread, MAKER_RECORDS_MAX);
		senml_init(&whole, MAKER_RECORDS_MAX);
		if (senml_spread(&pack, &spread) == 0 && senml_resolve(&pack, NOW, ROOM, &whole) == 0) {
			ck_assert_uint_eq(spread.records_count, whole.records_count);
			for (size_t i = 0; i < spread.records_count; i++) {
				struct senml_pack alone, one;

				pass(&spread, i, 1, i % 2, &alone);
				senml_init(&one, 1);
				ck_assert_int_eq(senml_resolve(&alone, NOW, ROOM, &one), 0);
				ck_assert_msg(take(&whole, used, &one), "turn %u: record %zu", turn, i);
				senml_done(&one);
				senml_done(&alone);
			}
			good++;
		}
		senml_done(&whole);
		senml_done(&spread);
		senml_done(&pack);
	}
	ck_assert_uint_gt(good, TURNS / 2);
}
END_TEST

SUITE_MAIN("senml_property", test_nothing_is_lost_on_the_way, test_resolved_is_resolved, test_spread_says_the_same)
