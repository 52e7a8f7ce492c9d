/* SPDX-License-Identifier: Apache-2.0 */
#include <check.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dds/decode.h"
#include "dds/encode.h"
#include "dds/sample.h"
#include "format/tree.h"
#include "test_dds_maker.h"

enum { SEEDS = 400, MUTATIONS = 60, LIMIT = 1 << 20 };

struct fixture {
	struct type_set set;
	struct dds_maker maker;
	const struct type *type;
	json_t *value;
	struct cdr_writer bytes;
	struct encode_reason reason;
	struct out out;
};

static void begin(struct fixture *f, uint64_t seed, bool plain)
{
	type_set_init(&f->set);
	f->maker = (struct dds_maker){.seed = seed * 0x9e3779b97f4a7c15ull + 1, .set = &f->set, .plain = plain};
	f->type = dds_maker_struct(&f->maker, 0);
	f->value = dds_maker_value(&f->maker, f->type);
	cdr_writer_init(&f->bytes, plain ? 1 : 2, LIMIT);
	out_init(&f->out, OUT_JSON, LIMIT);
}

static void done(struct fixture *f)
{
	out_done(&f->out);
	cdr_writer_done(&f->bytes);
	json_decref(f->value);
	type_set_done(&f->set);
}

static json_t *shown(const struct fixture *f)
{
	json_error_t error;
	json_t *json = json_loadb(f->out.data, f->out.size, JSON_REJECT_DUPLICATES | JSON_ALLOW_NUL, &error);

	ck_assert_msg(json != NULL, "%s: %.*s", error.text, (int)f->out.size, f->out.data);
	return json;
}

START_TEST(what_is_encoded_decodes_to_the_same)
{
	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct fixture f;
		json_t *again;

		begin(&f, seed, _i);
		ck_assert_int_eq(type_set_needs_version2(&f.set) && _i, 0);
		ck_assert_msg(encode(f.type, false, f.value, "data", &f.bytes, &f.reason) == 0, "%s", f.reason.text);
		ck_assert_uint_eq(f.bytes.size % 4, 0);
		ck_assert_int_eq(decode(f.type, DECODE_WHOLE, f.bytes.data, f.bytes.size, &f.out), 0);
		again = shown(&f);
		ck_assert_msg(json_equal(again, f.value), "seed %d: %.*s", (int)seed, (int)f.out.size, f.out.data);
		json_decref(again);
		done(&f);
	}
}
END_TEST

/* A key by itself shows what the keys of the whole show, in the same order. */
START_TEST(a_key_decodes_to_what_the_sample_has)
{
	unsigned n = 0;

	for (uint64_t seed = 0; seed < SEEDS; seed++) {
		struct cdr_writer key;
		struct fixture f;
		struct out path;
		json_t *json;

		begin(&f, seed, _i);
		cdr_writer_init(&key, 2, LIMIT);
		ck_assert_int_eq(encode(f.type, false, f.value, "data", &f.bytes, &f.reason), 0);
		ck_assert_int_eq(decode(f.type, DECODE_KEYS, f.bytes.data, f.bytes.size, &f.out), 0);
		json = shown(&f);
		ck_assert_msg(encode(f.type, true, json, "key", &key, &f.reason) == 0, "%s", f.reason.text);
		json_decref(json);
		out_init(&path, OUT_JSON, LIMIT);
		ck_assert_int_eq(decode(f.type, DECODE_BARE, key.data, key.size, &path), 0);
		ck_assert_uint_eq(path.size, f.out.size);
		ck_assert_mem_eq(path.data, f.out.data, f.out.size);
		n += f.type->has_key;
		out_done(&path);
		cdr_writer_done(&key);
		done(&f);
	}
	ck_assert_uint_gt(n, SEEDS / 4);
}
END_TEST

/* Whatever comes, it ends, within bounds; the sanitizers look on. */
START_TEST(broken_bytes_are_survived)
{
	static const enum out_notation notations[] = {OUT_JSON, OUT_CBOR, OUT_PATH};
	unsigned n_refused = 0;

	for (uint64_t seed = 0; seed < SEEDS / 2; seed++) {
		struct fixture f;

		begin(&f, seed, _i);
		ck_assert_int_eq(encode(f.type, false, f.value, "data", &f.bytes, &f.reason), 0);
		for (unsigned i = 0; i < MUTATIONS; i++) {
			size_t size = i % 3 ? f.bytes.size : dds_maker_number(&f.maker, (uint32_t)f.bytes.size);
			uint8_t *copy = malloc(size ? size : 1); /* exactly so many: one more is seen */
			struct out out;
			int r;

			ck_assert_ptr_nonnull(copy);
			memcpy(copy, f.bytes.data, size);
			for (unsigned k = 0; size && k <= i % 4; k++)
				copy[dds_maker_number(&f.maker, (uint32_t)size)] =
					(uint8_t)(i % 5 ? dds_maker_number(&f.maker, 256) : 0xff);
			out_init(&out, notations[i % 3], 65536);
			r = decode(f.type, (enum decode_part)(i % 3), copy, size, &out);
			n_refused += r < 0;
			ck_assert_uint_le(out.size, 65536);
			out_done(&out);
			free(copy);
		}
		done(&f);
	}
	ck_assert_uint_gt(n_refused, SEEDS);
}
END_TEST

START_TEST(broken_cbor_is_survived)
{
	unsigned n_refused = 0, n_taken = 0;

	for (uint64_t seed = 0; seed < SEEDS / 2; seed++) {
		struct sample_order order;
		struct buffer cbor;
		struct fixture f;
		json_t *root;

		begin(&f, seed, _i);
		root = json_pack("{s:s,s:O}", "state", "alive", "data", f.value);
		buffer_init(&cbor, LIMIT);
		ck_assert_int_eq(tree_to_cbor(root, &cbor), 0);
		ck_assert_msg(sample_read(f.type, _i ? 1 : 2, true, bytes_of_buffer(&cbor), &order, &f.reason) == 0,
			      "%s", f.reason.text);
		sample_order_done(&order);
		for (unsigned i = 0; i < MUTATIONS; i++) {
			size_t place = dds_maker_number(&f.maker, (uint32_t)buffer_size(&cbor));
			uint8_t before = cbor.data[place];
			int r;

			cbor.data[place] = (uint8_t)dds_maker_number(&f.maker, 256);
			r = sample_read(f.type, _i ? 1 : 2, true, bytes_of_buffer(&cbor), &order, &f.reason);
			ck_assert(r >= 0 || f.reason.text[0]);
			n_refused += r < 0;
			n_taken += r >= 0;
			sample_order_done(&order);
			cbor.data[place] = before;
		}
		buffer_done(&cbor);
		json_decref(root);
		done(&f);
	}
	ck_assert_uint_gt(n_refused, SEEDS);
	ck_assert_uint_gt(n_taken, 0);
}
END_TEST

START_TEST(broken_json_is_survived)
{
	static const char junk[] = "{}[]\",:0-e\\x1n";
	unsigned n_refused = 0, n_taken = 0;

	for (uint64_t seed = 0; seed < SEEDS / 2; seed++) {
		struct sample_order order;
		struct fixture f;
		char *text;
		size_t size;
		json_t *root;

		begin(&f, seed, _i);
		root = json_pack("{s:s,s:O}", "state", seed % 2 ? "alive" : "no_writers", "data", f.value);
		text = json_dumps(root, JSON_COMPACT);
		size = strlen(text);
		for (unsigned i = 0; i < MUTATIONS; i++) {
			size_t place = dds_maker_number(&f.maker, (uint32_t)size);
			char before = text[place];
			int r;

			text[place] = junk[dds_maker_number(&f.maker, sizeof(junk) - 1)];
			r = sample_read(f.type, _i ? 1 : 2, false, (struct tg_bytes){text, size}, &order, &f.reason);
			ck_assert(r >= 0 || f.reason.text[0]);
			ck_assert_ptr_nonnull(memchr(f.reason.text, 0, sizeof(f.reason.text)));
			n_refused += r < 0;
			n_taken += r >= 0;
			sample_order_done(&order);
			text[place] = before;
		}
		free(text);
		json_decref(root);
		done(&f);
	}
	ck_assert_uint_gt(n_refused, SEEDS);
	ck_assert_uint_gt(n_taken, 0);
}
END_TEST

static struct type *one_member(struct type_set *set, const struct type *inner)
{
	struct type *type;

	ck_assert_int_eq(type_new(set, TYPE_STRUCT, "S", 1, &type), 0);
	ck_assert_int_eq(type_set_name(&type->members[0], "a"), 0);
	type->members[0].type = inner;
	ck_assert_int_eq(type_finish(type), 0);
	return type;
}

START_TEST(what_is_deep_or_huge_is_refused)
{
	static const uint8_t none[4096] = {0, 1};
	static const uint8_t many[] = {0, 1, 0, 0, 0xff, 0xff, 0xff, 0xff};
	struct type *node, *list, *empty, *type;
	struct type_set set;
	struct out out;

	type_set_init(&set);
	out_init(&out, OUT_JSON, LIMIT);
	/* A struct that holds itself. */
	ck_assert_int_eq(type_new(&set, TYPE_STRUCT, "Node", 1, &node), 0);
	ck_assert_int_eq(type_set_name(&node->members[0], "next"), 0);
	node->members[0].type = node;
	ck_assert_int_eq(type_finish(node), 0);
	ck_assert_int_eq(decode(node, DECODE_WHOLE, none, sizeof(none), &out), -E2BIG);
	/* Four thousand million of nothing, and of what is not there. */
	ck_assert_int_eq(type_new(&set, TYPE_STRUCT, "Empty", 0, &empty), 0);
	ck_assert_int_eq(type_finish(empty), 0);
	ck_assert_int_eq(type_new(&set, TYPE_SEQUENCE, "list", 0, &list), 0);
	list->inner = empty;
	out_reset(&out);
	ck_assert_int_eq(decode(one_member(&set, list), DECODE_WHOLE, many, sizeof(many), &out), -E2BIG);
	ck_assert_int_eq(type_new(&set, TYPE_ARRAY, "cube", 0, &type), 0);
	type->inner = empty;
	type->n_dimensions = 3;
	type->dimensions[0] = type->dimensions[1] = type->dimensions[2] = UINT32_MAX;
	out_reset(&out);
	ck_assert_int_eq(decode(one_member(&set, type), DECODE_WHOLE, none, sizeof(none), &out), -E2BIG);
	/* More text than may go out. */
	out_done(&out);
	out_init(&out, OUT_JSON, 16);
	ck_assert_int_eq(type_new(&set, TYPE_ARRAY, "row", 0, &type), 0);
	type->inner = list->inner;
	type->n_dimensions = 1;
	type->dimensions[0] = 100;
	ck_assert_int_eq(decode(one_member(&set, type), DECODE_WHOLE, none, sizeof(none), &out), -E2BIG);
	out_done(&out);
	/* Types themselves. */
	ck_assert_int_eq(type_new(&set, TYPE_STRUCT, "Wide", TYPE_MEMBERS_MOST + 1, &type), -E2BIG);
	for (int i = 0; i < TYPE_MOST; i++)
		if (type_new(&set, TYPE_BOOL, "b", 0, &type) < 0)
			break;
	ck_assert_int_eq(type_new(&set, TYPE_BOOL, "b", 0, &type), -E2BIG);
	type_set_done(&set);
}
END_TEST

static struct type *struct_of(struct type_set *set, const char *name, size_t n, const struct type *inner)
{
	struct type *type;
	char text[24];

	ck_assert_int_eq(type_new(set, TYPE_STRUCT, name, n, &type), 0);
	for (size_t i = 0; i < n; i++) {
		snprintf(text, sizeof(text), "m%zu", i);
		ck_assert_int_eq(type_set_name(&type->members[i], text), 0);
		type->members[i].type = inner;
		type->members[i].id = (uint32_t)(n - i);
	}
	return type;
}

static struct type *plain_type(struct type_set *set, enum type_kind kind, const struct type *inner)
{
	struct type *type;

	ck_assert_int_eq(type_new(set, kind, "plain", 0, &type), 0);
	type->inner = inner;
	return type;
}

/* Each level leads to the next one twice: 2^30 ways to its end. */
START_TEST(a_type_with_more_ways_than_anybody_can_go_is_judged_at_once)
{
	const struct type *type;
	struct type_set set;

	type_set_init(&set);
	type = plain_type(&set, TYPE_BYTE, NULL);
	for (int i = 0; i < 30; i++) {
		struct type *outer = struct_of(&set, "Level", 2, plain_type(&set, TYPE_SEQUENCE, type));

		ck_assert_int_eq(type_finish(outer), 0);
		type = outer;
	}
	ck_assert(!type_set_needs_version2(&set));
	ck_assert_int_eq(type_finish(struct_of(&set, "Wide", 10000, type)), 0);
	type_set_done(&set);
}
END_TEST

START_TEST(members_are_found_and_no_two_are_equal)
{
	struct type_set set;
	struct type *type, *byte;

	type_set_init(&set);
	byte = plain_type(&set, TYPE_BYTE, NULL);
	type = struct_of(&set, "S", 100, byte);
	ck_assert_int_eq(type_finish(type), 0);
	for (size_t i = 0; i < 100; i++) {
		ck_assert_ptr_eq(type_member(type, type->members[i].name), &type->members[i]);
		ck_assert_ptr_eq(type_member_of_id(type, type->members[i].id), &type->members[i]);
	}
	ck_assert_ptr_null(type_member(type, "m100"));
	ck_assert_ptr_null(type_member(type, "a"));
	ck_assert_ptr_null(type_member_of_id(type, 0));
	ck_assert_ptr_null(type_member_of_id(type, 101));
	type = struct_of(&set, "S", 100, byte);
	type->members[3].id = type->members[97].id;
	ck_assert_int_eq(type_finish(type), -EINVAL);
	type = struct_of(&set, "S", 100, byte);
	ck_assert_int_eq(type_set_name(&type->members[3], "m97"), 0);
	ck_assert_int_eq(type_finish(type), -EINVAL);
	type_set_done(&set);
}
END_TEST

/* Many small values, for each of which a type of thousands of members is looked through. */
START_TEST(a_wide_type_does_not_make_small_values_dear)
{
	enum { WIDE = 16000, COUNT = 200000 };
	static uint8_t bytes[4 + 8 + 4 * COUNT];
	struct type *wide, *list, *type;
	struct type_set set;
	struct out out;

	type_set_init(&set);
	out_init(&out, OUT_JSON, LIMIT);
	bytes[1] = _i ? 0x07 : 0x01;
	wide = struct_of(&set, "Wide", WIDE, plain_type(&set, TYPE_BYTE, NULL));
	wide->kind = _i ? TYPE_STRUCT : TYPE_ENUM;
	wide->extent = TYPE_MUTABLE;
	wide->bound = 32;
	ck_assert_int_eq(type_finish(wide), 0);
	list = plain_type(&set, TYPE_SEQUENCE, wide);
	type = one_member(&set, list);
	if (_i)
		memcpy(bytes + 4, &(uint32_t){4 * COUNT + 4}, 4); /* of the collection */
	memcpy(bytes + (_i ? 8 : 4), &(uint32_t){COUNT}, 4);
	ck_assert_int_eq(decode(type, DECODE_WHOLE, bytes, sizeof(bytes), &out), -E2BIG);
	ck_assert_uint_lt(out.size, LIMIT / 2); /* not for what was written */
	out_done(&out);
	type_set_done(&set);
}
END_TEST

START_TEST(headers_that_are_not_known_are_refused)
{
	/* Parameter list of XCDR1, XML, none at all, another first byte. */
	static const uint8_t bad[][4] = {{0, 2, 0, 0}, {0, 3, 0, 0}, {0, 4, 0, 0}, {1, 1, 0, 0}};
	struct cdr_reader reader;

	for (size_t i = 0; i < 4; i++)
		ck_assert_int_eq(cdr_reader_init(&reader, bad[i], 4), -EBADMSG);
	ck_assert_int_eq(cdr_reader_init(&reader, bad[0], 3), -EBADMSG);
}
END_TEST

START_TEST(big_endian_is_read)
{
	static const uint8_t bytes[] = {0, 0, 0, 0, 0xff, 0xfe, 0, 0, 1, 2, 3, 4};
	struct type *number, *wide, *type;
	struct type_set set;
	struct out out;

	type_set_init(&set);
	out_init(&out, OUT_JSON, LIMIT);
	ck_assert_int_eq(type_new(&set, TYPE_INT16, "n", 0, &number), 0);
	ck_assert_int_eq(type_new(&set, TYPE_UINT32, "w", 0, &wide), 0);
	ck_assert_int_eq(type_new(&set, TYPE_STRUCT, "S", 2, &type), 0);
	ck_assert_int_eq(type_set_name(&type->members[0], "n"), 0);
	ck_assert_int_eq(type_set_name(&type->members[1], "w"), 0);
	type->members[0].type = number;
	type->members[1].type = wide;
	type->members[1].id = 1;
	ck_assert_int_eq(type_finish(type), 0);
	ck_assert_int_eq(decode(type, DECODE_WHOLE, bytes, sizeof(bytes), &out), 0);
	ck_assert_uint_eq(out.size, 21);
	ck_assert_mem_eq(out.data, "{\"n\":-2,\"w\":16909060}", 21);
	out_done(&out);
	type_set_done(&set);
}
END_TEST

int main(void)
{
	Suite *suite = suite_create("dds");
	TCase *tcase = tcase_create("dds");
	SRunner *runner;
	int failed;

	tcase_add_loop_test(tcase, what_is_encoded_decodes_to_the_same, 0, 2);
	tcase_add_loop_test(tcase, a_key_decodes_to_what_the_sample_has, 0, 2);
	tcase_add_loop_test(tcase, broken_bytes_are_survived, 0, 2);
	tcase_add_loop_test(tcase, broken_json_is_survived, 0, 2);
	tcase_add_loop_test(tcase, broken_cbor_is_survived, 0, 2);
	tcase_add_test(tcase, what_is_deep_or_huge_is_refused);
	tcase_add_test(tcase, a_type_with_more_ways_than_anybody_can_go_is_judged_at_once);
	tcase_add_test(tcase, members_are_found_and_no_two_are_equal);
	tcase_add_loop_test(tcase, a_wide_type_does_not_make_small_values_dear, 0, 2);
	tcase_add_test(tcase, headers_that_are_not_known_are_refused);
	tcase_add_test(tcase, big_endian_is_read);
	suite_add_tcase(suite, tcase);
	runner = srunner_create(suite);
	srunner_run_all(runner, CK_NORMAL);
	failed = srunner_ntests_failed(runner);
	srunner_free(runner);
	return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
